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
    r, c = np.empty(_AT_ONCE, np.int64), np.empty(_AT_ONCE, np.int64)
    squared, errors = np.empty(_AT_ONCE), np.empty(_AT_ONCE)
    steps, left = np.empty(_AT_ONCE, np.int64), np.empty(_AT_ONCE, np.uint8)
    in_order = 0
    # One thing at a time for many pairs, so that none waits for what another one turns out to be.
    for begin in range(0, len(listed), _AT_ONCE):
        size = min(_AT_ONCE, len(listed) - begin)
        for i in range(size):
            r[i], c[i] = listed[begin + i] >> SHIFT, listed[begin + i] & COLUMN
            left[i] = sides[begin + i]
        _estimate(r[:size], c[:size], rows, columns, known, squared, errors)
        _steps(squared[:size], errors, rooted, scale, steps)
        _count_certain(r[:size], TO_ROW, left, squared, errors, steps, by_row)
        _count_certain(c[:size], TO_COLUMN, left, squared, errors, steps, by_column)
        in_order += _decide(r[:size], c[:size], rows, columns, left, squared)
        _steps_in_order(squared[:size], rooted, scale, left, steps)
        _count_decided(r[:size], c, TO_ROW, left, squared, steps, by_row)
        _count_decided(c[:size], r, TO_COLUMN, left, squared, steps, by_column)
    return in_order


@_compiled
def _estimate(r: Ints, c: Ints, rows: Points, columns: Points, known: Floats, squared: Floats, errors: Floats) -> None:
    """Fill in ``squared`` of each pair and by how much it may be off: without end where a zero vector is far."""
    r_exact, r_far, r_doubts = rows
    c_exact, c_far, c_doubts = columns
    relative = (r_exact.shape[1] + 8) * 2.0**-52
    for i in range(len(r)):
        if known.size:
            squared[i], errors[i] = known[r[i], c[i]], r_doubts[r[i]] + c_doubts[c[i]]
        else:
            squared[i] = in_any_order(r_exact, r[i], c_exact, c[i])
            errors[i] = squared[i] * relative + _TINY
        if r_far[r[i]] or c_far[c[i]]:
            errors[i] = np.inf


@_compiled
def _steps(squared: Floats, errors: Floats, rooted: bool, scale: float, steps: Ints) -> None:
    """Fill in the distances in whole steps; where the error leaves a choice it becomes endless."""
    half = 0.5 if rooted else 1.0
    for i in range(len(squared)):
        length = (np.sqrt(squared[i]) if rooted else squared[i]) * scale
        whole = np.rint(length)
        # What the error of a square is worth in steps: of a root, half as much.
        slack = length * (errors[i] / squared[i]) * half + length * 2.0**-51
        errors[i] = errors[i] if abs(length - whole) + slack < 0.5 else np.inf
        steps[i] = np.int64(whole)


@_compiled
def _count_certain(q: Ints, side: int, left: Bytes, squared: Floats, errors: Floats, steps: Ints, book: Book) -> None:
    """Count what is certain for the queries ``q``, who are on one side, and take that side out of ``left``."""
    # Taken apart here: an array read out of a tuple inside a loop costs a count of its references each time.
    _, indptr, edges, _, kept, counts, lengths, near_squared, _ = book
    last = near_squared.shape[1] - 1
    for i in range(len(q)):
        low, high = squared[i] - errors[i], squared[i] + errors[i]
        if not left[i] & side or not low > min(kept[q[i]], near_squared[q[i], last]):
            continue
        stop = indptr[q[i] + 1]
        place = _edges_below(edges, indptr[q[i]], stop, low)
        if place == stop:
            left[i] ^= side
        elif edges[place] > high:
            left[i] ^= side
            counts[place] += 1
            lengths[place] += steps[i]


@_compiled
def _decide(r: Ints, c: Ints, rows: Points, columns: Points, left: Bytes, squared: Floats) -> int:
    """Replace ``squared`` of the pairs that are left by that of the reference; return how many there are."""
    r_exact, r_far, _ = rows
    c_exact, c_far, _ = columns
    decided = 0
    for i in range(len(r)):
        if left[i]:
            far = r_far[r[i]] or c_far[c[i]]
            squared[i] = FAR_SQUARED if far else in_given_order(r_exact, r[i], c_exact, c[i])
            decided += 1
    return decided


@_compiled
def _steps_in_order(squared: Floats, rooted: bool, scale: float, left: Bytes, steps: Ints) -> None:
    for i in range(len(squared)):
        if left[i]:
            steps[i] = np.int64(np.rint((np.sqrt(squared[i]) if rooted else squared[i]) * scale))


@_compiled
def _count_decided(q: Ints, other: Ints, side: int, left: Bytes, squared: Floats, steps: Ints, book: Book) -> None:
    """Count what is left for the queries ``q`` at exactly ``squared``, and offer it to their nearest."""
    first, indptr, edges, edge_rows, _, counts, lengths, near_squared, near_rows = book
    last = near_squared.shape[1] - 1
    for i in range(len(q)):
        if not left[i] & side:
            continue
        row, stop = first + other[i], indptr[q[i] + 1]
        place = _edges_upto(edges, edge_rows, indptr[q[i]], stop, squared[i], row)
        if place < stop:
            counts[place] += 1
            lengths[place] += steps[i]
        if squared[i] <= near_squared[q[i], last]:
            insert(near_squared, near_rows, q[i], squared[i], row)


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
