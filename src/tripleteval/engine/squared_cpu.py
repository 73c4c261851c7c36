"""`squared_block`, compiled: four coordinates per sweep of a row, the same bits."""

from __future__ import annotations

import numpy as np

from tripleteval.arrays import Floats
from tripleteval.distance.formula import FAR_SQUARED, Prepared
from tripleteval.engine.compiled import entry, inner


def squared_block(queries: Prepared, gallery: Prepared) -> Floats:
    """Return (n_queries, n_gallery) ``squared``; see `tripleteval.distance.formula.squared_block`."""
    total = np.zeros((queries.columns.shape[1], gallery.columns.shape[1]))
    _fill(np.ascontiguousarray(queries.columns.T), gallery.columns, total)
    total[queries.far[:, None] | gallery.far[None, :]] = FAR_SQUARED
    return total


@entry
def _fill(queries: Floats, tile: Floats, total: Floats) -> None:
    for q in range(queries.shape[0]):
        squared_line(queries[q], tile, total[q])


@inner
def squared_line(query: Floats, tile: Floats, line: Floats) -> None:
    """Fill ``line`` with the squared distances of one query to every column of a tile."""
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
