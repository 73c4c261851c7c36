"""What float64 decides, compiled: each listed pair, in two rungs.

The first adds the squares up in any order, which vector units like, and knows its own error: unless an edge, the
boundary between two steps of a sum, or a place among the nearest lies within it, the pair is counted. Else the last
rung adds them up in the one order that has the bits of the reference.
"""

from __future__ import annotations

import numba
import numpy as np

from tripleteval.arrays import Bools, Floats, Ints
from tripleteval.distance.formula import FAR_SQUARED
from tripleteval.engine.frame import Numbers
from tripleteval.engine.sift import COLUMN, SHIFT

_TINY = 1e-290  # far above what underflow can cost a square of prepared rows, far below every square that matters
_compiled = numba.njit(nogil=True, cache=True, error_model="numpy")


@_compiled
def settle(
    listed: Numbers,
    rows: Floats,
    rows_far: Bools,
    columns: Floats,
    columns_far: Bools,
    known: Floats,
    across: bool,
    first: int,
    edge_indptr: Ints,
    edge_squared: Floats,
    edge_rows: Ints,
    rooted: bool,
    scale: float,
    kept: Floats,
    counts: Ints,
    lengths: Ints,
    near_squared: Floats,
    near_rows: Ints,
) -> int:
    """Count the listed pairs into the bins of their queries and offer them to their nearest.

    Args:
        listed: Pairs as ``row << SHIFT | column`` of the tile.
        rows: (rows, dim) prepared rows of the tile.
        rows_far: True where a zero vector is at a distance of its own.
        columns: (columns, dim) prepared.
        columns_far: As ``rows_far``.
        known: (rows, width) ``squared`` of the whole tile in the given order, or nothing.
        across: Whether the columns are the queries, and not the rows.
        first: Gallery row of the tile's first column (or row).
        edge_indptr: See `edges.Edges`; so are the next two.
        edge_squared: See above.
        edge_rows: See above.
        rooted: Whether the distance is the root of ``squared``.
        scale: Steps of ``lengths`` per unit of distance.
        kept: (queries,) what is beyond cannot be among the nearest.
        counts: See `edges.Tally`; so are the rest.
        lengths: See above.
        near_squared: See above.
        near_rows: See above.

    Returns:
        How many pairs took the last rung.
    """
    k, in_order = near_squared.shape[1], 0
    doubt = (rows.shape[1] + 8) * 2.0**-52
    for i in range(len(listed)):
        r, c = listed[i] >> SHIFT, listed[i] & COLUMN
        q, row = (c, first + r) if across else (r, first + c)
        start, stop = edge_indptr[q], edge_indptr[q + 1]
        certain = known.size > 0
        squared, error, place, whole = 0.0, 0.0, 0, 0.0
        if not certain and not rows_far[r] and not columns_far[c]:
            squared = in_any_order(rows, r, columns, c)
            error = squared * doubt + _TINY
            place, beyond = _edges_within(edge_squared, start, stop, squared - error, squared + error)
            length = (np.sqrt(squared) if rooted else squared) * scale
            whole = np.rint(length)
            certain = (
                place == beyond
                and squared - error > min(kept[q], near_squared[q, k - 1])
                and abs(length - whole) < 0.5 - length * doubt - _TINY
            )
            in_order += not certain
        if known.size or not certain:
            if known.size:
                squared = known[r, c]
            elif rows_far[r] or columns_far[c]:
                squared = FAR_SQUARED
            else:
                squared = in_given_order(rows, r, columns, c)
            place = _edges_upto(edge_squared, edge_rows, start, stop, squared, row)
            whole = np.rint((np.sqrt(squared) if rooted else squared) * scale)
            if squared <= near_squared[q, k - 1]:
                insert(near_squared, near_rows, q, squared, row)
        if place < stop:
            counts[place] += 1
            lengths[place] += np.int64(whole)
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
def _edges_within(edges: Floats, start: int, stop: int, low: float, high: float) -> tuple[int, int]:
    """Return the first edge above ``low``, and the first above ``high``."""
    place, left = start, stop - start
    while left > 0:  # without a branch to mispredict
        half = (left + 1) >> 1
        place += half * (edges[place + half - 1] <= low)
        left -= half
    beyond = place
    while beyond < stop and edges[beyond] <= high:
        beyond += 1
    return place, beyond


@_compiled
def _edges_upto(edges: Floats, edge_rows: Ints, start: int, stop: int, squared: float, row: int) -> int:
    """Return the first edge after (squared, row), lexicographically."""
    low, high = start, stop
    while low < high:
        middle = (low + high) >> 1
        edge = edges[middle]
        if edge < squared or (edge == squared and edge_rows[middle] <= row):
            low = middle + 1
        else:
            high = middle
    return low


@_compiled
def insert(near_squared: Floats, near_rows: Ints, q: int, squared: float, row: int) -> None:
    """Put a negative into its place among the nearest, which are ascending by (squared, row), if it has one."""
    k = near_squared.shape[1]
    place = k
    while place > 0 and (
        near_squared[q, place - 1] > squared
        or (near_squared[q, place - 1] == squared and (near_rows[q, place - 1] > row or near_rows[q, place - 1] < 0))
    ):
        place -= 1
    if place == k:
        return
    for i in range(k - 1, place, -1):
        near_squared[q, i] = near_squared[q, i - 1]
        near_rows[q, i] = near_rows[q, i - 1]
    near_squared[q, place] = squared
    near_rows[q, place] = row


@_compiled
def insert_all(near_squared: Floats, near_rows: Ints, other_squared: Floats, other_rows: Ints) -> None:
    """Put the nearest of others into their places among the nearest of the same queries."""
    queries, k = other_squared.shape
    for q in range(queries):
        for i in range(k):
            if other_rows[q, i] >= 0 and other_squared[q, i] <= near_squared[q, k - 1]:
                insert(near_squared, near_rows, q, other_squared[q, i], other_rows[q, i])
