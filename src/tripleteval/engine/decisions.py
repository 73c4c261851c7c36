"""A pass over all pairs, each unordered pair once, that asks on which side of fixed thresholds they lie."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import numpy as np

from tripleteval.arrays import Bools, Floats, Ints
from tripleteval.data.comparison import Comparison, Lists, owners
from tripleteval.distance.formula import Distance
from tripleteval.engine.plan import Order
from tripleteval.engine.spread import squared_kernel
from tripleteval.evidence.decisions import Decisions

TILE = 512


@dataclass(frozen=True)
class DecisionPass:
    """The same for every order.

    Attributes:
        comparison: Who is compared with whom.
        distance: How.
        thresholds: (T,) float64.
        asked: (queries,) int64, the class of each query.
        searched: (gallery,) int64, the class of each gallery item, in the same numbers.
        classes: How many classes there are.
        kernel: ``"cpu"`` or ``"reference"``; the numbers do not depend on it.
    """

    comparison: Comparison
    distance: Distance
    thresholds: Floats
    asked: Ints
    searched: Ints
    classes: int
    kernel: str = "reference"

    def __call__(self, order: Order) -> Decisions:
        """Return the evidence of one order; runs inside the worker."""
        first = max(order.first, order.start + 1) if self.comparison.leave_one_out else order.first
        parts = [Decisions.empty(self.thresholds, self.classes)]
        parts += [self._tile(order, a, min(a + TILE, order.last)) for a in range(first, order.last, TILE)]
        return reduce(Decisions.merge, parts)

    def _tile(self, order: Order, first: int, last: int) -> Decisions:
        prepare, comparison = self.distance.prepare, self.comparison
        queries = prepare(comparison.queries.vectors[order.start : order.stop])
        squared = squared_kernel(self.kernel)(queries, prepare(comparison.gallery.vectors[first:last]))
        distances = self.distance.from_squared(squared)
        one, two = self.asked[order.start : order.stop], self.searched[first:last]
        pairs = _listed(comparison.removed(order.start, order.stop), first, last)
        if comparison.leave_one_out:
            pairs &= np.arange(first, last)[None, :] > np.arange(order.start, order.stop)[:, None]
        same = one[:, None] == two[None, :]
        genuine, impostor = pairs & same, pairs & ~same
        cuts = [distances <= cut for cut in self.thresholds]
        return Decisions(
            self.thresholds,
            accepted=self._stacked([self._touching(impostor & cut, one, two) for cut in cuts]),
            impostor=self._touching(impostor, one, two),
            rejected=self._stacked([self._within(genuine & ~cut, one) for cut in cuts]),
            genuine=self._within(genuine, one),
        )

    def _touching(self, pairs: Bools, one: Ints, two: Ints) -> Ints:
        sums = self._within(pairs, one)
        np.add.at(sums, two, pairs.sum(axis=0))
        return sums

    def _within(self, pairs: Bools, one: Ints) -> Ints:
        sums = np.zeros(self.classes, np.int64)
        np.add.at(sums, one, pairs.sum(axis=1))
        return sums

    def _stacked(self, rows: list[Ints]) -> Ints:
        return np.array(rows, dtype=np.int64).reshape(len(rows), self.classes)


def _listed(removed: Lists, first: int, last: int) -> Bools:
    """Return (queries, rows) whether the gallery rows ``first:last`` are none of those that a query must not see."""
    allowed = np.ones((len(removed.indptr) - 1, last - first), dtype=bool)
    here = (removed.rows >= first) & (removed.rows < last)
    allowed[owners(removed)[here], removed.rows[here] - first] = False
    return allowed
