"""Every item searched among the others: blocks meet in pairs, and each tile serves both its sides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from tripleteval.arrays import Floats
from tripleteval.data.comparison import SharedClass
from tripleteval.engine.edges import Tally
from tripleteval.engine.limits import Limits
from tripleteval.engine.maps import Map, shares_memory
from tripleteval.engine.plan import Order
from tripleteval.engine.run import Block, Pass

if TYPE_CHECKING:
    from tripleteval.engine.levels import Levels


class Standing(NamedTuple):
    """A block of queries that meets every other block before it is read."""

    order: Order
    block: Block
    limits: Limits
    levels: Levels
    seeds: Floats
    tally: Tally


def possible(engine: Pass, mapping: Map) -> bool:
    """Return whether a tile can serve both sides: one set, one rule both ways, one memory, the fast kernel."""
    comparison = engine.comparison
    return (
        comparison.leave_one_out
        and isinstance(comparison.rule, SharedClass)
        and engine.kernel == "cpu"
        and shares_memory(mapping)
    )


def sweep(engine: Pass, orders: list[Order], mapping: Map, progress: Callable[[int], None]) -> Iterator[Standing]:
    """Return every block with its tally complete; ``progress`` is told how many pairs were compared each time."""
    engine.ready()
    standing = list(mapping(partial(_stand, engine), orders))
    count = len(standing)
    # Neighbours in the order of rows first: they are the likeliest to be near, and what is near rules out the rest.
    meetings = [(i, i + apart) for apart in range(count) for i in range(count - apart)]
    pairs = [(standing[i], standing[j]) for i, j in meetings]
    for (one, two), tallies in zip(pairs, mapping(partial(_meet, engine), pairs), strict=True):
        for side, tally in zip((one, two), tallies, strict=False):
            side.tally.add(tally)
            side.limits.lower(side.seeds, side.tally.squared, engine.shelf.frame)
        progress(len(tallies) * len(one.tally.negatives) * len(two.tally.negatives))
    yield from standing


def _stand(engine: Pass, order: Order) -> Standing:
    from tripleteval.engine.levels import levels_of  # numba takes a second to import
    from tripleteval.engine.whole import Unit

    block = engine.block(order.start, order.stop)
    limits = engine.limits(block, order.first, order.last)
    levels = levels_of(block.edges.indptr, block.edges.squared, Unit.of(engine.distance))
    return Standing(order, block, limits, levels, limits.upper.copy(), engine.empty(block))


def _meet(engine: Pass, pair: tuple[Standing, Standing]) -> list[Tally]:
    from tripleteval.engine.kernel_cpu import count_both
    from tripleteval.engine.side import Asking, Side

    one, two = pair
    frame, sides = engine.shelf.frame, []
    for standing in pair[: 1 if one is two else 2]:
        block, rows = standing.block, engine.shelf.rows(standing.order.start, standing.order.stop)
        limits, tally = standing.limits.copy(), engine.empty(block)
        asking = Asking.of(block.start, limits, block.hidden, block.edges, standing.levels, tally)
        sides.append(Side.of(block.start, rows, frame, asking))
    with nullcontext() if engine.onlookers is None else engine.onlookers.one() as onlooker:
        count_both(sides[0], sides[-1], engine.width, onlooker)
    for side in sides:
        side.asking.post()
    return [side.asking.tally for side in sides]
