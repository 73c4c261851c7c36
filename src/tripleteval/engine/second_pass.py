"""What needs every distance, not only the near ones: run beside the engine's pass, and only when asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any, NamedTuple, TypeVar

import numpy as np

from tripleteval.data.comparison import Comparison
from tripleteval.distance.formula import Distance
from tripleteval.engine.plan import Order
from tripleteval.engine.sphere import sphere
from tripleteval.engine.spread import AT_ONCE, TILE, ByClass, by_class, spread, squared_kernel
from tripleteval.metrics.separation import Separation, separation
from tripleteval.metrics.sphere import OnSphere, on_sphere

Record = TypeVar("Record", bound=tuple[Any, ...])

_ENTRIES = 2**20  # sums by class held at once, over all queries of a block
_BYTES_PER_ENTRY = 96
_BYTES_PER_PAIR = 100  # of the tile in flight


class SecondPass(NamedTuple):
    """The same for every order, as the first pass is.

    Attributes:
        comparison: Who is compared with whom.
        distance: How.
        kernel: ``"cpu"`` is compiled; the numbers do not depend on it.
        wanted: Which evidence is wanted, of ``"spread"`` and ``"sphere"``.
        grouped: The gallery by class; ``None`` where an item has no single class, or nobody asks.
    """

    comparison: Comparison
    distance: Distance
    kernel: str
    wanted: frozenset[str]
    grouped: ByClass | None

    @property
    def bytes(self) -> int:
        """What a worker needs for it."""
        if not self.wanted:
            return 0
        sums = 0 if self.grouped is None else self._at_once() * self.grouped.width
        return _BYTES_PER_ENTRY * sums + _BYTES_PER_PAIR * AT_ONCE * TILE

    def separation(self, order: Order) -> Separation | None:
        """Return how the queries of an order stand to the classes; ``None`` where nobody asks or can tell."""
        grouped = self.grouped
        if grouped is None:
            return None
        classes = int(np.count_nonzero(np.diff(grouped.classes, prepend=-1)))
        split = 2 <= classes < len(grouped.rows)
        squared, lone = squared_kernel(self.kernel), self.comparison.leave_one_out

        def of(part: Order) -> Separation:
            return separation(spread(self.comparison, self.distance, grouped, part, squared), lone=lone, split=split)

        return _joined(of, _parts(order, self._at_once()))

    def _at_once(self) -> int:
        return AT_ONCE if self.grouped is None else max(1, min(AT_ONCE, _ENTRIES // self.grouped.width))

    def sphere(self, order: Order) -> OnSphere | None:
        """Return how the queries of an order lie on the unit sphere; ``None`` where nobody asks."""
        if "sphere" not in self.wanted:
            return None
        squared = squared_kernel(self.kernel)
        return _joined(lambda part: on_sphere(sphere(self.comparison, part, squared)), _parts(order, AT_ONCE))


def second_pass(comparison: Comparison, distance: Distance, kernel: str, of: Collection[str]) -> SecondPass:
    """Return the second pass that the kinds of evidence in ``of`` call for, perhaps none."""
    wanted = frozenset(of) & {"spread", "sphere"}
    grouped = by_class(comparison) if "spread" in wanted else None
    return SecondPass(comparison, distance, kernel, wanted, grouped)


def _parts(order: Order, at_once: int) -> Iterator[Order]:
    for start in range(order.start, order.stop, at_once):
        yield order._replace(start=start, stop=min(start + at_once, order.stop))


def _joined(function: Callable[[Order], Record], parts: Iterator[Order]) -> Record:
    records = [function(part) for part in parts]
    return type(records[0])(*(np.concatenate(columns) for columns in zip(*records, strict=True)))
