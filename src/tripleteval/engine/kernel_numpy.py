"""The same count without compiling, for small sets: one product rules out, the distances of the reference decide.

A float64 product tells every ``squared`` of a tile to within a proven bound (`squared_product`). What may lie below
the last edge of its query, or among its nearest, is computed as the reference does. Each query's negatives are then
sorted, and edges, which mostly are fewer, are found among them.
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
    negatives = _negatives(queries, tile, first, hidden, edges, tally)
    ordered = np.sort(negatives, axis=1)
    _offer(negatives, ordered, first, tally)
    if len(edges.squared) < negatives.size:
        _count(negatives, ordered, first, edges, distance, tally)
    else:
        _count_among(negatives, first, edges, distance, tally)


def _negatives(queries: Prepared, tile: Prepared, first: int, hidden: Lists, edges: Edges, tally: Tally) -> Floats:
    """Return (queries, tile) ``squared`` of the negatives that may matter, +inf for all other pairs."""
    squares, doubts = nearly(queries, tile)
    here = (hidden.rows >= first) & (hidden.rows < first + squares.shape[1])
    squares[owners(hidden)[here], hidden.rows[here] - first] = np.inf
    tally.negatives += np.count_nonzero(squares < np.inf, axis=1)
    tally.settled += squares.size
    near = squares <= _reach(squares, doubts, edges, tally)
    del squares
    return exactly(queries, tile, near)


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


def _count_among(negatives: Floats, first: int, edges: Edges, distance: Distance, tally: Tally) -> None:
    """Count the same where edges are more than the negatives of a tile: these are found among them."""
    for q, line in enumerate(negatives):
        a, b = edges.indptr[q : q + 2]
        squared, rows = edges.squared[a:b], edges.rows[a:b]
        columns = np.argsort(line, kind="stable")[: np.count_nonzero(line < np.inf)]
        sorted_line = line[columns]
        bins, ends = (squared.searchsorted(sorted_line, side) for side in ("left", "right"))
        for c, d in _runs(np.flatnonzero(ends > bins), bins, sorted_line):
            bins[c:d] += rows[bins[c] : ends[c]].searchsorted(columns[c:d] + first, "right")
        inside = bins < b - a
        np.add.at(tally.counts, a + bins[inside], 1)
        np.add.at(tally.lengths, a + bins[inside], distance.steps(sorted_line[inside]).astype(np.int64))


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
    """Return the runs of some edges, or negatives, of one query and ``squared``, none of which is left out."""
    if not len(places):
        return []
    new = (np.diff(of[places]) > 0) | (np.diff(squared[places]) > 0)
    starts = np.concatenate([[0], np.flatnonzero(new) + 1, [len(places)]])
    return [(places[a], places[b - 1] + 1) for a, b in pairwise(starts)]


def _offer(negatives: Floats, ordered: Floats, first: int, tally: Tally) -> None:
    """Put the nearest of the tile into their places among the nearest of their queries."""
    queries, k = tally.squared.shape
    bound = np.minimum(tally.squared[:, -1], ordered[:, min(k, ordered.shape[1]) - 1])
    near = (negatives <= bound[:, None]) & (negatives < np.inf)
    for q in np.flatnonzero(near.sum(axis=1) > 2 * k):  # many are as far as the last of them: the first will do
        near[q, np.flatnonzero(negatives[q] == bound[q])[k:]] = False
    of_query, columns = np.nonzero(near)
    of = np.concatenate([np.repeat(np.arange(queries), k), of_query])
    squared = np.concatenate([tally.squared.reshape(-1), negatives[of_query, columns]])
    rows = np.concatenate([tally.rows.reshape(-1), columns + first])
    order = np.lexsort((rows, squared, of))
    starts = np.searchsorted(of[order], np.arange(queries))
    nearest = order[starts[:, None] + np.arange(k)]
    tally.squared[:], tally.rows[:] = squared[nearest], rows[nearest]
