"""The same count, compiled: a row of the tile in cache, four coordinates per sweep, no Python per pair.

`count` is `kernel_reference.count`, argument by argument. The sum over coordinates keeps the order of
the reference (one addition per coordinate and pair), so the bits are the same; four coordinates per
sweep only save the trips of the running sum through the cache.
"""

from __future__ import annotations

import numba
import numpy as np

from tripleteval.arrays import Bools, Floats, Ints
from tripleteval.data.comparison import Lists
from tripleteval.distance.formula import FAR_SQUARED, Distance, Prepared
from tripleteval.engine.edges import Edges, Tally

TILE = 512  # a row of squared distances (4 KiB) stays in L1, the tile (dim · 4 KiB) in L2
_CHUNK = 64
_FEW_EDGES = 64


def count(
    queries: Prepared, tile: Prepared, first: int, hidden: Lists, edges: Edges, distance: Distance, tally: Tally
) -> None:
    """Add the negatives of one tile to ``tally``; see `kernel_reference.count`."""
    _count(
        np.ascontiguousarray(queries.columns.T),
        queries.far,
        tile.columns,
        tile.far,
        first,
        hidden.indptr,
        hidden.rows,
        edges.indptr,
        edges.squared,
        edges.rows,
        distance.rooted,
        2.0**31 / distance.span,
        tally.counts,
        tally.coarse,
        tally.fine,
        tally.squared,
        tally.rows,
        tally.negatives,
    )


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _count(
    queries: Floats,
    query_far: Bools,
    tile: Floats,
    tile_far: Bools,
    first: int,
    hidden_indptr: Ints,
    hidden_rows: Ints,
    edge_indptr: Ints,
    edge_squared: Floats,
    edge_rows: Ints,
    rooted: bool,
    scale: float,
    counts: Ints,
    coarse: Ints,
    fine: Ints,
    near_squared: Floats,
    near_rows: Ints,
    negatives: Ints,
) -> None:
    width = tile.shape[1]
    some_far = tile_far.any()
    line = np.empty(width)
    for q in range(queries.shape[0]):
        _squared_line(queries[q], tile, line)
        if query_far[q]:
            line[:] = FAR_SQUARED
        elif some_far:
            for c in range(width):
                if tile_far[c]:
                    line[c] = FAR_SQUARED
        hidden = _hide(line, hidden_rows[hidden_indptr[q] : hidden_indptr[q + 1]], first)
        negatives[q] += width - hidden
        start, stop = edge_indptr[q], edge_indptr[q + 1]
        _scan(
            line,
            first,
            edge_squared[start:stop],
            edge_rows[start:stop],
            rooted,
            scale,
            counts[start:stop],
            coarse[start:stop],
            fine[start:stop],
            near_squared[q],
            near_rows[q],
        )


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _squared_line(query: Floats, tile: Floats, line: Floats) -> None:
    dim, width = tile.shape
    line[:] = 0.0
    whole = dim - dim % 4
    for i in range(0, whole, 4):
        q0, q1, q2, q3 = query[i], query[i + 1], query[i + 2], query[i + 3]
        t0, t1, t2, t3 = tile[i], tile[i + 1], tile[i + 2], tile[i + 3]
        for c in range(width):
            d0 = q0 - t0[c]
            d1 = q1 - t1[c]
            d2 = q2 - t2[c]
            d3 = q3 - t3[c]
            line[c] = (((line[c] + d0 * d0) + d1 * d1) + d2 * d2) + d3 * d3
    for i in range(whole, dim):
        for c in range(width):
            d = query[i] - tile[i, c]
            line[c] += d * d


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _hide(line: Floats, rows: Ints, first: int) -> int:
    """Set the listed rows that lie in this tile to +inf; return how many there were."""
    begin = int(np.searchsorted(rows, first))
    end = int(np.searchsorted(rows, first + len(line)))
    for i in range(begin, end):
        line[rows[i] - first] = np.inf
    return end - begin


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _scan(
    line: Floats,
    first: int,
    edge_squared: Floats,
    edge_rows: Ints,
    rooted: bool,
    scale: float,
    counts: Ints,
    coarse: Ints,
    fine: Ints,
    near_squared: Floats,
    near_rows: Ints,
) -> None:
    """Count the line's negatives into the bins of one query and offer them to its nearest."""
    k, edges = len(near_squared), len(edge_squared)
    last_edge = edge_squared[edges - 1]
    for begin in range(0, len(line), _CHUNK):
        end = min(begin + _CHUNK, len(line))
        nearest = _smallest(line[begin:end])
        worst = near_squared[k - 1] if k else -1.0
        if nearest == np.inf or (nearest > last_edge and nearest >= worst):
            continue
        for c in range(begin, end):
            squared = line[c]
            if squared == np.inf:  # hidden; an edge may be infinite too
                continue
            if squared <= last_edge:
                place = _edges_upto(edge_squared, edge_rows, squared, first + c)
                if place < edges:
                    length = (np.sqrt(squared) if rooted else squared) * scale
                    whole = np.floor(length)
                    counts[place] += 1
                    coarse[place] += np.int64(whole)
                    fine[place] += np.int64(np.floor((length - whole) * 2.0**31))
            if k and squared < near_squared[k - 1]:
                _insert(near_squared, near_rows, squared, first + c)


# A minimum has no rounding, so the promise that no value is NaN changes no bit; it lets the loop vectorise.
@numba.njit(nogil=True, cache=True, error_model="numpy", fastmath={"nnan", "nsz"})
def _smallest(values: Floats) -> float:
    smallest = np.inf
    for value in values:
        smallest = min(smallest, value)
    return smallest


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _edges_upto(edge_squared: Floats, edge_rows: Ints, squared: float, row: int) -> int:
    """Return the number of edges at or before (squared, row), lexicographically."""
    if len(edge_squared) <= _FEW_EDGES:
        upto = equal = 0
        for edge in edge_squared:  # no branch to mispredict, and a handful of vector compares
            upto += edge <= squared
            equal += edge == squared
        if not equal:
            return upto
    low, high = 0, len(edge_squared)
    while low < high:
        middle = (low + high) >> 1
        edge = edge_squared[middle]
        if edge < squared or (edge == squared and edge_rows[middle] <= row):
            low = middle + 1
        else:
            high = middle
    return low


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _insert(near_squared: Floats, near_rows: Ints, squared: float, row: int) -> None:
    """Put a negative closer than the last into its place; rows come ascending, so ties go behind."""
    place = len(near_squared) - 1
    while place > 0 and near_squared[place - 1] > squared:
        near_squared[place] = near_squared[place - 1]
        near_rows[place] = near_rows[place - 1]
        place -= 1
    near_squared[place] = squared
    near_rows[place] = row
