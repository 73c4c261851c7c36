"""The count of one query's line of a tile, compiled: each thing for all its pairs, so that none waits for another.

The squares come from a product that knows its bound. A pair is computed again, in the order of the reference, where
the boundary between two steps of a sum, an edge, or a distance that is kept lies within that bound.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from tripleteval.arrays import Bools, Floats, Ints
from tripleteval.distance.formula import FAR_SQUARED
from tripleteval.engine.pair_cells import Counts, Places
from tripleteval.engine.squared_cpu import squared_line

_compiled = numba.njit(nogil=True, cache=True, error_model="numpy")

SHIFT = 1.5 * 2.0**52  # added to a number below 2**51, it leaves its nearest whole number in the low bits
_BITS = np.int64(np.float64(SHIFT).view(np.int64))
HALF = 25  # a step is below 2**51; the products of its halves, and sums of a line of them, fit into int64
_LOW = np.int64(2**HALF - 1)
_WORD = np.int64(2**32 - 1)
LIMB = 31
_LIMB = np.int64(2**LIMB - 1)
_PASSED = 3  # edges of a cell that are passed one by one
KEPT = np.int64(-(2**62))  # what is counted from where distances are kept
_MANY = 8  # where more than one in so many pairs of a line is computed again, all are

Columns = npt.NDArray[np.uint32]


class Scales(NamedTuple):
    """How a square becomes a distance, a step and a cell.

    Attributes:
        rooted: Whether the distance is the root of ``squared``.
        steps: Steps per unit of length.
        factor: Distance per unit of length.
        per_unit: Cells per unit of distance.
        reach: How far off a distance may be that is sure of its step.
        cells: How many cells there are.
        relative: How far off a product may be, as a share of the squared lengths of both rows, in steps.
        least: What comes on top.
    """

    rooted: bool
    steps: float
    factor: float
    per_unit: float
    reach: float
    cells: int
    relative: float
    least: float


class Line(NamedTuple):
    """What is known about the pairs of a line.

    Attributes:
        lengths: (width,) float64, the distance before it is scaled back.
        steps: (width,) float64, the same in whole steps, shifted.
        cells: (width,) int32, as in `Cells`.
        listed: (width + 1,) uint32, columns to be looked at one by one.
        scratch: (2, width) float64.
    """

    lengths: Floats
    steps: Floats
    cells: Places
    listed: Columns
    scratch: Floats


class Side(NamedTuple):
    """Where the genuine or the impostor pairs are counted.

    Attributes:
        ruler: (2 K + 3,) float64: the edges in every other place, with one before and one after all distances.
        between: The same memory as int64: in the other places the pairs between two edges, from `KEPT` on where their
            distances are kept.
        at: (K,) int64, the pairs at each edge.
        sums: (4, 2) int64, in two limbs each: of the steps, and of the products of their halves: high, mixed, low.
        kept: (most,) float64, distances that are kept.
        filled: (1,) int64, how many.
    """

    ruler: Floats
    between: Ints
    at: Ints
    sums: Ints
    kept: Floats
    filled: Ints


class Exact(NamedTuple):
    """What a pair is computed from in the order of the reference.

    Attributes:
        query: (dim,) float64, prepared.
        far: Whether it is a zero vector at a distance of its own.
        columns: (dim, width) float64, prepared.
        rows: (width, dim) float64, the same.
        columns_far: (width,) as ``far``.
    """

    query: Floats
    far: bool
    columns: Floats
    rows: Floats
    columns_far: Bools


@_compiled
def measure(product: Floats, norm: float, norms: Floats, scales: Scales, line: Line) -> None:
    """Fill in lengths, steps and cells; a pair that is not sure of its step is put into the last cell.

    Args:
        product: (width,) ``−2S``.
        norm: Squared distance of the query from the centre; endless where it is a zero vector far from all.
        norms: (width,) of the others.
        scales: What a square becomes.
        line: Filled in.
    """
    rooted, per_length, factor, per_unit, _, many, relative, least = scales
    lengths, steps, cells, _, _ = line
    unsure, most = np.int32(many + 1), float(many - 1)
    for c in range(len(product)):
        both = norm + norms[c]
        squared = product[c] + both
        squared = squared if squared > 0.0 else 0.0
        length = np.sqrt(squared) if rooted else squared
        step = length * per_length
        shifted = step + SHIFT
        room = 0.5 - abs(step - (shifted - SHIFT)) - step * 2.0**-51
        # How far the root is off, times itself, is no more than how far the square is.
        sure = (room * length if rooted else room) > both * relative + least
        place = length * factor * per_unit
        place = place if place < most else most
        lengths[c] = length
        steps[c] = shifted
        cells[c] = np.int32(place) if sure else unsure


@_compiled
def tally(cells: Places, counts: Counts, listed: Columns) -> int:
    """Count each pair in its cell, and list those that must be looked at; return how many."""
    many = np.uint64(0)
    for c in range(len(cells)):
        cell = np.uint64(np.uint32(cells[c]))
        count = counts[cell]
        counts[cell] = count + np.int16(count >= 0)
        listed[many] = c
        many += np.uint64(count < 0)
    return np.int64(many)


@_compiled
def settle(listed: Columns, exact: Exact, before: Places, scales: Scales, line: Line, side: Side) -> None:
    """Count the listed pairs of a line into their bins, and keep the distances that are to be kept.

    Args:
        listed: Columns; overwritten.
        exact: Where they are computed from.
        before: Edges before each cell.
        scales: What a square becomes.
        line: The pairs; steps that were in doubt are filled in.
        side: Where they are counted.
    """
    rooted, per_length, factor, per_unit, reach, most, _, _ = scales
    lengths, steps, cells, _, scratch = line
    ruler, between, at, _, kept, fill = side
    again, two = np.uint64(0), np.uint64(2)
    for i in range(len(listed)):  # without a branch to mispredict
        c = np.uint64(listed[i])
        d = lengths[c] * factor
        cell = np.uint32(cells[c])
        place = two * np.uint64(np.uint32(before[np.uint64(cell)]))
        for _ in range(_PASSED):
            place += two * np.uint64(ruler[place + two] < d)
        unsure = cell > np.uint32(most)
        if ruler[place + two] < d and not unsure:
            place = two * np.uint64(_edges_below(ruler, before, per_unit, most, d))
        there = between[place + np.uint64(1)]
        left = unsure | (there < 0) | (ruler[place + two] <= d + reach) | (ruler[place] >= d - reach)
        between[place + np.uint64(1)] = there + np.int64(not left)
        listed[again] = c  # what is read lies ahead of what is written
        again += np.uint64(left)
    many, filled = np.int64(again), fill[0]
    if not many:
        return
    in_order = scratch[0]
    _squares(listed[:many], exact, scratch[1], in_order)
    for i in range(many):
        c = listed[i]
        length = np.sqrt(in_order[i]) if rooted else in_order[i]
        steps[c] = np.rint(length * per_length) + SHIFT
        d = length * factor
        edge = _edges_below(ruler, before, per_unit, most, d)
        if ruler[2 * edge + 2] == d:
            at[edge] += 1
            continue
        there = between[2 * edge + 1]
        between[2 * edge + 1] = there + 1
        if there < 0:
            kept[filled] = d
            filled += 1
    fill[0] = filled


@_compiled
def _edges_below(ruler: Floats, before: Places, per_unit: float, cells: int, d: float) -> int:
    """Return how many edges are smaller than ``d``."""
    cell = np.int64(min(d * per_unit, cells - 1.0))
    low, high = np.int64(before[cell]), np.int64(before[cell + 1])
    while low < high:
        middle = (low + high) >> 1
        if ruler[2 * middle + 2] < d:
            low = middle + 1
        else:
            high = middle
    return low


@_compiled
def _squares(listed: Columns, exact: Exact, whole: Floats, squares: Floats) -> None:
    """Fill in ``squared`` of the listed columns, with the bits of the reference."""
    query, far, columns, rows, columns_far = exact
    many, width = len(listed), columns.shape[1]
    if many * _MANY > width:
        squared_line(query, columns, whole[:width])
        for i in range(many):
            squares[i] = whole[listed[i]]
    else:
        for begin in range(0, many, 2):  # two at a time: an addition does not wait for that of another pair
            one, two = begin, min(begin + 1, many - 1)
            r1, r2 = rows[listed[one]], rows[listed[two]]
            s1 = s2 = 0.0
            for k in range(len(query)):
                d1, d2 = query[k] - r1[k], query[k] - r2[k]
                s1 += d1 * d1
                s2 += d2 * d2
            squares[one], squares[two] = s1, s2
    for i in range(many):
        if far or columns_far[listed[i]]:
            squares[i] = FAR_SQUARED


@_compiled
def add_steps(steps: Floats, sums: Ints) -> None:
    """Add the steps of a line, and their squares, to the sums."""
    total = high = mixed = low = np.int64(0)
    bits = steps.view(np.int64)
    for c in range(len(bits)):
        step = bits[c] - _BITS
        upper, lower = (step >> HALF) & _WORD, step & _LOW
        total += step
        high += upper * upper
        mixed += upper * lower
        low += lower * lower
    sums[0, 0] += total >> LIMB
    sums[0, 1] += total & _LIMB
    sums[1, 0] += high >> LIMB
    sums[1, 1] += high & _LIMB
    sums[2, 0] += mixed >> LIMB
    sums[2, 1] += mixed & _LIMB
    sums[3, 0] += low >> LIMB
    sums[3, 1] += low & _LIMB
