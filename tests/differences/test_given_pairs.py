"""Two runs of the same given pairs: by what each identity makes of a number, and fold by fold."""

import math

import numpy as np
import pytest
from scipy import stats

import tripleteval as te
from tripleteval.errors import ParameterError

PEOPLE, EACH = 40, 6
WHO = np.repeat(np.arange(PEOPLE), EACH)
FOLDS = 10  # of four people each


def pairs() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    one = random.integers(0, len(WHO), 2000)
    two = np.where(random.random(2000) < 0.5, WHO[one] * EACH, 0) + random.integers(0, EACH, 2000)
    two = np.where(random.random(2000) < 0.5, two, (one // 24) * 24 + random.integers(0, 24, 2000))
    kept = (one != two) & (one // 24 == two // 24)
    return one[kept], two[kept]


ONE, TWO = pairs()
SAME = WHO[ONE] == WHO[TWO]
FOLD = [f"fold {code}" for code in ONE // 24]


def measured(seed: int, noise: float, folds=FOLD, rows=slice(None), labels=WHO, **how) -> te.Evaluation:
    centres = np.random.default_rng(9).normal(size=(PEOPLE, 16))
    vectors = centres[WHO] + noise * np.random.default_rng(seed).normal(size=(len(WHO), 16))
    chosen = None if folds is None else np.array(folds)[rows]
    items = te.Embeddings(vectors, labels)
    return te.evaluate_pairs(ONE[rows], TWO[rows], embeddings=items, folds=chosen, fars=(0.1,), **how)


@pytest.fixture(scope="module")
def runs() -> tuple[te.Evaluation, te.Evaluation]:
    return measured(1, 1.4), measured(2, 1.2)


def test_what_identities_make_of_a_number_averages_to_it_and_varies_as_when_they_are_drawn_again(runs):
    random, drawn = np.random.default_rng(0), []
    distances = [run.per_query["distance"].to_numpy() for run in runs]
    for _ in range(200):
        times = np.bincount(random.integers(0, PEOPLE, PEOPLE), minlength=PEOPLE)
        weights = np.where(SAME, times[WHO[ONE]], times[WHO[ONE]] * times[WHO[TWO]])
        values = []
        for each in distances:
            order = np.argsort(each)
            genuine, impostor = (weights * SAME)[order], (weights * ~SAME)[order]
            values.append((impostor * np.cumsum(genuine)).sum() / genuine.sum() / impostor.sum())
        drawn.append(values[1] - values[0])
    kept = [np.array(run.per_unit["auc"].to_pylist()) for run in runs]
    for run, values in zip(runs, kept, strict=True):
        assert len(values) == PEOPLE
        assert values.mean() == pytest.approx(run["auc"])
    assert (kept[1] - kept[0]).std(ddof=1) / math.sqrt(PEOPLE) == pytest.approx(np.std(drawn), rel=0.25)
    for entry in (te.compare(*runs).metrics[name] for name in ("auc", "eer", "tar@far=0.1", "d_prime")):
        assert entry["units"] == PEOPLE
        assert entry["low"] < entry["difference"] < entry["high"]
        assert 0 < entry["p"] <= entry["p_holm"] <= 1


def test_accuracy_over_folds_is_compared_fold_by_fold(runs):
    found = te.compare(*runs)
    assert found.primary == "cv_accuracy"
    first, second = ([fold["accuracy"] for fold in run.metrics["cv_accuracy"]["folds"]] for run in runs)
    change = np.subtract(second, first)
    scale = change.std(ddof=1) * math.sqrt(1 / FOLDS + 1 / (FOLDS - 1))  # they share what thresholds are chosen on
    entry = found.metrics["cv_accuracy"]
    assert (entry["low"], entry["high"]) == pytest.approx(stats.t.interval(0.95, FOLDS - 1, change.mean(), scale))
    assert entry["p"] is None
    assert (entry["interval"], entry["units"]) == ("t", FOLDS)
    assert entry["difference"] == pytest.approx(change.mean())
    assert "over 10 folds" in found.verdict
    sure = te.compare(*runs, confidence=1 - 1e-14).metrics["cv_accuracy"]
    assert (sure["low"], sure["high"]) == (-1.0, 1.0)
    two_folds = [f"half {code % 2}" for code in ONE // 24]
    few = te.compare(measured(1, 1.4, folds=two_folds), measured(2, 1.2, folds=two_folds)).metrics["cv_accuracy"]
    assert (few["low"], few["reason"]) == (None, "2 folds, and an interval needs 5")


def test_the_pairs_that_changed_are_those_decided_rightly_in_one_run_only(runs):
    changed = te.compare(*runs).queries.sort_by("query")
    for run, column in zip(runs, ("a", "b"), strict=True):
        right = changed[column].to_numpy()
        for fold in run.metrics["cv_accuracy"]["folds"]:
            held = np.array(FOLD) == fold["fold"]
            assert right[held].mean() == pytest.approx(fold["accuracy"])
    rise = changed["b"].to_numpy() - changed["a"].to_numpy()
    assert changed["change"].to_pylist() == [{1: "fixed", 0: "", -1: "broken"}[sign] for sign in rise]
    assert te.compare(*runs, primary="auc").queries is None


def test_a_threshold_beyond_every_distance_decides_as_it_did():
    """Where nearly all pairs are of one kind, the best threshold of noise accepts, or rejects, every pair."""
    random = np.random.default_rng(0)
    for most in (True, False):
        same = np.where(np.arange(400) % 40 < 2, not most, most)
        folds = np.arange(400) // 40
        runs = [te.evaluate_pairs(*random.normal(size=(2, 400, 3)), same, folds=folds, fars=(0.1,)) for _ in range(2)]
        assert None in {fold["threshold"] for run in runs for fold in run.metrics["cv_accuracy"]["folds"]}
        changed = te.compare(*runs).queries.sort_by("query")
        for run, column in zip(runs, ("a", "b"), strict=True):
            assert changed[column].to_numpy().mean() == pytest.approx(run["cv_accuracy"])


def test_what_cannot_be_compared_is_refused_with_the_reason(runs):
    with pytest.raises(ParameterError, match="E512 runs with different pairs: .* in the second"):
        te.compare(runs[0], measured(2, 1.2, rows=slice(0, -1)))
    relabelled = te.Embeddings(np.random.default_rng(0).normal(size=(len(WHO), 3)), np.roll(WHO, 1))
    other = te.evaluate_pairs(ONE, TWO, embeddings=relabelled, fars=(0.1,))
    with pytest.raises(ParameterError, match="E512 runs with different pairs: same of pair"):
        te.compare(runs[0], other)
    with pytest.raises(ParameterError, match="E512 runs with different pairs: fold of pair"):
        te.compare(runs[0], measured(2, 1.2, folds=[f"half {code % 2}" for code in ONE // 24]))
    with pytest.raises(ParameterError, match="E101 .*unpaired"):
        te.compare(*runs, paired=False)
    with pytest.raises(ParameterError, match="E101 unit='query' for runs of given pairs"):
        te.compare(*runs, unit="query")
    ranked = te.evaluate([[0.0], [1.0], [3.0], [4.0]], [0, 0, 1, 1])
    with pytest.raises(ParameterError, match="E101 one run of given pairs and one of another kind"):
        te.compare(runs[0], ranked)
    with pytest.raises(ParameterError, match="E510 unit='identity' for runs of queries"):
        te.compare(ranked, ranked, unit="identity")


def test_without_folds_identities_alone_are_compared(runs):
    plain = [measured(seed, noise, folds=None) for seed, noise in ((1, 1.4), (2, 1.2))]
    found = te.compare(*plain)
    assert "cv_accuracy" not in found
    assert found.metrics["auc"]["low"] == te.compare(*runs).metrics["auc"]["low"]


def test_other_identities_are_never_matched():
    """Pairs of vectors know their people by equal vectors, so another model may know other people."""
    vectors = [np.random.default_rng(seed).normal(size=(len(ONE), 4)) for seed in (1, 2, 3)]
    given = [te.evaluate_pairs(side, vectors[2], SAME, fars=(0.1,)) for side in vectors[:2]]
    repeated = te.evaluate_pairs(np.round(vectors[0][ONE % 7]), vectors[2], SAME, fars=(0.1,))
    assert te.compare(*given, metrics=["auc"]).metrics["auc"]["low"] is not None
    assert te.compare(given[0], repeated, metrics=["auc"]).metrics["auc"]["low"] is None
    for side, row in ((vectors[0], 0), (vectors[1], 2)):  # as many identities, but not the same ones
        side[row + 1] = side[row]
    joined = [te.evaluate_pairs(side, vectors[2], SAME, fars=(0.1,)) for side in vectors[:2]]
    assert joined[0].per_unit.num_rows == joined[1].per_unit.num_rows
    assert te.compare(*joined, metrics=["auc"]).metrics["auc"]["low"] is None


def test_a_gate_holds_a_run_of_pairs_to_its_baseline(runs):
    for run, passed in ((measured(2, 0.9), True), (measured(2, 2.2), False)):
        gate = te.gate(run, [], baseline=runs[0], no_worse=["low(cv_accuracy)", "low(auc)"], margin=0.01)
        assert [check.passed for check in gate.checks] == [passed, passed]
