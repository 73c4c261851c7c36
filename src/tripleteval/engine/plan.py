"""Memory into orders: how much one worker may hold decides how the comparison is cut."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from tripleteval.arrays import Ints
from tripleteval.data.comparison import Comparison
from tripleteval.errors import ResourceError

MOST_QUERIES = 512
MOST_QUERIES_MUTUAL = 4096
_FEW_QUERIES_MUTUAL = 2048
_COORDINATES_MUTUAL = 2**19
_MANY_POSITIVES = 64  # of a query on average, or half as many as there are coordinates
MOST_QUERIES_UNHELD = 8192
_ORDERS_PER_WORKER = 8  # so that none waits long for the last one, and a cancelled run loses little
_LEAST_STRETCH = 2**16


class Order(NamedTuple):
    """One piece of work: queries ``start:stop`` against gallery rows ``first:last``."""

    start: int
    stop: int
    first: int
    last: int


class Costs(NamedTuple):
    """What things take, in bytes.

    Attributes:
        per_positive: One positive of a query whose block is being counted.
        at_work_per_positive: What it takes on top while its edges are made or its evidence is read.
        per_query: One query, from its first to its last number: what is left when its block is read.
        at_work_per_query: What it takes on top while its block is in flight.
        fixed: A worker, whatever it does.
        held: The gallery ready in both precisions.
        turned: What a worker takes on top where a tile serves both its sides.
    """

    per_positive: int
    at_work_per_positive: int
    per_query: int
    at_work_per_query: int
    fixed: int
    held: int
    turned: int = 0


def plan(
    comparison: Comparison, costs: Costs, *, memory: int, workers: int, cut: bool = False, standing: int = 0
) -> tuple[list[Order], bool]:
    """Cut the comparison into orders that each fit a worker's share of ``memory``.

    Args:
        comparison: What is compared.
        costs: What it takes.
        memory: Bytes that may be used beyond the input.
        workers: How many orders are in flight at once.
        cut: Whether an order may be a stretch of the gallery, where this cannot be held: orders of one block of
            queries then follow each other, and their evidence is to be merged.
        standing: Bytes taken off the budget already, which whoever gives one must know of.

    Returns:
        The orders, and whether the gallery may be held ready in both precisions.

    Raises:
        ResourceError: Not even one query at a time fits (E802); the message says what would.
    """
    kept, each = _kept(comparison, costs), _each(comparison, costs)
    needed = least_memory(comparison, costs, workers)
    if memory < needed:
        raise ResourceError(
            "E802",
            f"a memory budget of {(memory + standing) / 2**20:.0f} MiB for {len(each):,} queries and {workers} workers",
            fix=f"give memory= (--memory) {(needed + standing) / 2**20 + 1:.0f}MiB or more, "
            "or fewer threads= (--threads)",
        )
    hold = memory - costs.held >= needed
    share = (memory - kept - (costs.held if hold else 0)) // workers - costs.fixed
    gallery = len(comparison.gallery)
    if hold or not cut:
        return [Order(a, b, 0, gallery) for a, b in _blocks(each, share, MOST_QUERIES)], hold
    # What is read and made ready for one query serves all of a block, so blocks are large, and few.
    blocks = _blocks(each, share, MOST_QUERIES_UNHELD)
    pieces = min(-(-_ORDERS_PER_WORKER * workers // len(blocks)), -(-gallery // _LEAST_STRETCH))
    bounds = [gallery * piece // pieces for piece in range(pieces + 1)]
    return [Order(a, b, c, d) for a, b in blocks for c, d in pairwise(bounds)], hold


def least_memory(comparison: Comparison, costs: Costs, workers: int) -> int:
    """Return the bytes below which `plan` refuses."""
    return _kept(comparison, costs) + workers * (costs.fixed + int(_each(comparison, costs).max()))


def plan_mutual(comparison: Comparison, costs: Costs, *, memory: int, workers: int) -> list[Order] | None:
    """Cut one set into blocks that meet in pairs, each against the whole gallery; ``None`` where memory forbids it.

    Large classes forbid it, too: what each query is counted in would take longer to read for both sides of every tile
    than the product that is saved. All blocks stand ready at once, and two tallies per pair are in flight, twice as
    many pairs as workers.
    """
    positives, queries, dim = comparison.rule.at_most(), len(comparison.queries), comparison.queries.dim
    if positives.mean() > max(_MANY_POSITIVES, dim // 2):
        return None
    standing = int(positives.sum()) * costs.per_positive + queries * (costs.per_query + costs.at_work_per_query)
    each = 5 * (positives * costs.per_positive + costs.at_work_per_query) + positives * costs.at_work_per_positive
    share = (memory - standing - costs.held) // workers - costs.fixed - costs.turned
    if share < each.max():
        return None
    most = most_mutual(dim)
    blocks = _blocks(each, share, most)
    # Too small a block would spend its time on meeting.
    if len(blocks) > 2 * (-(-queries // min(most, _FEW_QUERIES_MUTUAL))):
        return None
    return [Order(a, b, 0, queries) for a, b in blocks]


def most_mutual(dim: int) -> int:
    """Return how many queries a block has that meets others: fewer of many coordinates, so that two have soon met."""
    return min(MOST_QUERIES_MUTUAL, max(_COORDINATES_MUTUAL // dim, _FEW_QUERIES_MUTUAL))


def _kept(comparison: Comparison, costs: Costs) -> int:
    """Return what the results of every query take, which are held to the end."""
    return len(comparison.queries) * costs.per_query


def _each(comparison: Comparison, costs: Costs) -> Ints:
    return comparison.rule.at_most() * (costs.per_positive + costs.at_work_per_positive) + costs.at_work_per_query


def _blocks(cost: Ints, share: int, most: int) -> list[tuple[int, int]]:
    """Cut queries into runs of at most ``most`` whose summed cost stays within ``share``."""
    total = np.concatenate([[0], np.cumsum(cost)])
    blocks, start = [], 0
    while start < len(cost):
        fits = int(np.searchsorted(total, total[start] + share, side="right")) - 1
        stop = min(max(fits, start + 1), start + most)
        blocks.append((start, stop))
        start = stop
    return blocks
