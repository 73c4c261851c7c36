"""The same count, fast: float32 products rule out what they can, float64 decides the rest, bit for bit.

A tile of products stays in cache. Where the steps of a sum are coarse, it tells nearly all there is to count
(`coarse_tile`). Elsewhere one sweep over it lists the pairs that may matter (`sift`), and only these are computed in
float64 and counted (`settle`); where most of a tile matters, a product in float64 takes the place of both
(`crowded`). What is listed depends on tiles and threads; what is counted does not. When every query is searched among
the others, a tile serves both its sides.
"""

from __future__ import annotations

import numpy as np

from tripleteval.arrays import Ints
from tripleteval.data.comparison import Lists
from tripleteval.engine.coarse_tile import REFUSED, count_seen
from tripleteval.engine.crowded import count_lines, in_steps, turn
from tripleteval.engine.frame import Rows, Shelf, Singles
from tripleteval.engine.onlookers import Onlooker
from tripleteval.engine.room import Room, flat, padded, room_for
from tripleteval.engine.settle import settle
from tripleteval.engine.side import Asking, Side, Stretch
from tripleteval.engine.sift import hide, sift
from tripleteval.engine.sight import Sight
from tripleteval.engine.squared_product import Lifted, lifted
from tripleteval.engine.whole import Unit

_MOST = 0.35  # share of a tile's pairs from which on float64 computes them all
_MANY_LEVELS = 100  # per query, from which on reading them costs more than a flat product does
_STRIP = 64  # rows of such a tile, whose pairs stay near the processor from product to count
_IN_A_ROW = 7  # tiles that are then taken to be as crowded, before float32 looks again


def count(rows: Rows, asking: Asking, shelf: Shelf, first: int, last: int, width: int) -> None:
    """Add the negatives of gallery rows ``first:last`` to the tally, in tiles as large as ``width`` by ``width``."""
    one = Side.of(asking.first, rows, shelf.frame, asking)
    height, width = flat(width) if len(asking.levels.steps) > _MANY_LEVELS * len(one) else (width, width)
    worker = _Worker([one], room_for(height, width, both=False))
    above = one.stretches(height)
    for here, start, stop in shelf.windows(first, last):
        begun = _hide_from(asking, start, stop)
        across = Side.of(start, here.rows(start, stop), shelf.frame).stretches(width)
        for top in above:
            worker.take(top)
            hidden = _part(asking.hidden, top)
            for left in across:
                worker.count(top, left, hidden, begun[top.begin : top.end])
    asking.tally.settled[0] += worker.settled


def count_both(one: Side, two: Side, width: int, onlooker: Onlooker | None = None) -> None:
    """Compare two blocks of one set, each with the other; the items of a block with each other if it is given twice.

    An onlooker is shown every product.
    """
    same = one is two
    worker = _Worker([one, two], room_for(width, width, both=True), onlooker)
    begun = _hide_from(one.asking, two.first, two.first + len(two))
    if not same:
        _hide_from(two.asking, one.first, one.first + len(one))
    across = two.stretches(width)
    for top in one.stretches(width):
        worker.take(top)
        hidden, here = _part(one.asking.hidden, top), begun[top.begin : top.end]
        for left in across:
            if same and left.begin < top.begin:  # seen from the other side already; only the lists walk on
                here[:] = _places(hidden, left.first + len(left))
                continue
            lone = same and left.begin == top.begin  # its own mirror image
            worker.count(top, left.silent() if lone else left, hidden, here)
    one.asking.tally.settled[0] += worker.settled


class _Worker:
    """What one worker knows from tile to tile."""

    def __init__(self, asking: list[Side], room: Room, onlooker: Onlooker | None = None) -> None:
        self.frame, distance = asking[0].frame, asking[0].asking.edges.distance
        self.unit = Unit.of(distance)
        self.sight = Sight.of(distance, self.frame) if distance.dropped_bits else None
        self.onlooker = onlooker
        self.room = room
        self.doubled = room.products
        self.crowded = self.settled = 0
        self.asked: Lifted | None = None
        self.searched: dict[int, Lifted] = {}  # of the other block, which comes again with every row of tiles

    def take(self, top: Stretch) -> None:
        """Take the rows of the tiles to come."""
        self.doubled = -2.0 * top.rows.single
        self.asked = None

    def count(self, top: Stretch, left: Stretch, hidden: Lists, begun: Ints) -> None:
        """Count each side of a tile as negatives of the other.

        Args:
            top: The rows, who ask.
            left: The columns, who may.
            hidden: Per row, the gallery rows that are no negatives.
            begun: Where each list begins in the tile; moved to where it ends.
        """
        if self.crowded and self.onlooker is None:
            self.crowded -= 1
            self._count_all(top, left, hidden, begun)
            return
        product = self._product(left.rows.single)
        seen = begun.copy()
        hide(product, left.first, len(left), hidden.indptr, hidden.rows, begun)
        if self.onlooker is not None:
            self.onlooker.see(product, top.rows, left.rows, left.begin, lone=not left.asks)
            if self.crowded:
                self.crowded -= 1
                self._count_all(top, left, hidden, seen)
                return
        most = int(len(top) * len(left) * _MOST)
        if self.sight is not None and not (top.rows.far.any() or left.rows.far.any()):
            found = count_seen(product, top.seen, left.seen, self.sight, self.unit, most, self.room)
        else:
            found = self._sift(product, top, left, most)
        if found == REFUSED:
            self.crowded = _IN_A_ROW
            self._count_all(top, left, hidden, seen)
        else:
            self.settled += found

    def _sift(self, product: Singles, top: Stretch, left: Stretch, most: int) -> int:
        """Count the pairs that may matter; return how many there are, `REFUSED` where they are more than ``most``."""
        found = sift(product, top.sieve, left.sieve, self.room.answers, self.room.listed)
        if found > most:
            return REFUSED
        if found:
            listed = self.room.listed[:found]
            settle(listed, top.points, left.points, self.unit, top.book, left.book, left.asks, self.room)
        return found

    def _product(self, columns: Singles) -> Singles:
        """Return (rows, columns and up to seven more) ``−2S``, a multiple of eight wide."""
        height, width = len(self.doubled), padded(len(columns))
        whole = self.room.products[: height * width].reshape(height, width)
        np.matmul(self.doubled, columns.T, out=whole[:, : len(columns)])
        return whole

    def _count_all(self, top: Stretch, left: Stretch, hidden: Lists, begun: Ints) -> None:
        """Count all pairs, from a product in float64."""
        turned = self.room.turned_steps[: len(top) * len(left) if left.asks else 0].reshape(len(left), -1)
        for first in range(0, len(top), _STRIP):
            strip = top.part(first, min(first + _STRIP, len(top)))
            steps = self._steps(top, left, slice(first, first + len(strip)), hidden, begun)
            if left.asks:
                turn(steps, turned, first)
            count_lines(steps, strip.points, left.points, self.unit, strip.book, self.room)
        if left.asks:
            count_lines(turned, left.points, top.points, self.unit, left.book, self.room)
        self.settled += len(top) * len(left)

    def _steps(self, top: Stretch, left: Stretch, some: slice, hidden: Lists, begun: Ints) -> Ints:
        """Return the distances of some rows of a tile in whole steps."""
        asked, searched = self._lifted(top, left)
        shape = some.stop - some.start, len(left)
        squares = self.room.squared[: shape[0] * shape[1]].reshape(shape)
        np.matmul(asked.rows[some], searched.rows.T, out=squares)
        indptr = hidden.indptr[some.start : some.stop + 1]
        hide(squares, left.first, shape[1], indptr, hidden.rows, begun[some])
        steps = self.room.steps[: squares.size].reshape(shape)
        doubts, most = asked.doubts[some], searched.doubts.max()
        numbers = steps.view(np.float64)
        in_steps(squares, doubts, most, top.rows.far[some], left.rows.far, self.unit, steps, numbers)
        return steps

    def _lifted(self, top: Stretch, left: Stretch) -> tuple[Lifted, Lifted]:
        """Return both sides of a tile as sides of a product."""
        if self.asked is None:
            self.asked = lifted(top.rows.exact, self.frame.centre, asks=True)
        if not len(self.room.turned_steps):
            return self.asked, lifted(left.rows.exact, self.frame.centre, asks=False)
        if left.begin not in self.searched:
            self.searched[left.begin] = lifted(left.rows.exact, self.frame.centre, asks=False)
        return self.asked, self.searched[left.begin]


def _part(lists: Lists, some: Stretch) -> Lists:
    """Return the lists of some queries; where they begin does not change."""
    return Lists(lists.indptr[some.begin : some.end + 1], lists.rows)


def _hide_from(asking: Asking, first: int, last: int) -> Ints:
    """Count the negatives of a stretch, and return where each query's hidden rows begin in it."""
    begun = _places(asking.hidden, first)
    asking.tally.negatives[:] += last - first - (_places(asking.hidden, last) - begun)
    return begun


def _places(lists: Lists, row: int) -> Ints:
    """Return, for each list, where its first entry >= ``row`` stands."""
    first, last = lists.indptr[0], lists.indptr[-1]
    lower = np.concatenate([[0], np.cumsum(lists.rows[first:last] < row)])
    places: Ints = lists.indptr[:-1] + np.diff(lower[lists.indptr - first])
    return places
