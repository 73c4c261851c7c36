"""Cells of equal width along a ruler: where no edge is near, a pair is counted by its cell alone.

A cell that an edge reaches into, or whose distances are kept, says so by a number below 0: its pairs are looked at one
by one. The others are counted in one place of memory each, and the cells of a bin are added up at the end. So that
most of them stay near the processor they are small: one that is full asks for its pairs to be looked at, too.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tripleteval.arrays import Floats, Ints
from tripleteval.engine.compiled import entry
from tripleteval.evidence.pairs import Ruler

Counts = npt.NDArray[np.int16]
Places = npt.NDArray[np.int32]

EIGHT = 8
_FULL = np.iinfo(np.int16).min  # what a cell shows after so many pairs
_MARGIN = 64  # cells are so many times as wide as what is looked at on either side of an edge
SMALLEST = 2.0**-1073  # what rounding a distance near the end of float64's range may cost


class Cells(NamedTuple):
    """The cells of a ruler.

    Attributes:
        per_unit: Cells per unit of distance.
        reach: How far off a distance may be and its cell be trusted.
        before: (cells / 8 + 2,) int32, edges in the cells before every eighth one.
        edges: (K,) int32, the cell of each edge.
        fresh: (cells + 2,) int16, the counts to begin with. The last cell holds everything beyond the last edge; after
            it come one for what is no pair, and one for pairs to be looked at wherever they are.
    """

    per_unit: float
    reach: float
    before: Places
    edges: Places
    fresh: Counts


@lru_cache(maxsize=2)
def cells_of(ruler: Ruler, reach: float, cells: int) -> Cells:
    """Return the cells of a ruler for distances that are off by less than ``reach`` / 2."""
    edges, reach = ruler.edges, reach + SMALLEST
    last = float(edges[-1]) if len(edges) else 0.0
    margin = max(last / cells / _MARGIN, 2 * reach)
    with np.errstate(over="ignore", divide="ignore"):
        per_unit = float(np.float64(cells - 4) / (last + 2 * margin))
    if not np.isfinite(per_unit):
        per_unit = 0.0
    fresh = np.zeros(cells + 2, np.int16)
    look_at(fresh, cell_at(edges - margin, per_unit, cells), cell_at(edges + margin, per_unit, cells))
    return marked(ruler, fresh, per_unit, reach)


def marked(ruler: Ruler, fresh: Counts, per_unit: float, reach: float) -> Cells:
    """Return cells, in ``fresh`` those that an edge reaches into, with the edges before them and what is kept."""
    cells = len(fresh) - 2
    at = cell_at(ruler.edges, per_unit, cells)
    ends = np.concatenate([[0], at, [cells - 1]])
    gaps = np.flatnonzero(ruler.kept)
    look_at(fresh, ends[gaps], ends[gaps + 1])
    fresh[-1] = -1
    before = np.searchsorted(at, np.arange(0, cells + EIGHT + 1, EIGHT)).astype(np.int32)
    return Cells(per_unit, reach, before, at.astype(np.int32), fresh)


def cell_at(distances: Floats, per_unit: float, cells: int) -> Ints:
    """Return the cell of each distance; of those below 0, the first."""
    return np.minimum(np.maximum(distances, 0.0) * per_unit, cells - 1).astype(np.int64)


@entry
def look_at(counts: Counts, first: Ints, last: Ints) -> None:
    """Ask for the pairs of some stretches of cells, in ascending order, to be looked at."""
    begin = 0
    for i in range(len(first)):
        for cell in range(max(begin, first[i]), last[i] + 1):
            counts[cell] = -1
        begin = last[i] + 1


@entry
def add_up(counts: Counts, cells: Places, between: Ints) -> None:
    """Add cells to what lies between two edges, in every other place.

    Args:
        counts: Of the cells; those that an edge reaches into are passed by.
        cells: (K,) int32, the cell of each edge.
        between: Added to in place.
    """
    begin = 0
    for edge in range(len(cells) + 1):
        end = cells[edge] + 1 if edge < len(cells) else len(counts) - 2
        total = np.int64(0)
        for cell in range(np.uint64(begin), np.uint64(end)):
            count = np.int64(counts[cell])
            total += -count if count == _FULL else max(count, np.int64(0))
        between[2 * edge + 1] += total
        begin = max(begin, end)
