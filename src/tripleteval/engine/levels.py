"""The edges of each query as levels, which are steps of a sum, with a table that leads to them, compiled.

Questions about one positive put several edges into one step. A negative in another step is below all of them or above
all of them, so it needs one number per level, not one per edge; and a table of equally wide cells says how many levels
lie before each cell, so that no search is needed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tripleteval.arrays import Floats, Ints
from tripleteval.engine.compiled import entry, inner
from tripleteval.engine.frame import Marks, Numbers
from tripleteval.engine.whole import ENDLESS, LAST_MARK, Unit, step_of, summed

_CELLS = 2  # per level, at least
_BELOW, _ABOVE = -(2**62), 2**63 - 1


class Levels(NamedTuple):
    """The levels of a block of queries, ascending within each; one below and one above all edges besides.

    Attributes:
        indptr: (queries + 1,) levels of each query.
        steps: (levels,) int64, the step of each.
        marks: (levels,) int16, the step of a sum it lies in, `LAST_MARK` where there are more.
        edges: (levels,) place of its first edge; of the level above all edges, where the query's edges end.
        cells: (queries + 1,) cells of each query.
        before: (cells,) int32, how many levels of the query lie in earlier cells.
        low: (queries,) int64, the step where the first cell begins.
        shift: (queries,) int64, a cell is so many bits wide.
    """

    indptr: Ints
    steps: Ints
    marks: Marks
    edges: Ints
    cells: Ints
    before: Numbers
    low: Ints
    shift: Ints

    def cut(self, first: int, last: int) -> Levels:
        """Return the levels of queries ``first:last``; they share memory with these."""
        indptr, cells = self.indptr[first : last + 1], self.cells[first : last + 1]
        return self._replace(indptr=indptr, cells=cells, low=self.low[first:last], shift=self.shift[first:last])


@entry
def levels_of(indptr: Ints, squared: Floats, unit: Unit) -> Levels:
    """Return the levels of the edges ``squared``, which are ascending within each query."""
    queries = len(indptr) - 1
    steps = np.empty(len(squared), np.int64)
    for i in range(len(squared)):
        steps[i] = steps[i - 1] if i and squared[i] == squared[i - 1] else step_of(squared[i], unit)
    starts, cells = np.empty(queries + 1, np.int64), np.empty(queries + 1, np.int64)
    low, shift = np.empty(queries, np.int64), np.empty(queries, np.int64)
    starts[0] = cells[0] = 0
    for q in range(queries):
        of = steps[indptr[q] : indptr[q + 1]]
        count = _levels(of)
        low[q], shift[q], width = _measure(of, _CELLS * count)
        starts[q + 1] = starts[q] + count + 2
        cells[q + 1] = cells[q] + width
    levels, edges = np.empty(starts[queries], np.int64), np.empty(starts[queries], np.int64)
    marks = np.empty(starts[queries], np.int16)
    before = np.empty(cells[queries], np.int32)
    for q in range(queries):
        first, stop = starts[q] + 1, starts[q + 1] - 1
        _fill(steps, indptr[q], indptr[q + 1], levels, edges, first)
        levels[first - 1], edges[first - 1] = _BELOW, indptr[q]
        levels[stop], edges[stop] = _ABOVE, indptr[q + 1]
        place, top = first, cells[q + 1] - cells[q] - 1
        for cell in range(top + 1):
            while place < stop and cell_of(levels[place], low[q], shift[q], top) < cell:
                place += 1
            before[cells[q] + cell] = place - starts[q]
    for i in range(len(levels)):
        marks[i] = min(summed(min(max(levels[i], 0), ENDLESS), unit), LAST_MARK)
    return Levels(starts, levels, marks, edges, cells, before, low, shift)


@inner
def cell_of(step: int, low: int, shift: int, top: int) -> np.int32:
    """Return the cell of a step: a later one for none that is smaller."""
    return np.int32(min(max((step - low) >> shift, 0), top))


@inner
def _levels(steps: Ints) -> int:
    count = len(steps) > 0
    for i in range(1, len(steps)):
        count += steps[i] != steps[i - 1]
    return int(count)


@inner
def _fill(steps: Ints, start: int, stop: int, levels: Ints, edges: Ints, place: int) -> None:
    for i in range(start, stop):
        if i == start or steps[i] != steps[i - 1]:
            levels[place], edges[place] = steps[i], i
            place += 1


@inner
def _measure(steps: Ints, cells: int) -> tuple[np.int64, np.int64, np.int64]:
    """Return where the first cell begins, how many bits wide it is, and how many cells there are.

    The edge at zero is left out of it, and edges without end.
    """
    first, last = 0, len(steps) - 1
    while last >= 0 and steps[last] == ENDLESS:
        last -= 1
    while first < last and steps[first] == 0:
        first += 1
    if last <= first:
        return np.int64(0), np.int64(0), np.int64(1)
    low, shift, wide = steps[first], np.int64(0), steps[last] - steps[first]
    while wide >> shift > cells:
        shift += 1
    return low, shift, (wide >> shift) + 2
