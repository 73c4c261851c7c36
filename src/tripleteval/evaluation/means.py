"""How the passes of an evaluation are run; no number depends on it."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from tripleteval.data.comparison import Comparison
from tripleteval.engine.maps import Map, shares_memory
from tripleteval.engine.plan import Costs, Order, least_memory, plan
from tripleteval.errors import counted
from tripleteval.evaluation.progress import Journey
from tripleteval.evaluation.standing import Need
from tripleteval.journal.page import Pages

_EACH = 4  # orders per worker of a cluster, so that none is idle for long


class Means(NamedTuple):
    """What every pass is given.

    Attributes:
        kernel: ``"cpu"``, ``"numpy"`` or ``"reference"``.
        mapping: Where orders run.
        workers: How many of them are in flight at once.
        memory: Bytes that may be used beyond the input.
        pages: Where finished orders are kept.
        progress: Called with pairs done and pairs in all, of each pass.
        standing: Bytes that were taken off the budget before, for labels and ids of sets on disk.
        together: Whether the workers share the memory; ``None`` where the map says so.
    """

    kernel: str
    mapping: Map
    workers: int
    memory: int
    pages: Pages
    progress: Journey | None = None
    standing: int = 0
    together: bool | None = None

    @property
    def shared(self) -> bool:
        """Whether ``memory`` is divided among the workers, and not what each of them has."""
        return shares_memory(self.mapping) if self.together is None else self.together

    def stage(self, name: str) -> None:
        """Say what is done from now on; see `Journey.stage`."""
        if self.progress is not None:
            self.progress.stage(name)

    def cut(self, comparison: Comparison, costs: Costs, *, along: bool = False) -> tuple[list[Order], bool]:
        """Return the orders of a pass, and whether the gallery may be held ready: see `engine.plan.plan`.

        Threads share the memory. The workers of a cluster have as much each, and there are enough orders for all.
        """
        workers = self._at_once
        how = {"memory": self.memory, "standing": self.standing}
        orders, hold = plan(comparison, costs, workers=workers, cut=along, **how)
        if self.shared or self.workers == 1:
            return orders, hold
        each = -(-_EACH * self.workers // len(orders))
        return [part for order in orders for part in _parts(order, each, len(comparison.gallery))], hold

    def need(self, comparison: Comparison, costs: Costs) -> Need:
        """Return the memory without which `cut` refuses."""
        what = f"{counted(len(comparison.queries), 'query')} and {counted(self._at_once, 'worker')}"
        return Need(least_memory(comparison, costs, self._at_once), what, fewer_threads=self._at_once > 1)

    @property
    def _at_once(self) -> int:
        """How many workers one memory is for."""
        return self.workers if self.shared else 1


def _parts(order: Order, count: int, gallery: int) -> list[Order]:
    """Cut an order into so many at most: along its queries, or along its stretch where it is one."""
    start, stop, first, last = order
    whole = (first, last) == (0, gallery)
    low, size = (start, stop - start) if whole else (first, last - first)
    count = min(count, size)
    bounds = pairwise(low + size * part // count for part in range(count + 1))
    return [Order(a, b, first, last) if whole else Order(start, stop, a, b) for a, b in bounds]
