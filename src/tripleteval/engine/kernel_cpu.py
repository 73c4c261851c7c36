"""The same count, fast: float32 products rule out what they can, float64 decides the rest, bit for bit.

A tile of products stays in cache; one sweep over it lists the pairs that may matter (`sift`), and only these are
computed in float64 and counted (`settle`). Where most of a tile matters, a product in float64 takes the place of
both (`crowded`). What is listed depends on tiles and threads; what is counted does not. When every query is searched
among the others, a tile serves both its sides.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tripleteval.arrays import Ints
from tripleteval.data.comparison import Lists
from tripleteval.engine.crowded import count_lines, in_steps, turn
from tripleteval.engine.frame import Frame, Rows, Shelf, Singles
from tripleteval.engine.lines import Points
from tripleteval.engine.onlookers import Onlooker
from tripleteval.engine.room import Room, flat, padded, room_for
from tripleteval.engine.settle import settle
from tripleteval.engine.side import Asking, Side, Tile
from tripleteval.engine.sift import hide, sift
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
    worker = _Worker(shelf.frame, Unit.of(asking.edges.distance), room_for(height, width, both=False))
    for here, start, stop in shelf.windows(first, last):
        begun = _hide_from(asking, start, stop)
        cuts = [(a, min(a + width, stop)) for a in range(start, stop, width)]
        sides = [Side.of(a, here.rows(a, b), shelf.frame) for a, b in cuts]
        for top in range(0, len(one), height):
            bottom = min(top + height, len(one))
            worker.take(one, top, bottom)
            hidden = Lists(asking.hidden.indptr[top : bottom + 1], asking.hidden.rows)
            for two in sides:
                worker.count(Tile(one, two, top, bottom, 0, len(two)), hidden, begun[top:bottom])


def count_both(one: Side, two: Side, frame: Frame, width: int, onlooker: Onlooker | None = None) -> None:
    """Compare two blocks of one set, each with the other; the items of a block with each other if it is given twice.

    An onlooker is shown every product.
    """
    same = one is two
    worker = _Worker(frame, Unit.of(one.asking.edges.distance), room_for(width, width, both=True), onlooker)
    begun = _hide_from(one.asking, two.first, two.first + len(two))
    if not same:
        _hide_from(two.asking, one.first, one.first + len(one))
    hidden = one.asking.hidden
    for top in range(0, len(one), width):
        bottom = min(top + width, len(one))
        worker.take(one, top, bottom)
        for left in range(0, len(two), width):
            right = min(left + width, len(two))
            here = Lists(hidden.indptr[top : bottom + 1], hidden.rows)
            if same and left < top:  # seen from the other side already; only the lists walk on
                begun[top:bottom] = _places(here, one.first + right)
                continue
            lone = same and left == top  # its own mirror image
            other = replace(two, questions=None) if lone else two
            worker.count(Tile(one, other, top, bottom, left, right), here, begun[top:bottom])


class _Worker:
    """What one worker knows from tile to tile."""

    def __init__(self, frame: Frame, unit: Unit, room: Room, onlooker: Onlooker | None = None) -> None:
        self.frame = frame
        self.onlooker = onlooker
        self.unit = unit
        self.room = room
        self.doubled = room.products
        self.crowded = 0
        self.asked: Lifted | None = None
        self.searched: dict[int, Lifted] = {}  # of the other block, which comes again with every row of tiles

    def take(self, side: Side, top: int, bottom: int) -> None:
        """Take the rows of the tiles to come."""
        self.doubled = -2.0 * side.rows.single[top:bottom]
        self.asked = None

    def count(self, tile: Tile, hidden: Lists, begun: Ints) -> None:
        """Count each side of a tile as negatives of the other.

        Args:
            tile: Who meets whom.
            hidden: Per row, the gallery rows that are no negatives.
            begun: Where each list begins in the tile; moved to where it ends.
        """
        rows, columns = tile.one.rows.cut(tile.top, tile.bottom), tile.two.rows.cut(tile.left, tile.right)
        if self.crowded and self.onlooker is None:
            self.crowded -= 1
            self._count_all(tile, rows, columns, hidden, begun)
            return
        product = self._product(columns.single)
        seen = begun.copy()
        hide(product, tile.two.first + tile.left, len(columns.norms), hidden.indptr, hidden.rows, begun)
        if self.onlooker is not None:
            self.onlooker.see(product, rows, columns, tile.left, lone=not tile.both)
            if self.crowded:
                self.crowded -= 1
                self._count_all(tile, rows, columns, hidden, seen)
                return
        found = sift(product, *tile.sieves(), self.room.listed)
        if found > len(rows.norms) * len(columns.norms) * _MOST:
            self.crowded = _IN_A_ROW
            self._count_all(tile, rows, columns, hidden, seen)
        elif found:
            tile.one.asking.tally.settled[0] += found
            one, two = Points(rows.exact, rows.far), Points(columns.exact, columns.far)
            settle(self.room.listed[:found], one, two, self.unit, *tile.books(self.frame), tile.both, self.room)

    def _product(self, columns: Singles) -> Singles:
        """Return (rows, columns and up to seven more) ``−2S``, a multiple of eight wide."""
        height, width = len(self.doubled), padded(len(columns))
        whole = self.room.products[: height * width].reshape(height, width)
        np.matmul(self.doubled, columns.T, out=whole[:, : len(columns)])
        return whole

    def _count_all(self, tile: Tile, rows: Rows, columns: Rows, hidden: Lists, begun: Ints) -> None:
        """Count all pairs, from a product in float64."""
        height, width = len(rows.norms), len(columns.norms)
        across = Points(columns.exact, columns.far)
        turned = self.room.turned_steps[: height * width if tile.both else 0].reshape(width, -1)
        for top in range(0, height, _STRIP):
            bottom = min(top + _STRIP, height)
            steps = self._steps(tile, rows, columns, slice(top, bottom), hidden, begun)
            if tile.both:
                turn(steps, turned, top)
            book = tile.one.book(tile.top + top, tile.top + bottom, tile.two.first + tile.left, self.frame)
            strip = Points(rows.exact[top:bottom], rows.far[top:bottom])
            count_lines(steps, strip, across, self.unit, book, self.room)
        if tile.both:
            book = tile.two.book(tile.left, tile.right, tile.one.first + tile.top, self.frame)
            count_lines(turned, across, Points(rows.exact, rows.far), self.unit, book, self.room)
        tile.one.asking.tally.settled[0] += height * width

    def _steps(self, tile: Tile, rows: Rows, columns: Rows, some: slice, hidden: Lists, begun: Ints) -> Ints:
        """Return the distances of some rows of a tile in whole steps."""
        asked, searched = self._lifted(tile, rows, columns)
        shape = some.stop - some.start, len(columns.norms)
        squares = self.room.squared[: shape[0] * shape[1]].reshape(shape)
        np.matmul(asked.rows[some], searched.rows.T, out=squares)
        indptr = hidden.indptr[some.start : some.stop + 1]
        hide(squares, tile.two.first + tile.left, shape[1], indptr, hidden.rows, begun[some])
        steps = self.room.steps[: squares.size].reshape(shape)
        doubts, most = asked.doubts[some], searched.doubts.max()
        in_steps(squares, doubts, most, rows.far[some], columns.far, self.unit, steps)
        return steps

    def _lifted(self, tile: Tile, rows: Rows, columns: Rows) -> tuple[Lifted, Lifted]:
        """Return both sides of a tile as sides of a product."""
        if self.asked is None:
            self.asked = lifted(rows.exact, self.frame.centre, asks=True)
        if not len(self.room.turned_steps):
            return self.asked, lifted(columns.exact, self.frame.centre, asks=False)
        if tile.left not in self.searched:
            self.searched[tile.left] = lifted(columns.exact, self.frame.centre, asks=False)
        return self.asked, self.searched[tile.left]


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
