"""Cells of equal width along a ruler: where no edge is near, a pair is counted by its cell alone.

A cell that an edge reaches into, or whose distances are kept, says so by a number below 0: its pairs are looked at one
by one. The others are counted in one place of memory each, and the cells of a bin are added up at the end. So that
most of them stay near the processor they are small: one that is full asks for its pairs to be looked at, too.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from tripleteval.arrays import Floats, Ints
from tripleteval.evidence.pairs import Ruler

Counts = npt.NDArray[np.int16]
Places = npt.NDArray[np.int32]

MOST_CELLS = 2**20
EIGHT = 8
_LEAST_CELLS = 2**8
_FULL = np.iinfo(np.int16).min  # what a cell shows after so many pairs
_PAIRS_PER_CELL = 4
_MARGIN = 64  # cells are so many times as wide as what is looked at on either side of an edge
_SMALLEST = 2.0**-1073  # what rounding a distance near the end of float64's range may cost


class Cells(NamedTuple):
    """The cells of a ruler.

    Attributes:
        per_unit: Cells per unit of distance.
        reach: How far off a distance may be and its cell be trusted.
        before: (cells / 8 + 2,) int32, edges in the cells before each eighth.
        edges: (K,) int32, the cell of each edge.
        fresh: (cells + 2,) int16, the counts to begin with. The last cell holds everything beyond the last edge; after
            it come one for what is no pair, and one for pairs to be looked at wherever they are.
    """

    per_unit: float
    reach: float
    before: Places
    edges: Places
    fresh: Counts


def cells_for(pairs: int) -> int:
    """Return how many cells a count of so many pairs is worth."""
    return min(max(1 << (pairs // _PAIRS_PER_CELL).bit_length(), _LEAST_CELLS), MOST_CELLS)


@lru_cache(maxsize=20)
def cells_of(ruler: Ruler, step: float, cells: int) -> Cells:
    """Return the cells of a ruler for distances that are off by less than ``step`` / 2."""
    edges, reach = ruler.edges, step + _SMALLEST
    last = float(edges[-1]) if len(edges) else 0.0
    margin = max(last / cells / _MARGIN, 2 * reach)
    with np.errstate(over="ignore", divide="ignore"):
        per_unit = float(np.float64(cells - 4) / (last + 2 * margin))
    if not np.isfinite(per_unit):
        per_unit = 0.0

    def cell(distances: Floats) -> Ints:
        return np.minimum(np.maximum(distances, 0.0) * per_unit, cells - 1).astype(np.int64)

    ends = np.zeros(0) if not len(edges) else edges
    from_, upto = cell(ends - margin), cell(ends + margin)
    gaps = np.flatnonzero(ruler.kept)
    bounds = np.concatenate([[0], cell(edges), [cells - 1]])
    listed = np.zeros(cells + 1, np.int64)
    np.add.at(listed, np.concatenate([from_, bounds[gaps]]), 1)
    np.add.at(listed, np.concatenate([upto, bounds[gaps + 1]]) + 1, -1)
    fresh = np.zeros(cells + 2, np.int16)
    fresh[:cells][np.cumsum(listed[:cells]) > 0] = -1
    fresh[-1] = -1
    before = np.searchsorted(cell(edges), np.arange(0, cells + EIGHT + 1, EIGHT)).astype(np.int32)
    return Cells(per_unit, reach, before, cell(edges).astype(np.int32), fresh)


@numba.njit(nogil=True, cache=True, error_model="numpy")
def add_up(counts: Counts, cells: Places, between: Ints) -> None:
    """Add cells to what lies between two edges, in every other place.

    Args:
        counts: Of the cells; those that an edge reaches into are passed by.
        cells: (K,) int32, the cell of each edge.
        between: Added to in place.
    """
    edge = 0
    for cell in range(len(counts) - 2):
        while edge < len(cells) and cells[edge] < cell:
            edge += 1
        count = np.int64(counts[cell])
        if count > 0 or count == _FULL:
            between[2 * edge + 1] += abs(count)
