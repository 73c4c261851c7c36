"""Edges are in one order, whoever sorts them, and positives as near as each other stand by row."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tripleteval.data.comparison import Lists
from tripleteval.engine import edges, run


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_merged_runs_are_sorted_edges(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    counts = rng.integers(0, data.draw(st.sampled_from([1, 3, 9])), 5)
    indptr, questions = np.concatenate([[0], np.cumsum(counts)]), data.draw(st.integers(1, 7))
    squared = rng.integers(0, data.draw(st.sampled_from([2, 6, 1000])), (questions, indptr[-1])) / 2.0
    rows = np.where(rng.random((questions, 1)) < 0.5, edges.FIRST, rng.integers(0, 4, squared.shape))
    for q in range(len(counts)):
        for question in range(questions):
            part = slice(indptr[q], indptr[q + 1])
            order = np.lexsort((rows[question, part], squared[question, part]))
            squared[question, part], rows[question, part] = squared[question, part][order], rows[question, part][order]
    squared[0, indptr[:-1][counts > 0]] = 0.0  # as near as the edge that each query has besides
    for one, other in zip(edges._sorted(indptr, squared, rows), edges._merged(indptr, squared, rows), strict=True):
        assert np.array_equal(one, other)


def test_edges_farther_than_any_distance_are_the_last():
    squared, rows = np.array([[1.0, 4.0], [np.inf, np.inf]]), np.array([[7, 3], [edges.FIRST, edges.FIRST]])
    indptr = np.array([0, 2])
    for one, other in zip(edges._sorted(indptr, squared, rows), edges._merged(indptr, squared, rows), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("count", [3, 500])
def test_positives_as_near_as_each_other_stand_by_row(count):
    squared = np.random.default_rng(0).integers(0, 40, 2 * count) / 1.0
    lists = Lists(np.array([0, count, 2 * count]), np.tile(np.arange(count), 2))
    found = run._sorted(lists, squared, squared)
    for part in (slice(0, count), slice(count, None)):
        expected = sorted(zip(squared[part].tolist(), range(count), strict=True))
        assert list(zip(found.squared[part].tolist(), found.rows[part].tolist(), strict=True)) == expected
