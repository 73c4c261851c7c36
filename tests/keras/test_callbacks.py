"""The callback: the numbers of the command line, in the logs, and a training that does not notice."""

from __future__ import annotations

import json
import re

import keras
import numpy as np
import pytest
from click.testing import CliRunner

import tripleteval as te
from tripleteval.cli import main
from tripleteval.errors import FileError, ParameterError, ResourceError
from tripleteval.keras.callbacks import EvaluateEmbeddings
from tripleteval.keras.collapse import CollapseWarning
from tripleteval.keras.embedding import embed, embed_to_file
from tripleteval.keras.losses import TripletAllLoss, TripletSemiHardLoss
from tripleteval.keras.sampling import BalancedBatches
from tripleteval.metrics.names import safe_name

CLASSES = np.arange(96) % 8


def points(seed=0):
    random = np.random.default_rng(seed)
    noise = random.normal(size=(96, 10)).astype("float32")
    return noise + 2 * np.eye(8, 10, dtype="float32")[CLASSES]


def network(loss=None, dropout=0.2):
    keras.utils.set_random_seed(3)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((10,)),
            layers.Dense(16),
            layers.BatchNormalization(),
            layers.Dropout(dropout),
            layers.Dense(4),
            layers.UnitNormalization(),
        ]
    )
    model.compile(keras.optimizers.Adam(0.02), loss=loss or TripletSemiHardLoss(0.3))
    return model


def trained(callbacks=(), epochs=3, model=None):
    model = model or network()
    batches = BalancedBatches(CLASSES, 4, 4, inputs=points())
    history = model.fit(batches, epochs=epochs, shuffle=False, verbose=0, callbacks=list(callbacks))
    return model, history.history


def test_the_numbers_are_those_of_the_command_line(tmp_path):
    callback = EvaluateEmbeddings((points(1), CLASSES), ks=(1, 5), metrics=["map@20"], runs=tmp_path / "runs")
    model, history = trained([callback])
    embed_to_file(model, points(1), tmp_path / "val.parquet", CLASSES)
    options = ["--margin", "0.3", "-k", "1", "-k", "5", "--metric", "map@20", "--json", "-", "--no-save", "--quiet"]
    ran = CliRunner().invoke(main, ["evaluate", str(tmp_path / "val.parquet"), *options])
    values = json.loads(ran.stdout)["values"]
    assert history["val_map_at_20"][-1] == values["map@20"]["value"]
    assert callback.evaluations[2]["recall@5"] == values["recall@5"]["value"]
    assert callback.evaluations[2]["easy@margin=0.3"] == values["easy@margin=0.3"]["value"]
    assert [folder.name for folder in sorted((tmp_path / "runs").iterdir())] == [
        "epoch-0001",
        "epoch-0002",
        "epoch-0003",
    ]
    assert te.load(tmp_path / "runs" / "epoch-0003")["map@20"] == history["val_map_at_20"][-1]
    with pytest.raises(ResourceError, match="E801"):
        trained([EvaluateEmbeddings((points(1), CLASSES), runs=tmp_path / "runs")], epochs=1)


def test_every_metric_is_logged_under_a_name_that_keras_can_format():
    _, history = trained([EvaluateEmbeddings((points(1), CLASSES))], epochs=1)
    names = [name for name in history if name.startswith("val_")]
    assert {"val_recall_at_10", "val_map_at_r", "val_triplet_loss_at_margin_0_3", "val_mrr"} <= set(names)
    assert all(re.fullmatch(r"\w+", name) for name in names)
    assert safe_name("tar@far=1e-05") == "tar_at_far_1e_05"


def test_training_does_not_notice():
    seen = []

    class Seen(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append((epoch, logs["loss"]))

    alone, _ = trained([Seen()])
    state = np.random.get_state()[1].tolist()  # noqa: NPY002  # the state others use is what must not change
    watched, _ = trained([EvaluateEmbeddings((points(1), CLASSES)), Seen()])
    assert np.random.get_state()[1].tolist() == state  # noqa: NPY002
    for one, two in zip(alone.get_weights(), watched.get_weights(), strict=True):
        assert np.array_equal(one, two)
    assert seen[:3] == seen[3:]


def test_early_stopping_checkpoints_and_the_learning_rate_follow_it(tmp_path):
    callbacks = [
        EvaluateEmbeddings((points(1), CLASSES), metrics=["hit_rate@1"]),
        keras.callbacks.ModelCheckpoint(
            str(tmp_path / "{epoch}-{val_hit_rate_at_1:.3f}.keras"),
            "val_hit_rate_at_1",
            mode="max",
            save_best_only=True,
        ),
        keras.callbacks.ReduceLROnPlateau("val_hit_rate_at_1", mode="max", patience=1, min_delta=1.0, cooldown=0),
        keras.callbacks.EarlyStopping("val_hit_rate_at_1", mode="max", patience=2, min_delta=1.0),
    ]
    model, history = trained(callbacks, epochs=9)
    assert len(history["loss"]) == 3
    best = int(np.argmax(history["val_hit_rate_at_1"]))
    assert (tmp_path / f"{best + 1}-{history['val_hit_rate_at_1'][best]:.3f}.keras").exists()
    assert float(model.optimizer.learning_rate) < 0.02


def test_in_between_the_last_numbers_are_repeated_and_the_last_epoch_is_evaluated():
    callback = EvaluateEmbeddings((points(1), CLASSES), every=3, metrics=["mrr"])
    _, history = trained([callback], epochs=6)
    assert sorted(callback.evaluations) == [0, 3, 5]
    assert history["val_mrr"][0] == history["val_mrr"][1] == history["val_mrr"][2]


def test_a_gallery_is_searched_instead():
    callback = EvaluateEmbeddings((points(1)[:24], CLASSES[:24]), gallery=(points(2), CLASSES), metrics=["recall@10"])
    model, history = trained([callback], epochs=1)
    queries, gallery = embed(model, points(1)[:24], CLASSES[:24]), embed(model, points(2), CLASSES)
    assert history["val_recall_at_10"] == [te.evaluate(queries, gallery=gallery)["recall@10"]]


def test_a_siamese_model_is_watched_through_its_tower():
    tower = network()
    inputs = [keras.Input((10,)) for _ in range(3)]
    siamese = keras.Model(inputs, keras.ops.stack([tower(one) for one in inputs], axis=1))
    siamese.compile("adam", loss="mse")
    callback = EvaluateEmbeddings((points(1), CLASSES), metrics=["mrr"])
    siamese.fit([points()] * 3, np.zeros((96, 3, 4)), callbacks=[callback], verbose=0)
    assert callback.evaluations[0]["mrr"] == te.evaluate(embed(tower, points(1), CLASSES))["mrr"]


def nearly_one_point(noise):
    """Return a network that gives everything nearly the same vector, and does not learn."""
    model = network(TripletAllLoss(0.2, mean="all"), dropout=0.0)
    kernel = np.random.default_rng(0).normal(size=(16, 4)) * noise
    model.layers[-2].set_weights([kernel, np.ones(4)])
    model.optimizer.learning_rate = 0.0
    return model


@pytest.mark.parametrize(
    ("noise", "said"),
    [(0.0, "epoch 1: Collapsed: all vectors are identical"), (1e-4, "epoch 1: .* the network has collapsed")],
)
def test_a_collapsed_space_is_warned_about_once(noise, said):
    with pytest.warns(CollapseWarning, match=said) as caught:
        trained([EvaluateEmbeddings((points(1), CLASSES))], model=nearly_one_point(noise))
    assert len(caught) == 1


def test_a_loss_stuck_at_the_margin_is_warned_about():
    callback = EvaluateEmbeddings((points(1), CLASSES), margins=(0,))  # which says nothing about the margin of 0.2
    with pytest.warns(CollapseWarning, match="epoch 3: The training loss has been at its margin of 0.2 for 3 epochs"):
        trained([callback], model=nearly_one_point(1e-4))


def test_a_healthy_space_is_not_warned_about(recwarn):
    trained([EvaluateEmbeddings((points(1), CLASSES))])
    assert [warning for warning in recwarn if warning.category is CollapseWarning] == []


def test_the_impossible_is_refused():
    with pytest.raises(ParameterError, match="every=0"):
        EvaluateEmbeddings((points(), CLASSES), every=0)
    with pytest.raises(ParameterError, match="did you mean 'recall@k'"):
        EvaluateEmbeddings((points(), CLASSES), metrics=["recal@10"])
    two = keras.Sequential([keras.Input((10,)), keras.layers.Dense(10), keras.layers.Reshape((5, 2))])
    two.compile("sgd", loss="mse")
    with pytest.raises(FileError, match="E613"):
        two.fit(points(), np.zeros((96, 5, 2)), verbose=0, callbacks=[EvaluateEmbeddings((points(), CLASSES))])
