"""A few pairs of a tile in float64, compiled: pair by pair, where most rows have one or two of them."""

from __future__ import annotations

import numpy as np

from tripleteval.arrays import Floats, Ints
from tripleteval.engine.compiled import inner
from tripleteval.engine.frame import Numbers
from tripleteval.engine.levels import cell_of
from tripleteval.engine.lines import count_left, kept_within
from tripleteval.engine.room import Room
from tripleteval.engine.settle import estimate, estimate_bound
from tripleteval.engine.sift import COLUMN, SHIFT
from tripleteval.engine.sight import Seen
from tripleteval.engine.whole import Unit, summed, whole_steps

_INWARD = 1 - 2.0**-30  # far more than an estimate is off


@inner
def settle_pairs(listed: Numbers, rows: Seen, columns: Seen, unit: Unit, both: bool, room: Room) -> None:
    """Count listed pairs, and offer them to the nearest.

    Args:
        listed: Pairs as ``row << SHIFT | column``, row by row.
        rows: The rows, who ask.
        columns: The columns.
        unit: Of steps.
        both: Whether they are counted for the columns, too.
        room: To work in.
    """
    squared, some, begin = room.squared[: len(listed)], room.desk.places, 0
    while begin < len(listed):
        row, end = listed[begin] >> SHIFT, begin
        while end < len(listed) and listed[end] >> SHIFT == row:
            some[end - begin] = listed[end] & COLUMN
            end += 1
        estimate(rows.points.exact, row, columns.points.exact, some[: end - begin], squared[begin:end])
        begin = end
    steps, numbers = room.steps[: len(listed)], room.numbers[: len(listed)]
    whole_steps(squared, estimate_bound(rows.points), unit, steps, numbers)
    asked, searched = rows, columns
    for side in range(1 + both):
        if side:
            asked, searched = columns, rows
        _enter(listed, side == 1, squared, steps, asked, searched, unit, room)


@inner
def _enter(
    listed: Numbers, turned: bool, squared: Floats, steps: Ints, asked: Seen, searched: Seen, unit: Unit, room: Room
) -> None:
    """Count listed pairs for one side.

    Args:
        listed: The pairs.
        turned: Whether their columns ask.
        squared: To within float64.
        steps: Those of which they are sure.
        asked: Who asks.
        searched: The other side.
        unit: Of steps.
        room: To work in.
    """
    book, desk = asked.book, room.desk
    levels, none = book.levels, int(np.int64(0))  # of a literal 0 numba would compile versions of its own
    left = none
    for i in range(len(listed)):
        q, other, step = listed[i] >> SHIFT, listed[i] & COLUMN, steps[i]
        if turned:
            q, other = other, q
        first, end = levels.cells[q], levels.cells[q + 1]
        place = levels.indptr[q] + levels.before[first + cell_of(step, levels.low[q], levels.shift[q], end - first - 1)]
        while levels.steps[place] < step:
            place += 1
        near = min(kept_within(book, q), book.near_squared[q, -1])
        if (step >= 0) & (levels.steps[place] > step) & (squared[i] * _INWARD > near):
            book.certain[place, 0] += 1
            book.certain[place, 1] += summed(step, unit)
            continue
        desk.asked[left], desk.searched[left] = q, other
        left += 1
        if left == len(desk.exact):
            count_left(left, asked.points, searched.points, unit, book, desk)
            left = none
    count_left(left, asked.points, searched.points, unit, book, desk)
