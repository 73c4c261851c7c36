"""The same count, fast: float32 products rule out what they can, float64 decides the rest, bit for bit.

A tile of products stays in cache; one sweep over it lists the pairs that may matter (`sift`), and only these are
computed in float64, with the bits of the reference, and counted (`settle`). What is listed depends on tiles and
threads; what is counted does not. When every query is searched among the others, a tile serves both its sides.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tripleteval.arrays import Floats, Ints
from tripleteval.data.comparison import Lists
from tripleteval.engine.edges import Edges, Tally
from tripleteval.engine.frame import Frame, Rows, Shelf, Singles
from tripleteval.engine.limits import ANYTHING, Limits
from tripleteval.engine.lines import every_square, settle_lines
from tripleteval.engine.settle import settle
from tripleteval.engine.sift import EIGHT, hide, sift, sift_across

_MOST = 0.2  # share of a tile's pairs from which on float64 computes them all
_FEW_EDGES = 100  # per query; from there on it costs less to find the bin of each pair
_NOTHING = np.empty((1, 0))


class Asking(NamedTuple):
    """A block of queries while it is being counted.

    Attributes:
        first: Row of its first query, where the queries are rows of the gallery.
        rows: The queries.
        limits: What may matter to them; lowered in place.
        hidden: Per query, the gallery rows that are not negatives, ascending.
        edges: What to count below.
        tally: Filled in place.
    """

    first: int
    rows: Rows
    limits: Limits
    hidden: Lists
    edges: Edges
    tally: Tally


def count(asking: Asking, shelf: Shelf, first: int, last: int, width: int) -> None:
    """Add the negatives of gallery rows ``first:last`` to the tally, in tiles of ``width`` rows."""
    room = _Room(shelf.frame, width, asking.edges)
    size = len(asking.rows.norms)
    begun = _hide_from(asking, first, last)
    for top in range(0, size, width):
        bottom = min(top + width, size)
        doubled = -2.0 * asking.rows.single[top:bottom]
        for begin in range(first, last, width):
            tile = shelf.rows(begin, min(begin + width, last))
            product = room.product(doubled, tile.single)
            hide(
                product[:, : len(tile.norms)],
                begin,
                asking.hidden.indptr[top : bottom + 1],
                asking.hidden.rows,
                begun[top:bottom],
            )
            room.count(product, asking, top, tile, begin)


def count_both(one: Asking, two: Asking, frame: Frame, width: int) -> None:
    """Compare two blocks of one set, each with the other; the items of a block with each other if it is given twice."""
    same = one is two
    room = _Room(frame, width, one.edges)
    size, across = len(one.rows.norms), len(two.rows.norms)
    begun = _hide_from(one, two.first, two.first + across)
    if not same:
        _hide_from(two, one.first, one.first + size)
    for top in range(0, size, width):
        bottom = min(top + width, size)
        doubled = -2.0 * one.rows.single[top:bottom]
        for left in range(0, across, width):
            tile = two.rows.cut(left, min(left + width, across))
            if same and left < top:  # seen from the other side already; only the lists walk on
                begun[top:bottom] = _places(
                    Lists(one.hidden.indptr[top : bottom + 1], one.hidden.rows), one.first + left + len(tile.norms)
                )
                continue
            product = room.product(doubled, tile.single)
            hide(
                product[:, : len(tile.norms)],
                two.first + left,
                one.hidden.indptr[top : bottom + 1],
                one.hidden.rows,
                begun[top:bottom],
            )
            room.count(product, one, top, tile, two.first + left)
            if not (same and left == top):
                room.count_across(product, two, left, one.rows.cut(top, bottom), one.first + top)


class _Room:
    """The memory one worker computes in, and the tile in it."""

    def __init__(self, frame: Frame, width: int, edges: Edges) -> None:
        self.frame = frame
        self.edges = edges
        self.products = np.zeros((width, _padded(width)), np.float32)
        self.listed = np.empty(self.products.size + EIGHT, np.int32)
        self.squares = _NOTHING[0]
        self.known = _NOTHING

    def product(self, doubled: Singles, columns: Singles) -> Singles:
        """Return (rows, padded columns) ``−2S``."""
        whole = self.products[: len(doubled), : _padded(len(columns))]
        np.matmul(doubled, columns.T, out=whole[:, : len(columns)])
        self.known = _NOTHING
        return whole

    def _know(self, rows: Rows, columns: Rows) -> None:
        """Compute the whole tile in float64: where most pairs matter, line by line costs less than pair by pair."""
        if not self.squares.size:
            self.squares = np.empty(self.products.size)
        shape = len(rows.norms), len(columns.norms)
        self.known = self.squares[: shape[0] * shape[1]].reshape(shape)
        every_square(
            rows.exact, rows.far, np.ascontiguousarray(columns.exact.T), columns.far, self.products, self.known
        )

    def count(self, product: Singles, asking: Asking, top: int, columns: Rows, first: int) -> None:
        """Count the tile's columns as negatives of its rows, which are queries from ``top`` on."""
        bottom = top + len(product)
        limits = asking.limits.cut(top, bottom)
        lows, errors = _lows(columns, self.frame, product.shape[1])
        found = sift(product, lows, errors, limits.reach, limits.nearest, limits.upper, limits.own_errors, self.listed)
        self._settle(found, asking.rows.cut(top, bottom), columns, product.shape[1], first, asking, top, limits)

    def count_across(self, product: Singles, asking: Asking, left: int, rows: Rows, first: int) -> None:
        """Count the tile's rows as negatives of its columns, which are queries from ``left`` on."""
        columns = asking.rows.cut(left, left + product.shape[1])
        limits = asking.limits.cut(left, left + len(columns.norms))
        lows, errors = _lows(rows, self.frame, len(product))
        found = sift_across(
            product, lows, errors, limits.reach, limits.nearest, limits.upper, limits.own_errors, self.listed
        )
        self._settle(found, rows, columns, product.shape[1], first, asking, left, limits, across=True)

    def _settle(
        self,
        found: int,
        rows: Rows,
        columns: Rows,
        width: int,
        first: int,
        asking: Asking,
        start: int,
        limits: Limits,
        *,
        across: bool = False,
    ) -> None:
        if not found:
            return
        if found > len(rows.norms) * width * _MOST and not self.known.size:
            self._know(rows, columns)
        edges, tally, distance = asking.edges, asking.tally, asking.edges.distance
        stop = start + len(limits.norms)
        tally.settled[0] += found
        bins = edges.indptr[start : stop + 1]
        near = tally.squared[start:stop], tally.rows[start:stop]
        rooted, scale, kept = distance.rooted, 1.0 / distance.step, limits.kept(self.frame)
        if self.known.size and bins[-1] - bins[0] <= _FEW_EDGES * (stop - start):
            squares = np.ascontiguousarray(self.known.T) if across else self.known
            settle_lines(
                squares, first, bins, edges.squared, edges.rows, rooted, scale, kept, tally.counts, tally.lengths, *near
            )
            return
        settle(
            self.listed[:found],
            rows.exact,
            rows.far,
            columns.exact,
            columns.far,
            self.known,
            across,
            first,
            bins,
            edges.squared,
            edges.rows,
            rooted,
            scale,
            kept,
            tally.counts,
            tally.lengths,
            *near,
        )


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


def _lows(tile: Rows, frame: Frame, width: int) -> tuple[Singles, Floats]:
    """Return, of each item of a tile, its norm less its share of the bound, and twice that share."""
    shares, lows = np.zeros(width), np.full(width, np.inf, np.float32)
    shares[: len(tile.norms)] = np.where(tile.far, ANYTHING, frame.relative * tile.norms)
    lows[: len(tile.norms)] = np.where(tile.far, -ANYTHING, tile.norms - shares[: len(tile.norms)])
    return lows, 2 * shares
