"""A table of levels leads every item to the bin that a search would find, or says that it cannot tell."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tripleteval.engine.levels import BELOW_ALL_EDGES, levels_of
from tripleteval.engine.lines import (
    HIDDEN,
    UNSURE,
    Book,
    Bound,
    Points,
    Unit,
    count_certain,
    count_left,
    post,
    whole_steps,
)
from tripleteval.engine.room import room_for

UNIT = Unit(True, 2.0**20)
SOME_EDGES = st.lists(st.sampled_from([0.0, 1e-300, 0.25, 1.0, 1.0 + 2.0**-52, 4.0, 9.0, 1e20, np.inf]), max_size=12)


def levels(edges):
    """Return the levels of queries, each with its ascending edges, and the edges one after the other."""
    indptr = np.cumsum([0, *map(len, edges)])
    squared = np.concatenate([np.array(sorted(of), dtype=float) for of in edges])
    return levels_of(indptr, squared), indptr, squared


def items(squared):
    """Return one query at the origin and items whose ``squared`` is exactly this."""
    columns = np.sqrt(np.array(squared, dtype=float))[:, None]
    return (
        Points(np.zeros((1, 1)), np.zeros(1, bool)),
        Points(columns, np.zeros(len(columns), bool)),
        columns[:, 0] ** 2,
    )


def count(edges, squared, bound, k=2):
    """Return the bins of one query by the table, how many of its items were certain, and its nearest."""
    of, indptr, line = levels([edges])
    asked, searched, exact = items(squared)
    bins, sums = np.zeros(len(line), np.int64), np.zeros(len(line), np.int64)
    near, near_rows = np.full((1, k), np.inf), np.full((1, k), -1)
    certain = np.zeros((len(of.last), 2), np.int64)
    book = Book(0, indptr, line, np.full(len(line), -1), of, np.array([np.inf]), certain, bins, sums, near, near_rows)
    room = room_for(1, max(len(exact), 1), both=False)
    steps = np.empty(len(exact), np.int64)
    whole_steps(exact, bound, UNIT, steps)
    book.near_squared[0] = np.sort(np.append(exact, [np.inf] * k))[:k]  # so that only these are offered
    left = count_certain(exact, steps, room.others, 0, len(exact), bound, 0, book, room.desk, 0)
    count_left(left, asked, searched, UNIT, book, room.desk)
    post(of, certain, bins, sums)
    return bins, sums, len(exact) - left


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
        last, begins = of.last[a:b], of.edges[a:b]
        assert (last[0], last[-1]) == (-np.inf, np.inf)
        assert begins[-1] == indptr[q + 1]
        assert np.all(np.diff(last[1:-1]) > 0)
        for level in range(1, b - a - 1):
            own = squared[begins[level] : begins[level + 1]]
            assert own[-1] == last[level]
            assert own[0] >= own[-1] * BELOW_ALL_EDGES


@pytest.mark.parametrize("rooted", [True, False])
def test_a_step_is_whole_or_unsure_and_never_wrong(rooted):
    rng = np.random.default_rng(1)
    unit, exact = Unit(rooted, 2.0**30), rng.gamma(2.0, size=5000)
    off = exact * (1 + rng.uniform(-1, 1, 5000) * 2.0**-40)
    steps = np.empty(5000, np.int64)
    whole_steps(off, Bound(2.0**-40, 0.0), unit, steps)
    known = steps != UNSURE
    assert known.mean() > 0.9
    assert np.array_equal(steps[known], np.rint((np.sqrt(exact) if rooted else exact) * unit.scale)[known])
    assert HIDDEN != UNSURE


def test_the_step_of_what_is_no_distance_is_unsure():
    steps = np.empty(4, np.int64)
    whole_steps(np.array([-1e-20, 0.0, np.inf, np.nan]), Bound(2.0**-50, 1e-290), UNIT, steps)
    assert steps.tolist() == [UNSURE] * 4
