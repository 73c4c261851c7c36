"""The same count, fast: float32 products rule out what they can, float64 decides the rest, bit for bit.

A tile of products stays in cache; one sweep over it lists the pairs that may matter (`sift`), and only these are
computed in float64, with the bits of the reference, and counted (`settle`). What is listed depends on tiles and
threads; what is counted does not. When every query is searched among the others, a tile serves both its sides.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tripleteval.arrays import Floats, Ints
from tripleteval.data.comparison import Lists
from tripleteval.engine.frame import Frame, Rows, Shelf, Singles
from tripleteval.engine.lines import settle_lines
from tripleteval.engine.settle import Book, Points, settle
from tripleteval.engine.side import Asking, Side
from tripleteval.engine.sift import EIGHT, hide, sift
from tripleteval.engine.squared_product import Doubts, squared_by_product

_MOST = 0.4  # share of a tile's pairs from which on float64 computes them all
_FEW_EDGES = 100  # per query; from there on it costs less to find the bin of each pair
_NOTHING = np.empty((1, 0))
_NO_DOUBTS = Doubts(np.empty(0), np.empty(0))


def count(rows: Rows, asking: Asking, shelf: Shelf, first: int, last: int, width: int) -> None:
    """Add the negatives of gallery rows ``first:last`` to the tally, in tiles of ``width`` rows."""
    room = _Room(shelf.frame, width)
    one = Side.of(asking.first, rows, shelf.frame, asking)
    begun = _hide_from(asking, first, last)
    for top in range(0, len(one), width):
        bottom = min(top + width, len(one))
        room.take(one, top, bottom)
        for begin in range(first, last, width):
            two = Side.of(begin, shelf.rows(begin, min(begin + width, last)), shelf.frame)
            product = room.product(two.rows.single)
            hide(product, begin, asking.hidden.indptr[top : bottom + 1], asking.hidden.rows, begun[top:bottom])
            room.count(product, one, two, top, 0)


def count_both(one: Side, two: Side, frame: Frame, width: int) -> None:
    """Compare two blocks of one set, each with the other; the items of a block with each other if it is given twice."""
    same = one is two
    room = _Room(frame, width)
    begun = _hide_from(one.asking, two.first, two.first + len(two))
    if not same:
        _hide_from(two.asking, one.first, one.first + len(one))
    hidden = one.asking.hidden
    for top in range(0, len(one), width):
        bottom = min(top + width, len(one))
        room.take(one, top, bottom)
        for left in range(0, len(two), width):
            right = min(left + width, len(two))
            here = Lists(hidden.indptr[top : bottom + 1], hidden.rows)
            if same and left < top:  # seen from the other side already; only the lists walk on
                begun[top:bottom] = _places(here, one.first + right)
                continue
            product = room.product(two.rows.single[left:right])
            hide(product, two.first + left, here.indptr, here.rows, begun[top:bottom])
            room.count(product, one, two, top, left, lone=same and left == top)


class _Room:
    """The memory one worker computes in, and the tile in it."""

    def __init__(self, frame: Frame, width: int) -> None:
        self.frame = frame
        self.products = np.zeros((width, _padded(width)), np.float32)
        self.listed = np.empty(self.products.size + EIGHT, np.int32)
        self.sides = np.empty(len(self.listed), np.uint8)
        self.doubled = self.products
        self.squares = _NOTHING[0]

    def take(self, side: Side, top: int, bottom: int) -> None:
        """Take the rows of the tiles to come."""
        self.doubled = -2.0 * side.rows.single[top:bottom]

    def product(self, columns: Singles) -> Singles:
        """Return (rows, columns) ``−2S``, in a row whose length is a multiple of eight."""
        whole = self.products[: len(self.doubled), : len(columns)]
        np.matmul(self.doubled, columns.T, out=whole)
        return whole

    def count(self, product: Singles, one: Side, two: Side, top: int, left: int, *, lone: bool = False) -> None:
        """Count each side of the tile as negatives of the other, or with ``lone`` only for its rows.

        Args:
            product: (rows, columns) of items from ``top`` of ``one`` and from ``left`` of ``two`` on.
            one: Queries.
            two: Gallery, and queries if they ask.
            top: See above.
            left: See above.
            lone: Whether the tile is its own mirror image.
        """
        bottom, right = top + product.shape[0], left + product.shape[1]
        other = replace(two, questions=None) if lone else two
        whole = self.products[: len(product), : _padded(product.shape[1])]
        found = sift(whole, one.sieve(top, bottom), other.sieve(left, right), self.listed, self.sides)
        if not found:
            return
        asking = one.asking
        asking.tally.settled[0] += found
        rows, columns = one.rows.cut(top, bottom), two.rows.cut(left, right)
        known, doubts = _NOTHING, _NO_DOUBTS
        if found > product.size * _MOST:
            known, doubts = self._know(rows, columns)
        one_side, two_side = (
            Points(rows.exact, rows.far, doubts.rows),
            Points(columns.exact, columns.far, doubts.columns),
        )
        by_row = one.book(top, bottom, two.first + left, self.frame)
        by_column = other.book(left, right, one.first + top, self.frame)
        rooted, scale = asking.edges.distance.rooted, 1.0 / asking.edges.distance.step
        if known.size and _few(by_row) and _few(by_column):
            known[product == np.inf] = np.inf
            if other.questions is not None:
                settle_lines(np.ascontiguousarray(known.T), two_side, one_side, by_column, rooted, scale)
            settle_lines(known, one_side, two_side, by_row, rooted, scale)
            return
        settle(self.listed[:found], self.sides[:found], one_side, two_side, known, by_row, by_column, rooted, scale)

    def _know(self, rows: Rows, columns: Rows) -> tuple[Floats, Doubts]:
        """Return ``squared`` of the whole tile as a float64 product gives it, and the doubts of both sides."""
        if not self.squares.size:
            self.squares = np.empty(self.products.size)
        shape = len(rows.norms), len(columns.norms)
        known = self.squares[: shape[0] * shape[1]].reshape(shape)
        return known, squared_by_product(rows.exact, columns.exact, self.frame.centre, known)


def _few(book: Book) -> bool:
    return int(book.indptr[-1] - book.indptr[0]) <= _FEW_EDGES * (len(book.indptr) - 1)


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


def _padded(width: int) -> int:
    return -(-width // EIGHT) * EIGHT
