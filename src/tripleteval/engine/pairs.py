"""One exact pass over all pairs, each unordered pair once: what lies at, and between, the edges of a ruler."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial, reduce
from itertools import chain, pairwise
from typing import NamedTuple

import numpy as np

from tripleteval.arrays import Floats, Ints
from tripleteval.data.comparison import Comparison, Lists
from tripleteval.distance.formula import Distance, Prepared, squared_block
from tripleteval.engine.plan import Order
from tripleteval.engine.spread import valid
from tripleteval.evidence.pairs import Pairs, Ruler

TILE = 504  # rows; coordinates a power of two apart would share places in the cache
HALF = 25  # bits of a step, which is below 2**51, that are squared at once
_KEPT_AT_ONCE = 2**18
BYTES_PER_QUERY = TILE * (8 + 2 * 16 + 2 * 8)  # its products in a tile, the pairs listed of them, and what is kept
_LEAST_CELLS, MOST_CELLS, _PAIRS_PER_CELL = 2**8, 2**20, 4


class Sides(NamedTuple):
    """A block of queries with everybody they must be told apart from.

    Attributes:
        start: Row of the first query.
        queries: The queries, prepared.
        positives: Per query, the gallery rows it forms genuine pairs with, ascending.
        removed: Per query, the gallery rows it forms no pair with, ascending.
        once: Whether gallery rows up to the query's own form no pair either: leave-one-out, where the pair has
            been seen from its other side.
    """

    start: int
    queries: Prepared
    positives: Lists
    removed: Lists
    once: bool


class Tile(NamedTuple):
    """What one tile adds: counts go into the arrays of the pass, these are the rest.

    Attributes:
        sums: For genuine and for impostor pairs, the sum of the distances in steps, and of their squares.
        genuine: Distances of genuine pairs in kept bins.
        impostor: Distances of impostor pairs in kept bins.
    """

    sums: tuple[tuple[int, int], tuple[int, int]]
    genuine: Floats
    impostor: Floats


class Counted(NamedTuple):
    """Pairs per bin of a ruler: (2 K + 1,) int64 each, added to in place."""

    genuine: Ints
    impostor: Ints


Count = Callable[[Prepared, int], Tile]
Counting = Callable[[Sides, Distance, Ruler, Counted, int], AbstractContextManager[Count]]


@dataclass(frozen=True)
class PairPass:
    """One pass over the pairs of a comparison: the same for every order.

    Attributes:
        comparison: Who is compared with whom.
        distance: How.
        ruler: Where distances are told apart.
        kernel: ``"cpu"`` is compiled; the numbers do not depend on it.
        tile: Gallery rows per tile; the numbers do not depend on it.
    """

    comparison: Comparison
    distance: Distance
    ruler: Ruler
    kernel: str = "reference"
    tile: int = TILE

    def __call__(self, order: Order) -> Pairs:
        """Return the evidence of one order; runs inside the worker."""
        return self.count(self.sides(order.start, order.stop), order.first, order.last)

    def measure_in_stretches(self, order: Order, stretches: int) -> Pairs:
        """Return the evidence of one order, cut along the gallery and merged again; it is the same."""
        sides = self.sides(order.start, order.stop)
        bounds = np.linspace(order.first, order.last, stretches + 1).astype(int).tolist()
        return reduce(Pairs.merge, (self.count(sides, a, b) for a, b in pairwise(bounds)))

    def sides(self, start: int, stop: int) -> Sides:
        """Return the queries of a block with those they are, and are not, compared with."""
        comparison = self.comparison
        removed = comparison.removed(start, stop)
        positives, _ = comparison.positives(start, stop, removed)
        queries = self.distance.prepare(comparison.queries.vectors[start:stop])
        return Sides(start, queries, positives, removed, comparison.leave_one_out)

    def count(self, sides: Sides, first: int, last: int) -> Pairs:
        """Return the evidence of one block against gallery rows ``first:last``."""
        sums, bins = [0] * 4, len(self.ruler.edges) * 2 + 1
        counted = Counted(np.zeros(bins, np.int64), np.zeros(bins, np.int64))
        kept, waiting, size = Pairs.empty(self.ruler), list[Tile](), 0
        begin = max(first, sides.start + 1) if sides.once else first
        cells = cells_for(len(sides.queries.far) * len(self.comparison.gallery))
        with _counting(self.kernel)(sides, self.distance, self.ruler, counted, cells) as count:
            for start in range(begin, last, self.tile):
                rows = self.comparison.gallery.vectors[start : min(start + self.tile, last)]
                part = count(self.distance.prepare(rows), start)
                sums = [a + b for a, b in zip(sums, chain(*part.sums), strict=True)]
                waiting.append(part)
                size += len(part.genuine) + len(part.impostor)
                if size > _KEPT_AT_ONCE:
                    kept, waiting, size = kept.keeping(kept, self._kept(waiting)), [], 0
        one, two, three, four = sums
        found = replace(kept, **counted._asdict(), sums=(one, two, three, four))
        return found.keeping(kept, self._kept(waiting))

    def _kept(self, tiles: list[Tile]) -> Pairs:
        """Return the evidence of the distances that tiles have kept, apart from bins and sums."""
        nothing = np.zeros(0)
        genuine, impostor = [tile.genuine for tile in tiles], [tile.impostor for tile in tiles]
        return Pairs.at(self.ruler, np.concatenate([nothing, *genuine]), np.concatenate([nothing, *impostor]))


def cells_for(pairs: int) -> int:
    """Return how many cells are worth while for so many pairs: a power of two."""
    return min(max(1 << (pairs // _PAIRS_PER_CELL).bit_length(), _LEAST_CELLS), MOST_CELLS)


def bytes_for(edges: int, pairs: int) -> int:
    """Return what a worker that counts so many pairs along a ruler takes, apart from evidence, queries and a tile."""
    # Two rulers with what lies between, and the cells of the edges; the counts of cells, and those to begin with.
    return 40 * edges + 5 * cells_for(pairs)


@contextmanager
def counting(sides: Sides, distance: Distance, ruler: Ruler, into: Counted, cells: int) -> Iterator[Count]:
    """Yield what counts the pairs of a tile; everything has been counted when the context ends.

    Args:
        sides: The block of queries.
        distance: How to read ``squared``.
        ruler: The bins.
        into: Where pairs are counted.
        cells: How finely the ruler is cut by who finds bins that way; the numbers do not depend on it.
    """
    del cells
    yield partial(count_tile, sides, distance, ruler, into)


def count_tile(sides: Sides, distance: Distance, ruler: Ruler, into: Counted, tile: Prepared, first: int) -> Tile:
    """Count the pairs of one tile, in plain NumPy, as the definitions read.

    Args:
        sides: The block of queries.
        distance: How to read ``squared``.
        ruler: The bins.
        into: Where pairs are counted.
        tile: Gallery rows ``first``, ``first + 1``, …
        first: Gallery row of the tile's first column.
    """
    squared = squared_block(sides.queries, tile)
    rows = np.arange(first, first + squared.shape[1])
    allowed = valid(sides.removed, rows, len(squared))
    if sides.once:
        allowed &= rows[None, :] > np.arange(sides.start, sides.start + len(squared))[:, None]
    same = ~valid(sides.positives, rows, len(squared))
    genuine, genuine_sums = count_squares(squared[same & allowed], distance, ruler, into.genuine)
    impostor, impostor_sums = count_squares(squared[~same & allowed], distance, ruler, into.impostor)
    return Tile((genuine_sums, impostor_sums), genuine, impostor)


def count_squares(squared: Floats, distance: Distance, ruler: Ruler, into: Ints) -> tuple[Floats, tuple[int, int]]:
    """Count pairs into the bins of a ruler; return the distances in kept bins, and the sums of steps and squares."""
    distances = np.sort(distance.from_squared(squared))  # edges are fewer: they are found among distances
    counts = ruler.counts(distances)
    into += counts
    steps = distance.steps(squared).astype(np.int64)
    high, low = steps >> HALF, steps & (2**HALF - 1)
    squares = (_total(high * high) << 2 * HALF) + (_total(high * low) << HALF + 1) + _total(low * low)
    return ruler.keeps(distances, counts), (_total(steps), squares)


def _total(numbers: Ints) -> int:
    """Return the sum of numbers below 2**51, which may be more than int64 holds."""
    return sum(np.add.reduceat(numbers, np.arange(0, len(numbers), 2**12)).tolist()) if len(numbers) else 0


def _counting(name: str) -> Counting:
    if name == "cpu":
        from tripleteval.engine import pairs_cpu  # numba takes a second to import

        return pairs_cpu.counting
    return counting
