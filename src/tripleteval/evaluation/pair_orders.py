"""A pass over pairs, cut into orders that fit the memory, and told as it goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeVar

from tripleteval.data.comparison import Comparison
from tripleteval.engine.maps import Map
from tripleteval.engine.plan import Costs, Order, plan
from tripleteval.evaluation.progress import Progress

Part = TypeVar("Part")


class Means(NamedTuple):
    """How a pass is run; no number depends on it."""

    kernel: str
    mapping: Map
    workers: int
    memory: int
    progress: Progress | None = None


def in_orders(engine: Callable[[Order], Part], comparison: Comparison, means: Means, fixed: int) -> Iterator[Part]:
    """Yield what an engine makes of each order of a comparison.

    Args:
        engine: Runs inside the workers.
        comparison: What is cut into orders.
        means: How.
        fixed: Bytes for the results of one worker: two wait, one is made, one is added up.
    """
    orders = orders_of(comparison, means, fixed)
    sizes = [(order.stop - order.start) * (order.last - order.first) for order in orders]
    done = 0
    for size, part in zip(sizes, means.mapping(engine, orders), strict=True):
        yield part
        done += size
        if means.progress is not None:
            means.progress(done, sum(sizes))


def orders_of(comparison: Comparison, means: Means, fixed: int) -> list[Order]:
    """Return the orders of a pass over pairs; see `in_orders`.

    Raises:
        ResourceError: The memory does not hold a single query (E802).
    """
    dim = comparison.queries.dim
    costs = Costs(
        per_positive=64,
        at_work_per_positive=0,
        per_query=0,
        at_work_per_query=8 * (3 * dim + 8),
        fixed=fixed + 4 * 8 * dim * 512,
        held=0,
    )
    return plan(comparison, costs, memory=means.memory, workers=means.workers)[0]
