"""The two nearest distinct points of every point, from the neighbours kept."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np

from tripleteval.arrays import AnyArray, Floats, Ints
from tripleteval.data.comparison import Comparison
from tripleteval.distance.formula import Distance
from tripleteval.engine.again import compared, possible
from tripleteval.evidence.neighbors import NOBODY, Neighbors
from tripleteval.metrics.dimension import Gaps

_AT_ONCE = 4096


def gaps(neighbors: Neighbors, comparison: Comparison, distance: Distance) -> Gaps:
    """Return ln(r₂/r₁) of every distinct query, copies of a point taken as one point.

    A point whose two nearest distinct neighbours are not among those kept (it has many copies near by) is compared
    again with the whole gallery: which copies are kept is a matter of their rows. If there are too many such points
    they are left out, and counted. Distances are Euclidean, between the unit vectors under cosine: a squared distance
    would halve the dimension.
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
    two = np.stack([squared[seen][usable[seen] & (order[seen] == nth)] for nth in (1, 2)], axis=1)
    lost = np.flatnonzero(first & ~seen)
    if len(lost) and possible(len(lost), comparison):
        again = _two_nearest(lost, comparison, distance)
        two = np.concatenate([two, again[np.isfinite(again[:, 1])]])
    return Gaps(
        0.5 * np.log(two[:, 1] / two[:, 0]),
        repeated=int((~first).sum()),
        unseen=int(first.sum()) - len(two),
    )


def _two_nearest(queries: Ints, comparison: Comparison, distance: Distance) -> Floats:
    """Return the squared distances of each query to its two nearest distinct points, inf where there is none."""
    found = np.full((len(queries), 2), np.inf)
    for place, (_, squared) in enumerate(compared(queries, comparison, distance)):
        squared[squared == 0] = np.inf
        nearest = squared.min(initial=np.inf)
        if nearest == np.inf:
            continue
        as_near = np.flatnonzero(squared == nearest)
        several = distinct(comparison.gallery.vectors, distance, as_near).any()
        found[place] = nearest, nearest if several else squared[squared > nearest].min(initial=np.inf)
    return found


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
