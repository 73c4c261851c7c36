"""What float64 decides, compiled: each listed pair once, for both its sides, in two rungs.

The first adds the squares up in any order, which vector units like, and knows its own error: unless an edge, the
boundary between two steps of a sum, or a place among the nearest lies within it, the pair is counted. Else the last
rung adds them up in the one order that has the bits of the reference.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from tripleteval.arrays import Bools, Bytes, Floats, Ints
from tripleteval.distance.formula import FAR_SQUARED
from tripleteval.engine.frame import Numbers
from tripleteval.engine.nearest import insert
from tripleteval.engine.sift import COLUMN, SHIFT, TO_COLUMN, TO_ROW

_AT_ONCE = 512
_TINY = 1e-290  # far above what underflow can cost a square of prepared rows, far below every square that matters
_compiled = numba.njit(nogil=True, cache=True, error_model="numpy")


class Points(NamedTuple):
    """The items of one side of a tile.

    Attributes:
        exact: (items, dim) float64, prepared.
        far: (items,) true where a zero vector is at a distance of its own.
        doubts: (items,) share of the error of ``known``.
    """

    exact: Floats
    far: Bools
    doubts: Floats


class Book(NamedTuple):
    """Where the queries of one side of a tile are counted.

    Attributes:
        first: Gallery row of the first item of the other side.
        indptr: (queries + 1,) edges of each query; see `edges.Edges`, also for the next two.
        squared: (edges,) float64.
        rows: (edges,) int64.
        kept: (queries,) what is beyond cannot be among the nearest.
        counts: (edges,) int64; see `edges.Tally`, also for the rest.
        lengths: (edges,) int64.
        near_squared: (queries, k) float64.
        near_rows: (queries, k) int64.
    """

    first: int
    indptr: Ints
    squared: Floats
    rows: Ints
    kept: Floats
    counts: Ints
    lengths: Ints
    near_squared: Floats
    near_rows: Ints


@_compiled
def settle(
    listed: Numbers,
    sides: Bytes,
    rows: Points,
    columns: Points,
    known: Floats,
    by_row: Book,
    by_column: Book,
    rooted: bool,
    scale: float,
) -> int:
    """Count the listed pairs into the bins of their queries and offer them to their nearest.

    Args:
        listed: Pairs as ``row << SHIFT | column`` of the tile.
        sides: To whom each of them may matter.
        rows: The rows of the tile.
        columns: Its columns.
        known: (rows, width) ``squared`` of the whole tile to within the doubts of both sides, or nothing.
        by_row: Of the queries that are rows.
        by_column: Of the queries that are columns.
        rooted: Whether the distance is the root of ``squared``.
        scale: Steps of ``lengths`` per unit of distance.

    Returns:
        How many pairs took the last rung.
    """
    # Taken apart here: an array read out of a tuple inside the loop costs a count of its references each time.
    q_exact, q_far, q_doubts = rows
    g_exact, g_far, g_doubts = columns
    q_first, q_ptr, q_edges, q_edge_rows, q_kept, q_counts, q_lengths, q_near, q_near_rows = by_row
    g_first, g_ptr, g_edges, g_edge_rows, g_kept, g_counts, g_lengths, g_near, g_near_rows = by_column
    in_order, last = 0, q_near.shape[1] - 1
    relative, half = (q_exact.shape[1] + 8) * 2.0**-52, 0.5 if rooted else 1.0
    squares, errors = np.empty(_AT_ONCE), np.empty(_AT_ONCE)
    steps, known_step = np.empty(_AT_ONCE, np.int64), np.empty(_AT_ONCE, np.bool_)
    doubtful, lefts = np.empty(_AT_ONCE + 1, np.int64), np.empty(_AT_ONCE + 1, np.uint8)
    for begin in range(0, len(listed), _AT_ONCE):
        size = min(_AT_ONCE, len(listed) - begin)
        # One thing at a time for many pairs: no pair waits for what another one turns out to be.
        for i in range(size):
            r, c = listed[begin + i] >> SHIFT, listed[begin + i] & COLUMN
            if known.size:
                squares[i], errors[i] = known[r, c], q_doubts[r] + g_doubts[c]
            else:
                squares[i] = in_any_order(q_exact, r, g_exact, c)
                errors[i] = squares[i] * relative + _TINY
        for i in range(size):
            length = (np.sqrt(squares[i]) if rooted else squares[i]) * scale
            whole = np.rint(length)
            # What the error of a square is worth in steps: of a root, half as much.
            slack = length * (errors[i] / squares[i]) * half + length * 2.0**-51
            known_step[i] = abs(length - whole) + slack < 0.5
            steps[i] = np.int64(whole)
        doubts = 0
        for i in range(size):
            r, c = listed[begin + i] >> SHIFT, listed[begin + i] & COLUMN
            far = q_far[r] or g_far[c]
            left = sides[begin + i]
            if known_step[i] and not far:
                low, high = squares[i] - errors[i], squares[i] + errors[i]
                if left & TO_ROW and low > min(q_kept[r], q_near[r, last]):
                    start, stop = q_ptr[r], q_ptr[r + 1]
                    place = _edges_below(q_edges, start, stop, low)
                    if place == stop or q_edges[place] > high:
                        left ^= TO_ROW
                        if place < stop:
                            q_counts[place] += 1
                            q_lengths[place] += steps[i]
                if left & TO_COLUMN and low > min(g_kept[c], g_near[c, last]):
                    start, stop = g_ptr[c], g_ptr[c + 1]
                    place = _edges_below(g_edges, start, stop, low)
                    if place == stop or g_edges[place] > high:
                        left ^= TO_COLUMN
                        if place < stop:
                            g_counts[place] += 1
                            g_lengths[place] += steps[i]
            doubtful[doubts], lefts[doubts] = begin + i, left
            doubts += left > 0
        in_order += doubts
        _settle_in_order(listed, doubtful[:doubts], lefts, rows, columns, by_row, by_column, rooted, scale)
    return in_order


@numba.njit(nogil=True, cache=True, error_model="numpy", fastmath={"reassoc", "contract"})
def in_any_order(rows: Floats, r: int, columns: Floats, c: int) -> float:
    """Return ``squared`` to within (dim + 4) · 2**-53 of itself, as fast as the processor likes."""
    total = 0.0
    for k in range(rows.shape[1]):
        difference = rows[r, k] - columns[c, k]
        total += difference * difference
    return total


@_compiled
def in_given_order(rows: Floats, r: int, columns: Floats, c: int) -> float:
    """Return ``squared`` with the bits of the reference."""
    total = 0.0
    for k in range(rows.shape[1]):
        difference = rows[r, k] - columns[c, k]
        total += difference * difference
    return total


@_compiled
def _settle_in_order(
    listed: Numbers,
    doubtful: Ints,
    sides: Bytes,
    rows: Points,
    columns: Points,
    by_row: Book,
    by_column: Book,
    rooted: bool,
    scale: float,
) -> None:
    """Count the listed pairs named in ``doubtful`` by their exact place; arguments as in `settle`."""
    q_exact, q_far, _ = rows
    g_exact, g_far, _ = columns
    q_first, q_ptr, q_edges, q_edge_rows, _, q_counts, q_lengths, q_near, q_near_rows = by_row
    g_first, g_ptr, g_edges, g_edge_rows, _, g_counts, g_lengths, g_near, g_near_rows = by_column
    last = q_near.shape[1] - 1
    squares = np.empty(len(doubtful))
    for i in range(len(doubtful)):
        r, c = listed[doubtful[i]] >> SHIFT, listed[doubtful[i]] & COLUMN
        squares[i] = FAR_SQUARED if q_far[r] or g_far[c] else in_given_order(q_exact, r, g_exact, c)
    for i in range(len(doubtful)):
        r, c, squared = listed[doubtful[i]] >> SHIFT, listed[doubtful[i]] & COLUMN, squares[i]
        step = np.int64(np.rint((np.sqrt(squared) if rooted else squared) * scale))
        if sides[i] & TO_ROW:
            _count(q_ptr, q_edges, q_edge_rows, q_counts, q_lengths, r, squared, q_first + c, step)
            if squared <= q_near[r, last]:
                insert(q_near, q_near_rows, r, squared, q_first + c)
        if sides[i] & TO_COLUMN:
            _count(g_ptr, g_edges, g_edge_rows, g_counts, g_lengths, c, squared, g_first + r, step)
            if squared <= g_near[c, last]:
                insert(g_near, g_near_rows, c, squared, g_first + r)


@_compiled
def _count(
    indptr: Ints, edges: Floats, edge_rows: Ints, counts: Ints, lengths: Ints, q: int, squared: float, row: int, steps: int
) -> None:
    """Count a negative of query ``q`` at exactly ``squared``."""
    place = _edges_upto(edges, edge_rows, indptr[q], indptr[q + 1], squared, row)
    if place < indptr[q + 1]:
        counts[place] += 1
        lengths[place] += steps


@_compiled
def _edges_below(edges: Floats, start: int, stop: int, low: float) -> int:
    """Return the first edge above ``low``."""
    place, left = start, stop - start
    while left > 0:  # without a branch to mispredict
        half = (left + 1) >> 1
        place += half * (edges[place + half - 1] <= low)
        left -= half
    return place


@_compiled
def _edges_upto(edges: Floats, edge_rows: Ints, low: int, high: int, squared: float, row: int) -> int:
    """Return the first edge after (squared, row), lexicographically."""
    while low < high:
        middle = (low + high) >> 1
        edge = edges[middle]
        if edge < squared or (edge == squared and edge_rows[middle] <= row):
            low = middle + 1
        else:
            high = middle
    return low
