"""``squared`` of a tile without compiling: all of it to within a bound, some of it with the bits of the reference."""

from __future__ import annotations

import numpy as np

from tripleteval.arrays import Bools, Floats
from tripleteval.distance.formula import FAR_SQUARED, Prepared, squared_block
from tripleteval.engine.squared_product import lifted

_MOST = 0.4  # share of a tile from which on all of it is computed: picking pairs out costs more
_AT_ONCE = 2**17  # coordinates of pairs that stay near the processor
_COORDINATES = 64  # of each pair among them, so that they are of many pairs
_ROUNDED = 1.1  # times a bound: more than adding it, or taking it off, rounds


def nearly(queries: Prepared, tile: Prepared) -> tuple[Floats, Floats]:
    """Return (queries, tile) ``squared`` from one product, and (queries, 1) how far off that may be."""
    centre = tile.columns.mean(axis=1)
    asked, searched = lifted(queries.columns.T, centre, asks=True), lifted(tile.columns.T, centre, asks=False)
    squares = asked.rows @ searched.rows.T
    if queries.far.any() or tile.far.any():
        squares[queries.far[:, None] | tile.far] = FAR_SQUARED
    return squares, _ROUNDED * (asked.doubts + searched.doubts.max())[:, None]


def exactly(queries: Prepared, tile: Prepared, wanted: Bools) -> Floats:
    """Return (queries, tile) ``squared`` of the wanted pairs, +inf for all others."""
    if np.count_nonzero(wanted) > _MOST * wanted.size:
        squared = squared_block(queries, tile)
        squared[~wanted] = np.inf
        return squared
    of_query, columns = np.nonzero(wanted)
    total = np.zeros(len(columns))
    for first in range(0, len(tile.columns), _COORDINATES):
        here = slice(first, first + _COORDINATES)
        asked, searched = (np.ascontiguousarray(side.columns[here].T) for side in (queries, tile))
        at_once = max(_AT_ONCE // asked.shape[1], 1)
        for start in range(0, len(columns), at_once):
            some = slice(start, start + at_once)
            differences = asked.take(of_query[some], axis=0) - searched.take(columns[some], axis=0)
            differences *= differences
            for square in np.ascontiguousarray(differences.T):  # NumPy's own sum has an order of its own
                total[some] += square
    total[queries.far[of_query] | tile.far[columns]] = FAR_SQUARED
    squared = np.full(wanted.shape, np.inf)
    squared[of_query, columns] = total
    return squared
