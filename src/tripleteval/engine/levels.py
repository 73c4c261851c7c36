"""The edges of each query as levels that an estimate can tell apart, with a table that leads to them, compiled.

Questions about one positive put several edges at, or within a rounding of, the same ``squared``. A negative that is
certainly elsewhere is below all of them or above all of them, so it needs one number per level, not one per edge; and
a table of equally wide cells says how many levels lie before each cell, so that no search is needed.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from tripleteval.arrays import Floats, Ints
from tripleteval.engine.frame import Numbers

CELLS = 2  # per level
_CLOSE = 1 + 2.0**-45
BELOW_ALL_EDGES = 1 - 2.0**-44  # of a level's last edge: below every edge of the level
_compiled = numba.njit(nogil=True, cache=True, error_model="numpy")


class Levels(NamedTuple):
    """The levels of a block of queries, ascending within each; one below and one above all edges besides.

    Attributes:
        indptr: (queries + 1,) levels of each query.
        last: (levels,) last edge of each level; the first is at least `BELOW_ALL_EDGES` of it.
        edges: (levels,) place of its first edge; of the level above all edges, where the query's edges end.
        cells: (queries + 1,) cells of each query.
        before: (cells,) int32, how many levels of the query lie in earlier cells.
        low: (queries,) where the first cell begins.
        scale: (queries,) cells per unit of ``squared``.
    """

    indptr: Ints
    last: Floats
    edges: Ints
    cells: Ints
    before: Numbers
    low: Floats
    scale: Floats

    def cut(self, first: int, last: int) -> Levels:
        """Return the levels of queries ``first:last``; they share memory with these."""
        indptr, cells = self.indptr[first : last + 1], self.cells[first : last + 1]
        return self._replace(indptr=indptr, cells=cells, low=self.low[first:last], scale=self.scale[first:last])


@_compiled
def levels_of(indptr: Ints, squared: Floats) -> Levels:
    """Return the levels of the edges ``squared``, which are ascending within each query."""
    queries = len(indptr) - 1
    starts, cells = np.zeros(queries + 1, np.int64), np.zeros(queries + 1, np.int64)
    for q in range(queries):
        count = _levels(squared, indptr[q], indptr[q + 1])
        starts[q + 1] = starts[q] + count + 2
        cells[q + 1] = cells[q] + CELLS * count + 1
    last, edges = np.empty(starts[queries]), np.empty(starts[queries], np.int64)
    before = np.empty(cells[queries], np.int32)
    low, scale = np.zeros(queries), np.zeros(queries)
    for q in range(queries):
        first, stop = starts[q] + 1, starts[q + 1] - 1
        _fill(squared, indptr[q], indptr[q + 1], last, edges, first)
        last[first - 1], edges[first - 1] = -np.inf, indptr[q]
        last[stop], edges[stop] = np.inf, indptr[q + 1]
        low[q], scale[q] = _measure(last[first:stop], cells[q + 1] - cells[q])
        place, top = first, cells[q + 1] - cells[q] - 1.0
        for cell in range(cells[q + 1] - cells[q]):
            while place < stop and cell_of(last[place], low[q], scale[q], top) < cell:
                place += 1
            before[cells[q] + cell] = place - starts[q]
    return Levels(starts, last, edges, cells, before, low, scale)


@_compiled
def cell_of(squared: float, low: float, scale: float, top: float) -> np.int32:
    """Return the cell of a finite ``squared``, or of an edge without end: a later one for nothing smaller."""
    return np.int32(min(max((min(squared, 1e300) - low) * scale, 0.0), top))


@_compiled
def _apart(edge: float, begun: float) -> bool:
    """Return whether an edge begins a level, after one that began at ``begun``, or below 0 for the first."""
    return begun < 0 or not edge <= begun * _CLOSE


@_compiled
def _levels(squared: Floats, start: int, stop: int) -> int:
    count, begun = 0, -1.0
    for j in range(start, stop):
        if _apart(squared[j], begun):
            count, begun = count + 1, squared[j]
    return count


@_compiled
def _fill(squared: Floats, start: int, stop: int, last: Floats, edges: Ints, place: int) -> None:
    begun = -1.0
    place -= 1
    for j in range(start, stop):
        if _apart(squared[j], begun):
            place, begun = place + 1, squared[j]
            edges[place] = j
        last[place] = squared[j]


@_compiled
def _measure(last: Floats, cells: int) -> tuple[float, float]:
    """Return where the first cell begins and how many there are per unit; the edge at zero is left out of it."""
    top = len(last) - 1
    while top > 0 and last[top] == np.inf:
        top -= 1
    low = last[min(1, top)]
    scale = (cells - 1) / (last[top] - low)
    return (low, scale) if 0 < scale < 1e300 else (0.0, 0.0)
