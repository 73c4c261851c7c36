"""Every retrieval metric equals the mean over all orders of tied items, counted one by one."""

import math

import numpy as np
import pytest
from hypothesis import given

import tripleteval as te
from oracle import METRICS, by_index, distance, expectation, orderings
from strategies import Points, labelled_points
from tripleteval.metrics import METRICS as REGISTERED

KS = (1, 2, 4, 50)
EXTRA = [f"{m}@{k}" for m in ("map", "capped_map", "found_map", "mrr", "ndcg_exp2") for k in KS]
ASKED = [*EXTRA, "ndcg", "all_positives_first"]


def rankings(points, labels):
    """Yield (query, distances, relevance) of every query that has something to find."""
    for q, label in enumerate(labels):
        others = [i for i in range(len(points)) if i != q]
        relevant = [int(labels[i] == label) for i in others]
        if any(relevant):
            yield q, [distance(points[q], points[i], "sqeuclidean") for i in others], relevant


def measured(points, labels, ties):
    run = te.evaluate(points, labels, ks=KS, ties=ties, metrics=ASKED)
    return {name: run.per_query[name].to_pylist() for name in run.per_query.column_names if name in run}


def assert_equals(points, labels, ties, value):
    columns = measured(points, labels, ties)
    for q, distances, relevant in rankings(points, labels):
        for metric in METRICS:
            for k in KS if metric.endswith("@k") else (0,):
                name = f"{metric[:-1]}{k}" if k else metric
                expected = value(metric, distances, relevant, k)
                assert math.isclose(columns[name][q], expected, rel_tol=1e-12, abs_tol=1e-15), (name, q)


@given(labelled_points(most=7))
def test_tied_items_count_as_the_mean_over_all_their_orders(data: Points):
    assert_equals(*data, "expected", expectation)


@given(labelled_points())
def test_index_mode_gives_ties_to_the_lower_row(data: Points):
    assert_equals(*data, "index", lambda m, d, r, k: METRICS[m](by_index(d, r), k))


@pytest.mark.parametrize(("ties", "best"), [("optimistic", max), ("pessimistic", min)])
@given(data=labelled_points(most=7))
def test_the_bounds_are_the_best_and_the_worst_order(ties, best, data: Points):
    columns = measured(*data, ties)
    for q, distances, relevant in rankings(*data):
        for name, k in (("recall@2", 2), ("map", 0), ("mrr", 0), ("minp", 0), ("ndcg@4", 4)):
            metric = name if not k else f"{name.split('@')[0]}@k"
            values = [METRICS[metric](rel, k) for rel in orderings(distances, relevant)]
            assert math.isclose(columns[name][q], best(values), rel_tol=1e-12)


@given(labelled_points())
def test_a_query_without_anything_to_find_is_null_in_every_metric(data: Points):
    points, labels = data[0] + [[9.0, 9.0]], [*data[1], 99]
    columns = measured(points, labels, "expected")
    assert all(column[-1] is None for name, column in columns.items())


def test_every_registered_retrieval_metric_has_a_brute_force_twin():
    registered = {name for name, metric in REGISTERED.items() if metric.of == "groups"}
    assert registered - set(METRICS) == {"first_rank_median"}


def test_the_median_rank_is_the_middle_of_the_expected_ranks():
    line = [[0.0], [1.0], [3.0], [7.0], [8.0], [12.0], [20.0]]
    run = te.evaluate(line, [0, 0, 1, 0, 1, 1, 2])
    assert (run["first_rank_median"], run["first_rank_mean"]) == (1.5, 13 / 6)


def test_the_ceiling_of_recall_is_what_a_perfect_ranking_gets():
    run = te.evaluate([[0.0], [1.0], [2.0], [9.0]], ["a", "a", "a", "b"], ks=(1, 2, 3))
    ceilings = [run.metrics[f"recall@{k}"]["ceiling"] for k in (1, 2, 3)]
    assert ceilings == [0.5, 1.0, 1.0]
    assert [run[f"recall@{k}"] for k in (1, 2, 3)] == ceilings


def test_far_down_a_long_ranking_average_precision_keeps_its_last_digits():
    # One positive among a large tie group: E[1/rank] summed term by term is the truth.
    from tripleteval.metrics.ties import harmonic

    a, m = 1_000_000, 3
    exact = math.fsum(1 / (a + t) for t in range(1, m + 1))
    assert math.isclose(harmonic(np.array([a]), np.array([m]))[0], exact, rel_tol=1e-15)
