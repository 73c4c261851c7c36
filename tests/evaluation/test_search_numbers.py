"""Overlap and truncated metrics: the golden example by hand, and lists cut from full rankings."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tripleteval as te
from tripleteval.distance.formula import Distance
from tripleteval.errors import ParameterError
from tripleteval.evaluation.relevance import compare
from tripleteval.evaluation.search_loss import losses
from tripleteval.evaluation.search_metrics import asked_for, columns, usual
from tripleteval.evaluation.search_overlap import Overlap
from tripleteval.evaluation.search_truth import Truth, judge, true_neighbors
from tripleteval.metrics import Column
from tripleteval.search.contract import Found
from tripleteval.uncertainty.sums import Units

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "golden.json").read_text())["cases"]["E1_ann"]
# The golden distances are decimals, so they are taken as they are: ``squared`` is the distance itself.
AS_GIVEN = Distance("sqeuclidean")


def overlap(true_rows, true, rows, far, distance=AS_GIVEN) -> Overlap:
    true, far = (np.array([[np.inf if d is None else d for d in line] for line in lines]) for lines in (true, far))
    valid = np.full(len(true), 100)
    truth = Truth(Found(np.array(true_rows), true), valid, np.zeros(len(true), bool))
    return Overlap(truth, Found(np.array(rows), far), distance)


def test_golden_e1():
    given_, expected = GOLDEN["inputs"], GOLDEN["expected_values"]
    seen = overlap(given_["exact_ids"], given_["exact_dist"], given_["ann_ids"], given_["ann_true_dist"])
    assert seen.id_recall() == pytest.approx(expected["id_recall"], abs=1e-12)
    assert seen.tie_aware_recall() == pytest.approx(expected["tie_aware_recall"], abs=1e-12)
    assert seen.near_recall(0.01).mean() == pytest.approx(expected["rel_eps_recall_mean"], abs=1e-12)
    assert seen.nearest_found().mean() == expected["one_recall_at_k"]
    assert np.nanmean(seen.excess_ratio()) == pytest.approx(expected["mean_distance_ratio"], abs=1e-12)
    assert seen.distance_ratio()[0] == pytest.approx(0.7005 / 0.6)
    assert np.isnan(seen.distance_ratio()[2])
    assert seen.missing().tolist() == pytest.approx([0, 0, 2 / 3])


def test_padding_never_matches_padding():
    seen = overlap([[0, -1, -1]], [[1.0, None, None]], [[5, -1, -1]], [[2.0, None, None]])
    assert seen.id_recall() == seen.tie_aware_recall() == 0.0
    assert seen.missing() == 0.0  # there is but one row to find, and one was returned


def test_recall_on_tight_clusters_where_an_absolute_allowance_says_1():
    """True neighbours within 2e-4, returned items at 4e-4 to 9e-4, none of them a true neighbour."""
    true, far = np.linspace(1e-4, 2e-4, 10)[None], np.linspace(4e-4, 9e-4, 10)[None]
    seen = overlap(np.arange(10)[None], true, np.arange(10, 20)[None], far)
    assert (far <= true[0, -1] + 1e-3).all()  # what ann-benchmarks would count
    assert seen.tie_aware_recall() == seen.id_recall() == seen.near_recall(0.01) == 0.0
    assert seen.excess_ratio()[0] > 2


def test_everything_at_one_place_is_all_found():
    seen = overlap([[0, 1]], [[0.0, 0.0]], [[2, 3]], [[0.0, 0.0]])
    assert (seen.tie_aware_recall(), seen.id_recall(), seen.excess_ratio()) == (1.0, 0.0, 1.0)
    assert np.isnan(seen.distance_ratio())


@st.composite
def small_sets(draw):
    n, classes = draw(st.integers(6, 24)), draw(st.integers(2, 4))
    labels = draw(st.lists(st.integers(0, classes - 1), min_size=n, max_size=n))
    points = draw(st.lists(st.integers(0, 400), min_size=n, max_size=n, unique=True))
    labels[:2] = [0, 0]
    return np.array(points, float)[:, None], np.array(labels)


@given(small_sets(), st.integers(1, 8))
def test_a_true_list_gives_what_the_full_ranking_gives(data, k):
    points, labels = data
    k = min(k, len(points) - 1)
    comparison = compare(te.Embeddings(points, labels), None, ignore=None, relevance=None)
    truth = true_neighbors(comparison, Distance("euclidean"), k, threads=1, progress=None)
    relevance = judge(comparison, truth.found.rows)
    names = usual(k, int(relevance.relevant.max()))
    full = te.evaluate(points, labels, metrics=[n.spelling for n in names], ties="expected")
    listed = columns(names, truth.found, relevance, truth.valid)
    per_query = full.per_query.to_pydict()
    for name in names:
        exact = np.array([np.nan if v is None else v for v in per_query[name.spelling]])
        untied = ~truth.tied
        both = np.isnan(exact) | np.isclose(listed[name.spelling].values(), exact, rtol=0, atol=1e-12)
        assert both[untied].all(), name.spelling


def test_grades_count_where_the_list_has_them_and_in_the_ideal():
    points = np.array([[0.0], [1.0], [2.0], [3.0], [4.0]])
    grades = np.array([[0, 1, 0, 3, 2]] + [[0, 0, 0, 0, 0]] * 4, float)
    grades[1:, 0] = 1
    ids = list("abcde")
    embeddings = te.Embeddings(points, ids=ids)
    comparison = compare(embeddings, None, ignore=None, relevance=grades)
    truth = true_neighbors(comparison, Distance("euclidean"), 3, threads=1, progress=None)
    got = columns(usual(3, 3), truth.found, judge(comparison, truth.found.rows), truth.valid)
    ideal = 3 / np.log2(2) + 2 / np.log2(3) + 1 / np.log2(4)
    assert got["ndcg@3"].values()[0] == pytest.approx((1 / np.log2(2) + 3 / np.log2(4)) / ideal, abs=1e-12)
    assert got["recall@3"].values()[0] == pytest.approx(2 / 3)


def test_missing_places_are_not_relevant():
    comparison = compare(te.Embeddings([[0.0], [1.0], [2.0], [9.0]], [0, 0, 0, 1]), None, ignore=None, relevance=None)
    found = Found(
        np.array([[1, -1], [-1, -1], [1, 0], [2, 1]]), np.array([[1, np.inf], [np.inf] * 2, [1, 4], [49, 64.0]])
    )
    got = columns(usual(2, 2), found, judge(comparison, found.rows), np.full(4, 3))
    assert got["recall@2"].values()[:3].tolist() == [0.5, 0.0, 1.0]
    assert got["hit_rate@1"].values()[:3].tolist() == [1.0, 0.0, 1.0]
    assert got["map@r"].values()[:3].tolist() == [0.5, 0.0, 1.0]
    assert np.isnan(got["recall@2"].values()[3])


@pytest.mark.parametrize("spelling", ["map", "minp", "recall@11", "triplet_accuracy", "map@r", "hubness@10"])
def test_what_a_list_cannot_tell_is_refused(spelling):
    with pytest.raises(ParameterError, match="cannot be read off lists of 10"):
        asked_for([spelling], 10, 99)


def test_metrics_at_r_are_known_where_no_r_exceeds_the_list():
    assert [name.spelling for name in asked_for(["map@r", "precision@3"], 10, 10)] == ["map@r", "precision@3"]


def test_a_loss_is_never_more_than_everything():
    true = {"recall@5": Column(np.ones(6), np.ones(6, np.int64))}
    entry = losses(true, {"recall@5": np.array([0.0, 0, 0, 1, 0, 0])}, Units(np.arange(6)), 0.99)["recall@5"]
    assert (entry["loss"], entry["high"]) == (pytest.approx(5 / 6), 1.0)
    assert 0 < entry["low"] < entry["loss"]
