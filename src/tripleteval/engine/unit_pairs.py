"""Pairs counted by the unit of inference of their items: every pair of a small set, a balanced sample of a large one.

Numbers are never made of this, only their intervals. Rows are shuffled and cut into blocks, and every block meets the
next few, so that each row has the same number of partners. The fewer pairs, the more the units seem to differ; by how
much, two halves of the sample tell. Genuine pairs are all counted where they are few enough to be listed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from tripleteval.arrays import AnyArray, Bools, Floats, Ints
from tripleteval.data.comparison import Comparison
from tripleteval.distance.formula import Distance, Prepared
from tripleteval.engine.genuine import Genuine
from tripleteval.engine.maps import Map
from tripleteval.engine.plan import Order
from tripleteval.engine.squared_some import exactly, nearly
from tripleteval.engine.told_apart import told_apart
from tripleteval.evidence.unit_counts import UnitCounts

MOST_PAIRS = 2**22
BLOCK = 128
MOST_ROWS = MOST_PAIRS // (2 * BLOCK)  # of a sample, so that each block has two partners at least
_ORDERS = 16
_READ_AT_ONCE = 16  # blocks


class Meetings(NamedTuple):
    """Which blocks of queries meet which blocks of the gallery.

    Attributes:
        queries: Rows of each block of queries.
        gallery: Rows of each block of the gallery; in leave-one-out the same.
        searched: Rows of the gallery, be they in a block or not.
        lone: Whether it is leave-one-out.
    """

    queries: list[int]
    gallery: list[int]
    searched: int
    lone: bool

    @classmethod
    def planned(cls, queries: int, gallery: int, *, lone: bool) -> Meetings:
        """Return who meets whom among so many queries and gallery items."""
        return cls(block_sizes(queries), block_sizes(gallery), gallery, lone)

    @property
    def whole(self) -> range:
        """Which partners a block of queries has; 0 is the first of the gallery, or the block itself."""
        return range(len(self.gallery) // 2 + 1 if self.lone else len(self.gallery))

    @property
    def places(self) -> range:
        """Which of its partners each block of queries meets."""
        whole = self.whole
        most = MOST_PAIRS // (sum(self.queries) * BLOCK)
        if most >= len(whole) and sum(self.gallery) == self.searched:
            return whole
        return range(1, min(most, len(whole) - 1) + 1) if self.lone else range(min(most, len(whole)))

    def partners(self, block: int, places: range) -> list[tuple[int, int]]:
        """Return the places at which a block of queries meets a block of the gallery, with the number of that."""
        blocks, each = len(self.gallery), len(self.places)
        if self.lone and places and 2 * places[-1] == blocks and block >= places[-1]:
            places = places[:-1]  # the two blocks have met
        return [(place, (block + place if self.lone else block * each + place) % blocks) for place in places]

    def pairs_of(self, block: int) -> int:
        """Return how many pairs a block of queries makes with all that it meets."""
        return self.queries[block] * sum(self.gallery[other] for _, other in self.partners(block, self.places))

    @property
    def pairs(self) -> int:
        """How many pairs are compared."""
        return sum(map(self.pairs_of, range(len(self.queries))))


def block_sizes(rows: int) -> list[int]:
    """Return how many rows each block of a set has; of a large set only some rows are in one."""
    chosen = min(rows, MOST_ROWS)
    least, more = divmod(chosen, blocks := -(-chosen // BLOCK))
    return [least + (block < more) for block in range(blocks)]


@dataclass(frozen=True)
class UnitPass:
    """The same for every order: blocks of queries ``start:stop``, each with its partners ``first:last``.

    Attributes:
        comparison: Who is compared with whom.
        distance: How.
        cuts: (K,) float64, where distances are told apart.
        asked: (queries,) int64, the unit of each query.
        searched: (gallery,) int64, the unit of each gallery item, in the same numbers.
        units: How many there are.
        queries: Rows of the queries, shuffled and cut into blocks.
        gallery: Rows of the gallery likewise; in leave-one-out the same.
        listed: Whether genuine pairs are listed, and not looked for.
    """

    comparison: Comparison
    distance: Distance
    cuts: Floats
    asked: Ints
    searched: Ints
    units: int
    queries: list[Ints]
    gallery: list[Ints]
    listed: bool = False

    def measure(
        self, mapping: Map, genuine: Genuine | None = None, tell: Callable[[int, int], None] | None = None
    ) -> UnitCounts:
        """Return the evidence of all pairs, or of a sample of them.

        Args:
            mapping: Where orders run.
            genuine: Genuine pairs, where listed: all of them count.
            tell: Called with pairs compared and pairs to compare.
        """
        meetings, step = self.meetings, -(-len(self.queries) // _ORDERS)
        pairs = [meetings.pairs_of(block) for block in range(len(self.queries))]
        places, starts = meetings.places, range(0, len(self.queries), step)
        orders = [Order(a, min(a + step, len(self.queries)), places.start, places.stop) for a in starts]
        found = UnitCounts.empty(self.cuts, self.units) if genuine is None else self._counted(genuine)
        parts, done = mapping(replace(self, listed=genuine is not None), orders), 0
        for order, part in zip(orders, parts, strict=True):
            found = found.merge(part)
            done += sum(pairs[order.start : order.stop])
            if tell is not None:
                tell(done, sum(pairs))
        return found

    @property
    def meetings(self) -> Meetings:
        """Which blocks meet."""
        queries, gallery = ([len(rows) for rows in blocks] for blocks in (self.queries, self.gallery))
        return Meetings(queries, gallery, len(self.comparison.gallery), self.comparison.leave_one_out)

    @property
    def places(self) -> range:
        """Which of its partners each block of queries meets."""
        return self.meetings.places

    @property
    def sampled(self) -> bool:
        """Whether some pairs are left out."""
        return self.places != self.meetings.whole

    def __call__(self, order: Order) -> UnitCounts:
        """Return the evidence of one order; runs inside the worker."""
        found = UnitCounts.empty(self.cuts, self.units)
        for block in range(order.start, order.stop):
            self._meet(block, range(order.first, order.last), found)
        return found

    def _counted(self, genuine: Genuine) -> UnitCounts:
        units = np.stack([self.asked[genuine.queries], self.searched[genuine.rows]], axis=1)
        nothing = np.zeros(0), np.zeros((0, 2), np.int64)
        return UnitCounts.of(self.cuts, self.units, (self.distance.from_squared(genuine.squared), units), nothing)

    def _meet(self, block: int, places: range, found: UnitCounts) -> None:
        """Add the pairs of one block of queries with its partners."""
        rows, lone = self.queries[block], self.comparison.leave_one_out
        partners = self.meetings.partners(block, places)
        if not partners:
            return
        columns = np.concatenate([self.gallery[other] for _, other in partners])
        told = list(told_apart(self.comparison, rows, columns))
        genuine, impostor = np.concatenate([t.genuine for t in told]), np.concatenate([t.impostor for t in told])
        queries, stop = self.distance.prepare(self.comparison.queries.vectors[rows]), 0
        for place, columns, vectors in self._read(partners):
            start, stop = stop, stop + len(columns)
            same, different = genuine[:, start:stop], impostor[:, start:stop]
            if lone and place == 0:
                same, different = np.triu(same, 1), np.triu(different, 1)
            cells = self._cells(queries, self.distance.prepare(vectors))
            if not self.listed:
                self._count(cells, same, rows, columns, found.genuine)
            for counts in [found.impostor, *([found.half] if self.sampled and place % 2 else [])]:
                self._count(cells, different, rows, columns, counts)

    def _read(self, partners: list[tuple[int, int]]) -> Iterator[tuple[int, Ints, AnyArray]]:
        """Yield the places of a block's partners, with their rows of the gallery and the vectors of these."""
        for some in (partners[first : first + _READ_AT_ONCE] for first in range(0, len(partners), _READ_AT_ONCE)):
            met, rows = [place for place, _ in some], [self.gallery[other] for _, other in some]
            # A file is read through for a few rows: once for them all.
            vectors = self.comparison.gallery.vectors[np.concatenate(rows)]
            yield from zip(met, rows, np.split(vectors, np.cumsum([len(each) for each in rows])[:-1]), strict=True)

    def _cells(self, queries: Prepared, tile: Prepared) -> Ints:
        """Return between which cuts the distance of each pair lies; a product tells it of nearly all."""
        squares, doubts = nearly(queries, tile)
        low, high = (self.distance.from_squared(np.maximum(squares + way * doubts, 0.0)) for way in (-1, 1))
        cells = np.searchsorted(self.cuts, low)
        doubtful = high > np.append(self.cuts, np.inf)[cells]
        if doubtful.any():
            exact = exactly(queries, tile, doubtful)[doubtful]
            cells[doubtful] = np.searchsorted(self.cuts, self.distance.from_squared(exact))
        return cells

    def _count(self, cells: Ints, wanted: Bools, rows: Ints, columns: Ints, counts: Ints) -> None:
        """Add every wanted pair of a tile to its cell, for the unit of its row and of its column."""
        of_row, of_column = np.nonzero(wanted)
        for units in (self.asked[rows[of_row]], self.searched[columns[of_column]]):
            np.add.at(counts, (units, cells[wanted]), 1)
