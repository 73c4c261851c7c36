"""The same count without compiling, for small sets: one product rules out, the distances of the reference decide.

A float64 product tells every ``squared`` of a tile to within a proven bound (`squared_product`). What may lie below
the last edge of its query, or among its nearest, is computed as the reference does. Each query's negatives are then
sorted, and edges, which are fewer, are found among them.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from tripleteval.arrays import Floats, Ints
from tripleteval.data.comparison import Lists, owners
from tripleteval.distance.formula import Distance, Prepared
from tripleteval.engine.edges import Edges, Tally
from tripleteval.engine.squared_some import exactly, nearly

TILE = 1024
_EACH = 4  # of so many columns one tells how near the nearest are at least


def count(
    queries: Prepared, tile: Prepared, first: int, hidden: Lists, edges: Edges, distance: Distance, tally: Tally
) -> None:
    """Add the negatives of one tile to ``tally``; see `kernel_reference.count`."""
    squares, doubts = nearly(queries, tile)
    here = (hidden.rows >= first) & (hidden.rows < first + squares.shape[1])
    squares[owners(hidden)[here], hidden.rows[here] - first] = np.inf
    tally.negatives += np.count_nonzero(squares < np.inf, axis=1)
    tally.settled += squares.size
    negatives = exactly(queries, tile, squares <= _reach(squares, doubts, edges, tally))
    ordered = np.sort(negatives, axis=1)
    _offer(negatives, ordered, first, tally)
    _count(negatives, ordered, first, edges, distance, tally)


def _reach(squares: Floats, doubts: Floats, edges: Edges, tally: Tally) -> Floats:
    """Return (queries, 1) how far away the product may see a negative that matters."""
    k = tally.squared.shape[1]
    nearest = tally.squared[:, -1:]
    if k * _EACH <= squares.shape[1]:
        nearest = np.minimum(nearest, np.partition(squares[:, ::_EACH], k - 1, axis=1)[:, k - 1 : k] + doubts)
    reach = np.maximum(nearest, edges.squared[edges.indptr[1:] - 1, None]) + doubts
    return np.minimum(reach, np.finfo(np.float64).max)


def _count(negatives: Floats, ordered: Floats, first: int, edges: Edges, distance: Distance, tally: Tally) -> None:
    """Count the negatives before each edge, and what they add up to; ``ordered`` is used up."""
    of = np.repeat(np.arange(len(ordered)), np.diff(edges.indptr))
    before = _before(negatives, ordered, first, of, edges)
    ordered[ordered == np.inf] = 0.0
    sums = np.zeros((len(ordered), ordered.shape[1] + 1), np.int64)
    np.cumsum(distance.steps(ordered).astype(np.int64), axis=1, out=sums[:, 1:])
    tally.counts += _between(before, edges)
    tally.lengths += _between(sums[of, before], edges)


def _before(negatives: Floats, ordered: Floats, first: int, of: Ints, edges: Edges) -> Ints:
    """Return how many negatives of its query lie before each edge."""
    bounds = pairwise(edges.indptr.tolist())
    before = np.concatenate(
        [line.searchsorted(edges.squared[a:b]) for line, (a, b) in zip(ordered, bounds, strict=True)]
    )
    tied = ordered[of, np.minimum(before, ordered.shape[1] - 1)] == edges.squared
    tied &= (before < ordered.shape[1]) & (edges.squared < np.inf)
    for a, b in _runs(np.flatnonzero(tied), of, edges.squared):
        columns = np.flatnonzero(negatives[of[a]] == edges.squared[a])
        before[a:b] += columns.searchsorted(edges.rows[a:b] - first)
    return before


def _between(before: Ints, edges: Edges) -> Ints:
    """Return what lies between each edge and the one before it, from what lies before each."""
    between = np.diff(before, prepend=0)
    starts = edges.indptr[:-1]
    between[starts] = before[starts]
    return between


def _runs(places: Ints, of: Ints, squared: Floats) -> list[tuple[int, int]]:
    """Return the runs of some edges that share a query and a ``squared``, none of which is left out of them."""
    if not len(places):
        return []
    new = (np.diff(of[places]) > 0) | (np.diff(squared[places]) > 0)
    starts = np.concatenate([[0], np.flatnonzero(new) + 1, [len(places)]])
    return [(places[a], places[b - 1] + 1) for a, b in pairwise(starts)]


def _offer(negatives: Floats, ordered: Floats, first: int, tally: Tally) -> None:
    """Put the nearest of the tile into their places among the nearest of their queries."""
    queries, k = tally.squared.shape
    bound = np.minimum(tally.squared[:, -1], ordered[:, min(k, ordered.shape[1]) - 1])
    of_query, columns = np.nonzero((negatives <= bound[:, None]) & (negatives < np.inf))
    of = np.concatenate([np.repeat(np.arange(queries), k), of_query])
    squared = np.concatenate([tally.squared.reshape(-1), negatives[of_query, columns]])
    rows = np.concatenate([tally.rows.reshape(-1), columns + first])
    order = np.lexsort((rows, squared, of))
    starts = np.searchsorted(of[order], np.arange(queries))
    nearest = order[starts[:, None] + np.arange(k)]
    tally.squared[:], tally.rows[:] = squared[nearest], rows[nearest]
