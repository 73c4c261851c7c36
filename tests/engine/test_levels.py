"""A table of levels leads every item to the bin that a search would find, or says that it cannot tell."""

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tripleteval.engine import lines
from tripleteval.engine.levels import levels_of
from tripleteval.engine.lines import Book, Points, post
from tripleteval.engine.room import room_for
from tripleteval.engine.whole import HIDDEN, Bound, Unit, step_of, whole_steps

UNIT = Unit(True, 2.0**20)
# Python has no way into what only compiled code calls.
count_certain, count_left = (
    numba.njit(of.py_func, error_model="numpy") for of in (lines.count_certain, lines.count_left)
)
SOME_EDGES = st.lists(st.sampled_from([0.0, 1e-300, 0.25, 1.0, 1.0 + 2.0**-52, 4.0, 9.0, 1e20, np.inf]), max_size=12)


def levels(edges):
    """Return the levels of queries, each with its ascending edges, and the edges one after the other."""
    indptr = np.cumsum([0, *map(len, edges)])
    squared = np.concatenate([np.array(sorted(of), dtype=float) for of in edges])
    return levels_of(indptr, squared, UNIT), indptr, squared


def items(squared):
    """Return one query at the origin and items whose ``squared`` is exactly this."""
    columns = np.sqrt(np.array(squared, dtype=float))[:, None]
    return (
        Points(0, np.zeros((1, 1)), np.zeros(1, bool)),
        Points(0, columns, np.zeros(len(columns), bool)),
        columns[:, 0] ** 2,
    )


def book_of(edges, nearest):
    """Return where one query is counted whose k nearest are known."""
    of, indptr, line = levels([edges])
    bins, sums = np.zeros(len(line), np.int64), np.zeros(len(line), np.int64)
    rows, certain = np.full(len(line), -1), np.zeros((len(of.steps), 2), np.int64)
    near, near_rows = np.array([nearest], dtype=float), np.full((1, len(nearest)), -1)
    endless = np.array([np.inf])
    return Book(
        indptr, line, rows, of, np.zeros(1), endless, endless[:, None], 0.0, 1.0, certain, bins, sums, near, near_rows
    )


def count(edges, squared, bound, k=2):
    """Return the bins of one query by the table, and how many of its items were certain."""
    asked, searched, exact = items(squared)
    book = book_of(edges, np.sort(np.append(exact, [np.inf] * k))[:k])  # so that only these are offered
    room = room_for(1, max(len(exact), 1), both=False)
    steps = np.empty(len(exact), np.int64)
    whole_steps(exact, bound, UNIT, steps, steps.view(np.float64))
    left = count_certain(steps, room.others, 0, len(exact), 0, UNIT, book, room.desk, 0)
    count_left(left, asked, searched, UNIT, book, room.desk)
    post(book.levels, book.certain, book.counts, book.lengths)
    return book.counts, book.lengths, len(exact) - left


def count_steps(edges, steps):
    """Return the bins of items that are certain, farther than the nearest, and how many are not."""
    book, room = book_of(edges, [0.0]), room_for(1, len(steps), both=False)
    left = count_certain(steps, room.others, 0, len(steps), 0, UNIT, book, room.desk, 0)
    post(book.levels, book.certain, book.counts, book.lengths)
    return book.counts, book.lengths, left


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from([0.0, 0.25, 1.0, 1.0 + 2.0**-52, 1.0 + 2.0**-30, 4.0, 9.0, 1e20, np.inf]), max_size=12),
    st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0, 1.0 + 2.0**-26, 4.0, 8.0, 9.0, 16.0, 1e18]), max_size=20),
    st.sampled_from([Bound(0.0, 0.0), Bound(2.0**-50, 1e-290), Bound(2.0**-30, 0.0), Bound(0.0, 0.5)]),
)
def test_bins_are_those_of_a_search(edges, squared, bound):
    line = np.array(sorted([0.0, *edges]))
    *_, exact = items(squared)
    place = np.searchsorted(line, exact, side="right")
    inside = place < len(line)
    bins, sums, _ = count([0.0, *edges], squared, bound)
    assert bins.tolist() == np.bincount(place[inside], minlength=len(line)).tolist()
    steps = np.rint(np.sqrt(exact) * UNIT.scale)
    assert sums.tolist() == np.bincount(place[inside], weights=steps[inside], minlength=len(line)).tolist()


def test_almost_every_item_is_certain_where_edges_are_many():
    rng = np.random.default_rng(0)
    edges, squared = rng.gamma(2.0, size=2000), rng.gamma(2.0, size=4000)
    *_, certain = count([0.0, *edges], squared, Bound(2.0**-45, 0.0))
    assert certain > 0.9 * len(squared)


@settings(max_examples=200, deadline=None)
@given(st.lists(SOME_EDGES, min_size=1, max_size=4))
def test_levels_hold_every_edge_once_and_in_order(edges):
    of, indptr, squared = levels(edges)
    for q in range(len(edges)):
        a, b = of.indptr[q], of.indptr[q + 1]
        steps, begins = of.steps[a:b], of.edges[a:b]
        assert steps[0] < 0
        assert steps[-1] > HIDDEN
        assert begins[-1] == indptr[q + 1]
        assert np.all(steps[1:] > steps[:-1])
        for level in range(1, b - a - 1):
            own = squared[begins[level] : begins[level + 1]]
            assert len(own)
            assert {step_of(edge, UNIT) for edge in own} == {steps[level]}


@pytest.mark.parametrize("edges", [[], [0.0], [0.0, 1.0], [0.0, np.inf], [0.0, 1e300, np.inf]])
def test_who_is_hidden_is_in_no_bin_however_far_the_edges_reach(edges):
    bins, sums, left = count_steps(edges, np.array([HIDDEN] * 3))
    assert (bins.sum(), sums.sum(), left) == (0, 0, 0)


def test_an_edge_in_the_step_of_an_item_leaves_it_open():
    edges = [0.0, *(np.array([100.0, 101.4, 101.6, 103.0]) / UNIT.scale) ** 2]
    bins, sums, left = count_steps(edges, np.array([99, 100, 101, 102, 103, 104]))
    assert left == 4
    assert bins.tolist() == [0, 1, 0, 0, 0]
    assert sums.tolist() == [0, 99, 0, 0, 0]
