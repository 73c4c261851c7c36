"""Queries compared again with the whole gallery, in float64: what the neighbours kept leave open."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tripleteval.arrays import Floats, Ints
from tripleteval.data.comparison import Comparison
from tripleteval.distance.formula import Distance, squared_block

_AT_ONCE, _PAIRS = 16, 2**22  # queries that share a reading of the gallery, as long as they are so few pairs
_TILE = 2048
_MOST = 2**33  # coordinates; beyond that it is the data that are degenerate


def possible(queries: int, comparison: Comparison) -> bool:
    """Return whether so many queries are few enough."""
    return queries * len(comparison.gallery) * comparison.gallery.dim <= _MOST


def compared(queries: Ints, comparison: Comparison, distance: Distance) -> Iterator[tuple[int, Floats]]:
    """Yield each query with its (gallery,) ``squared``, inf where an item is not searched."""
    vectors = comparison.gallery.vectors
    step = max(min(_AT_ONCE, _PAIRS // max(len(vectors), 1)), 1)
    for start in range(0, len(queries), step):
        some = queries[start : start + step]
        asked = distance.prepare(comparison.queries.vectors[some])
        squared = np.empty((len(some), len(vectors)))
        for tile in range(0, len(vectors), _TILE):
            squared[:, tile : tile + _TILE] = squared_block(asked, distance.prepare(vectors[tile : tile + _TILE]))
        for query, line in zip(some.tolist(), squared, strict=True):
            line[comparison.removed(query, query + 1).rows] = np.inf
            yield query, line
