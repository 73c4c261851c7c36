"""Under a strategy of TensorFlow with two replicas, which have to be asked for before TensorFlow begins."""

from __future__ import annotations

import subprocess
import sys

import keras
import pytest

TRAINING = """
import keras
import numpy as np
import tensorflow as tf

devices = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], devices)

from tripleteval.keras import EvaluateEmbeddings, TripletAccuracy, TripletAllLoss, embed

points, labels = np.random.default_rng(0).normal(size=(17, 4)).astype("float32"), np.arange(17) % 3
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
with strategy.scope():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    loss = TripletAllLoss(0.5, mean="all")
    model.compile(keras.optimizers.SGD(0.1), loss=loss, metrics=[TripletAccuracy()])

# Two steps of 16 and 1: in the second, one replica has a single row and the other none.
parts = tf.data.Dataset.from_tensor_slices((points, labels)).batch(16)
first = [weight.copy() for weight in model.get_weights()]
halves = [tf.Variable(points[start : start + 8] @ first[0]) for start in (0, 8)]
with tf.GradientTape() as tape:
    costs = [loss(labels[start : start + 8], half) for start, half in zip((0, 8), halves)]
slopes = tape.gradient(costs, halves)
slope = sum(points[start : start + 8].T @ each.numpy() for start, each in zip((0, 8), slopes)) / 2

watch = EvaluateEmbeddings((points, labels), metrics=["mrr"])
history = model.fit(parts, verbose=0, callbacks=[watch]).history
assert np.allclose(model.get_weights()[0], first[0] - 0.1 * slope, atol=1e-6)
assert np.isclose(history["loss"][0], np.mean(costs) * 16 / 17, rtol=1e-5), (history, costs)
assert np.allclose(embed(model, points, batch_size=8).vectors, points @ model.get_weights()[0], atol=1e-5)
assert 0 < history["val_mrr"][0] < 1
"""


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="strategies are of TensorFlow")
def test_losses_metrics_and_the_callback_hold_on_two_replicas():
    done = subprocess.run([sys.executable, "-c", TRAINING], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
