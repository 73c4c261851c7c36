"""A pass over pairs, cut into orders that fit the memory, and told as it goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from tripleteval.data.comparison import Comparison
from tripleteval.engine.pairs import BYTES_PER_QUERY, TILE
from tripleteval.engine.plan import Costs, Order
from tripleteval.evaluation.means import Means
from tripleteval.evaluation.standing import Need
from tripleteval.evidence.decisions import Decisions
from tripleteval.evidence.pairs import Pairs

Evidence = TypeVar("Evidence", Pairs, Decisions)


def merged(
    engine: Callable[[Order], Evidence],
    empty: Evidence,
    comparison: Comparison,
    means: Means,
    fixed: int,
    seen: Evidence | None = None,
) -> Evidence:
    """Return what an engine makes of all orders of a comparison, merged.

    Args:
        engine: Runs inside the workers.
        empty: The evidence of nothing.
        comparison: What is cut into orders.
        means: How.
        fixed: Bytes for the results of one worker: two wait, one is made, one is added up.
        seen: The result, where it is known: it is kept as that of a pass that has been run.
    """
    orders = orders_of(comparison, means, fixed)
    upto = np.cumsum([(order.stop - order.start) * (order.last - order.first) for order in orders]).tolist()
    page = means.pages.next()
    resumed = page.standing()
    done, total = resumed or ((0, empty) if seen is None else (len(orders), seen))
    if resumed and done and means.progress is not None:
        means.progress.resumed(upto[done - 1])
        means.progress(upto[done - 1], upto[-1])
    for part in means.mapping(engine, orders[done:]):
        done, total = done + 1, total.merge(part)
        page.stand(done, total)
        if means.progress is not None:
            means.progress(upto[done - 1], upto[-1])
    page.stand(done, total, last=True)
    return total


def orders_of(comparison: Comparison, means: Means, fixed: int) -> list[Order]:
    """Return the orders of a pass over pairs; see `merged`.

    Raises:
        ResourceError: The memory does not hold a single query (E802).
    """
    return means.cut(comparison, _costs(comparison, fixed))[0]


def need_of(comparison: Comparison, means: Means, fixed: int) -> Need:
    """Return the memory without which `orders_of` refuses."""
    return means.need(comparison, _costs(comparison, fixed))


def _costs(comparison: Comparison, fixed: int) -> Costs:
    dim = comparison.queries.dim
    return Costs(
        per_positive=64,
        at_work_per_positive=0,
        per_query=0,
        at_work_per_query=8 * (4 * dim + 8) + BYTES_PER_QUERY,
        fixed=fixed + 4 * 8 * dim * TILE,
        held=0,
    )
