"""Every number of an evaluation has an interval, or says why not."""

import math

import numpy as np
import pytest
from scipy import stats

import tripleteval as te
from tripleteval.metrics import parse
from tripleteval.uncertainty.bootstrap import weights

RANDOM = np.random.default_rng(11)
LABELS = np.repeat(np.arange(30), 5)
POINTS = RANDOM.normal(size=(30, 6))[LABELS] + 0.9 * RANDOM.normal(size=(150, 6))


def ends(values, part, whole):
    """Return the accelerated percentiles of bootstrap values, from their definition."""
    classes, estimate = len(part), np.sum(part) / np.sum(whole)
    equal = np.isclose(values, estimate, rtol=1e-9)
    centre = stats.norm.ppf(np.mean((values < estimate) & ~equal) + 0.5 * np.mean(equal))
    skew = stats.skew(part - estimate * np.asarray(whole)) / 6 / math.sqrt(classes)
    beyond = stats.t.ppf(0.975, classes - 1) * math.sqrt(classes / (classes - 1))
    shares = [stats.norm.cdf(centre + z / (1 - skew * z)) for z in (centre - beyond, centre + beyond)]
    return pytest.approx(np.quantile(values, shares), rel=1e-9)


@pytest.fixture(scope="module")
def run() -> te.Evaluation:
    return te.evaluate(POINTS, LABELS, margin_curve=[0.0], metrics=["triplet_loss_nonzero@margin=0.2", "map@3"])


def test_every_number_has_an_interval_around_it(run):
    for name, entry in run.metrics.items():
        if parse(name).metric.of_space and name != "anti_hubs@10":  # a mean over items
            assert (entry["low"], entry["interval_reason"][:31]) == (None, "a property of the whole set, no"), name
            continue
        if name == "best_accuracy":
            assert (entry["low"], entry["interval_reason"][:24]) == (None, "the threshold was chosen")
            continue
        low, high = run.interval(name)
        assert low <= run[name] <= high, name
        methods = ["studentised bootstrap"] if name == "d_prime" else ["bootstrap", "median", "rule of three"]
        assert entry["interval"] in methods, name
        assert entry["units"] == 30


@pytest.mark.parametrize("name", ["recall@5", "map@r", "first_rank_mean"])
def test_the_interval_is_the_percentiles_of_resampled_class_sums(run, name):
    scores = np.array(run.per_query[name].to_pylist())
    sums = np.bincount(LABELS, weights=scores)
    means = np.concatenate(list(weights(30, 0, "interval"))) @ sums / 150
    assert run.interval(name) == ends(means, sums, np.full(30, 5.0))


def test_a_pooled_number_is_resampled_as_the_ratio_it_is(run):
    scores, counts = (np.array(run.per_query[c].to_pylist()) for c in ("triplet_accuracy", "relevant"))
    whole = counts * (149 - counts)
    drawn = np.concatenate(list(weights(30, 0, "interval")))
    sums = [np.bincount(LABELS, weights=each) for each in (scores * whole, whole)]
    assert run.interval("triplet_accuracy") == ends((drawn @ sums[0]) / (drawn @ sums[1]), *sums)


def test_the_class_average_is_resampled_by_classes_that_weigh_alike():
    labels = np.concatenate([LABELS[:100], np.full(50, 20)])
    run = te.evaluate(POINTS, labels, average="class")
    means = [np.mean(np.array(run.per_query["map@r"].to_pylist())[labels == c]) for c in range(21)]
    resampled = np.concatenate(list(weights(21, 0, "interval"))) @ means / 21
    assert run.interval("map@r") == ends(resampled, means, np.ones(21))


def test_neither_the_order_of_rows_nor_the_threads_change_an_interval(run):
    order = RANDOM.permutation(150)
    how = {"margin_curve": [0.0], "metrics": ["triplet_loss_nonzero@margin=0.2", "map@3"]}
    other = te.evaluate(POINTS[order], LABELS[order], threads=1, map=map, kernel="cpu", **how)
    assert other.metrics == run.metrics


def test_seed_and_confidence_are_settings_and_part_of_the_hash(run):
    hashes = {run.result_hash}
    for how in ({"seed": 1}, {"confidence": 0.9}, {"unit": "query"}):
        other = te.evaluate(POINTS, LABELS, **how)
        assert other.settings.items() >= how.items()
        assert other["map@r"] == run["map@r"]
        assert other.interval("map@r") != run.interval("map@r")
        hashes.add(other.result_hash)
    assert len(hashes) == 4


def test_queries_of_one_class_are_no_independent_trials(run):
    by_query = te.evaluate(POINTS, LABELS, unit="query")
    narrow, wide = (np.ptp(r.interval("map@r")) for r in (by_query, run))
    assert narrow < 0.8 * wide
    assert by_query.metrics["map@r"]["units"] == 150


def test_groups_may_be_the_unit():
    groups = np.repeat(np.arange(50), 3)
    run = te.evaluate(te.Embeddings(POINTS, LABELS, groups=groups), unit="group")
    assert run.metrics["map@r"]["units"] == 50
    with pytest.raises(te.ParameterError, match="E101 unit='group' but no groups"):
        te.evaluate(POINTS, LABELS, unit="group")


@pytest.mark.parametrize(("classes", "said"), [(3, "No intervals: 3 classes"), (6, "rest on 6 classes only")])
def test_few_classes_are_noted(classes, said):
    run = te.evaluate(POINTS, LABELS % classes)
    assert any(said in note for note in run.notes)
    entry = run.metrics["map@r"]
    assert (entry["low"] is None) == (classes < 5)
    if classes < 5:
        assert entry["interval_reason"] == "3 classes, and an interval needs 5"
        assert all(map(math.isnan, run.interval("map@r")))


def test_of_few_classes_one_that_counts_for_more_than_the_others_is_noted():
    run = te.evaluate(POINTS, np.maximum(LABELS - 24, 0))  # 125 items of one class, and five of five
    assert run.metrics["map@r"]["interval_reason"] == "one class is more than half of it"
    assert any("One class counts for more than all others together" in note for note in run.notes)
    assert te.evaluate(POINTS, np.maximum(LABELS - 24, 0), average="class").metrics["map@r"]["low"] is not None


def test_without_one_class_per_query_each_query_is_its_own_unit_and_a_note_says_so():
    run = te.evaluate(POINTS, [{int(c), int(c) + 1} for c in LABELS])
    assert run.metrics["map@r"]["units"] == 150
    assert any("no single class" in note for note in run.notes)


def test_an_undefined_number_has_no_interval_but_its_reason():
    entry = te.evaluate([[0.0], [1.0], [3.0]], [0, 0, 0]).metrics["triplet_accuracy"]
    assert (entry["value"], entry["low"], entry["interval_reason"]) == (None, None, "no valid triplet")


def test_perfect_is_never_certain():
    run = te.evaluate(np.repeat(np.eye(25), 4, axis=0), np.repeat(np.arange(25), 4))
    assert run["hit_rate@1"] == 1.0
    assert run.interval("hit_rate@1") == (1 - 3 / 25, 1.0)


def test_what_every_ranking_gives_has_no_interval_and_is_named_in_a_note():
    labels = np.repeat(np.arange(10), 4)
    run = te.evaluate(np.arange(40.0)[:, None], labels, ks=(1, 38, 39, 100), precision=0.3)
    for name in ("hit_rate@38", "hit_rate@39", "recall@100", "precision@39"):
        assert run.metrics[name]["low"] is None
        assert run.metrics[name]["interval_reason"] == "every ranking gives this value"
    for name in ("hit_rate@1", "recall@38", "map@r"):
        assert run.metrics[name]["low"] is not None
    assert any("The same for every ranking" in note and "recall@39, " in note for note in run.notes)
    assert not any("cannot be judged" in note for note in run.notes)


def test_given_triplets_rest_on_the_classes_of_their_anchors_or_on_their_anchors():
    rows = np.arange(150)
    positive, negative = LABELS * 5 + (rows + 1) % 5, (rows + 50) % 150
    known = te.evaluate_triplets(rows, positive, negative, embeddings=te.Embeddings(POINTS, LABELS))
    unknown = te.evaluate_triplets(POINTS, POINTS[positive], POINTS[negative], seed=3)
    assert (known.settings["unit"], known.metrics["triplet_accuracy"]["units"]) == ("class", 30)
    assert (unknown.settings["unit"], unknown.metrics["triplet_accuracy"]["units"]) == ("anchor", 150)
    for run in (known, unknown):
        low, high = run.interval("triplet_satisfied@margin=0.2")
        assert low < run["triplet_satisfied@margin=0.2"] < high


def test_classes_have_shrunken_rates_and_a_worst_tenth(run):
    raw, drawn = (np.array(run.per_class[c].to_pylist()) for c in ("map@r", "shrunken map@r"))
    assert np.ptp(drawn) < np.ptp(raw)
    assert run.metrics["map@r"]["worst_tenth"] == pytest.approx(np.sort(drawn)[:3].mean())
    assert "worst_tenth_reason" not in run.metrics["map@r"]


def test_a_sample_with_about_one_query_per_class_has_no_worst_tenth():
    found = te.evaluate(POINTS, LABELS, sample=30)
    assert found.per_class["queries"].to_pylist() == [1] * 30
    for spelling in ("hit_rate@1", "map@r"):
        entry = found.metrics[spelling]
        assert entry["worst_tenth"] is None
        assert entry["worst_tenth_reason"].startswith("fewer than 2 queries per class on average")
        assert found.per_class[f"shrunken {spelling}"].null_count == 30


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"confidence": 95}, "E505"),
        ({"confidence": float("nan")}, "E505"),
        ({"confidence": True}, "E505"),
        ({"unit": "klass"}, "E510"),
        ({"seed": -1}, "E511"),
        ({"seed": 1.5}, "E511"),
    ],
)
def test_impossible_settings_are_refused(wrong, code):
    with pytest.raises(te.ParameterError, match=code):
        te.evaluate(POINTS, LABELS, **wrong)


def test_an_unknown_metric_has_no_interval(run):
    with pytest.raises(te.ParameterError, match=r"E510 .* did you mean 'recall@10'"):
        run.interval("recall@100")


ROUGH = "Intervals rest on {} only: they are t intervals, and rough."
NOT_ALL = "No intervals of what rests on {}: they cannot say what others would do (5 are needed)."
SIDES = te.Embeddings(POINTS[::2], LABELS[::2]), te.Embeddings(POINTS[1::2], LABELS[1::2])


def asked(classes: int, unit: str = "class") -> te.Evaluation:
    """Evaluate queries of some of the classes in a gallery of all."""
    queries = te.Embeddings(*(side[::2][LABELS[::2] < classes] for side in (POINTS, LABELS)))
    return te.evaluate(queries, gallery=SIDES[1], unit=unit)


def test_the_note_names_what_is_drawn_again_and_not_what_stands_in_the_gallery():
    assert "Intervals that rest on 7 classes are t intervals, and rough." in asked(7).notes
    assert NOT_ALL.format("3 classes") in asked(3).notes
    few = asked(3, unit="query")
    assert f"Intervals that rest on {few.accounting['queries']} queries are t intervals, and rough." in few.notes
    some = LABELS < 8
    groups = te.Embeddings(POINTS[some], LABELS[some], groups=np.arange(some.sum()) % 6)
    assert ROUGH.format("6 groups") in te.evaluate(groups, unit="group").notes
    a, b = np.triu_indices(some.sum(), 1)
    assert ROUGH.format("8 identities") in te.evaluate_pairs(a, b, embeddings=groups).notes
    assert not any("ntervals" in note for note in asked(30).notes)


@pytest.mark.parametrize(
    ("enrolled", "said"),
    [
        (24, ["Intervals that rest on 6 stranger identities are t intervals, and rough."]),
        (6, [ROUGH.format("6 mated identities")]),
        (3, ["No intervals: 3 mated identities cannot say what others would do (5 are needed)."]),
        (28, [NOT_ALL.format("2 stranger identities")]),
    ],
)
def test_so_does_that_of_identification(enrolled, said):
    gallery = te.Embeddings(*(side[1::2][LABELS[1::2] < enrolled] for side in (POINTS, LABELS)))
    run = te.evaluate_identification(SIDES[0], gallery, ks=(1,), fpirs=(0.2,))
    assert [note for note in run.notes if "ntervals" in note] == said
