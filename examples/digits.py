"""Learn the digits 0 to 5, watch 6 to 9 while training, stop when they no longer improve, and look at them.

Run it: python examples/digits.py [FOLDER]; then: tensorboard --logdir FOLDER
It runs as well with KERAS_BACKEND=jax or KERAS_BACKEND=torch.
"""

from __future__ import annotations

import sys

import numpy as np
from sklearn.datasets import load_digits

import tripleteval.keras as te
from tripleteval.keras import BalancedBatches, EvaluateEmbeddings, TensorBoardEmbeddings, TripletSemiHardLoss

import keras  # isort: skip  # after the names above, with which Keras came quietly
from keras import layers  # isort: skip


def placed(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return (n, 12, 12, 1) canvases, each with its 8 × 8 image at a random place, so that pixels alone do not help."""
    canvases = np.zeros((len(images), 12, 12, 1), np.float32)
    for canvas, image, (top, left) in zip(canvases, images, random.integers(0, 5, (len(images), 2)), strict=True):
        canvas[top : top + 8, left : left + 8, 0] = image
    return canvases


logs = sys.argv[1] if len(sys.argv) > 1 else "logs/digits"
digits = load_digits()
images, labels = digits.images / 16, digits.target
unseen = labels >= 6
held_out = placed(images[unseen], np.random.default_rng(0))
# Six classes are few, and a digit on its side is another sign: every quarter turn is a class of its own.
turned = np.concatenate([np.rot90(images[~unseen], way, (1, 2)) for way in range(4)])
signs = np.concatenate([4 * labels[~unseen] + way for way in range(4)])

keras.utils.set_random_seed(0)
tower = [
    layers.Conv2D(32, 3, activation="relu"),
    layers.Conv2D(64, 3, activation="relu"),
    layers.MaxPooling2D(),
    layers.Conv2D(64, 3, activation="relu"),
    layers.GlobalMaxPooling2D(),
    layers.Dense(32),
    layers.UnitNormalization(),
]
model = keras.Sequential([keras.Input((12, 12, 1)), *tower])
model.compile(
    keras.optimizers.Adam(2e-3),
    loss=TripletSemiHardLoss(margin=0.2),
    metrics=[te.TripletAccuracy(), *te.triplet_composition(margin=0.2), te.EmbeddingCollapse(margin=0.2)],
)
watch = EvaluateEmbeddings((held_out, labels[unseen]), metrics=["hit_rate@1", "recall@10", "map@r"])
model.fit(
    BalancedBatches(signs, classes_per_batch=10, samples_per_class=8, inputs=turned, transform=placed),
    epochs=4,
    verbose=0,
    callbacks=[
        watch,  # first, because the others look at its numbers
        TensorBoardEmbeddings(watch, logs),
        keras.callbacks.EarlyStopping("val_map_at_r", mode="max", patience=2, restore_best_weights=True),
    ],
)

print("epoch  hit_rate@1  recall@10   map@r   digits 6 to 9, never trained on")
for epoch, run in watch.evaluations.items():
    print(f"{epoch + 1:5}{run['hit_rate@1']:12.4f}{run['recall@10']:11.4f}{run['map@r']:8.4f}")

trained = te.embed(model, held_out, labels[unseen])
te.write_distances(trained, logs, step=len(watch.evaluations) - 1)
te.write_pr_curve(trained, logs, step=len(watch.evaluations) - 1)
te.export_projector(trained, logs, pictures=1 - held_out)
print(f"Look at them: tensorboard --logdir {logs}")
