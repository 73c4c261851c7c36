"""The callback: the numbers of the command line, in the logs, and a training that does not notice."""

from __future__ import annotations

import json
import re
import warnings

import keras
import numpy as np
import pytest
from click.testing import CliRunner

import tripleteval as te
from tripleteval.cli import main
from tripleteval.errors import DataError, FileError, LabelError, ParameterError, ResourceError
from tripleteval.keras.callbacks import EvaluateEmbeddings
from tripleteval.keras.collapse import CollapseWarning, stuck
from tripleteval.keras.embedding import embed, embed_to_file
from tripleteval.keras.losses import TripletAllLoss, TripletSemiHardLoss
from tripleteval.keras.sampling import BalancedBatches
from tripleteval.metrics.names import safe_name
from tripleteval.report.sections import sections

CLASSES = np.arange(96) % 8


def points(seed=0):
    random = np.random.default_rng(seed)
    noise = random.normal(size=(96, 10)).astype("float32")
    return noise + 2 * np.eye(8, 10, dtype="float32")[CLASSES]


def network(loss=None, dropout=0.2, eager=True):
    """Return a small network; eager, because compiling takes longer than training it."""
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
    model.compile(keras.optimizers.Adam(0.02), loss=loss or TripletSemiHardLoss(0.3), run_eagerly=eager)
    return model


def trained(callbacks=(), epochs=3, model=None):
    model = model or network()
    batches = BalancedBatches(CLASSES, 8, 4, inputs=points())
    history = model.fit(batches, epochs=epochs, shuffle=False, verbose=0, callbacks=list(callbacks))
    return model, history.history


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """Train once, watched in many ways; return the network, its history, the callbacks and their run folders."""
    val, runs = (points(1), CLASSES), tmp_path_factory.mktemp("watched") / "runs"
    callbacks = {
        "map": EvaluateEmbeddings(val, ks=(1, 5), metrics=["map@20"], runs=runs),
        "all": EvaluateEmbeddings(val, prefix="all_"),
        "third": EvaluateEmbeddings(val, prefix="third_", every=3, metrics=["mrr"]),
        "reid": EvaluateEmbeddings(val, prefix="reid_", every=9, preset="reid", metrics=["recall@5"]),
        "gallery": EvaluateEmbeddings(
            (points(1)[:24], CLASSES[:24]),
            prefix="gallery_",
            every=9,
            gallery=(points(2), CLASSES),
            metrics=["recall@10"],
        ),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error", CollapseWarning)  # a healthy space is not warned about
        model, history = trained(callbacks.values(), epochs=6)
    return model, history, callbacks, runs


def test_the_numbers_are_those_of_the_command_line(watched, tmp_path):
    model, history, callbacks, runs = watched
    embed_to_file(model, points(1), tmp_path / "val.parquet", CLASSES)
    options = ["--margin", "0.3", "-k", "1", "-k", "5", "--metric", "map@20", "--json", "-", "--no-save", "--quiet"]
    ran = CliRunner().invoke(main, ["evaluate", str(tmp_path / "val.parquet"), *options])
    values = json.loads(ran.stdout)["values"]
    last = callbacks["map"].evaluations[5]
    assert history["val_map_at_20"][-1] == values["map@20"]["value"]
    assert last["recall@5"] == values["recall@5"]["value"]
    assert last["easy@margin=0.3"] == values["easy@margin=0.3"]["value"]
    folders = sorted(folder.name for folder in runs.iterdir())
    assert folders == [f"epoch-000{number}" for number in range(1, 7)]
    assert te.load(runs / "epoch-0003")["map@20"] == history["val_map_at_20"][2]
    with pytest.raises(ResourceError, match="E801"):
        trained([EvaluateEmbeddings((points(1), CLASSES), runs=runs)], epochs=1)


def test_every_metric_is_logged_under_a_name_that_keras_can_format(watched):
    names = [name for name in watched[1] if name.startswith("all_")]
    assert {"all_recall_at_10", "all_map_at_r", "all_triplet_loss_at_margin_0_3", "all_mrr"} <= set(names)
    assert all(re.fullmatch(r"\w+", name) for name in names)
    assert safe_name("tar@far=1e-05") == "tar_at_far_1e_05"


def test_a_preset_logs_its_numbers_first_and_marks_the_evaluations(watched):
    _, history, callbacks, _ = watched
    last = callbacks["reid"].evaluations[5]
    names = [name for name in history if name.startswith("reid_")]
    assert names[:3] == ["reid_map", "reid_hit_rate_at_1", "reid_hit_rate_at_5"]
    assert names[-1] == "reid_recall_at_5"
    assert history["reid_map"][-1] == last["map"]
    assert "Headline for" in "".join(section.title for section in sections(last))


def test_training_does_not_notice():
    seen = []

    class Seen(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append((epoch, logs["loss"]))

    alone, _ = trained([Seen()], model=network(eager=False))
    state = np.random.get_state()[1].tolist()  # noqa: NPY002  # the state others use is what must not change
    watch = EvaluateEmbeddings((points(1), CLASSES))
    watched, _ = trained([watch, Seen()], model=network(eager=False))
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


def test_in_between_the_last_numbers_are_repeated_and_the_last_epoch_is_evaluated(watched):
    _, history, callbacks, _ = watched
    assert sorted(callbacks["third"].evaluations) == [0, 3, 5]
    first, again, still, *_ = history["third_mrr"]
    assert first == again == still


def test_a_gallery_is_searched_instead(watched):
    model, history, *_ = watched
    queries, gallery = embed(model, points(1)[:24], CLASSES[:24]), embed(model, points(2), CLASSES)
    assert history["gallery_recall_at_10"][-1] == te.evaluate(queries, gallery=gallery)["recall@10"]


def test_a_siamese_model_is_watched_through_its_tower():
    tower = network()
    inputs = [keras.Input((10,)) for _ in range(3)]
    siamese = keras.Model(inputs, keras.ops.stack([tower(one) for one in inputs], axis=1))
    siamese.compile("adam", loss="mse", run_eagerly=True)
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
        trained([EvaluateEmbeddings((points(1), CLASSES))], epochs=2, model=nearly_one_point(noise))
    assert [warning.category for warning in caught].count(CollapseWarning) == 1


def test_a_loss_stuck_at_the_margin_is_warned_about():
    callback = EvaluateEmbeddings((points(1), CLASSES), margins=(0,))  # which says nothing about the margin of 0.2
    with pytest.warns(CollapseWarning, match="epoch 3: The training loss has been at its margin of 0.2 for 3 epochs"):
        trained([callback], model=nearly_one_point(1e-4))


def test_losses_that_are_no_numbers_are_not_stuck_at_the_margin():
    assert stuck([0.2, 0.2, 0.2], 0.2)
    for losses in ([np.nan] * 3, [0.2, np.nan, 0.2]):
        assert not stuck(losses, 0.2)


def test_the_impossible_is_refused():
    with pytest.raises(ParameterError, match="every=0"):
        EvaluateEmbeddings((points(), CLASSES), every=0)
    with pytest.raises(ParameterError, match="did you mean 'recall@k'"):
        EvaluateEmbeddings((points(), CLASSES), metrics=["recal@10"])
    with pytest.raises(ParameterError, match="did you mean 'product'"):
        EvaluateEmbeddings((points(), CLASSES), preset="products")
    two = keras.Sequential([keras.Input((10,)), keras.layers.Dense(10), keras.layers.Reshape((5, 2))])
    two.compile("sgd", loss="mse", run_eagerly=True)
    with pytest.raises(FileError, match="E613"):
        two.fit(points(), np.zeros((96, 5, 2)), verbose=0, callbacks=[EvaluateEmbeddings((points(), CLASSES))])
    assert not int(two.optimizer.iterations)  # it is known before anything is trained


def in_batches(inputs, labels=None):
    return [inputs if labels is None else (inputs[rows], labels[rows]) for rows in (slice(50), slice(50, 96))]


@pytest.mark.parametrize(
    ("data", "error", "match"),
    [
        ([], DataError, "E301 no rows · validation data"),
        (in_batches(points()), LabelError, "E401 inputs without labels · validation data"),
        (in_batches(points(), CLASSES / 2), LabelError, "E403"),
        (in_batches(points()[:, :9], CLASSES), ValueError, "(?s)10.*9"),
    ],
    ids=["empty", "no labels", "float labels", "another shape"],
)
@pytest.mark.parametrize("side", ["validation data", "gallery"])
def test_what_a_batch_holds_is_looked_at_before_the_first_epoch(data, error, match, side):
    begun = []
    seen = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, _: begun.append(epoch))
    good = (points(), CLASSES)
    watch = EvaluateEmbeddings(data if side == "validation data" else good, gallery=data if side == "gallery" else None)
    with pytest.raises(error, match=match.replace("validation data", side)):
        trained([seen, watch])
    assert not begun


class Endless(keras.utils.PyDataset):
    num_batches = None

    def __getitem__(self, index):
        return points(index), CLASSES


@pytest.mark.parametrize(
    ("data", "error", "match"),
    [
        ((points(), CLASSES[1:]), LabelError, "95 labels for 96 inputs"),
        ((points(), CLASSES / 2), LabelError, "E403"),
        ((points(), np.eye(8)[CLASSES]), DataError, "E304 a column was expected"),
        (points(), LabelError, "inputs without labels"),
        (((points(), CLASSES) for _ in range(2)), DataError, "can be read only once"),
        (Endless(), DataError, "E301 a data set without an end"),
        (7, DataError, "E203"),
    ],
)
def test_data_that_cannot_be_watched_are_refused_before_any_epoch(data, error, match):
    with pytest.raises(error, match=match):
        EvaluateEmbeddings(data)
    with pytest.raises(error, match=match):
        EvaluateEmbeddings((points(), CLASSES), gallery=data)


def test_a_setting_nobody_knows_is_refused_before_any_epoch():
    with pytest.raises(ParameterError, match="unknown setting 'distanse' .* did you mean 'distance'"):
        EvaluateEmbeddings((points(), CLASSES), distanse="cosine")


@pytest.mark.parametrize(
    ("setting", "match"),
    [
        ({"distance": "cosin"}, "E510 distance='cosin' · did you mean 'cosine'"),
        ({"ks": (0,)}, "E308 k=0"),
        ({"metrics": "recall@0"}, "E308 k=0"),
        ({"margins": (-1,)}, "E505 margin=-1"),
        ({"zero_rows": "none"}, "E510 zero_rows='none'"),
        ({"memory": "1 banana"}, "E101 memory '1 banana'"),
        ({"threads": 0}, "E101 threads=0"),
        ({"ignore": "camera"}, "E510 ignore='camera'"),
        ({"kernel": "gpu"}, "E510 unknown kernel 'gpu'"),
        ({"resume": "runs/a"}, "E510 unknown setting 'resume'"),
        ({"by": "camera"}, "E101 no column 'camera' to slice by in validation data"),
        ({"unit": "group"}, "E101 unit='group' but no groups in validation data"),
        ({"calibrate_on": 1.5}, r"E505 calibrate_on=1\.5"),
        ({"calibrate_on": 0.01}, r"E505 calibrate_on=0\.01 takes 0 of 8 identities"),
        ({"calibrate_on": te.Embeddings(np.eye(4), [0, 0, 1, 1])}, "E520 2 identities both calibrated and judged on"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_an_impossible_setting_is_refused_before_any_epoch(setting, match):
    with pytest.raises(ParameterError, match=match):
        EvaluateEmbeddings((points(), CLASSES), **setting)


@pytest.mark.parametrize("setting", [{"by": "camera"}, {"unit": "group"}], ids=["by", "unit"])
def test_batches_are_known_to_bring_no_columns(setting):
    with pytest.raises(ParameterError, match="E101 .*in validation data"):
        EvaluateEmbeddings(in_batches(points(), CLASSES), **setting)


def test_a_gallery_of_another_dimension_is_refused_before_the_first_epoch():
    gallery, model = te.Embeddings(np.eye(8), np.arange(8)), network()
    with pytest.raises(DataError, match="E306 .*4.*8"):
        trained([EvaluateEmbeddings((points(), CLASSES), gallery=gallery)], model=model)
    assert not int(model.optimizer.iterations)


def test_only_the_last_evaluation_keeps_its_tables(watched):
    *earlier, last = watched[2]["map"].evaluations.values()
    assert None not in (last.per_query, last.neighbors, last.per_class, last.per_unit)
    assert len(earlier) == 5
    for each in earlier:
        assert each.per_query is each.neighbors is each.per_class is each.per_unit is None
    assert te.load(watched[3] / "epoch-0001").per_query.num_rows == 96


def test_labels_that_are_ids_are_refused_before_any_epoch():
    with pytest.raises(LabelError, match="E406 none of 96 queries has anything relevant to find · validation data"):
        EvaluateEmbeddings((points(), np.arange(96)))
    EvaluateEmbeddings((points(), np.arange(96)), gallery=(points(), np.arange(96)))


def test_an_epoch_that_is_trained_anew_has_no_evaluation_of_another_training():
    watch = EvaluateEmbeddings((points(1), CLASSES), every=5, metrics="mrr", verification=False)
    model, _ = trained([watch], epochs=2)
    assert sorted(watch.evaluations) == [0, 1]
    trained([watch], epochs=3, model=model)
    assert sorted(watch.evaluations) == [0, 2]


def test_a_network_that_diverges_is_watched_to_its_end():
    model = network()
    callback = EvaluateEmbeddings((points(1), CLASSES), metrics="mrr", every=2)
    kernel = model.layers[0].kernel

    def break_it(epoch, _):
        if epoch == 1:
            kernel.assign(np.full(kernel.shape, np.nan))

    with pytest.warns(CollapseWarning, match="epoch 3 could not be evaluated: E201 an output that is not finite"):
        _, history = trained([keras.callbacks.LambdaCallback(on_epoch_begin=break_it), callback], model=model)
    assert np.isfinite(history["val_mrr"][:2]).all()
    assert np.isnan(history["val_mrr"][2])
    assert len(history["loss"]) == 3
    assert sorted(callback.evaluations) == [0]


def test_a_training_that_goes_on_is_watched_from_its_first_epoch(tmp_path):
    callback = EvaluateEmbeddings((points(1), CLASSES), metrics=["mrr"], every=5, runs=tmp_path)
    model = network()
    batches = BalancedBatches(CLASSES, 8, 4, inputs=points())
    model.fit(batches, epochs=1, verbose=0, callbacks=[callback])
    history = model.fit(batches, initial_epoch=1, epochs=4, verbose=0, callbacks=[callback]).history
    assert len(history["val_mrr"]) == len(history["loss"]) == 3
    assert sorted(folder.name for folder in tmp_path.iterdir()) == ["epoch-0001", "epoch-0002", "epoch-0004"]
    with pytest.raises(ResourceError, match="epoch-0004"):
        model.fit(batches, initial_epoch=3, epochs=5, verbose=0, callbacks=[callback])


@pytest.mark.parametrize("wrap", [lambda loss: [loss], lambda loss: {"vectors": loss}])
def test_distance_and_margin_are_those_of_the_loss_wherever_it_stands(wrap):
    given = keras.Input((10,))
    model = keras.Model(given, {"vectors": keras.layers.Dense(4, name="vectors")(given)})
    loss = TripletSemiHardLoss(0.7, "cosine")
    model.compile("sgd", loss=wrap(loss), run_eagerly=True)
    callback = EvaluateEmbeddings((points(), CLASSES), metrics=["mrr"], tower=keras.Model(given, model.outputs[0]))
    model.fit(points(), {"vectors": CLASSES}, verbose=0, callbacks=[callback])
    settings = callback.evaluations[0].settings
    assert (settings["distance"], settings["margins"]) == ("cosine", [0.7])


def test_the_names_of_a_preset_do_not_depend_on_how_many_items_there_are():
    names = []
    for count in (2, 40):  # in the first no FAR can be measured, in the second some
        rng = np.random.default_rng(count)
        x, y = rng.normal(size=(3 * count, 4)), np.repeat(np.arange(count), 3)
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
        watch = EvaluateEmbeddings((x, y), preset="face", warn=False)
        watch.set_model(model)
        watch.on_train_begin()
        logs: dict[str, float] = {}
        watch.on_epoch_end(0, logs)
        names.append(list(logs))
    assert names[0] == names[1]
    assert {"val_tar_at_far_0_1", "val_tar_at_far_0_01", "val_tar_at_far_0_001", "val_eer"} <= set(names[0])
