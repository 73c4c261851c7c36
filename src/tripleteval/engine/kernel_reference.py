"""The oracle: one tile, counted in plain NumPy, as the definitions read.

Both kernels are this function: they compare a block of queries with one tile of gallery and add what
they find to a tally, in place. They agree bit for bit.
"""

from __future__ import annotations

import numpy as np

from tripleteval.arrays import Floats, Ints
from tripleteval.data.comparison import Lists
from tripleteval.distance.formula import Distance, Prepared, squared_block
from tripleteval.engine.edges import Edges, Tally

TILE = 2048


def count(
    queries: Prepared, tile: Prepared, first: int, hidden: Lists, edges: Edges, distance: Distance, tally: Tally
) -> None:
    """Add the negatives of one tile to ``tally``.

    Args:
        queries: The block of queries.
        tile: Gallery rows ``first``, ``first + 1``, …
        first: Gallery row of the tile's first column.
        hidden: Per query, the gallery rows that are not negatives (positives, itself, ignored), ascending.
        edges: What to count below.
        distance: What a sum of distances adds up.
        tally: Filled in place.
    """
    squared = squared_block(queries, tile)
    rows = np.arange(first, first + squared.shape[1])
    for q, line in enumerate(squared):
        listed = hidden.rows[hidden.indptr[q] : hidden.indptr[q + 1]]
        negative = np.ones(len(rows), dtype=bool)
        negative[listed[(listed >= first) & (listed <= rows[-1])] - first] = False
        _add(tally, q, line[negative], rows[negative], edges, distance)


def _add(tally: Tally, q: int, squared: Floats, rows: Ints, edges: Edges, distance: Distance) -> None:
    start, stop = edges.indptr[q], edges.indptr[q + 1]
    near = squared <= edges.squared[stop - 1]
    bins = _edges_upto(edges.squared[start:stop], edges.rows[start:stop], squared[near], rows[near])
    inside = bins < stop - start
    bins = bins[inside] + start
    np.add.at(tally.counts, bins, 1)
    np.add.at(tally.lengths, bins, distance.steps(squared[near][inside]).astype(np.int64))
    tally.negatives[q] += len(squared)
    tally.settled += len(squared)
    k = len(tally.squared[q])
    close = squared <= tally.squared[q, -1]
    if np.count_nonzero(close) > k:
        close &= squared <= np.partition(squared[close], k - 1)[k - 1]
    all_squared = np.concatenate([tally.squared[q], squared[close]])
    all_rows = np.concatenate([tally.rows[q], rows[close]])
    nearest = np.lexsort((all_rows, all_squared))[:k]
    tally.squared[q], tally.rows[q] = all_squared[nearest], all_rows[nearest]


def _edges_upto(edge_squared: Floats, edge_rows: Ints, squared: Floats, rows: Ints) -> Ints:
    """Return for each negative the number of edges at or before (squared, row)."""
    bins = np.searchsorted(edge_squared, squared, side="left")
    tied = np.searchsorted(edge_squared, squared, side="right")
    for i in np.flatnonzero(tied > bins):
        bins[i] += np.searchsorted(edge_rows[bins[i] : tied[i]], rows[i], side="right")
    return bins
