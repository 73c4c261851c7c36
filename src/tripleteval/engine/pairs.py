"""One exact pass over all pairs, each unordered pair once: what lies at, and between, the edges of a ruler."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import reduce
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from tripleteval.arrays import Floats, Ints
from tripleteval.data.comparison import Comparison, Lists
from tripleteval.distance.formula import Distance, Prepared, squared_block
from tripleteval.engine.plan import Order
from tripleteval.engine.spread import valid
from tripleteval.evidence.pairs import UNIT_BITS, Pairs, Ruler

TILE = 512
HALF = UNIT_BITS // 2
_KEPT_AT_ONCE = 2**18


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
        sums: (8,) int64: for genuine and impostor pairs, the coarse and fine sum of distances and of squares.
        genuine: Distances of genuine pairs in kept bins.
        impostor: Distances of impostor pairs in kept bins.
    """

    sums: Ints
    genuine: Floats
    impostor: Floats


Count = Callable[[Sides, Prepared, int, Distance, Ruler, Ints, Ints], Tile]


@dataclass(frozen=True)
class PairPass:
    """One pass over the pairs of a comparison: the same for every order.

    Attributes:
        comparison: Who is compared with whom.
        distance: How.
        ruler: Where distances are told apart.
        kernel: ``"cpu"`` or ``"reference"``; the numbers do not depend on it.
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
        count, sums, bins = _kernel(self.kernel), [0] * 8, len(self.ruler.edges) * 2 + 1
        genuine, impostor = np.zeros(bins, np.int64), np.zeros(bins, np.int64)
        kept, waiting = [Pairs.empty(self.ruler)], 0
        begin = max(first, sides.start + 1) if sides.once else first
        for start in range(begin, last, self.tile):
            rows = self.distance.prepare(self.comparison.gallery.vectors[start : min(start + self.tile, last)])
            found = count(sides, rows, start, self.distance, self.ruler, genuine, impostor)
            sums = [a + b for a, b in zip(sums, found.sums.tolist(), strict=True)]
            if len(found.genuine) + len(found.impostor):
                kept.append(Pairs.at(self.ruler, found.genuine, found.impostor))
                waiting += len(kept[-1].values)
            if waiting > _KEPT_AT_ONCE:
                kept, waiting = [kept[0].keeping(*kept)], 0
        totals = ((coarse << HALF) + fine for coarse, fine in zip(sums[::2], sums[1::2], strict=True))
        one, two, three, four = totals
        counted = replace(kept[0], genuine=genuine, impostor=impostor, sums=(one, two, three, four))
        return counted.keeping(*kept)


def count_tile(
    sides: Sides, tile: Prepared, first: int, distance: Distance, ruler: Ruler, genuine: Ints, impostor: Ints
) -> Tile:
    """Add the pairs of one tile to the bins, in plain NumPy, as the definitions read.

    Args:
        sides: The block of queries.
        tile: Gallery rows ``first``, ``first + 1``, …
        first: Gallery row of the tile's first column.
        distance: How to read ``squared``.
        ruler: The bins.
        genuine: (bins,) counts of genuine pairs, added to in place.
        impostor: (bins,) counts of impostor pairs, added to in place.
    """
    squared = squared_block(sides.queries, tile)
    rows = np.arange(first, first + squared.shape[1])
    allowed = valid(sides.removed, rows, len(squared))
    if sides.once:
        allowed &= rows[None, :] > np.arange(sides.start, sides.start + len(squared))[:, None]
    same = ~valid(sides.positives, rows, len(squared))
    sums: list[Ints] = []
    kept: list[Floats] = []
    for side, wanted in ((genuine, same & allowed), (impostor, ~same & allowed)):
        lengths = np.sqrt(squared[wanted]) if distance.rooted else squared[wanted]
        distances = lengths * distance.factor
        bins = ruler.bins(distances)
        side += np.bincount(bins, minlength=len(side))  # noqa: PLW2901  # in place
        kept.append(distances[(bins % 2 == 0) & ruler.kept[bins // 2]])
        share = lengths * (1.0 / distance.span)
        sums += [*_parts(share), *_parts(share * share)]
    return Tile(np.array([part.sum() for part in sums], dtype=np.int64), *kept)


def _parts(share: Floats) -> Iterator[Ints]:
    """Yield the shares of the span in units of 2**-31, and what is left of them in units of 2**-62."""
    scaled = share * 2.0**HALF
    coarse = np.floor(scaled)
    yield coarse.astype(np.int64)
    yield np.floor((scaled - coarse) * 2.0**HALF).astype(np.int64)


def _kernel(name: str) -> Count:
    if name == "reference":
        return count_tile
    from tripleteval.engine import pairs_cpu  # numba takes a second to import

    return pairs_cpu.count_tile
