"""The second look at listed pairs, compiled: each into its bin, and again in the order of the reference where need be.

That is where the boundary between two steps of a sum, an edge, or a distance that is kept lies within the error.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tripleteval.arrays import Bools, Floats, Ints
from tripleteval.distance.formula import FAR_SQUARED
from tripleteval.engine.compiled import entry, inner
from tripleteval.engine.pair_cells import EIGHT, Places
from tripleteval.engine.pair_lines import Listed, Numbers, Scales, add_step
from tripleteval.engine.squared_cpu import squared_line
from tripleteval.engine.squared_one import all_in_given_order

KEPT = np.int64(-(2**62))  # what is counted from where distances are kept
BEYOND = 8  # edges after all distances, so that a search may look ahead
_MANY = 8  # where more than one in so many pairs of a line is computed again, all are


class Points(NamedTuple):
    """The items of one side of a tile.

    Attributes:
        columns: (dim, n) float64, prepared.
        rows: (n, dim) float64, the same.
        far: (n,) true where a zero vector is at a distance of its own.
    """

    columns: Floats
    rows: Floats
    far: Bools


class Side(NamedTuple):
    """Where the genuine or the impostor pairs are counted.

    Attributes:
        adds: Whether none of the steps of listed pairs is in ``sums`` yet; else those are that were sure.
        ruler: (2 K + 2 BEYOND + 1,) float64: the edges in every other place, with one before all distances and `BEYOND`
            after them.
        between: The same memory as int64: in the other places the pairs between two edges, from `KEPT` on where their
            distances are kept.
        bins: (2 K + 1,) int64, in every other place the pairs at an edge.
        sums: (4, 2) int64, see `pair_lines.add_step`.
        kept: (most,) float64, distances that are kept.
        filled: (1,) int64, how many.
    """

    adds: bool
    ruler: Floats
    between: Ints
    bins: Ints
    sums: Ints
    kept: Floats
    filled: Ints


@entry
def settle(
    listed: Listed,
    many: int,
    queries: Points,
    points: Points,
    before: Places,
    scales: Scales,
    side: Side,
) -> None:
    """Count listed pairs into their bins, and keep the distances that are to be kept.

    Args:
        listed: The pairs; overwritten.
        many: How many.
        queries: The lines.
        points: The columns.
        before: See `Cells`.
        scales: What a square becomes.
        side: Where they are counted.
    """
    pairs, lengths, cells = listed
    adds, ruler, between, _, sums, _, _ = side
    factor, per_unit, reach, most = scales.factor, scales.per_unit, scales.reach, np.uint32(scales.cells)
    again, one, two = np.uint64(0), np.uint64(1), np.uint64(2)
    for i in range(many):  # without a branch to mispredict
        length, cell = lengths[i], np.uint32(cells[i])
        d = length * factor
        unsure = cell > most
        place = two * np.uint64(before[np.uint64(cell) // np.uint64(EIGHT)])
        place += np.uint64(16) * np.uint64(ruler[place + np.uint64(16)] < d)
        place += np.uint64(8) * np.uint64(ruler[place + np.uint64(8)] < d)
        place += np.uint64(4) * np.uint64(ruler[place + np.uint64(4)] < d)
        place += two * np.uint64(ruler[place + two] < d)
        if ruler[place + two] < d and not unsure:
            place = two * np.uint64(_edges_below(ruler, before, per_unit, scales.cells, d))
        there = between[place + one]
        left = unsure | (there < 0) | (ruler[place + two] <= d + reach) | (ruler[place] >= d - reach)
        between[place + one] = there + np.int64(not left)
        if adds and not left:
            add_step(np.int64(np.rint(length * scales.steps)), sums)
        pairs[again], cells[again] = pairs[i], cells[i]  # what is read lies ahead of what is written
        again += np.uint64(left)
    if again:
        _settle_in_order(pairs[: np.int64(again)], cells, lengths, queries, points, before, scales, side)


@inner
def _settle_in_order(
    pairs: Numbers,
    cells: Places,
    squares: Floats,
    queries: Points,
    points: Points,
    before: Places,
    scales: Scales,
    side: Side,
) -> None:
    """Count pairs by their distance as the reference computes it; ``squares`` is memory."""
    adds, ruler, between, bins, sums, kept, fill = side
    filled = fill[0]
    _in_order(pairs, queries, points, squares)
    for i in range(len(pairs)):
        length = np.sqrt(squares[i]) if scales.rooted else squares[i]
        if adds or cells[i] > scales.cells:
            add_step(np.int64(np.rint(length * scales.steps)), sums)
        d = length * scales.factor
        edge = _edges_below(ruler, before, scales.per_unit, scales.cells, d)
        if ruler[2 * edge + 2] == d:
            bins[2 * edge + 1] += 1
            continue
        there = between[2 * edge + 1]
        between[2 * edge + 1] = there + 1
        if there < 0:
            kept[filled] = d
            filled += 1
    fill[0] = filled


@inner
def _edges_below(ruler: Floats, before: Places, per_unit: float, cells: int, d: float) -> int:
    """Return how many edges are smaller than ``d``."""
    cell = np.int64(min(d * per_unit, cells - 1.0))
    low, high = np.int64(before[cell // EIGHT]), np.int64(before[cell // EIGHT + 1])
    while low < high:
        middle = (low + high) >> 1
        if ruler[2 * middle + 2] < d:
            low = middle + 1
        else:
            high = middle
    return int(low)


@inner
def _in_order(pairs: Numbers, queries: Points, points: Points, squares: Floats) -> None:
    """Fill in ``squared`` of some pairs, with the bits of the reference."""
    width = len(points.far)
    whole, lines, columns = np.empty(width), np.empty(len(pairs), np.int64), np.empty(len(pairs), np.int64)
    for i in range(len(pairs)):
        lines[i], columns[i] = pairs[i] // width, pairs[i] % width
    waiting = begin = 0
    while begin < len(pairs):
        line, end = lines[begin], begin + 1
        while end < len(pairs) and lines[end] == line:
            end += 1
        if (end - begin) * _MANY > width:
            some = slice(waiting, begin)
            all_in_given_order(queries.rows, lines[some], points.rows, columns[some], squares[some])
            squared_line(queries.rows[line], points.columns, whole)
            for i in range(begin, end):
                squares[i] = whole[columns[i]]
            waiting = end
        begin = end
    all_in_given_order(queries.rows, lines[waiting:], points.rows, columns[waiting:], squares[waiting:])
    for i in range(len(pairs)):
        if queries.far[lines[i]] or points.far[columns[i]]:
            squares[i] = FAR_SQUARED
