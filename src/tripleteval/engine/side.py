"""The sides of a tile: items that are gallery to the other side and, where they ask, queries."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from tripleteval.arrays import Floats, Ints
from tripleteval.data.comparison import Lists
from tripleteval.engine.edges import Edges, Tally
from tripleteval.engine.frame import Frame, Rows, Singles
from tripleteval.engine.levels import Levels
from tripleteval.engine.limits import ANYTHING, Limits
from tripleteval.engine.lines import Book, Points, post
from tripleteval.engine.sift import Sieve
from tripleteval.engine.sight import Seen

_NO_NUMBERS, _NO_LENGTHS = np.zeros(1, np.int64), np.zeros(1)
_NOBODY = Book(
    indptr=_NO_NUMBERS,
    squared=_NO_LENGTHS,
    rows=_NO_NUMBERS,
    levels=Levels(
        _NO_NUMBERS,
        _NO_NUMBERS,
        np.zeros(1, np.int16),
        _NO_NUMBERS,
        _NO_NUMBERS,
        np.zeros(1, np.int32),
        _NO_NUMBERS,
        _NO_NUMBERS,
    ),
    norms=_NO_LENGTHS,
    nearest=_NO_LENGTHS,
    upper=_NO_LENGTHS[:, None],
    least=0.0,
    scale=1.0,
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
        frame: What float32 sees of them.
        lows: (items,) float32, norm less its share of the bound.
        errors: (items,) twice that share.
        questions: What they ask; ``None`` where they are gallery only.
    """

    first: int
    rows: Rows
    frame: Frame
    lows: Singles
    errors: Floats
    questions: Asking | None = None

    @classmethod
    def of(cls, first: int, rows: Rows, frame: Frame, questions: Asking | None = None) -> Side:
        """Return the side whose items are ``rows``."""
        shares = frame.relative * rows.norms
        lows = np.where(rows.far, -ANYTHING, rows.norms - shares).astype(np.float32)
        return cls(first, rows, frame, lows, 2 * np.where(rows.far, ANYTHING, shares), questions)

    @property
    def asking(self) -> Asking:
        """What they ask, where they do."""
        if self.questions is None:
            raise TypeError("items that are gallery only ask nothing")
        return self.questions

    def __len__(self) -> int:
        return len(self.lows)

    def stretches(self, width: int) -> list[Stretch]:
        """Return the side in stretches of at most ``width`` items."""
        return [Stretch(self, first, min(first + width, len(self))) for first in range(0, len(self), width)]


@dataclass(frozen=True)
class Stretch:
    """Items ``begin:end`` of a side, who are the rows or the columns of a tile; what is read of them is looked up once.

    Attributes:
        side: Whose items they are.
        begin: The first.
        end: Where they end.
    """

    side: Side
    begin: int
    end: int

    def __len__(self) -> int:
        return self.end - self.begin

    @property
    def first(self) -> int:
        """Gallery row of the first item."""
        return self.side.first + self.begin

    @property
    def asks(self) -> bool:
        """Whether they are queries."""
        return self.side.questions is not None

    def part(self, begin: int, end: int) -> Stretch:
        """Return items ``begin:end`` of the stretch."""
        return Stretch(self.side, self.begin + begin, self.begin + end)

    def silent(self) -> Stretch:
        """Return the same items, asking nothing."""
        return Stretch(replace(self.side, questions=None), self.begin, self.end)

    @cached_property
    def rows(self) -> Rows:
        """The items in both precisions."""
        return self.side.rows.cut(self.begin, self.end)

    @cached_property
    def points(self) -> Points:
        """The items as the compiled counts read them."""
        return Points(self.first, self.rows.exact, self.rows.far)

    @cached_property
    def seen(self) -> Seen:
        """The items as float32 sees a whole tile of them."""
        return Seen(self.rows.norms, self.asks, self.points, self.book)

    @cached_property
    def sieve(self) -> Sieve:
        """How far the items look."""
        lows, errors = self.side.lows[self.begin : self.end], self.side.errors[self.begin : self.end]
        if not self.asks:
            never = np.full(len(lows), -np.inf)
            return Sieve(lows, errors, never, never, never[:, None], never)
        limits = self.side.asking.limits.cut(self.begin, self.end)
        return Sieve(lows, errors, limits.reach, limits.nearest, limits.upper, limits.own_errors)

    @cached_property
    def book(self) -> Book:
        """Where the items are counted."""
        if not self.asks:
            return _NOBODY
        asking, frame, begin, end = self.side.asking, self.side.frame, self.begin, self.end
        edges, tally, limits = asking.edges, asking.tally, asking.limits.cut(begin, end)
        return Book(
            edges.indptr[begin : end + 1],
            edges.squared,
            edges.rows,
            asking.levels.cut(begin, end),
            limits.norms,
            limits.nearest,
            limits.upper,
            frame.least,
            math.ldexp(1.0, 2 * frame.exponent),
            asking.certain,
            tally.counts,
            tally.lengths,
            tally.squared[begin:end],
            tally.rows[begin:end],
        )
