"""Comparing two runs: the right pairs, the differences of the definition, and an honest verdict."""

import json
import sys
from dataclasses import replace
from html import escape
from itertools import product
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tripleteval as te
from tripleteval.differences.sections import sections
from tripleteval.report.comparison import together
from tripleteval.report.findings.changes import changed_queries
from tripleteval.uncertainty.bootstrap import weights
from tripleteval.uncertainty.clustered import standard_error

RANDOM = np.random.default_rng(3)
CLASSES, EACH = 24, 5
LABELS = np.repeat(np.arange(CLASSES), EACH)
IDS = [f"photo-{row}" for row in range(len(LABELS))]
CENTRES = RANDOM.normal(size=(CLASSES, 8))[LABELS]
NOISE = RANDOM.normal(size=CENTRES.shape)
METRICS = ("map@r", "hit_rate@1", "recall@5", "triplet_accuracy", "triplet_loss@margin=0.2")


def evaluated(noise: float, *, classes: int = CLASSES, order=None, ids=IDS, extra=0.0, **how) -> te.Evaluation:
    """Evaluate one model; another ``order`` of the rows is the same evaluation."""
    vectors = CENTRES + noise * NOISE + extra * np.random.default_rng(8).normal(size=NOISE.shape)
    rows = np.flatnonzero(classes > LABELS) if order is None else order
    named = None if ids is None else [ids[row] for row in rows]
    return te.evaluate(te.Embeddings(vectors[rows], LABELS[rows], ids=named), **how)


@pytest.fixture(scope="module")
def a() -> te.Evaluation:
    return evaluated(1.0)


@pytest.fixture(scope="module")
def b() -> te.Evaluation:
    return evaluated(0.7)


@pytest.fixture(scope="module")
def found(a, b) -> te.Differences:
    return te.compare(a, b, metrics=METRICS)


def test_differences_are_those_of_the_values(a, b, found):
    for name in METRICS:
        assert found[name] == pytest.approx(b[name] - a[name], abs=1e-12)
        assert found.metrics[name]["a"] == pytest.approx(a[name], rel=1e-12)
    assert list(found) == list(METRICS)
    assert len(found) == 5


@pytest.mark.parametrize("average", ["query", "class", "pooled"])
@pytest.mark.parametrize("apart", [False, True], ids=["among each other", "queries and gallery"])
def test_what_is_compared_is_what_each_run_says(average, apart):
    rng = np.random.default_rng(4)
    labels = np.repeat(np.arange(30), rng.integers(1, 12, 30))  # queries weigh differently in each pooled number
    points = rng.normal(size=(30, 6))[labels] + rng.normal(size=(2, len(labels), 6))
    named = [
        "inter_distance",
        "alignment",
        "batch_hard@margin=0.1",
        "triplet_loss@margin=0.5",
        *(["silhouette"] * (not apart)),
    ]
    runs = []
    for vectors in points:
        whole = te.Embeddings(vectors, labels)
        one, two = (te.Embeddings(vectors[half], labels[half]) for half in (slice(0, None, 2), slice(1, None, 2)))
        runs.append(
            te.evaluate(one if apart else whole, gallery=two if apart else None, average=average, metrics=named)
        )
    own = {name for name, entry in runs[0].metrics.items() if entry["value"] is not None}
    found = te.compare(*runs, metrics=sorted(own))
    compared = {name: entry for name, entry in found.metrics.items() if entry["a"] is not None}
    assert {"intra_distance", "inter_distance", "alignment", "recall@10", "triplet_loss@margin=0.5"} <= set(compared)
    for name, entry in compared.items():
        assert [entry["a"], entry["b"]] == pytest.approx([run[name] for run in runs], rel=1e-9), name
    assert not [note for note in found.notes if "both runs have it" in note]


def test_a_clear_improvement_is_called_so(found):
    assert (found.outcome, found.primary, found.paired) == ("better", "map@r", "id")
    assert found.verdict.startswith("b is better than a: map@r ")
    assert found.metrics["triplet_loss@margin=0.2"]["difference"] < 0


def test_swapping_the_runs_swaps_everything(a, b, found):
    other = te.compare(b, a, metrics=METRICS)
    assert other.outcome == "worse"
    for name in METRICS:
        assert other[name] == pytest.approx(-found[name], rel=1e-12)
        assert other.metrics[name]["p"] == found.metrics[name]["p"]
    changes = [sorted(c for c in r.queries["change"].to_pylist() if c) for r in (found, other)]
    assert changes[0].count("fixed") == changes[1].count("broken") > 0


def test_a_run_cannot_be_told_from_itself(a):
    same = te.compare(a, a)
    assert same.outcome == "not distinguishable"
    assert set(same.queries["change"].to_pylist()) == {""}
    for entry in same.metrics.values():
        assert (entry["difference"], entry["p"], entry["p_holm"]) == (0.0, 1.0, 1.0)


def test_the_interval_resamples_the_same_classes_for_both(a, b, found):
    drawn = np.concatenate(list(weights(CLASSES, 0, "interval")))
    means = [
        drawn @ np.bincount(LABELS, weights=np.array(run.per_query["map@r"].to_pylist())) / len(LABELS)
        for run in (a, b)
    ]
    entry, differences = found.metrics["map@r"], means[1] - means[0]
    assert (entry["low"], entry["high"]) == pytest.approx(np.quantile(differences, [0.018, 0.982]), abs=2e-3)
    unpaired = te.compare(a, b, metrics=["map@r"], paired=False).metrics["map@r"]
    assert entry["high"] - entry["low"] < 0.8 * (unpaired["high"] - unpaired["low"])


def test_p_is_the_share_of_sign_patterns_of_whole_classes():
    one, two = evaluated(1.0, classes=10), evaluated(0.9, classes=10)
    labels = LABELS[: 10 * EACH]
    change = [np.array(run.per_query["map@r"].to_pylist()) for run in (one, two)]
    by_class = np.bincount(labels, weights=change[1] - change[0])
    flipped = np.abs(np.array(list(product([-1, 1], repeat=10))) @ by_class)
    found = te.compare(one, two).metrics["map@r"]
    assert found["p"] == pytest.approx(np.mean(flipped >= abs(by_class.sum()) - 1e-9))
    assert found["interval"] == "t"
    half = (found["high"] - found["low"]) / 2
    error = standard_error(by_class, np.full(10, float(EACH)))
    assert half == pytest.approx(2.262157 * error, rel=1e-5)


def test_queries_are_matched_by_id_whatever_their_order(a, found):
    order = RANDOM.permutation(len(LABELS))
    assert te.compare(a, evaluated(0.7, order=order), metrics=METRICS).metrics == found.metrics


def test_without_ids_rows_are_matched_and_labels_must_agree(found):
    plain = te.compare(evaluated(1.0, ids=None), evaluated(0.7, ids=None), metrics=METRICS)
    assert plain.paired == "row"
    assert any("matched by row" in note for note in plain.notes)
    assert plain.metrics == found.metrics
    order = np.roll(np.arange(len(LABELS)), 1)
    with pytest.raises(te.ParameterError, match="E512 .*another label in the second"):
        te.compare(evaluated(1.0, ids=None), evaluated(0.7, order=order, ids=None))


def test_other_queries_are_refused_unless_asked_for(a):
    fewer = evaluated(0.7, classes=20)
    with pytest.raises(te.ParameterError, match=r"E512 .* 20 ids only in the first, 0 only in the second.*'photo-100'"):
        te.compare(a, fewer)
    found = te.compare(a, fewer, paired=False)
    assert (found.paired, found.queries, found.classes) == (None, None, None)
    assert found.metrics["map@r"]["p"] is None
    assert found.metrics["map@r"]["units"] == 20


def test_too_few_classes_tell_nothing():
    found = te.compare(evaluated(1.0, classes=4), evaluated(0.2, classes=4))
    assert found.outcome == "not distinguishable"
    assert "4 classes, and an interval needs 5" in found.verdict


def test_the_primary_metric_decides_and_holm_counts_the_others(a, b):
    found = te.compare(a, b, metrics=["map@r", "mrr"], primary="recall@5")
    assert list(found) == ["recall@5", "map@r", "mrr"]
    assert "recall@5" in found.verdict
    assert all(entry["p"] <= entry["p_holm"] <= 3 * entry["p"] for entry in found.metrics.values())


def test_a_number_that_is_not_kept_by_query_is_shown_without_interval(a, b):
    entry = te.compare(a, b, metrics=["first_rank_median"]).metrics["first_rank_median"]
    assert (entry["low"], entry["p"]) == (None, None)
    assert entry["difference"] == b["first_rank_median"] - a["first_rank_median"]
    assert "query by query" in entry["reason"]


def test_a_number_may_be_spelled_with_other_digits(a, b):
    found = te.compare(a, b, metrics=["recall@10", "triplet_loss@margin=0.20"], primary="easy@margin=2e-1")
    assert list(found.metrics) == ["easy@margin=0.2", "recall@10", "triplet_loss@margin=0.2"]


def test_an_unknown_metric_is_named(a, b):
    for how in ({"metrics": ["map@rr"]}, {"primary": "map@rr"}):
        with pytest.raises(te.ParameterError, match=r"E510 no metric 'map@rr' in both runs.*'map@r'"):
            te.compare(a, b, **how)
    with pytest.raises(te.ParameterError, match="E510 no metric 'mrr' was compared"):
        te.compare(a, b, metrics=["map@r"])["mrr"]


def test_a_run_without_its_table_has_no_queries_to_compare(a):
    with pytest.raises(te.ParameterError, match="E101 a has no table of queries"):
        te.compare(replace(a, per_query=None), a)


def test_runs_under_different_rules_are_compared_with_a_note(a):
    found = te.compare(a, evaluated(1.0, distance="cosine"))
    assert any("distance (euclidean and cosine)" in note for note in found.notes)


def test_only_queries_with_a_value_in_both_are_compared(a):
    table = a.per_query
    values = [None if row < 10 else value for row, value in enumerate(table["map@r"].to_pylist())]
    holed = replace(a, per_query=table.set_column(table.column_names.index("map@r"), "map@r", pa.array(values)))
    for runs in ((a, holed), (holed, a)):
        entry = te.compare(*runs, metrics=["map@r"]).metrics["map@r"]
        assert (entry["difference"], entry["queries"], entry["units"]) == (0.0, len(LABELS) - 10, CLASSES - 2)


def test_changes_add_up(a, b, found):
    queries, classes = found.queries, found.classes
    assert queries.num_rows == len(LABELS)
    assert queries["difference"].to_pylist() == sorted(queries["difference"].to_pylist())
    before, after = (np.array(run.per_query["hit_rate@1"].to_pylist()) for run in (a, b))
    assert sum(classes["broken"].to_pylist()) == int(((before == 1) & (after == 0)).sum())
    assert sum(classes["fixed"].to_pylist()) == int(((before == 0) & (after == 1)).sum())
    assert sum(classes["queries"].to_pylist()) == len(LABELS)
    first = classes.to_pylist()[0]
    rows = first["label"] == LABELS
    means = [np.mean(np.array(run.per_query["map@r"].to_pylist())[rows]) for run in (a, b)]
    assert [first["a"], first["b"]] == pytest.approx(means)


def test_what_is_saved_can_be_read_by_anybody(found, tmp_path):
    folder = found.save(tmp_path / "deep" / "compared")
    document, told = json.loads((folder / "compare.json").read_text()), json.loads(json.dumps(found.to_dict()))
    assert {name: document[name] for name in told} == told
    assert pq.read_table(folder / "queries.parquet").equals(found.queries)
    assert pq.read_table(folder / "classes.parquet").equals(found.classes)
    with pytest.raises(te.ResourceError, match="E801"):
        found.save(folder)


def test_it_shows_itself_in_a_notebook(found, monkeypatch):
    shown = found._repr_html_()
    assert shown.startswith('<div class="tripleteval">')
    assert escape(found.verdict) in shown
    assert shown.count("<table>") == 1 + ("Broken" in shown) + ("Fixed" in shown) + ("Classes that changed" in shown)
    assert "<script" not in shown
    monkeypatch.setitem(sys.modules, "jinja2", None)
    assert found._repr_html_().startswith("<pre>")


GROUPS = [f"session-{row % 6}" for row in range(len(LABELS))]


def in_groups(noise: float, **how) -> te.Evaluation:
    return te.evaluate(te.Embeddings(CENTRES + noise * NOISE, LABELS, ids=IDS, groups=GROUPS), **how)


@pytest.mark.parametrize("paired", [True, False])
def test_runs_without_groups_are_not_compared_by_group(a, b, paired):
    for runs, said in (((a, b), "a"), ((in_groups(1.0), b), "b"), ((a, in_groups(0.7)), "a")):
        with pytest.raises(te.ParameterError, match=f"E101 unit='group' but no groups in {said} .*--group-column"):
            te.compare(*runs, unit="group", paired=paired)


def test_the_unit_is_that_of_both_runs_or_the_class():
    by = {unit: (in_groups(1.0, unit=unit), in_groups(0.7, unit=unit)) for unit in ("class", "group", "query")}
    for unit, runs in by.items():
        found, asked = te.compare(*runs), te.compare(*runs, unit=unit)
        assert found.settings["unit"] == unit
        assert found.metrics == asked.metrics
    mixed = te.compare(by["group"][0], by["query"][1])
    assert mixed.settings["unit"] == "class"
    assert te.compare(*by["group"], unit="query").settings["unit"] == "query"


def test_confidence_and_seed_are_those_of_both_runs_or_the_usual():
    runs = [evaluated(noise, confidence=0.8, seed=7) for noise in (1.0, 0.9)]
    found, asked = te.compare(*runs), te.compare(*runs, confidence=0.8, seed=7)
    assert (found.settings["confidence"], found.settings["seed"]) == (0.8, 7)
    assert (found.metrics, found.verdict) == (asked.metrics, asked.verdict)
    assert not [note for note in found.notes if "intervals at" in note]
    named = te.compare(*runs, confidence=0.9, seed=1)
    assert (named.settings["confidence"], named.settings["seed"]) == (0.9, 1)


def test_runs_of_other_confidences_are_compared_at_the_usual_one_and_told_so():
    mixed = te.compare(evaluated(1.0, confidence=0.8, seed=7), evaluated(0.9, confidence=0.99, seed=8))
    assert (mixed.settings["confidence"], mixed.settings["seed"]) == (0.95, 0)
    (note,) = [note for note in mixed.notes if "intervals at" in note]
    assert note == "The runs have intervals at 80 % and 99 %, this comparison at 95 %."


def test_only_classes_that_changed_are_listed(a, found):
    assert "Classes that changed" not in [said.title for said in sections(te.compare(a, a))]
    (listed,) = [said for said in sections(found) if said.title == "Classes that changed"]
    table = found.classes
    moved = [row for row in table.to_pylist() if row["difference"] or row["fixed"] or row["broken"]]
    assert 10 < len(moved) <= table.num_rows
    assert f"(10 of {len(moved)})" in listed.text
    row = {name: table[name].to_pylist() for name in table.column_names}
    row["difference"], row["fixed"], row["broken"] = ([0] * (table.num_rows - 1) + [1] for _ in range(3))
    last = replace(found, classes=pa.table(row))
    (listed,) = [said for said in sections(last) if said.title == "Classes that changed"]
    assert [cells[0] for cells in listed.tables[0].rows] == [str(row["label"][-1])]


def test_no_difference_leaves_what_it_can_be():
    """Few classes and a high confidence: a difference of shares lies in [−1, 1], of others within theirs."""
    names = ["map@r", "silhouette", "alignment", "auc", "triplet_loss@margin=0.2"]
    how = {"classes": 6, "metrics": ["silhouette", "alignment"]}
    one, two = evaluated(1.0, **how), evaluated(3.0, **how)
    for paired in (True, False):
        found = te.compare(one, two, metrics=names, paired=paired, confidence=1 - 1e-9).metrics
        ends = [(found[name]["low"], found[name]["high"]) for name in names]
        assert ends[:4] == [(-1.0, 1.0), (-2.0, 2.0), (-4.0, 4.0), (-1.0, 1.0)]
        assert ends[4][0] < -1 < 1 < ends[4][1]


def test_a_p_that_cannot_be_smaller_is_said_to_be_so():
    few = {classes: te.compare(*(evaluated(noise, classes=classes) for noise in (9.0, 0.01))) for classes in (5, 6)}
    assert few[5].outcome == "not distinguishable"
    assert few[5].verdict.endswith("over 5 classes, p = 0.0625 (the least that 5 classes can give).")
    assert few[6].outcome == "better"
    assert few[6].verdict.endswith("over 6 classes, p = 0.0312.")


def test_where_lower_is_better_a_rise_is_the_greatest_loss(a):
    b = evaluated(0.7, extra=0.6)
    found = te.compare(a, b, primary="triplet_loss@margin=0.2")
    rise = found.queries["difference"].drop_null().to_numpy()
    assert (np.diff(rise) <= 0).all()
    assert rise[0] > 0 > rise[-1]
    assert (np.diff(found.classes["difference"].to_numpy()) <= 0).all()
    unranked = [table.drop_columns(["hit_rate@1"]) for table in (a.per_query, b.per_query)]
    change = changed_queries(*unranked, "triplet_loss@margin=0.2", falls=True)["change"].to_pylist()
    assert (change[0], change[-1]) == ("broken", "fixed")


@pytest.mark.parametrize("path", ["runs/a", Path("runs/a")])
def test_a_path_in_the_place_of_a_run_is_to_be_loaded(path):
    run = te.evaluate([[0.0], [1.0], [3.0], [4.0]], [0, 0, 1, 1])
    for two in ((path, run), (run, path)):
        with pytest.raises(te.ParameterError, match="E101 a path, 'runs/a', where a run is expected") as caught:
            te.compare(*two)
        assert caught.value.fix == "load it: te.load('runs/a')"
    with pytest.raises(te.ParameterError, match="E101 an object of type int, where a run"):
        te.compare(run, 3)


def test_only_losses_are_listed_of_what_is_broken_and_only_gains_of_what_is_fixed():
    rng, labels = np.random.default_rng(0), np.repeat(np.arange(8), 25)
    points = rng.normal(size=(8, 6))[labels] + 1.5 * rng.normal(size=(200, 6))
    one, two = (te.evaluate(points + 0.9 * rng.normal(size=(200, 6)), labels, verification=False) for _ in "ab")
    found = te.compare(one, two, primary="map@r")
    table = found.queries.to_pylist()
    for change, sign in (("broken", -1), ("fixed", 1)):
        everyone = [row for row in table if row["change"] == change]
        moved = [row for row in everyone if sign * row["difference"] > 0]
        assert len(moved) < len(everyone)  # the nearest is wrong now, and the ranking better, or as good
        (part,) = [part for part in sections(found) if part.title.startswith(change.capitalize())]
        assert part.title.endswith(f": {len(everyone)}")
        shown = [row[-1] for row in part.tables[0].rows]
        assert len(shown) == min(10, len(moved))
        assert {text[0] for text in shown} == {"−" if sign < 0 else "+"}
        does = {"broken": "lose", "fixed": "gain"}[change]
        assert f"{len(everyone) - len(moved)} more {does} nothing in it, and are not listed" in part.text
        (page,) = [part for part in together([("a", one), ("b", two)]) if part.title == f"{change.capitalize()} by b"]
        assert all(sign * float(row[-1].replace("−", "-")) > 0 for row in page.tables[0].rows)


def test_a_rate_that_is_not_reliable_is_named():
    random = np.random.default_rng(0)
    labels = np.arange(60) % 12
    one, two = (te.evaluate(random.normal(size=(60, 4)), labels) for _ in range(2))
    assert "reliable" not in " ".join(te.compare(one, two, metrics=["tar@far=0.1"]).notes)
    found = te.compare(one, two, metrics=["tar@far=0.1", "tar@far=0.01", "tar@far=0.001"])
    said = "Not reliable, since fewer than 30 errors are allowed: tar@far=0.01 and tar@far=0.001."
    assert found.notes[-1] == said
    assert said in found.to_dict()["notes"]
