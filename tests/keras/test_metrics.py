"""Streaming metrics: the counts of three nested loops over every batch, and nothing lost on the way."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import triplet_loops
import tripleteval as te
from tripleteval.errors import ParameterError
from tripleteval.keras.losses import TripletAllLoss
from tripleteval.keras.metrics import EmbeddingCollapse, TripletAccuracy, TripletComposition, triplet_composition

RANDOM = np.random.default_rng(4)
BATCHES = [(RANDOM.integers(0, 4, 11), RANDOM.normal(size=(11, 4)).astype("float32")) for _ in range(3)]
# On a line, with steps of a quarter: sums are exact, and there are ties at 0 and at the margin.
# (As large as the other batches, because a compiler starts anew for every shape.)
LINE = [(np.arange(11) // 2 % 3, np.outer([0, 2, 2, 4, 5, 5, 1, 3, 7, 6, 0], [0.25, 0, 0, 0]).astype("float32"))]


def shares(batches, margin, distance="euclidean"):
    found = [t[3:] for labels, vectors in batches for t in triplet_loops.triplets(labels, vectors, distance)]
    easy, hard = (sum(test(p, n) for p, n in found) for test in (lambda p, n: p + margin < n, lambda p, n: n <= p))
    ties = sum(p == n for p, n in found)
    every = len(found)
    return {"easy": easy / every, "hard": hard / every, "semi_hard": 1 - (easy + hard) / every, "ties": ties / every}


def measured(metric, batches):
    for labels, vectors in batches:
        metric.update_state(labels[:, None], vectors)
    return float(metric.result())


@pytest.mark.parametrize("distance", ["euclidean", "sqeuclidean", "cosine"])
@pytest.mark.parametrize("margin", [0.0, 0.5])
def test_shares_are_those_of_three_nested_loops(margin, distance):
    expected = shares(BATCHES, margin, distance)
    for metric in triplet_composition(margin, distance):
        assert measured(metric, BATCHES) == pytest.approx(expected[metric.name], abs=1e-6)
    assert measured(TripletAccuracy(margin, distance), BATCHES) == pytest.approx(expected["easy"], abs=1e-6)


def test_ties_count_half_at_margin_zero_and_not_at_all_beyond():
    at_zero, beyond = shares(LINE, 0.0), shares(LINE, 0.25)
    assert at_zero["ties"] > 0
    assert measured(TripletAccuracy(), LINE) == pytest.approx(at_zero["easy"] + at_zero["ties"] / 2)
    assert measured(TripletAccuracy(0.25), LINE) == pytest.approx(beyond["easy"])


def test_one_batch_of_everything_is_what_evaluate_says():
    labels, vectors = BATCHES[0]
    run = te.evaluate(vectors, labels, margins=[0.5])
    assert measured(TripletAccuracy(), BATCHES[:1]) == pytest.approx(run["triplet_accuracy"])
    for metric in triplet_composition(0.5):
        assert measured(metric, BATCHES[:1]) == pytest.approx(run[f"{metric.name}@margin=0.5"])


def test_collapse_is_one_in_one_point_and_zero_beyond_the_margin():
    labels = np.arange(11) % 2
    assert measured(EmbeddingCollapse(), [(labels, np.ones((11, 4), "float32"))]) == 1.0
    assert measured(EmbeddingCollapse(), [(labels, BATCHES[0][1])]) == 0.0
    near = np.outer(labels, [0.05, 0, 0, 0]).astype("float32")
    assert measured(EmbeddingCollapse(0.2), [(labels, near)]) == pytest.approx(0.75)
    one_class = (np.zeros(11, int), near)
    assert measured(EmbeddingCollapse(0.2), [(labels, near), one_class]) == pytest.approx(0.75)
    assert measured(EmbeddingCollapse(0.2), [one_class]) == 0.0


def test_counts_are_exact_where_float32_is_not():
    metric = TripletAccuracy(1.0)
    metric._all._high.assign(2**20)
    metric._all._low.assign(2**20 - 1)
    metric._all.add(np.array([True, True, False]))
    assert (int(metric._all._high), int(metric._all._low)) == (2**20 + 1, 1)


def test_resetting_forgets():
    metric = TripletAccuracy()
    first = measured(metric, BATCHES[:1])
    measured(metric, BATCHES[1:])
    metric.reset_state()
    assert float(metric.result()) == 0.0
    assert measured(metric, BATCHES[:1]) == first


@pytest.mark.parametrize("metric", [TripletAccuracy(), *triplet_composition(), EmbeddingCollapse()])
def test_what_is_no_number_makes_the_metric_none_until_it_is_reset(metric):
    labels, vectors = BATCHES[0]
    unknown = labels.astype("float32")
    unknown[3] = np.nan
    for broken in ((labels, vectors * np.float32("nan")), (labels, vectors * np.float32(1e20)), (unknown, vectors)):
        assert np.isnan(measured(metric, [broken, BATCHES[1]]))
        metric.reset_state()
        assert np.isfinite(measured(metric, BATCHES))


@pytest.mark.parametrize("metric", [TripletAccuracy(), *triplet_composition(0.5), EmbeddingCollapse(9.0)])
def test_rows_that_a_mask_leaves_out_are_not_counted(metric):
    labels, vectors = BATCHES[0]
    expected = measured(metric, BATCHES[:1])
    metric.reset_state()
    padded = keras.layers.Masking()(np.concatenate([vectors, np.zeros((3, 4), "float32")]))
    assert measured(metric, [(np.array([*labels, 0, 0, 1]), padded)]) == pytest.approx(expected)


LABELS = np.concatenate([labels for labels, _ in BATCHES])
INPUTS = np.concatenate([vectors for _, vectors in BATCHES])


def compiled(*, eager):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4, kernel_initializer="identity")])
    metrics = [TripletAccuracy(), *triplet_composition(0.5), EmbeddingCollapse(4.0)]
    model.compile(keras.optimizers.SGD(0.0), loss=TripletAllLoss(), metrics=metrics, run_eagerly=eager)
    return model


def test_a_model_is_compiled_and_trained_with_them():
    history = compiled(eager=False).fit(INPUTS, LABELS, batch_size=11, shuffle=False, verbose=0).history
    expected = shares(BATCHES, 0.5)
    for kind in ("easy", "semi_hard", "hard"):
        assert history[kind][0] == pytest.approx(expected[kind], abs=1e-6)
    assert history["triplet_accuracy"][0] == pytest.approx(1 - shares(BATCHES, 0.0)["hard"], abs=1e-6)
    assert 0 < history["embedding_collapse"][0] < 1


def test_what_was_saved_with_them_is_loaded_with_it(tmp_path):
    model = compiled(eager=True)
    before = model.evaluate(INPUTS, LABELS, batch_size=11, verbose=0, return_dict=True)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.evaluate(INPUTS, LABELS, batch_size=11, verbose=0, return_dict=True) == pytest.approx(before)
    assert "semi_hard" in before


@pytest.mark.parametrize("metric", [TripletAccuracy(0.1, "cosine"), TripletComposition("hard"), EmbeddingCollapse(1.0)])
def test_a_metric_survives_serialisation(metric):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
    assert again.get_config() == metric.get_config()


def test_the_impossible_is_refused():
    for make in (lambda: TripletAccuracy("soft"), lambda: TripletAccuracy(-1), lambda: EmbeddingCollapse(0)):
        with pytest.raises(ParameterError, match="E505"):
            make()
    with pytest.raises(ParameterError, match="known: easy, hard, semi_hard"):
        TripletComposition("medium")
    for metric in (TripletAccuracy(), EmbeddingCollapse()):
        with pytest.raises(ParameterError, match="E512 .* weights, .* under metrics=, not weighted_metrics="):
            metric.update_state(*BATCHES[0], sample_weight=np.ones(11))
