"""The same count, compiled: one row of distances in cache, a table that leads to the right edges.

`count_tile` is `tripleteval.engine.pairs.count_tile`, argument by argument and bit by bit.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numba
import numpy as np

from tripleteval.arrays import Bools, Floats, Ints
from tripleteval.distance.formula import FAR_SQUARED, Distance, Prepared
from tripleteval.engine.pairs import HALF, Sides, Tile
from tripleteval.engine.squared_cpu import squared_line
from tripleteval.evidence.pairs import Ruler

_STEPS = 2.0**HALF
_CELLS_PER_EDGE = 4
_HIDDEN = -1.0


class _Lookup(NamedTuple):
    """Cell of a distance → number of edges in the cells before it; cells are equally wide."""

    before: Ints
    scale: float


def count_tile(
    sides: Sides, tile: Prepared, first: int, distance: Distance, ruler: Ruler, genuine: Ints, impostor: Ints
) -> Tile:
    """Add the pairs of one tile to the bins; see `tripleteval.engine.pairs.count_tile`."""
    queries = np.ascontiguousarray(sides.queries.columns.T)
    lookup = _lookup(ruler)
    most = len(queries) * tile.columns.shape[1] if ruler.kept.any() else 0
    sums, buffers, filled = np.zeros(8, np.int64), np.empty((2, most)), np.zeros(2, np.int64)
    _count(
        queries,
        sides.queries.far,
        tile.columns,
        tile.far,
        first,
        sides.start if sides.once else -1,
        sides.positives.indptr,
        sides.positives.rows,
        sides.removed.indptr,
        sides.removed.rows,
        distance.rooted,
        distance.factor,
        1.0 / distance.span,
        ruler.edges,
        ruler.kept,
        lookup.before,
        lookup.scale,
        genuine,
        impostor,
        sums,
        buffers,
        filled,
    )
    return Tile(sums, buffers[0, : filled[0]].copy(), buffers[1, : filled[1]].copy())


@lru_cache(maxsize=2)
def _lookup(ruler: Ruler) -> _Lookup:
    edges = ruler.edges
    cells = _CELLS_PER_EDGE * len(edges) + 1
    last = float(edges[-1]) if len(edges) else 0.0
    scale = (cells - 1) / last if last > 0 and np.isfinite((cells - 1) / last) else 0.0
    cell = (edges * scale).astype(np.int64)
    return _Lookup(np.searchsorted(cell, np.arange(cells + 2)), scale)


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _count(
    queries: Floats,
    query_far: Bools,
    tile: Floats,
    tile_far: Bools,
    first: int,
    start: int,
    same_indptr: Ints,
    same_rows: Ints,
    removed_indptr: Ints,
    removed_rows: Ints,
    rooted: bool,
    factor: float,
    shrink: float,
    edges: Floats,
    kept: Bools,
    before: Ints,
    scale: float,
    genuine: Ints,
    impostor: Ints,
    sums: Ints,
    buffers: Floats,
    filled: Ints,
) -> None:
    width = tile.shape[1]
    line, positives = np.empty(width), np.empty(width)
    for q in range(queries.shape[0]):
        skip = min(max(start + q + 1 - first, 0), width) if start >= 0 else 0
        if skip == width:
            continue
        _lengths(queries[q], query_far[q], tile, tile_far, rooted, line)
        line[:skip] = _HIDDEN  # only the tile on the diagonal has any
        _mark(line, removed_rows[removed_indptr[q] : removed_indptr[q + 1]], first, positives)
        found = _mark(line, same_rows[same_indptr[q] : same_indptr[q + 1]], first, positives)
        for side, of, counts in ((0, positives[:found], genuine), (1, line, impostor)):
            _add_up(of, shrink, sums[4 * side : 4 * side + 4])
            filled[side] = _tally(of, factor, edges, kept, before, scale, counts, buffers[side], filled[side])


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _lengths(query: Floats, far: bool, tile: Floats, tile_far: Bools, rooted: bool, line: Floats) -> None:
    squared_line(query, tile, line)
    if far:
        line[:] = FAR_SQUARED
    for c in range(tile.shape[1]):
        if tile_far[c]:
            line[c] = FAR_SQUARED
    if rooted:
        for c in range(tile.shape[1]):
            line[c] = np.sqrt(line[c])


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _mark(line: Floats, rows: Ints, first: int, taken: Floats) -> int:
    """Move the lengths of the listed rows from the line into ``taken``; return how many there were."""
    begin = int(np.searchsorted(rows, first))
    end = int(np.searchsorted(rows, first + len(line)))
    for i in range(begin, end):
        taken[i - begin] = line[rows[i] - first]
        line[rows[i] - first] = _HIDDEN
    return end - begin


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _add_up(lengths: Floats, shrink: float, sums: Ints) -> None:
    coarse = fine = coarse_squares = fine_squares = np.int64(0)
    for length in lengths:
        if length == _HIDDEN:
            continue
        share = length * shrink
        scaled = share * _STEPS
        whole = np.floor(scaled)
        coarse += np.int64(whole)
        fine += np.int64(np.floor((scaled - whole) * _STEPS))
        scaled = (share * share) * _STEPS
        whole = np.floor(scaled)
        coarse_squares += np.int64(whole)
        fine_squares += np.int64(np.floor((scaled - whole) * _STEPS))
    sums[0] += coarse
    sums[1] += fine
    sums[2] += coarse_squares
    sums[3] += fine_squares


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _tally(
    lengths: Floats,
    factor: float,
    edges: Floats,
    kept: Bools,
    before: Ints,
    scale: float,
    counts: Ints,
    buffer: Floats,
    filled: int,
) -> int:
    """Count the lengths into their bins, put those of kept bins into the buffer, and return how full it is."""
    many = len(edges)
    last = edges[many - 1] if many else -1.0
    beyond = 0
    for length in lengths:
        if length == _HIDDEN:
            continue
        d = length * factor
        if d > last:
            place = many
            if not kept[many]:
                beyond += 1
                continue
        else:
            cell = np.int64(d * scale)
            place, high = before[cell], before[cell + 1]
            while place < high:
                middle = (place + high) >> 1
                if edges[middle] < d:
                    place = middle + 1
                else:
                    high = middle
        at = place < many and edges[place] == d
        counts[2 * place + at] += 1
        if not at and kept[place]:
            buffer[filled] = d
            filled += 1
    counts[2 * many] += beyond
    return filled
