"""Every distance of a block of queries, in float64, summed by class: what silhouette and its kin rest on.

The engine's one pass keeps only what its edges ask for; this one is run when such a number is wanted. Sums are
integers and distances have the bits of `squared_block`, so blocks, tiles and threads leave no trace.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tripleteval.arrays import Bools, Floats, Ints
from tripleteval.data.comparison import Comparison, Lists, SharedClass, owners
from tripleteval.data.labels import Labels
from tripleteval.distance.formula import Distance, Prepared, squared_block
from tripleteval.engine.plan import Order
from tripleteval.evidence.fixed_point import FixedPoint
from tripleteval.evidence.spread import Spread

AT_ONCE = 256  # queries whose sums by class are held at once
TILE = 256  # a square: converting its rows to float64 is shared by many queries

Squared = Callable[[Prepared, Prepared], Floats]


class ByClass(NamedTuple):
    """The gallery in the order of its classes.

    Attributes:
        rows: (gallery,) int64, rows of class 0, then of class 1, …
        classes: (gallery,) int64, ascending: the class of each of those.
        own: (queries,) int64, the class of each query.
        width: Number of classes.
    """

    rows: Ints
    classes: Ints
    own: Ints
    width: int


def by_class(comparison: Comparison) -> ByClass | None:
    """Return the gallery by class, or ``None`` where an item has no single class."""
    rule, gallery = comparison.rule, comparison.gallery.labels
    if not isinstance(rule, SharedClass) or not isinstance(gallery, Labels):
        return None
    of_class = rule.of_class
    return ByClass(of_class.rows, owners(of_class), rule.of_query.rows, len(of_class.indptr) - 1)


def squared_kernel(kernel: str) -> Squared:
    """Return how squared distances are computed; the bits are the same."""
    if kernel == "cpu":
        from tripleteval.engine.squared_cpu import squared_block as compiled  # numba takes a second to import

        return compiled
    return squared_block


def spread(
    comparison: Comparison, distance: Distance, grouped: ByClass, order: Order, squared: Squared = squared_block
) -> Spread:
    """Return the evidence of queries ``start:stop`` against places ``first:last`` of the gallery by class."""
    start, stop, first, last = order
    asked = distance.prepare(comparison.queries.vectors[start:stop])
    removed = comparison.removed(start, stop)
    sums = _Sums(grouped.own[start:stop], grouped.width)
    for a in range(first, last, TILE):
        rows = grouped.rows[a : min(a + TILE, last)]
        block = squared(asked, distance.prepare(comparison.gallery.vectors[rows]))
        lengths = np.sqrt(block) if distance.rooted else block
        sums.add(lengths, valid(removed, rows, len(lengths)), grouped.classes[a : a + len(rows)], distance.span)
    unit = distance.span * 2.0**-31 * distance.factor
    return Spread(
        sums.own,
        FixedPoint(sums.coarse, sums.fine, unit),
        sums.counts,
        sums.farthest_own * distance.factor,
        sums.nearest_other * distance.factor,
    )


class _Sums:
    """The sums while tiles go by: added up in place, because there may be many classes."""

    def __init__(self, own: Ints, classes: int) -> None:
        self.own = own
        self.coarse, self.fine, self.counts = (np.zeros((len(own), classes), np.int64) for _ in range(3))
        self.farthest_own, self.nearest_other = np.full(len(own), -np.inf), np.full(len(own), np.inf)

    def add(self, lengths: Floats, counted: Bools, classes: Ints, span: float) -> None:
        """Add one tile whose columns stand in the order of their classes."""
        begins = np.flatnonzero(np.diff(classes, prepend=-1))
        of = classes[begins]
        tile = FixedPoint.of(np.where(counted, lengths, 0.0), span)
        self.coarse[:, of] += np.add.reduceat(tile.coarse, begins, axis=1)
        self.fine[:, of] += np.add.reduceat(tile.fine, begins, axis=1)
        self.counts[:, of] += np.add.reduceat(counted.astype(np.int64), begins, axis=1)
        same = self.own[:, None] == classes[None, :]
        inside, outside = np.where(counted & same, lengths, -np.inf), np.where(counted & ~same, lengths, np.inf)
        np.maximum(self.farthest_own, inside.max(axis=1), out=self.farthest_own)
        np.minimum(self.nearest_other, outside.min(axis=1), out=self.nearest_other)


def valid(removed: Lists, rows: Ints, queries: int) -> Bools:
    """Return (queries, rows) which of the gallery ``rows`` a query of the block may see."""
    seen = np.ones((queries, len(rows)), dtype=bool)
    order = np.argsort(rows, kind="stable")
    place = np.minimum(np.searchsorted(rows[order], removed.rows), len(rows) - 1)
    here = rows[order][place] == removed.rows
    seen[owners(removed)[here], order[place[here]]] = False
    return seen
