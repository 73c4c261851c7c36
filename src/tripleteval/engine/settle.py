"""What float64 decides of a tile in which few pairs matter, compiled: each listed pair once, for both its sides."""

from __future__ import annotations

import numpy as np

from tripleteval.arrays import AnyArray, Bools, Floats, Ints
from tripleteval.engine.compiled import entry, inner
from tripleteval.engine.frame import Numbers
from tripleteval.engine.lines import Book, Points, count_certain, count_left
from tripleteval.engine.room import Desk, Room
from tripleteval.engine.sift import COLUMN, SHIFT
from tripleteval.engine.squared_one import four_in_any_order, in_any_order
from tripleteval.engine.whole import UNSURE, Bound, Unit, whole_steps

_TINY = 1e-290  # far above what underflow can cost a square of prepared rows, far below every square that matters
_INDEX = np.uintp  # see `lines`


@entry
def settle(
    listed: Numbers, rows: Points, columns: Points, unit: Unit, by_row: Book, by_column: Book, both: bool, room: Room
) -> None:
    """Count the listed pairs into the bins of their queries and offer them to their nearest.

    Args:
        listed: Pairs as ``row << SHIFT | column`` of the tile, row by row; overwritten.
        rows: The rows of the tile.
        columns: Its columns.
        unit: Of the sums.
        by_row: Of the queries that are rows.
        by_column: Of the queries that are columns.
        both: Whether columns are queries.
        room: To work in.
    """
    begins = _begins(listed, len(rows.exact))
    squared, steps, numbers = room.squared[: len(listed)], room.steps[: len(listed)], room.numbers[: len(listed)]
    for r in range(len(rows.exact)):
        estimate(rows.exact, r, columns.exact, listed[begins[r] : begins[r + 1]], squared[begins[r] : begins[r + 1]])
    whole_steps(squared, estimate_bound(rows), unit, steps, numbers)
    if _any(rows.far) or _any(columns.far):
        _doubt_far(begins, listed, rows.far, columns.far, steps)
    _count(steps, listed, begins, rows, columns, unit, by_row, room.desk)
    if both:
        turned = _turn(begins, listed, steps, len(columns.exact), room)
        _count(room.turned_steps, room.turned_rows, turned, columns, rows, unit, by_column, room.desk)


@inner
def _begins(listed: Numbers, rows: int) -> Ints:
    """Leave the columns of the listed pairs, and return where each row begins."""
    begins = _nothing(rows + 1)
    for i in range(len(listed)):
        begins[_INDEX(listed[i] >> SHIFT) + _INDEX(1)] += 1
        listed[i] &= COLUMN
    _add_up(begins)
    return begins


@inner
def estimate(rows: Floats, r: int, columns: Floats, some: AnyArray, squared: Floats) -> None:
    """Fill in ``squared`` of one row and some columns, to within float64."""
    whole = len(some) - len(some) % 4
    for i in range(0, whole, 4):
        a, b, c, d = some[i], some[i + 1], some[i + 2], some[i + 3]
        squared[i], squared[i + 1], squared[i + 2], squared[i + 3] = four_in_any_order(rows, r, columns, a, b, c, d)
    for i in range(whole, len(some)):
        squared[i] = in_any_order(rows, r, columns, some[i])


@inner
def estimate_bound(rows: Points) -> Bound:
    """Return how far off an estimate may be."""
    return Bound((rows.exact.shape[1] + 8) * 2.0**-52, _TINY)


@inner
def _nothing(count: int) -> Ints:
    counts = np.empty(count, np.int64)
    for i in range(count):  # NumPy's zeros take longer to compile than all of this
        counts[i] = 0
    return counts


@inner
def _add_up(counts: Ints) -> None:
    for i in range(1, len(counts)):
        counts[i] += counts[i - 1]


@inner
def _any(flags: Bools) -> bool:
    for flag in flags:  # noqa: SIM110  # there are no generators in compiled code
        if flag:
            return True
    return False


@inner
def _doubt_far(begins: Ints, some: Numbers, rows_far: Bools, columns_far: Bools, steps: Ints) -> None:
    for r in range(len(begins) - 1):
        for i in range(begins[r], begins[r + 1]):
            if rows_far[r] or columns_far[some[i]]:
                steps[i] = UNSURE


@inner
def _turn(begins: Ints, some: Numbers, steps: Ints, columns: int, room: Room) -> Ints:
    """Put the pairs in the order of their columns; return where each column begins."""
    one, two = _INDEX(1), _INDEX(2)
    ends = _nothing(columns + 2)
    for i in range(len(some)):
        ends[_INDEX(some[i]) + two] += 1
    _add_up(ends)
    for r in range(len(begins) - 1):
        for i in range(_INDEX(begins[r]), _INDEX(begins[r + 1])):
            column = _INDEX(some[i]) + one
            place = _INDEX(ends[column])
            ends[column] += 1
            room.turned_steps[place], room.turned_rows[place] = steps[i], r
    return ends[:-1]


@inner
def _count(
    steps: Ints, others: Numbers, begins: Ints, asked: Points, searched: Points, unit: Unit, book: Book, desk: Desk
) -> None:
    left = int(np.int64(0))  # of a literal 0 numba would compile a version of its own
    for q in range(len(begins) - 1):
        if begins[q] == begins[q + 1]:
            continue
        if left + begins[q + 1] - begins[q] > len(desk.exact):
            count_left(left, asked, searched, unit, book, desk)
            left = 0
        left = count_certain(steps, others, begins[q], begins[q + 1], q, unit, book, desk, left)
    count_left(left, asked, searched, unit, book, desk)
