"""Who is found how often, against counting by hand."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tripleteval as te
from strategies import Points, labelled_points
from tripleteval.data.embeddings import Embeddings
from tripleteval.distance.formula import distance_for
from tripleteval.engine import again
from tripleteval.engine.gaps import distinct, gaps
from tripleteval.engine.occurrences import occurrences
from tripleteval.engine.plan import Order
from tripleteval.engine.run import Pass
from tripleteval.evaluation.relevance import compare


def counted(points, labels, k: int, kept: int, gallery=None):
    """Return the occurrences, and the gaps, of a small comparison from ``kept`` neighbours."""
    queries = Embeddings(np.array(points), labels)
    comparison = compare(queries, gallery, ignore=None, relevance=None)
    distance = distance_for("euclidean", queries.vectors)
    engine = Pass(comparison, distance, np.array([0.5]), np.zeros(0), kept)
    neighbors = engine.measure(Order(0, len(points), 0, len(comparison.gallery))).neighbors
    return occurrences(neighbors, k, comparison, distance), gaps(neighbors, comparison, distance)


def by_hand(points: np.ndarray, labels: list[int], k: int) -> tuple[np.ndarray, float]:
    """Return the expected k-occurrence over all orders of ties, and how much of it is wrong."""
    times, wrong = np.zeros(len(points)), 0.0
    for q in range(len(points)):
        others = [row for row in range(len(points)) if row != q]
        d = {row: float(np.square(points[row] - points[q]).sum()) for row in others}
        edge = sorted(d.values())[min(k, len(others)) - 1]
        closer = [row for row in others if d[row] < edge]
        tied = [row for row in others if d[row] == edge]
        for row in others:
            place = 1.0 if row in closer else (min(k, len(others)) - len(closer)) / len(tied) if row in tied else 0.0
            times[row] += place
            wrong += place * (labels[row] != labels[q])
    return times, wrong


@given(labelled_points(span=2), st.integers(1, 9), st.integers(1, 3))
def test_tied_items_share_the_places_left_however_few_neighbours_are_kept(data: Points, k, beyond):
    points, labels = np.array(data[0]), data[1]
    found, _ = counted(points, labels, k, k + beyond)
    times, wrong = by_hand(points, labels, k)
    np.testing.assert_allclose(found.times, times, rtol=0, atol=1e-12)
    assert found.wrong == pytest.approx(wrong)
    assert found.times.sum() == pytest.approx(len(points) * min(k, len(points) - 1))  # K12


@given(st.lists(st.integers(5, 24), min_size=1, max_size=4), st.integers(1, 4))
def test_copies_that_are_found_equally_often_have_no_skewness_made_of_roundings(sizes, k):
    points = np.repeat(10.0 ** np.arange(len(sizes)), sizes)[:, None]
    run = te.evaluate(points, [0] * len(points), metrics=[f"{name}@{k}" for name in ("hubness", "robin_hood")])
    assert (run[f"hubness@{k}"], run[f"robin_hood@{k}"]) == (0, 0)


@given(labelled_points(span=1), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(data: Points, random):
    rows = list(range(len(data[0])))
    random.shuffle(rows)
    one = te.evaluate(*data, metrics=["hubness@2", "robin_hood@2"])
    two = te.evaluate([data[0][r] for r in rows], [data[1][r] for r in rows], metrics=["hubness@2", "robin_hood@2"])
    for name in ("hubness@2", "anti_hubs@10", "robin_hood@2", "intrinsic_dimension"):
        assert one.metrics[name] == pytest.approx(two.metrics[name]), name


def test_too_many_ties_to_look_again_are_undefined_with_the_reason(monkeypatch):
    monkeypatch.setattr(again, "_MOST", 100)
    run = te.evaluate(np.zeros((40, 2)), [0, 1] * 20)
    assert run.metrics["hubness@10"]["value"] is None
    assert "40 queries have more items tied at rank 10" in run.metrics["anti_hubs@10"]["reason"]
    assert run.space["k_occurrence"] == {"times_upto": [], "items": [], "k": 10}


def test_a_separate_gallery_counts_gallery_items():
    gallery = te.Embeddings([[0.0], [1.0], [5.0], [100.0]], [0, 0, 1, 1])
    run = te.evaluate([[0.2], [0.9], [4.0]], [0, 0, 1], gallery=gallery, metrics=["anti_hubs@2", "largest_hub@1"])
    assert run["anti_hubs@2"] == 0.25  # nobody finds the one at 100
    assert run["largest_hub@1"] == pytest.approx(1 / (3 / 4))
    assert sum(run.space["k_occurrence"]["items"]) == 4


def ratios_by_hand(points: np.ndarray) -> list[float]:
    """Return ln(r2/r1) of every distinct point among the distinct points."""
    distinct = np.unique(points, axis=0)
    found = []
    for q in distinct:
        d = np.sort(np.linalg.norm(distinct - q, axis=1))[1:3]
        if len(d) == 2:
            found.append(float(np.log(d[1] / d[0])))
    return sorted(found)


@given(labelled_points())
def test_two_nearest_distinct_points_whatever_the_copies(data: Points):
    points = np.array(data[0])
    _, found = counted(points, data[1], 2, len(points) - 1)
    assert sorted(found.log_ratio.tolist()) == pytest.approx(ratios_by_hand(points), abs=1e-12)
    assert found.repeated == len(points) - len(np.unique(points, axis=0))


def test_a_point_with_many_copies_near_by_is_compared_again_or_left_out_and_counted(monkeypatch):
    points = [*([[0.0]] * 5), [1.0], [3.0], [7.0]]
    _, found = counted(points, [0, 1] * 4, 2, 3)
    assert sorted(found.log_ratio.tolist()) == pytest.approx(ratios_by_hand(np.array(points)))
    assert (found.repeated, found.unseen) == (4, 0)
    monkeypatch.setattr(again, "_MOST", 0)
    _, found = counted(points, [0, 1] * 4, 2, 3)
    assert found.repeated == 4
    assert found.unseen == 2  # the copies see only themselves, and the point at 1 little else


@given(labelled_points(span=2))
def test_the_dimension_does_not_depend_on_how_many_neighbours_are_kept(data: Points):
    found = [sorted(counted(np.array(data[0]), data[1], 1, kept)[1].log_ratio.tolist()) for kept in (2, 4, 40)]
    assert found[0] == found[1] == found[2]


def test_cosine_and_squared_distances_have_the_dimension_of_the_euclidean_one():
    points = np.random.default_rng(0).normal(size=(200, 3))
    points /= np.linalg.norm(points, axis=1)[:, None]
    labels = list(itertools.islice(itertools.cycle([0, 1]), 200))
    found = [
        te.evaluate(points, labels, distance=d)["intrinsic_dimension"] for d in ("euclidean", "sqeuclidean", "cosine")
    ]
    assert found == pytest.approx([found[0]] * 3, rel=1e-9)
    assert 1.5 < found[0] < 2.5


def test_points_are_distinct_where_a_coordinate_differs_and_zero_has_no_sign():
    points = np.array([[0.0, 1.0], [-0.0, 1.0], [1.0, 0.0], [0.0, 1.0], [1.0, -0.0], [1.0, 1e-300]])
    rows = np.array([1, 0, 2, 3, 4, 5])
    assert distinct(points, distance_for("euclidean", points), rows).tolist() == [0, 0, 2, 0, 2, 5]
