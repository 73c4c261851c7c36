"""How often each gallery item is found, places shared exactly among items tied at rank k."""

from __future__ import annotations

import numpy as np

from tripleteval.arrays import Bools, Floats, Ints
from tripleteval.data.comparison import Comparison
from tripleteval.distance.formula import Distance, Prepared, squared_block
from tripleteval.evidence.neighbors import NOBODY, Neighbors
from tripleteval.metrics.hubness import Occurrences

_AT_ONCE = 16
_TILE = 2048
_MOST = 2**33  # coordinates compared again; beyond that it is the data that are degenerate
_STEP = 2.0**-40  # thirds and sevenths add up to the same number in any order, and three thirds to one


def occurrences(neighbors: Neighbors, k: int, comparison: Comparison, distance: Distance) -> Occurrences:
    """Return how often each gallery item is among the k nearest, from at least k + 1 neighbours per query.

    A query whose tie group at rank k reaches beyond the neighbours kept is compared again with the whole gallery,
    so that the place left is shared by all who are tied, whatever the order of the rows.
    """
    gallery = len(comparison.gallery)
    weights, open_ended = _weights(neighbors, k)
    if int(open_ended.sum()) * gallery * comparison.gallery.dim > _MOST:
        reason = f"{int(open_ended.sum()):,} queries have more items tied at rank {k} than neighbours are kept"
        return Occurrences(np.zeros(gallery), reason=reason)
    counted = (neighbors.rows != NOBODY) & ~open_ended[:, None]
    found = np.bincount(neighbors.rows[counted], weights=weights[counted], minlength=gallery)
    times = found.astype(np.float64)  # nobody at all would be counted in integers
    wrong = float(weights[counted & ~neighbors.relevant].sum())
    queries = np.flatnonzero(open_ended)
    edge = neighbors.squared[:, k - 1] if k <= neighbors.squared.shape[1] else np.zeros(len(weights))
    for start in range(0, len(queries), _AT_ONCE):
        some = queries[start : start + _AT_ONCE]
        wrong += _share(times, some, edge[some], k, comparison, distance)
    return Occurrences(np.rint(times / _STEP) * _STEP, wrong)


def _weights(neighbors: Neighbors, k: int) -> tuple[Floats, Bools]:
    """Return the place each neighbour holds, and which queries have a tie group that may go on beyond."""
    squared = neighbors.squared
    if squared.shape[1] <= k:  # nobody stands beyond rank k
        return (neighbors.rows != NOBODY).astype(np.float64), np.zeros(len(squared), dtype=bool)
    edge = squared[:, k - 1 : k]
    before, tied = squared < edge, squared == edge
    left = np.minimum(k - before.sum(axis=1), tied.sum(axis=1))
    weights = before + tied * (left / np.maximum(tied.sum(axis=1), 1))[:, None]
    full = neighbors.rows[:, -1] != NOBODY
    cut = full & (squared[:, -1] == edge[:, 0]) & (squared[:, k] == edge[:, 0])
    return np.where(neighbors.rows == NOBODY, 0.0, weights), cut


def _share(times: Floats, queries: Ints, edge: Floats, k: int, comparison: Comparison, distance: Distance) -> float:
    """Add the places of these queries to ``times``; return how much went to items that are not relevant."""
    asked = distance.prepare(comparison.queries.vectors[queries])
    before, tied = _against_all(asked, edge, comparison, distance)
    wrong = 0.0
    for place, query in enumerate(queries.tolist()):
        removed = comparison.removed(query, query + 1)
        for found in (before[place], tied[place]):
            found[removed.rows] = False
        closer = np.flatnonzero(before[place])
        equal = np.flatnonzero(tied[place])
        part = (k - len(closer)) / len(equal)
        times[closer] += 1.0
        times[equal] += part
        relevant = comparison.positives(query, query + 1, removed)[0].rows
        wrong += float((~np.isin(closer, relevant)).sum()) + part * float((~np.isin(equal, relevant)).sum())
    return wrong


def _against_all(asked: Prepared, edge: Floats, comparison: Comparison, distance: Distance) -> tuple[Bools, Bools]:
    """Return (queries, gallery) who is closer than the edge, and who stands exactly on it."""
    vectors = comparison.gallery.vectors
    shape = (len(edge), len(vectors))
    before, tied = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    for start in range(0, len(vectors), _TILE):
        squared = squared_block(asked, distance.prepare(vectors[start : start + _TILE]))
        before[:, start : start + _TILE] = squared < edge[:, None]
        tied[:, start : start + _TILE] = squared == edge[:, None]
    return before, tied
