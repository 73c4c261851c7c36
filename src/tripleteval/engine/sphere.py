"""Every pair on the unit sphere, in float64: what alignment and uniformity rest on."""

from __future__ import annotations

import numpy as np

from tripleteval.data.comparison import Comparison, Lists, owners
from tripleteval.distance.formula import Distance, Prepared, squared_block, squared_pairs
from tripleteval.engine.plan import Order
from tripleteval.engine.spread import TILE, Squared, valid
from tripleteval.evidence.fixed_point import FixedPoint
from tripleteval.evidence.sphere import SPAN, Sphere

_PAIRS_AT_ONCE = 4096
_SHARPNESS = 2.0  # the t of exp(−t d²) in the definition


def sphere(comparison: Comparison, order: Order, squared: Squared = squared_block) -> Sphere:
    """Return the evidence of queries ``start:stop`` against gallery rows ``first:last``, as unit vectors."""
    start, stop, first, last = order
    unit = Distance("cosine")
    asked = unit.prepare(comparison.queries.vectors[start:stop])
    removed = comparison.removed(start, stop)
    found = _pull(comparison, asked, removed, order)
    for a in range(first, last, TILE):
        rows = np.arange(a, min(a + TILE, last))
        block = squared(asked, unit.prepare(comparison.gallery.vectors[a : a + len(rows)]))
        seen = valid(removed, rows, stop - start)
        near = FixedPoint.of(np.where(seen, np.exp(-_SHARPNESS * block), 0.0), SPAN)
        crowding = FixedPoint(near.coarse.sum(axis=1), near.fine.sum(axis=1), near.unit)
        nothing = Sphere.empty(stop - start)
        found = found.merge(Sphere(crowding, seen.sum(axis=1), nothing.pull, nothing.positives))
    return found


def _pull(comparison: Comparison, asked: Prepared, removed: Lists, order: Order) -> Sphere:
    """Return the evidence of the positives alone."""
    start, stop, first, last = order
    lists, _ = comparison.positives(start, stop, removed)
    here = (lists.rows >= first) & (lists.rows < last)
    of_query, rows = owners(lists)[here], lists.rows[here]
    nothing = Sphere.empty(stop - start)
    coarse, fine = np.zeros(stop - start, np.int64), np.zeros(stop - start, np.int64)
    for begin in range(0, len(rows), _PAIRS_AT_ONCE):
        some = slice(begin, begin + _PAIRS_AT_ONCE)
        gallery = Distance("cosine").prepare(comparison.gallery.vectors[rows[some]])
        pulls = FixedPoint.of(squared_pairs(asked, of_query[some], gallery), SPAN)
        np.add.at(coarse, of_query[some], pulls.coarse)
        np.add.at(fine, of_query[some], pulls.fine)
    pull = FixedPoint(coarse, fine, nothing.pull.unit)
    return Sphere(nothing.crowding, nothing.items, pull, np.bincount(of_query, minlength=stop - start))
