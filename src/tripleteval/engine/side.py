"""One side of a tile: items that are gallery to the other side and, where they ask, queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tripleteval.arrays import Floats, Ints
from tripleteval.data.comparison import Lists
from tripleteval.engine.edges import Edges, Tally
from tripleteval.engine.frame import Frame, Rows, Singles
from tripleteval.engine.levels import Levels
from tripleteval.engine.limits import ANYTHING, Limits
from tripleteval.engine.lines import Book, post
from tripleteval.engine.sift import Sieve

_NO_NUMBERS, _NO_LENGTHS = np.zeros(1, np.int64), np.zeros(1)
_NOBODY = Book(
    first=0,
    indptr=_NO_NUMBERS,
    squared=_NO_LENGTHS,
    rows=_NO_NUMBERS,
    levels=Levels(_NO_NUMBERS, _NO_NUMBERS, _NO_NUMBERS, _NO_NUMBERS, np.zeros(1, np.int32), _NO_NUMBERS, _NO_NUMBERS),
    kept=_NO_LENGTHS,
    certain=_NO_NUMBERS[:, None],
    counts=_NO_NUMBERS,
    lengths=_NO_NUMBERS,
    near_squared=_NO_LENGTHS[:, None],
    near_rows=_NO_NUMBERS[:, None],
)


@dataclass(frozen=True)
class Asking:
    """A block of queries while it is being counted.

    Attributes:
        first: Row of its first query, where the queries are rows of the gallery.
        limits: What may matter to them; lowered in place.
        hidden: Per query, the gallery rows that are not negatives, ascending.
        edges: What to count below.
        levels: The edges once more.
        tally: Filled in place.
        certain: (levels, 2) int64, part of the tally until it is posted.
    """

    first: int
    limits: Limits
    hidden: Lists
    edges: Edges
    levels: Levels
    tally: Tally
    certain: Ints

    @classmethod
    def of(cls, first: int, limits: Limits, hidden: Lists, edges: Edges, levels: Levels, tally: Tally) -> Asking:
        """Return the block before anything was counted."""
        return cls(first, limits, hidden, edges, levels, tally, np.zeros((len(levels.steps), 2), np.int64))

    def post(self) -> None:
        """Complete the tally."""
        post(self.levels, self.certain, self.tally.counts, self.tally.lengths)


@dataclass(frozen=True)
class Side:
    """Items of one side, with what the compiled scans read of them.

    Attributes:
        first: Gallery row of the first item; unused where the items are no gallery.
        rows: The items.
        lows: (items,) float32, norm less its share of the bound.
        errors: (items,) twice that share.
        questions: What they ask; ``None`` where they are gallery only.
    """

    first: int
    rows: Rows
    lows: Singles
    errors: Floats
    questions: Asking | None = None

    @classmethod
    def of(cls, first: int, rows: Rows, frame: Frame, questions: Asking | None = None) -> Side:
        """Return the side whose items are ``rows``."""
        shares = frame.relative * rows.norms
        lows = np.where(rows.far, -ANYTHING, rows.norms - shares).astype(np.float32)
        return cls(first, rows, lows, 2 * np.where(rows.far, ANYTHING, shares), questions)

    @property
    def asking(self) -> Asking:
        """What they ask, where they do."""
        if self.questions is None:
            raise TypeError("items that are gallery only ask nothing")
        return self.questions

    def __len__(self) -> int:
        return len(self.lows)

    def sieve(self, first: int, last: int) -> Sieve:
        """Return how far items ``first:last`` look."""
        lows, errors = self.lows[first:last], self.errors[first:last]
        if self.questions is None:
            never = np.full(len(lows), -np.inf)
            return Sieve(lows, errors, never, never, never[:, None], never)
        limits = self.asking.limits.cut(first, last)
        return Sieve(lows, errors, limits.reach, limits.nearest, limits.upper, limits.own_errors)

    def book(self, first: int, last: int, other: int, frame: Frame) -> Book:
        """Return where items ``first:last`` are counted; ``other`` is the gallery row across."""
        if self.questions is None:
            return _NOBODY
        asking, edges, tally = self.asking, self.asking.edges, self.asking.tally
        return Book(
            other,
            edges.indptr[first : last + 1],
            edges.squared,
            edges.rows,
            asking.levels.cut(first, last),
            asking.limits.cut(first, last).kept(frame),
            asking.certain,
            tally.counts,
            tally.lengths,
            tally.squared[first:last],
            tally.rows[first:last],
        )


class Tile(NamedTuple):
    """Items ``top:bottom`` of one side, who ask, against items ``left:right`` of another, who may."""

    one: Side
    two: Side
    top: int
    bottom: int
    left: int
    right: int

    @property
    def both(self) -> bool:
        """Whether both sides ask."""
        return self.two.questions is not None

    def sieves(self) -> tuple[Sieve, Sieve]:
        """Return how far either side looks."""
        return self.one.sieve(self.top, self.bottom), self.two.sieve(self.left, self.right)

    def books(self, frame: Frame) -> tuple[Book, Book]:
        """Return where either side is counted."""
        return (
            self.one.book(self.top, self.bottom, self.two.first + self.left, frame),
            self.two.book(self.left, self.right, self.one.first + self.top, frame),
        )
