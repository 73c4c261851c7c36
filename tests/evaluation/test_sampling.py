"""Some of the queries: each measured as it always is, drawn evenly, and told so."""

import re

import numpy as np
import pytest

import tripleteval as te
from tripleteval.data.comparison import Comparison, Lists, SharedClass
from tripleteval.evaluation.sampling import HEADLINE, draw

RANDOM = np.random.default_rng(21)
LABELS = RANDOM.integers(0, 40, 600)
POINTS = RANDOM.normal(size=(40, 6))[LABELS] + 0.9 * RANDOM.normal(size=(600, 6))
IDS = [f"i{row}" for row in range(600)]


@pytest.fixture(scope="module")
def whole() -> te.Evaluation:
    return te.evaluate(te.Embeddings(POINTS, LABELS, ids=IDS))


def by_query(run: te.Evaluation, drop: str = "") -> dict[int, dict]:
    return {row["query"]: {n: v for n, v in row.items() if n != drop} for row in run.per_query.to_pylist()}


@pytest.mark.parametrize("how", [{"sample": 100}, {"sample": 150, "precision": 1e-6}, {"sample": 7, "threads": 1}])
def test_a_sampled_query_has_the_values_it_has_among_all(whole, how):
    run = te.evaluate(te.Embeddings(POINTS, LABELS, ids=IDS), **how)
    found, expected = by_query(run), by_query(whole)
    assert len(found) == how["sample"]
    assert all(expected[query] == values for query, values in found.items())
    near, far = ({(r["query"], r["rank"]): r for r in e.neighbors.to_pylist()} for e in (run, whole))
    assert all(far[key] == row for key, row in near.items())
    assert len(near) == 10 * how["sample"]


@pytest.mark.parametrize("rule", ["labels", "group", "sets", "relevance", "gallery"])
def test_every_protocol_can_be_sampled(rule):
    groups = RANDOM.integers(0, 5, 600)
    sides = te.Embeddings(POINTS, LABELS, ids=IDS, groups=groups)
    how = {"ignore": "group"} if rule == "group" else {}
    if rule == "sets":
        sides = te.Embeddings(POINTS, [{int(c), -1} if c % 3 else {int(c)} for c in LABELS], ids=IDS)
    if rule == "relevance":
        how["relevance"] = (LABELS[:, None] == LABELS[None]) * RANDOM.integers(1, 4, (600, 600))
    if rule == "gallery":
        gallery = RANDOM.permutation(600)[:500]
        how["gallery"] = te.Embeddings(3 * POINTS[gallery], LABELS[gallery], ids=[IDS[row] for row in gallery])
    run, all_of_it = te.evaluate(sides, sample=60, **how), te.evaluate(sides, **how)
    expected = by_query(all_of_it)
    assert all(expected[query] == values for query, values in by_query(run).items())
    far = {(r["query"], r["rank"]): r for r in all_of_it.neighbors.to_pylist()}
    assert all(far[r["query"], r["rank"]] == r for r in run.neighbors.to_pylist())


def test_a_sample_says_what_it_is(whole):
    run = te.evaluate(POINTS, LABELS, sample=100, seed=5)
    assert (run.accounting["queries"], run.accounting["sampled_from"], run.accounting["gallery"]) == (100, 600, 600)
    assert any("100 of 600 queries were drawn, by class with seed 5" in note for note in run.notes)
    assert (run.settings["sample"], run.settings["precision"]) == (100, None)
    assert run.inputs[0]["rows"] == 600
    assert "sampled_from" not in whole.accounting


def test_the_same_seed_asks_the_same_queries_whatever_the_vectors_and_another_seed_others():
    asked = [
        te.evaluate(v, LABELS, sample=50, seed=s).per_query["query"]
        for v, s in ((POINTS, 0), (-2 * POINTS, 0), (POINTS, 1))
    ]
    assert asked[0] == asked[1]
    assert asked[0] != asked[2]


@pytest.mark.parametrize("size", [40, 100, 300, 599])
def test_every_beginning_of_the_draw_holds_its_share_of_each_class(size):
    sets = te.Embeddings(POINTS, LABELS)
    comparison = Comparison(
        sets, sets, SharedClass(*[Lists(np.zeros(601, np.int64), np.zeros(0, np.int64))] * 2), np.arange(600)
    )
    order = draw(comparison, 3)
    assert sorted(order.tolist()) == list(range(600))
    share = np.bincount(LABELS) * size / 600
    assert np.abs(np.bincount(LABELS[order[:size]], minlength=40) - share).max() <= 2


def test_asking_for_more_than_there_are_is_asking_all(whole):
    run = te.evaluate(te.Embeddings(POINTS, LABELS, ids=IDS), sample=10_000)
    assert (run.metrics, run.notes, run.accounting) == (whole.metrics, whole.notes, whole.accounting)


def test_a_precision_within_reach_stops_early_and_one_beyond_asks_all(monkeypatch, whole):
    monkeypatch.setattr("tripleteval.evaluation.sampling.FIRST", 50)
    loose = te.evaluate(te.Embeddings(POINTS, LABELS, ids=IDS), precision=0.15)
    assert 50 <= loose.accounting["queries"] < 600
    for name in ("map@r", "hit_rate@1", "recall@5", "mrr", "triplet_accuracy"):
        low, high = loose.interval(name)
        assert high - low <= 0.3
    assert any("within ±0.15" in note for note in loose.notes)
    strict = te.evaluate(te.Embeddings(POINTS, LABELS, ids=IDS), precision=0.001)
    assert any("though ±0.001 was asked for: only a larger set can narrow it" in note for note in strict.notes)
    assert any("All 600 queries were used" in note for note in strict.notes)
    assert [any("Sampled" in note for note in run.notes) for run in (loose, strict)] == [True, False]
    some = te.evaluate(te.Embeddings(POINTS, LABELS, ids=IDS), precision=0.001, sample=100)
    assert any(note.endswith("though ±0.001 was asked for.") for note in some.notes)
    assert any("Sampled: 100 of 600 queries" in note for note in some.notes)
    ends = [some.interval(name) for name in some if name in HEADLINE or name.split("@")[0] in HEADLINE]
    widest = max(high - low for low, high in ends) / 2
    assert any(f"widest headline interval is ±{widest:.3g}, though" in note for note in some.notes)
    assert strict.accounting["queries"] == 600
    for name in ("map@r", "recall@10", "triplet_satisfied@margin=0.2", "first_rank_median"):
        assert strict.metrics[name] == whole.metrics[name]


def test_without_intervals_a_precision_cannot_be_judged_and_all_are_asked():
    run = te.evaluate(POINTS, LABELS % 3, precision=0.4)
    assert run.accounting["queries"] == 600
    assert any("cannot be judged" in note for note in run.notes)


def test_the_interval_of_a_sample_covers_the_sampling(whole):
    hits = 0
    for seed in range(40):
        low, high = te.evaluate(POINTS, LABELS, sample=120, seed=seed, neighbors=0, ks=(1,)).interval("map@r")
        hits += low <= whole["map@r"] <= high
    assert hits >= 36


def test_runs_on_one_sample_are_paired_by_row():
    a, b = (te.evaluate(POINTS * scale, LABELS, sample=200, ks=(1, 5)) for scale in ([[1.0] * 6], [[1, 1, 1, 1, 0, 0]]))
    assert te.compare(a, b).outcome == "worse"
    with pytest.raises(te.ParameterError, match="E512"):
        te.compare(a, te.evaluate(POINTS, LABELS, sample=201))


@pytest.mark.parametrize(
    ("wrong", "code"),
    [({"sample": 0}, "E308"), ({"sample": 1.5}, "E308"), ({"precision": 0}, "E505"), ({"precision": 5}, "E505")],
)
def test_impossible_samples_are_refused(wrong, code):
    with pytest.raises(te.ParameterError, match=code):
        te.evaluate(POINTS, LABELS, **wrong)


def test_the_budget_that_a_sample_needs_is_asked_for_at_once():
    x, y = np.random.default_rng(0).normal(size=(6000, 4)), np.arange(6000) % 60
    with pytest.raises(te.ResourceError, match="E802 .* for 700 queries") as caught:
        te.evaluate(x, y, memory="20MiB", sample=700)
    enough = re.search(r"(\d+MiB) or more", str(caught.value))[1]
    assert te.evaluate(x, y, memory=enough, sample=700).accounting["queries"] == 700
