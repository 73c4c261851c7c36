"""How often each gallery item is found, places shared exactly among items tied at rank k."""

from __future__ import annotations

import numpy as np

from tripleteval.arrays import Bools, Floats
from tripleteval.data.comparison import Comparison
from tripleteval.distance.formula import Distance
from tripleteval.engine.again import compared, possible
from tripleteval.evidence.neighbors import NOBODY, Neighbors
from tripleteval.metrics.hubness import Occurrences

_STEP = 2.0**-40  # thirds and sevenths add up to the same number in any order, and three thirds to one


def occurrences(neighbors: Neighbors, k: int, comparison: Comparison, distance: Distance) -> Occurrences:
    """Return how often each gallery item is among the k nearest, from at least k + 1 neighbours per query.

    A query whose tie group at rank k reaches beyond the neighbours kept is compared again with the whole gallery,
    so that the place left is shared by all who are tied, whatever the order of the rows.
    """
    gallery = len(comparison.gallery)
    weights, open_ended = _weights(neighbors, k)
    queries = np.flatnonzero(open_ended)
    if not possible(len(queries), comparison):
        reason = f"{len(queries):,} queries have more items tied at rank {k} than neighbours are kept"
        return Occurrences(np.zeros(gallery), reason=reason)
    counted = (neighbors.rows != NOBODY) & ~open_ended[:, None]
    found = np.bincount(neighbors.rows[counted], weights=weights[counted], minlength=gallery)
    times = found.astype(np.float64)  # nobody at all would be counted in integers
    wrong = float(weights[counted & ~neighbors.relevant].sum())
    for query, squared in compared(queries, comparison, distance):
        wrong += _share(times, query, squared, neighbors.squared[query, k - 1], k, comparison)
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


def _share(times: Floats, query: int, squared: Floats, edge: float, k: int, comparison: Comparison) -> float:
    """Add the places of a query to ``times``; return how much went to items that are not relevant."""
    closer, equal = np.flatnonzero(squared < edge), np.flatnonzero(squared == edge)
    part = (k - len(closer)) / len(equal)
    times[closer] += 1.0
    times[equal] += part
    relevant = comparison.positives(query, query + 1, comparison.removed(query, query + 1))[0].rows
    return float((~np.isin(closer, relevant)).sum()) + part * float((~np.isin(equal, relevant)).sum())
