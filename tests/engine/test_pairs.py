"""The pass over all pairs: two kernels, many cuts and little memory give the counts of two nested loops."""

from dataclasses import replace
from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tripleteval as te
from oracle import pair_distances as listed
from strategies import labelled_points
from tripleteval.data.embeddings import Embeddings
from tripleteval.distance.formula import distance_for
from tripleteval.engine import genuine as genuine_pairs
from tripleteval.engine import pair_ruler
from tripleteval.engine.pair_ruler import narrowed, ruler_for
from tripleteval.engine.pairs import PairPass
from tripleteval.engine.plan import Order
from tripleteval.evaluation import verification
from tripleteval.evaluation.relevance import compare
from tripleteval.evidence.pairs import Pairs, Ruler
from tripleteval.journal.page import Pages
from tripleteval.metrics.operating import operating


def every_pair(points, labels, *, distance="euclidean", gallery=None, ignore=None, groups=None, **how) -> PairPass:
    """Return a pass that keeps every distance."""
    queries = Embeddings(points, labels, groups=groups)
    comparison = compare(queries, gallery, ignore=ignore, relevance=None)
    fitted = distance_for(distance, queries.vectors, comparison.gallery.vectors)
    known = genuine_pairs.listed(comparison, fitted)
    return PairPass(comparison, fitted, ruler_for(comparison, fitted, known, (0.1,)), **how)


def measured(every: PairPass, block: int = 1000) -> Pairs:
    """Return the evidence of all orders."""
    n, m = len(every.comparison.queries), len(every.comparison.gallery)
    return reduce(Pairs.merge, (every(Order(a, min(a + block, n), 0, m)) for a in range(0, n, block)))


@given(labelled_points())
def test_each_unordered_pair_is_counted_once(data):
    curve = operating(measured(every_pair(*data)), 1.0, 1.0)
    genuine, impostor = listed(*data)
    assert np.repeat(curve.at, curve.genuine[1::2]).tolist() == sorted(genuine)
    assert np.repeat(curve.at, curve.impostor[1::2]).tolist() == sorted(impostor)
    assert not curve.genuine[::2].any()


def test_between_queries_and_a_gallery_every_pair_counts_but_an_item_with_itself():
    queries = Embeddings([[0.0], [1.0]], ["a", "b"], ids=["p", "q"])
    gallery = Embeddings([[0.0], [2.0], [4.0]], ["a", "b", "a"], ids=["p", "r", "s"])
    run = te.evaluate(queries, gallery=gallery)
    assert (run.accounting["genuine_pairs"], run.accounting["impostor_pairs"]) == (2, 3)


def test_ignored_pairs_are_neither_genuine_nor_impostor():
    given_ = te.Embeddings([[0.0], [1.0], [2.0], [3.0]], [0, 0, 0, 1], groups=["x", "x", "y", "x"])
    run = te.evaluate(given_, ignore="group")
    assert (run.accounting["genuine_pairs"], run.accounting["impostor_pairs"]) == (2, 3)


@pytest.mark.parametrize("distance", ["euclidean", "sqeuclidean", "cosine"])
@pytest.mark.parametrize("edges", [0, 1, 7, 300])
def test_the_kernels_agree_bit_for_bit_however_the_work_is_cut(distance, edges):
    rng = np.random.default_rng(edges)
    x, y = rng.integers(-3, 4, (90, 5)) + 0.25, rng.integers(0, 6, 90)
    one = every_pair(x, y, distance=distance)
    known = np.unique(operating(measured(one), 1.0, 1.0).at[:: max(1, 300 // max(edges, 1))][:edges])
    kept = rng.integers(0, 2, len(known) + 1).astype(bool)
    one = replace(one, ruler=Ruler(known, kept, 1000, np.zeros(0)))
    whole = measured(one)
    for other in (
        measured(replace(one, kernel="cpu", tile=13), 7),
        measured(replace(one, tile=17), 20),
        replace(one, kernel="cpu").measure_in_stretches(Order(0, 90, 0, 90), 4),
    ):
        for field in ("genuine", "impostor", "values", "genuine_at", "impostor_at"):
            assert np.array_equal(getattr(whole, field), getattr(other, field)), field
        assert whole.sums == other.sums
        assert whole.overflow == other.overflow


def test_sums_give_the_mean_and_the_spread_of_distances_that_were_not_kept():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(120, 4)), rng.integers(0, 8, 120)
    one = replace(every_pair(x, y), ruler=Ruler(np.array([1.0]), np.zeros(2, dtype=bool), 10, np.zeros(0)))
    curve = operating(measured(one), one.distance.step, one.distance.factor)
    for moments, distances in zip((curve.genuine_moments, curve.impostor_moments), listed(x, y), strict=True):
        assert moments.mean == pytest.approx(np.mean(distances), rel=1e-12)
        assert moments.sd == pytest.approx(np.std(distances, ddof=1), rel=1e-12)


def test_a_narrowed_ruler_sees_the_inside_of_the_gaps_it_was_made_for():
    ruler = Ruler(np.array([1.0, 2.0, 3.0, 4.0]), np.zeros(5, dtype=bool), 10, np.zeros(0))
    fine = narrowed(ruler, np.array([0, 2, 4]))
    assert fine.edges.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert fine.kept.tolist() == [True, False, True, False, True]
    assert narrowed(ruler, np.array([1])).kept.tolist() == [False, True, False]


def shrunk(monkeypatch, *, capacity: int, most_genuine: int) -> None:
    """Make small data large: little is kept, few genuine pairs are listed."""
    monkeypatch.setattr(pair_ruler, "CAPACITY", capacity)
    monkeypatch.setattr(genuine_pairs, "MOST_GENUINE", most_genuine)
    monkeypatch.setattr(pair_ruler, "GENUINE_QUANTILES", 200)
    monkeypatch.setattr(pair_ruler, "QUANTILES", 200)
    monkeypatch.setattr(pair_ruler, "_CELLS", 5)


@pytest.mark.parametrize("spread", [0.3, 1.0, 3.0])
@pytest.mark.parametrize(("capacity", "most_genuine"), [(500, 10**6), (500, 100), (50, 10**6)])
def test_what_is_too_large_to_keep_gives_the_same_rates(monkeypatch, spread, capacity, most_genuine):
    rng = np.random.default_rng(4)
    y = np.repeat(np.arange(20), 10)
    x = rng.normal(size=(20, 3))[y] + spread * rng.normal(size=(200, 3))
    fars = (0.5, 0.1, 0.01, 0.001)
    small = te.evaluate(x, y, fars=fars).metrics
    shrunk(monkeypatch, capacity=capacity, most_genuine=most_genuine)
    large = te.evaluate(x, y, fars=fars).metrics
    for name in ("eer", *(f"tar@far={far:g}" for far in fars)):
        assert large[name]["value"] == pytest.approx(small[name]["value"], rel=1e-12), name
        assert "at_least" not in large[name]
    assert large["d_prime"]["value"] == pytest.approx(small["d_prime"]["value"], rel=1e-12)
    for name in ("auc", "overlap", "best_accuracy"):
        low, high = (large[name].get(end, large[name]["value"]) for end in ("at_least", "at_most"))
        assert low - 1e-12 <= small[name]["value"] <= high + 1e-12
        assert high - low < 0.01
    for far in fars:
        entry = large[f"threshold@far={far:g}"]
        assert entry["achieved_far"] <= far
        exact = small[f"threshold@far={far:g}"]
        if entry["midway"]:
            assert entry["value"] == exact["value"]
            assert entry["achieved_far"] == exact["achieved_far"]


def test_genuine_pairs_that_are_all_listed_leave_nothing_open(monkeypatch):
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(150, 3)), rng.integers(0, 9, 150)
    small = te.evaluate(x, y).metrics
    shrunk(monkeypatch, capacity=50, most_genuine=10**6)
    large = te.evaluate(x, y).metrics
    for name in ("auc", "overlap", "eer", "best_accuracy"):
        assert large[name]["value"] == pytest.approx(small[name]["value"], rel=1e-12)


@settings(max_examples=20)
@given(labelled_points(), st.integers(1, 3))
def test_the_hash_does_not_depend_on_threads(data, threads):
    assert te.evaluate(*data, threads=threads, kernel="cpu").result_hash == te.evaluate(*data, map=map).result_hash


def test_memory_that_cannot_hold_the_counts_is_refused_with_what_would():
    rng = np.random.default_rng(6)
    x, y = rng.normal(size=(900, 2)), rng.integers(0, 3, 900)
    every = every_pair(x, y)
    means = verification.Means("reference", map, 2, 2**20, Pages())
    with pytest.raises(te.ResourceError, match="E802"):
        verification.counted(every.comparison, every.distance, every.ruler, means)


@pytest.mark.parametrize("kernel", ["reference", "numpy", "cpu"])
def test_distances_of_a_few_of_the_smallest_numbers_are_told_apart(kernel):
    points, labels = np.array([[0.0], [1.0], [3.0], [7.0]]), [0, 0, 1, 1]
    tiny, plain = (te.evaluate(scale * points, labels, kernel=kernel) for scale in (5e-324, 1.0))
    assert tiny["auc"] == plain["auc"]
    assert tiny["eer"] == plain["eer"]
