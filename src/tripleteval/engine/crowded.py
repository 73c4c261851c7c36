"""What float64 decides of a tile in which most pairs matter, compiled: all of them, from one product in float64."""

from __future__ import annotations

import numpy as np

from tripleteval.arrays import Bools, Floats, Ints
from tripleteval.engine.compiled import entry
from tripleteval.engine.lines import Book, Points, count_certain, count_left, kept_within
from tripleteval.engine.room import Room
from tripleteval.engine.whole import HIDDEN, UNSURE, Bound, Unit, whole_steps

_FIRST = 32  # of a line: what they leave among the nearest rules out most of the rest
_EIGHT = 8


@entry
def in_steps(
    squares: Floats,
    doubts: Floats,
    most: float,
    rows_far: Bools,
    columns_far: Bools,
    unit: Unit,
    steps: Ints,
    numbers: Floats,
) -> None:
    """Fill in the steps of a whole tile.

    Args:
        squares: (rows, columns) to within the doubts of both sides, +inf where there is no negative.
        doubts: (rows,) of the rows.
        most: The largest doubt of a column.
        rows_far: (rows,) where a zero vector is at a distance of its own.
        columns_far: (columns,) likewise.
        unit: Of the steps.
        steps: (rows, columns) int64, filled in.
        numbers: (rows, columns) float64, the same memory.
    """
    some_far = rows_far.any() or columns_far.any()
    for r in range(len(squares)):
        whole_steps(squares[r], Bound(0.0, doubts[r] + most), unit, steps[r], numbers[r])
        for c in range(squares.shape[1]):
            steps[r, c] = HIDDEN if squares[r, c] == np.inf else steps[r, c]
        if some_far:
            for c in range(squares.shape[1]):
                if steps[r, c] != HIDDEN and (rows_far[r] or columns_far[c]):
                    steps[r, c] = UNSURE


@entry
def count_lines(steps: Ints, asked: Points, searched: Points, unit: Unit, book: Book, room: Room) -> None:
    """Count a whole tile into the bins of its queries, and offer it to their nearest.

    Args:
        steps: (queries, items) int64; see `whole`.
        asked: The queries.
        searched: The items.
        unit: Of the steps.
        book: Of the queries.
        room: To work in.
    """
    width = steps.shape[1]
    left = zero = int(np.int64(0))  # of a literal 0 numba would compile versions of its own
    for q in range(len(steps)):
        begin, some = zero, _FIRST
        looking = kept_within(book, q) == np.inf and book.near_squared[q, -1] == np.inf
        while begin < width:
            end = min(begin + some, width) if looking else width
            left = count_certain(steps[q], room.others, begin, end, q, unit, book, room.desk, left)
            if looking or left + width > len(room.desk.exact):
                count_left(left, asked, searched, unit, book, room.desk)
                left = zero
            begin, some = end, 2 * some
    count_left(left, asked, searched, unit, book, room.desk)


@entry
def turn(steps: Ints, turned: Ints, top: int) -> None:
    """Fill in the columns of ``steps`` as rows, from their entry ``top`` on: eight at a time, which caches like."""
    rows, columns = steps.shape
    for first in range(0, rows, _EIGHT):
        for c in range(columns):
            for r in range(first, min(first + _EIGHT, rows)):
                turned[c, top + r] = steps[r, c]
