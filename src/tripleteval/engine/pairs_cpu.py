"""The same count, fast: a product with a proven bound decides almost every pair, and cells find its bin.

What `counting` yields is `tripleteval.engine.pairs.count_tile`, bit by bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numba
import numpy as np

from tripleteval.arrays import Bools, Floats, Ints
from tripleteval.data.comparison import Lists
from tripleteval.distance.formula import Distance, Prepared
from tripleteval.engine import pair_cells
from tripleteval.engine.pair_cells import Cells, Counts, add_up
from tripleteval.engine.pair_lines import _SHIFT, HALF, LIMB, Edges, Exact, Line, Scales, Side, add_steps, measure, settle, tally
from tripleteval.engine.pairs import Count, Sides, Tile
from tripleteval.engine.squared_product import Centred
from tripleteval.evidence.pairs import Ruler

_compiled = numba.njit(nogil=True, cache=True, error_model="numpy")
_ROWS = 8
_MOST_COUNTED = 2**30  # pairs, before cells are added up: one could hold no more


@contextmanager
def counting(
    sides: Sides, distance: Distance, ruler: Ruler, pairs: int, genuine: Ints, impostor: Ints
) -> Iterator[Count]:
    """Yield what counts a tile; see `tripleteval.engine.pairs.counting`."""
    block = _Block(sides, distance, ruler, pairs, genuine, impostor)
    yield block.count
    block.add_up()


class _Block:
    """The queries of a block, and what one worker counts them in."""

    def __init__(
        self, sides: Sides, distance: Distance, ruler: Ruler, pairs: int, genuine: Ints, impostor: Ints
    ) -> None:
        self.sides, self.ruler, self.bins = sides, ruler, (genuine, impostor)
        cells = pair_cells.cells_for(pairs)
        self.cells = pair_cells.cells_of(ruler, distance.step * distance.factor, cells)
        self.counts = self.cells.fresh.copy()
        self.scales = Scales(
            distance.rooted,
            1.0 / distance.step,
            distance.factor,
            self.cells.per_unit,
            self.cells.reach,
            cells,
        )
        self.queries = np.ascontiguousarray(sides.queries.columns.T)
        self.centre = self.queries.mean(axis=0)
        self.doubled, self.norms, self.doubts = self._centred(self.queries, sides.queries.far)
        self.doubled *= -2.0
        self.products = np.empty(0)
        self.edges = Edges(np.concatenate([[-np.inf], ruler.edges, [np.inf]]), ruler.kept, self.cells.before)
        self.counted = 0

    def _centred(self, rows: Floats, far: Bools) -> Centred:
        centred = Centred.on(self.centre, rows)
        doubts = centred.doubts * (self.scales.steps * (1 + 2.0**-40))
        return centred._replace(doubts=np.where(far, np.inf, doubts))

    def count(self, tile: Prepared, first: int) -> Tile:
        """Count the pairs of one tile."""
        width = tile.columns.shape[1]
        exact = in_rows(tile.columns)
        rows, norms, doubts = self._centred(exact, tile.far)
        size = len(self.queries) * width
        if self.products.size < size:
            self.products = np.empty(size)
        products = self.products[:size].reshape(-1, width)
        np.matmul(self.doubled, rows.T, out=products)
        if self.counted + size > _MOST_COUNTED:
            self.add_up()
        self.counted += size
        kept = np.empty((2, size if self.ruler.kept.any() else 0))
        sums, filled = np.zeros((2, 4, 2), np.int64), np.zeros((2, 1), np.int64)
        one, two = (Side(self.bins[i], sums[i], kept[i], filled[i]) for i in range(2))
        sides = self.sides
        line = Line(
            np.empty(width), np.empty(width), np.empty(width, np.int32), np.empty(width + 1, np.int64), np.empty(width + 1, np.int64), np.empty((2, width))
        )
        _count(
            products,
            (self.queries, sides.queries.far, tile.columns, exact, tile.far),
            (self.norms, self.doubts, norms, doubts),
            first,
            sides.start if sides.once else -1,
            (sides.positives.indptr, sides.positives.rows),
            (sides.removed.indptr, sides.removed.rows),
            self.edges,
            self.scales,
            self.counts,
            line,
            one,
            two,
        )
        return Tile((_moments(sums[0]), _moments(sums[1])), *(kept[i, : filled[i, 0]].copy() for i in range(2)))

    def add_up(self) -> None:
        """Add the cells to the bins of the impostors, and begin anew."""
        add_up(self.counts, self.cells.before, self.bins[1])
        self.counts[:] = self.cells.fresh
        self.counted = 0


def _moments(limbs: Ints) -> tuple[int, int]:
    total, high, mixed, low = ((upper << LIMB) + lower for upper, lower in limbs.tolist())
    return total, (high << 2 * HALF) + (mixed << HALF + 1) + low


@_compiled
def _count(
    products: Floats,
    exact,
    known,
    first: int,
    start: int,
    same,
    removed,
    edges: Edges,
    scales: Scales,
    counts: Counts,
    whole: Line,
    genuine: Side,
    impostor: Side,
) -> None:
    queries, query_far, columns, rows, far = exact
    norms, doubts, tile_norms, tile_doubts = known
    width = products.shape[1]
    nobody, listed = np.int32(scales.cells), whole.listed
    for q in range(len(products)):
        skip = min(max(start + q + 1 - first, 0), width) if start >= 0 else 0
        if skip == width:
            continue
        pair = Exact(queries[q], query_far[q], columns[:, skip:], rows[skip:], far[skip:])
        line = Line(whole.lengths[skip:], whole.steps[skip:], whole.cells[skip:], listed, whole.before, whole.scratch)
        measure(products[q, skip:], norms[q], tile_norms[skip:], doubts[q], tile_doubts[skip:], scales, line)
        many = _columns(removed[1][removed[0][q] : removed[0][q + 1]], first + skip, width - skip, listed)
        _hide(listed[:many], line, nobody)
        many = _columns(same[1][same[0][q] : same[0][q + 1]], first + skip, width - skip, listed)
        if many:
            _count_genuine(listed[:many], pair, edges, scales, line, genuine, nobody)
        many = tally(line.cells, counts, listed, line.before)
        settle(listed[:many], line.before, pair, edges, scales, line, impostor)
        add_steps(line.steps, impostor.sums)


@_compiled
def _count_genuine(columns: Ints, pair: Exact, edges: Edges, scales: Scales, line: Line, side: Side, nobody: int) -> None:
    mine = columns.copy()
    for i in range(len(columns)):
        d = line.lengths[columns[i]] * scales.factor
        line.before[i] = edges.before[np.int64(min(d * scales.per_unit, scales.cells - 1.0))]
    settle(columns, line.before, pair, edges, scales, line, side)
    add_steps(line.steps[mine], side.sums)
    _hide(mine, line, nobody)


@_compiled
def _columns(rows: Ints, first: int, width: int, columns: Ints) -> int:
    """Fill in the columns of those of the rows that lie in a tile; return how many."""
    begin = int(np.searchsorted(rows, first))
    end = int(np.searchsorted(rows, first + width))
    for i in range(begin, end):
        columns[i - begin] = rows[i] - first
    return end - begin


@_compiled
def _hide(columns: Ints, line: Line, nobody: int) -> None:
    """Take columns out of a line: they are in the cell of nobody, and add nothing to a sum."""
    for i in range(len(columns)):
        line.steps[columns[i]] = _SHIFT
        line.cells[columns[i]] = nobody


@_compiled
def in_rows(columns: Floats) -> Floats:
    """Return (width, dim) of (dim, width): the copies of few rows at a time stay in cache."""
    dim, width = columns.shape
    rows = np.empty((width, dim))
    for begin in range(0, width, _ROWS):
        for k in range(dim):
            for c in range(begin, min(begin + _ROWS, width)):
                rows[c, k] = columns[k, c]
    return rows
