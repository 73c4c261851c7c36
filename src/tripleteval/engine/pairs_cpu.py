"""The same count, fast: a product with a proven bound decides almost every pair, and cells find its bin.

What `counting` yields is `tripleteval.engine.pairs.count_tile`, bit by bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numba
import numpy as np

from tripleteval.arrays import Bools, Floats, Ints
from tripleteval.data.comparison import Lists
from tripleteval.distance.formula import Distance, Prepared
from tripleteval.engine import pair_cells
from tripleteval.engine.pair_cells import Counts, Places, add_up
from tripleteval.engine.pair_lines import (
    HALF,
    KEPT,
    LIMB,
    SHIFT,
    Columns,
    Exact,
    Line,
    Scales,
    Side,
    add_steps,
    measure,
    settle,
    tally,
)
from tripleteval.engine.pairs import Count, Counted, Sides, Tile
from tripleteval.engine.squared_product import error_bound
from tripleteval.evidence.pairs import Ruler

_compiled = numba.njit(nogil=True, cache=True, error_model="numpy")
_AT_ONCE = 128  # queries, whose products stay near the processor
_TURNED = 8  # rows that are filled at once: each keeps a place in cache
_MOST_COUNTED = 2**26  # pairs, before cells are added up: few are full by then


@contextmanager
def counting(sides: Sides, distance: Distance, ruler: Ruler, into: Counted, pairs: int) -> Iterator[Count]:
    """Yield what counts a tile; see `tripleteval.engine.pairs.counting`."""
    block = _Block(sides, distance, ruler, pairs)
    yield block.count
    block.add_up()
    for side, bins in zip(block.counted, into, strict=True):
        bins[1::2] += side.at
        bins[::2] += np.where(ruler.kept, side.between[1::2] - KEPT, side.between[1::2])


class _Points(NamedTuple):
    """The items of one side of a tile.

    Attributes:
        rows: (n, dim) float64, prepared.
        far: (n,) true where a zero vector is at a distance of its own.
        norms: (n,) squared distance from the centre, endless where ``far``.
    """

    rows: Floats
    far: Bools
    norms: Floats


class _Block:
    """The queries of a block, and what one worker counts them in."""

    def __init__(self, sides: Sides, distance: Distance, ruler: Ruler, pairs: int) -> None:
        many = pair_cells.cells_for(pairs)
        self.cells = pair_cells.cells_of(ruler, distance.step * distance.factor, many)
        self.counts = self.cells.fresh.copy()
        steps, bound = 1.0 / distance.step, error_bound(len(sides.queries.columns))
        relative, least = (part * steps * (1 + 2.0**-40) for part in bound)
        self.scales = Scales(
            distance.rooted, steps, distance.factor, self.cells.per_unit, self.cells.reach, many, relative, least
        )
        self.sides, self.keeps = sides, bool(ruler.kept.any())
        self.counted = [_side(ruler), _side(ruler)]
        self.since = 0  # pairs, since cells were added up
        self.centre = sides.queries.columns.mean(axis=1)
        self.doubled, self.queries = self._points(sides.queries)
        self.doubled *= -2.0

    def count(self, tile: Prepared, first: int) -> Tile:
        """Count the pairs of one tile; see `tripleteval.engine.pairs.count_tile`."""
        width, start = tile.columns.shape[1], self.sides.start if self.sides.once else -1
        centred, points = self._points(tile)
        size = len(self.doubled) * width
        if self.since + size > _MOST_COUNTED:
            self.add_up()
        self.since += size
        genuine, impostor = (side._replace(kept=np.empty(size if self.keeps else 0)) for side in self.counted)
        listed, scratch = np.empty(width + 1, np.uint32), np.empty((2, width))
        line = Line(np.empty(width), np.empty(width), np.empty(width, np.int32), listed, scratch)
        products = np.empty((min(_AT_ONCE, len(self.doubled)), width))
        for top in range(0, len(self.doubled), _AT_ONCE):
            doubled = self.doubled[top : top + _AT_ONCE]
            np.matmul(doubled, centred.T, out=products[: len(doubled)])
            _count(
                products[: len(doubled)],
                top,
                self.queries,
                points,
                tile.columns,
                first,
                start,
                self.sides.positives,
                self.sides.removed,
                self.cells.before,
                self.counts,
                self.scales,
                line,
                genuine,
                impostor,
            )
        return Tile((_taken(genuine), _taken(impostor)), _kept(genuine), _kept(impostor))

    def add_up(self) -> None:
        """Add the cells to the impostors between edges, and begin anew."""
        add_up(self.counts, self.cells.before, self.counted[1].between)
        self.counts[:] = self.cells.fresh
        self.since = 0

    def _points(self, prepared: Prepared) -> tuple[Floats, _Points]:
        """Return the centred rows of one side, and what else is known about it."""
        rows, centred, norms = _turned(prepared.columns, self.centre)
        norms[prepared.far] = np.inf
        return centred, _Points(rows, prepared.far, norms)


def _side(ruler: Ruler) -> Side:
    """Return where nothing is counted yet."""
    edges = len(ruler.edges)
    places = np.empty(2 * edges + 3)
    between = places.view(np.int64)
    places[::2] = np.concatenate([[-np.inf], ruler.edges, [np.inf]])
    between[1::2] = np.where(ruler.kept, KEPT, 0)
    at, sums, filled = np.zeros(edges, np.int64), np.zeros((4, 2), np.int64), np.zeros(1, np.int64)
    return Side(places, between, at, sums, np.empty(0), filled)


def _taken(side: Side) -> tuple[int, int]:
    """Return the sum of the steps and of their squares, and leave none."""
    total, high, mixed, low = ((upper << LIMB) + lower for upper, lower in side.sums.tolist())
    side.sums[:] = 0
    return total, (high << 2 * HALF) + (mixed << HALF + 1) + low


def _kept(side: Side) -> Floats:
    """Return a copy of the distances that were kept, and leave none."""
    found = side.kept[: side.filled[0]].copy()
    side.filled[:] = 0
    return found


@_compiled
def _count(
    products: Floats,
    top: int,
    queries: _Points,
    points: _Points,
    columns: Floats,
    first: int,
    start: int,
    positives: Lists,
    removed: Lists,
    before: Places,
    counts: Counts,
    scales: Scales,
    whole: Line,
    genuine: Side,
    impostor: Side,
) -> None:
    """Count some queries against a tile.

    Args:
        products: (some, width) ``−2S`` of queries from ``top`` on.
        top: See above.
        queries: Of the block.
        points: Of the tile.
        columns: (dim, width) float64, the same, prepared.
        first: Gallery row of the first of them.
        start: Gallery row of the first query, where rows up to a query's own form no pair with it; else −1.
        positives: See `Sides`.
        removed: See `Sides`.
        before: See `Cells`.
        counts: See `Cells`.
        scales: What a square becomes.
        whole: Memory for a line.
        genuine: Counted into.
        impostor: Counted into.
    """
    width, nobody = products.shape[1], np.int32(scales.cells)
    rows, far, norms = points
    lengths, steps, cells, listed, scratch = whole
    mine = np.empty(width, np.uint32)
    for q in range(top, top + len(products)):
        skip = min(max(start + q + 1 - first, 0), width) if start >= 0 else 0
        if skip == width:
            continue
        begin, size = first + skip, width - skip
        exact = Exact(queries.rows[q], queries.far[q], columns[:, skip:], rows[skip:], far[skip:])
        line = Line(lengths[skip:], steps[skip:], cells[skip:], listed, scratch)
        product = products[q - top, skip:]
        measure(product, queries.norms[q], norms[skip:], scales, line)
        _hide(mine[: _columns(removed, q, begin, size, mine)], line, nobody)
        many = _columns(positives, q, begin, size, mine)
        if many:
            listed[:many] = mine[:many]
            settle(listed[:many], exact, before, scales, line, genuine)
            add_steps(line.steps[mine[:many]], genuine.sums)
            _hide(mine[:many], line, nobody)
        counts[nobody] = 0  # never full
        many = tally(line.cells, counts, listed)
        settle(listed[:many], exact, before, scales, line, impostor)
        add_steps(line.steps, impostor.sums)


@_compiled
def _columns(lists: Lists, q: int, first: int, width: int, columns: Columns) -> int:
    """Fill in the columns of a query's rows that lie in a tile; return how many."""
    rows = lists.rows[lists.indptr[q] : lists.indptr[q + 1]]
    begin = int(np.searchsorted(rows, first))
    end = int(np.searchsorted(rows, first + width))
    for i in range(begin, end):
        columns[i - begin] = rows[i] - first
    return end - begin


@_compiled
def _hide(columns: Columns, line: Line, nobody: int) -> None:
    """Take columns out of a line: they are in the cell of nobody, and add nothing to a sum."""
    for i in range(len(columns)):
        line.steps[columns[i]] = SHIFT
        line.cells[columns[i]] = nobody


@_compiled
def _turned(columns: Floats, centre: Floats) -> tuple[Floats, Floats, Floats]:
    """Return (width, dim) of (dim, width), the same less the centre, and the squared lengths of that."""
    dim, width = columns.shape
    rows, centred, norms = np.empty((width, dim)), np.empty((width, dim)), np.zeros(width)
    for begin in range(0, width, _TURNED):
        end = min(begin + _TURNED, width)
        for k in range(dim):
            for c in range(begin, end):
                rows[c, k] = columns[k, c]
                centred[c, k] = columns[k, c] - centre[k]
                norms[c] += centred[c, k] * centred[c, k]
    return rows, centred, norms
