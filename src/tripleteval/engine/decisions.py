"""A pass over all pairs, each unordered pair once, that asks on which side of fixed thresholds they lie."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce

import numpy as np

from tripleteval.arrays import Bools, Floats, Ints
from tripleteval.data.comparison import Comparison
from tripleteval.distance.formula import Distance
from tripleteval.engine.plan import Order
from tripleteval.engine.spread import squared_kernel, valid
from tripleteval.evidence.decisions import Decisions

TILE = 512


@dataclass(frozen=True)
class Kinds:
    """Pairs told apart by a value of either item, such as the country of both: unordered pairs of values.

    Attributes:
        asked: (queries,) int64, the value of each query, 0 to ``values`` − 1.
        searched: (gallery,) int64, that of each gallery item.
        values: How many there are.
    """

    asked: Ints
    searched: Ints
    values: int

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """The kinds: every value with itself and with those after it."""
        return [(one, two) for one in range(self.values) for two in range(one, self.values)]

    @property
    def place(self) -> Ints:
        """(values, values) int64, the place in ``pairs`` of two values, either way round."""
        found = np.zeros((self.values, self.values), np.int64)
        for place, (one, two) in enumerate(self.pairs):
            found[one, two] = found[two, one] = place
        return found


@dataclass(frozen=True)
class DecisionPass:
    """The same for every order.

    Attributes:
        comparison: Who is compared with whom.
        distance: How.
        thresholds: (T,) float64.
        asked: (queries,) int64, the unit of each query.
        searched: (gallery,) int64, the unit of each gallery item, in the same numbers.
        units: How many units there are.
        kernel: ``"cpu"`` is compiled; the numbers do not depend on it.
        kinds: How pairs are told apart; by default not at all.
    """

    comparison: Comparison
    distance: Distance
    thresholds: Floats
    asked: Ints
    searched: Ints
    units: int
    kernel: str = "reference"
    kinds: Kinds = field(default_factory=lambda: Kinds(np.zeros(0, np.int64), np.zeros(0, np.int64), 1))

    def __call__(self, order: Order) -> Decisions:
        """Return the evidence of one order; runs inside the worker."""
        first = max(order.first, order.start + 1) if self.comparison.leave_one_out else order.first
        parts = [Decisions.empty(self.thresholds, self.units, len(self.kinds.pairs))]
        parts += [self._tile(order, a, min(a + TILE, order.last)) for a in range(first, order.last, TILE)]
        return reduce(Decisions.merge, parts)

    def _tile(self, order: Order, first: int, last: int) -> Decisions:
        prepare, comparison = self.distance.prepare, self.comparison
        rows, columns = np.arange(order.start, order.stop), np.arange(first, last)
        queries = prepare(comparison.queries.vectors[order.start : order.stop])
        squared = squared_kernel(self.kernel)(queries, prepare(comparison.gallery.vectors[first:last]))
        distances = self.distance.from_squared(squared)
        removed = comparison.removed(order.start, order.stop)
        positives, _ = comparison.positives(order.start, order.stop, removed)
        pairs, same = valid(removed, columns, len(rows)), ~valid(positives, columns, len(rows))
        if comparison.leave_one_out:
            pairs &= columns[None, :] > rows[:, None]
        genuine, impostor = pairs & same, pairs & ~same
        cuts = [distances <= cut for cut in self.thresholds]
        shape = (len(cuts), len(self.kinds.pairs), self.units)
        return Decisions(
            self.thresholds,
            accepted=np.array([self._touching(impostor & cut, rows, columns) for cut in cuts]).reshape(shape),
            impostor=self._touching(impostor, rows, columns),
            rejected=np.array([self._within(genuine & ~cut, rows, columns) for cut in cuts]).reshape(shape),
            genuine=self._within(genuine, rows, columns),
        )

    def _touching(self, pairs: Bools, rows: Ints, columns: Ints) -> Ints:
        """Return (kinds, units) the pairs, each for the units of both its items."""
        one, two = self._values(rows, columns)
        return self._of(pairs, self.asked[rows], one, two) + self._of(pairs.T, self.searched[columns], two, one)

    def _within(self, pairs: Bools, rows: Ints, columns: Ints) -> Ints:
        """Return (kinds, units) the pairs, each for the unit of its query."""
        return self._of(pairs, self.asked[rows], *self._values(rows, columns))

    def _of(self, pairs: Bools, units: Ints, one: Ints, two: Ints) -> Ints:
        counts = [np.count_nonzero(pairs[:, two == value], axis=1) for value in range(self.kinds.values)]
        found = np.zeros((len(self.kinds.pairs), self.units), np.int64)
        np.add.at(found, (self.kinds.place[one], units[:, None]), np.stack(counts, axis=1))
        return found

    def _values(self, rows: Ints, columns: Ints) -> tuple[Ints, Ints]:
        if self.kinds.values == 1:
            return np.zeros(len(rows), np.int64), np.zeros(len(columns), np.int64)
        return self.kinds.asked[rows], self.kinds.searched[columns]
