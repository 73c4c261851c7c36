"""The same count, fast: a product with a proven bound decides almost every pair, and cells find its bin.

What `counting` yields is `tripleteval.engine.pairs.count_tile`, bit by bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from tripleteval.arrays import Floats, Ints
from tripleteval.distance.formula import Distance, Prepared
from tripleteval.engine import pair_cells
from tripleteval.engine.pair_bins import BEYOND, KEPT, Points, Side, settle
from tripleteval.engine.pair_lines import LIMB, Line, Scales, listed_of, look
from tripleteval.engine.pairs import HALF, Count, Counted, Sides, Tile
from tripleteval.engine.squared_product import error_bound
from tripleteval.evidence.pairs import Ruler

_AT_ONCE = 128  # queries, whose products stay near the processor
_FINE_BITS = 34  # of a step: edges are told apart as closely as if steps were no wider
MOST_COUNTED = 2**26  # pairs, before cells are added up: few are full by then


@contextmanager
def counting(sides: Sides, distance: Distance, ruler: Ruler, into: Counted, cells: int) -> Iterator[Count]:
    """Yield what counts a tile; see `tripleteval.engine.pairs.counting`."""
    block = _Block(sides, distance, ruler, into, cells)
    yield block.count
    block.add_up()
    post(ruler, block.genuine)
    post(ruler, block.impostor)


class _Block:
    """The queries of a block, and what one worker counts them in."""

    def __init__(self, sides: Sides, distance: Distance, ruler: Ruler, into: Counted, cells: int) -> None:
        self.sides, self.start = sides, sides.start if sides.once else -1
        trust = min(0.5, 2.0 ** (distance.step_bits - _FINE_BITS - 1))
        self.cells = pair_cells.cells_of(ruler, 2 * trust * distance.step * distance.factor, cells)
        self.counts, self.counted = self.cells.fresh.copy(), 0
        steps = 1.0 / distance.step
        relative, least = (part * steps * (1 + 2.0**-40) for part in error_bound(len(sides.queries.columns)))
        self.scales = Scales(
            distance.rooted,
            steps,
            distance.factor,
            self.cells.per_unit,
            self.cells.reach,
            cells,
            relative,
            least,
            trust,
        )
        self.keeps = bool(ruler.kept.any())
        self.genuine, self.impostor = (
            side_of(ruler, into.genuine, adds=True),
            side_of(ruler, into.impostor, adds=False),
        )
        self.centre = sides.queries.columns.mean(axis=1)
        centred, self.queries, self.norms = self._points(sides.queries)
        self.doubled = -2.0 * centred
        self.products, self.listed = np.empty(0), (listed_of(0), listed_of(0))

    def count(self, tile: Prepared, first: int) -> Tile:
        """Count the pairs of one tile; see `tripleteval.engine.pairs.count_tile`."""
        centred, points, norms = self._points(tile)
        queries, width = self.queries, len(norms)
        self._count_on(len(self.norms) * width)
        found = [
            side._replace(kept=np.empty(len(self.norms) * width if self.keeps else 0))
            for side in (self.genuine, self.impostor)
        ]
        line = Line(np.empty(width), np.empty(width), np.empty(width, np.int32), np.empty(width + 1, np.uint32))
        size = min(_AT_ONCE, len(self.norms)) * width
        if self.products.size < size:
            self.products, self.listed = np.empty(size), (listed_of(size), listed_of(size))
        listed, last = self.listed, 2 * len(self.cells.edges) + 1
        for top in range(0, len(self.norms), _AT_ONCE):
            here = slice(top, top + _AT_ONCE)
            lines = queries._replace(rows=queries.rows[here], far=queries.far[here])
            product = self.products[: len(lines.far) * width].reshape(-1, width)
            np.matmul(self.doubled[here], centred.T, out=product)
            many = look(
                product,
                self.norms[here],
                norms,
                top,
                self.start + top if self.sides.once else -1,
                first,
                self.sides.positives,
                self.sides.removed,
                self.scales,
                self.counts,
                line,
                *listed,
                self.impostor.sums,
                self.impostor.between[last : last + 1],
            )
            for i in range(2):
                settle(listed[i], many[i], lines, points, self.cells.before, self.scales, found[i])
        genuine, impostor = found
        return Tile((taken(genuine), taken(impostor)), kept_of(genuine), kept_of(impostor))

    def add_up(self) -> None:
        """Add the cells to the impostors between edges, and begin anew."""
        pair_cells.add_up(self.counts, self.cells.edges, self.impostor.between)
        self.counts[:] = self.cells.fresh
        self.counted = 0

    def _count_on(self, pairs: int) -> None:
        if self.counted + pairs > MOST_COUNTED:
            self.add_up()
        self.counted += pairs

    def _points(self, prepared: Prepared) -> tuple[Floats, Points, Floats]:
        """Return the centred rows of one side, the rows themselves, and how far from the centre they are."""
        rows = np.ascontiguousarray(prepared.columns.T)
        centred = rows - self.centre
        norms = np.einsum("ij,ij->i", centred, centred)
        norms[prepared.far] = np.inf
        return centred, Points(prepared.columns, rows, prepared.far), norms


def side_of(ruler: Ruler, bins: Ints, *, adds: bool) -> Side:
    """Return where nothing is counted yet."""
    edges = len(ruler.edges)
    places = np.zeros(2 * (edges + BEYOND) + 1)
    between = places.view(np.int64)
    places[::2] = np.concatenate([[-np.inf], ruler.edges, np.full(BEYOND, np.inf)])
    between[1 : 2 * edges + 2 : 2] = np.where(ruler.kept, KEPT, 0)
    return Side(adds, places, between, bins, np.zeros((4, 2), np.int64), np.empty(0), np.zeros(1, np.int64))


def post(ruler: Ruler, side: Side) -> None:
    """Add what lies between edges to the bins."""
    side.bins[::2] += side.between[1 : len(side.bins) + 1 : 2] - np.where(ruler.kept, KEPT, 0)


def taken(side: Side) -> tuple[int, int]:
    """Return the sum of the steps and of their squares, and leave none."""
    total, high, mixed, low = ((upper << LIMB) + lower for upper, lower in side.sums.tolist())
    side.sums[:] = 0
    return total, (high << 2 * HALF) + (mixed << HALF + 1) + low


def kept_of(side: Side) -> Floats:
    """Return a copy of the distances that were kept, and leave none."""
    found = side.kept[: side.filled[0]].copy()
    side.filled[:] = 0
    return found
