"""What float64 decides of a tile in which most pairs matter, compiled: all of them, from one product in float64."""

from __future__ import annotations

import numba
import numpy as np

from tripleteval.arrays import Floats
from tripleteval.engine.lines import HIDDEN, UNSURE, Book, Bound, Points, Unit, count_certain, count_left, whole_steps
from tripleteval.engine.room import Room

_FIRST = 32  # of a line: what they leave among the nearest rules out most of the rest
_EIGHT = 8
_compiled = numba.njit(nogil=True, cache=True, error_model="numpy")


@_compiled
def count_lines(
    squares: Floats,
    doubts: Floats,
    most: float,
    asked: Points,
    searched: Points,
    unit: Unit,
    book: Book,
    room: Room,
) -> None:
    """Count a whole tile into the bins of its queries, and offer it to their nearest.

    Args:
        squares: (queries, items) to within the doubts of both sides, +inf where there is no negative; overwritten.
        doubts: (queries,) of the queries.
        most: The largest doubt of an item.
        asked: The queries.
        searched: The items.
        unit: Of the sums.
        book: Of the queries.
        room: To work in.
    """
    width = squares.shape[1]
    steps, others = room.steps[:width], room.others
    some_far = asked.far.any() or searched.far.any()
    left = zero = int(np.int64(0))  # of a literal 0 numba would compile versions of its own
    for q in range(len(squares)):
        line, bound = squares[q], Bound(0.0, doubts[q] + most)
        whole_steps(line, bound, unit, steps)
        for c in range(width):
            steps[c] = HIDDEN if line[c] == np.inf else steps[c]
            line[c] = 0.0 if line[c] == np.inf else line[c]
        if some_far:
            for c in range(width):
                if steps[c] != HIDDEN and (asked.far[q] or searched.far[c]):
                    steps[c] = UNSURE
        begin, some = zero, _FIRST
        while begin < width:
            looking = book.kept[q] == np.inf and book.near_squared[q, -1] == np.inf
            end = min(begin + some, width) if looking else width
            left = count_certain(line, steps, others, begin, end, bound, q, book, room.desk, left)
            if looking or left + width > len(room.desk.exact):
                count_left(left, asked, searched, unit, book, room.desk)
                left = zero
            begin, some = end, 2 * some
    count_left(left, asked, searched, unit, book, room.desk)


@_compiled
def turn(squares: Floats, turned: Floats) -> None:
    """Fill in the columns of ``squares`` as rows, eight entries at a time, which caches like."""
    rows, columns = squares.shape
    for first in range(0, rows, _EIGHT):
        for c in range(columns):
            for r in range(first, min(first + _EIGHT, rows)):
                turned[c, r] = squares[r, c]
