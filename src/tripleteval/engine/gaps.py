"""The two nearest distinct points of every point, from the neighbours kept."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np

from tripleteval.arrays import AnyArray, Ints
from tripleteval.data.comparison import Comparison
from tripleteval.distance.formula import Distance
from tripleteval.evidence.neighbors import NOBODY, Neighbors
from tripleteval.metrics.dimension import Gaps

_AT_ONCE = 4096


def gaps(neighbors: Neighbors, comparison: Comparison, distance: Distance) -> Gaps:
    """Return ln(r₂/r₁) of every distinct query, copies of a point taken as one point.

    A point whose two nearest distinct neighbours are not among those kept (it has many copies near by) is left
    out and counted. Distances are Euclidean, between the unit vectors under cosine: a squared distance would halve
    the dimension.
    """
    squared, rows = neighbors.squared, neighbors.rows
    usable = (rows != NOBODY) & (squared > 0)
    first = np.ones(len(rows), dtype=bool)
    if _may_repeat(neighbors) or comparison.ignored is not None or not comparison.leave_one_out:
        gallery = comparison.gallery.vectors
        listed = np.arange(len(gallery)) if comparison.leave_one_out else np.unique(rows[rows != NOBODY])
        same = distinct(gallery, distance, listed)
        point = np.full(rows.shape, -1, np.int64)
        point[rows != NOBODY] = same[np.searchsorted(listed, rows[rows != NOBODY])]
        usable &= ~_seen_before(point)
        queries = comparison.queries.vectors
        asked = same if comparison.leave_one_out else distinct(queries, distance, np.arange(len(queries)))
        first = asked == np.arange(len(asked))
    order = np.cumsum(usable, axis=1)
    seen = first & (order[:, -1] >= 2) if order.shape[1] else np.zeros(len(rows), dtype=bool)
    two = [squared[seen][usable[seen] & (order[seen] == nth)] for nth in (1, 2)]
    logs = np.log(two[1] / two[0]) if seen.any() else np.zeros(0)
    return Gaps(
        0.5 * logs,
        repeated=int((~first).sum()),
        unseen=int((first & ~seen).sum()),
    )


def distinct(vectors: AnyArray, distance: Distance, rows: Ints) -> Ints:
    """Return, for each of the rows, the place among them of the first at distance zero from it."""
    first: dict[bytes, int] = {}
    found = np.empty(len(rows), np.int64)
    for start in range(0, len(rows), _AT_ONCE):
        some = rows[start : start + _AT_ONCE]
        prepared = distance.prepare(vectors[some]).columns.T + 0.0  # -0.0 and 0.0 are one number
        for place, line in enumerate(np.ascontiguousarray(prepared), start):
            found[place] = first.setdefault(blake2b(line.tobytes(), digest_size=16).digest(), place)
    return found


def _may_repeat(neighbors: Neighbors) -> bool:
    """Return whether copies can be among the neighbours: these stand at distance zero, or equally far."""
    squared = neighbors.squared
    tied = (squared[:, 1:] == squared[:, :-1]) & np.isfinite(squared[:, 1:])
    return bool(tied.any() or (squared == 0).any())


def _seen_before(points: Ints) -> AnyArray:
    """Return where a point stands in its row for the second time or more."""
    again = np.zeros(points.shape, dtype=bool)
    for place in range(1, points.shape[1]):
        again[:, place] = (points[:, :place] == points[:, place : place + 1]).any(axis=1)
    return again
