"""The first look at the pairs of a tile, compiled: line by line, each thing for all pairs of a line.

A product with a known bound gives each pair's distance, which is almost always sure of its step, and of the cell of the
ruler it lies in. There it is counted. What is not sure, lies near an edge, or is genuine, is listed for a second look.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tripleteval.arrays import Floats, Ints
from tripleteval.data.comparison import Lists
from tripleteval.engine.compiled import entry, inner
from tripleteval.engine.pair_cells import Counts, Places
from tripleteval.engine.pairs import HALF
from tripleteval.engine.whole import MAGIC, MAGIC_BITS

_LOW = np.int64(2**HALF - 1)  # a step is below 2**51; products of its halves, and a line of them, fit into int64
_WORD = np.int64(2**32 - 1)
LIMB = 31
_LIMB = np.int64(2**LIMB - 1)

Numbers = npt.NDArray[np.uint32]


class Scales(NamedTuple):
    """How a square becomes a distance, a step and a cell.

    Attributes:
        rooted: Whether the distance is the root of ``squared``.
        steps: Steps per unit of length.
        factor: Distance per unit of length.
        per_unit: Cells per unit of distance.
        reach: How far off a distance may be that is sure of its step: more than ``trust`` steps.
        cells: How many cells there are.
        relative: How far off a product may be, as a share of the squared lengths of both rows, in steps.
        least: What comes on top.
        trust: How many steps off a length may be that is sure of its step: half a step, or less where steps are coarse.
    """

    rooted: bool
    steps: float
    factor: float
    per_unit: float
    reach: float
    cells: int
    relative: float
    least: float
    trust: float


class Line(NamedTuple):
    """What is known about the pairs of a line.

    Attributes:
        lengths: (width,) float64, the distance before it is scaled back.
        steps: (width,) float64, the same in whole steps, shifted; none where that is not sure.
        cells: (width,) int32, as in `Cells`.
        columns: (width + 1,) uint32, those that are listed.
    """

    lengths: Floats
    steps: Floats
    cells: Places
    columns: Numbers


class Listed(NamedTuple):
    """Pairs to look at one by one, in the order of their lines.

    Attributes:
        pairs: (most,) uint32, ``line * width + column``.
        lengths: (most,) float64, as in `Line`.
        cells: (most,) int32, as in `Line`.
    """

    pairs: Numbers
    lengths: Floats
    cells: Places


def listed_of(most: int) -> Listed:
    """Return room for so many pairs."""
    return Listed(np.empty(most + 1, np.uint32), np.empty(most + 1), np.empty(most + 1, np.int32))


@entry
def look(
    products: Floats,
    own: Floats,
    norms: Floats,
    top: int,
    start: int,
    first: int,
    positives: Lists,
    removed: Lists,
    scales: Scales,
    counts: Counts,
    line: Line,
    genuine: Listed,
    impostor: Listed,
    sums: Ints,
    beyond: Ints,
) -> tuple[int, int]:
    """Count impostor pairs in their cells; list the genuine ones, and what must be looked at again.

    Args:
        products: (lines, width) ``−2S``.
        own: (lines,) squared distance of the queries from the centre; endless where a zero vector is far from all.
        norms: (width,) of the others.
        top: Place of the first query in ``positives`` and ``removed``.
        start: Gallery row of that query where rows up to a query's own form no pair with it; else −1.
        first: Gallery row of the first column.
        positives: See `pairs.Sides`.
        removed: See `pairs.Sides`.
        scales: What a square becomes.
        counts: Of the cells.
        line: Memory.
        genuine: Filled in.
        impostor: Filled in.
        sums: (4, 2) int64, the steps of impostor pairs, added to: see `add_step`.
        beyond: (1,) int64, impostor pairs beyond all edges, added to: in a cell they would soon be too many.

    Returns:
        How many genuine and impostor pairs were listed.
    """
    lengths, steps, cells, columns = line
    width, nobody = products.shape[1], np.int32(scales.cells)
    same = others = 0
    for q in range(len(products)):
        skip = min(max(start + q + 1 - first, 0), width) if start >= 0 else 0
        if skip == width:
            continue
        _measure(products[q], own[q], norms, scales, lengths, steps, cells)
        for c in range(skip):
            steps[c], cells[c] = MAGIC, nobody
        end = removed.indptr[top + q + 1]
        for i in range(_from(removed.rows, removed.indptr[top + q], end, first + skip), end):
            c = removed.rows[i] - first
            if c >= width:
                break
            steps[c], cells[c] = MAGIC, nobody
        end = positives.indptr[top + q + 1]
        for i in range(_from(positives.rows, positives.indptr[top + q], end, first + skip), end):
            c = positives.rows[i] - first
            if c >= width:
                break
            genuine.pairs[same], genuine.lengths[same], genuine.cells[same] = q * width + c, lengths[c], cells[c]
            same += 1
            steps[c], cells[c] = MAGIC, nobody
        counts[nobody] = 0  # never full
        many = tally(cells, counts, columns)
        if counts[nobody - 1] > 0:
            beyond[0] += counts[nobody - 1]
            counts[nobody - 1] = 0
        for i in range(many):
            c = columns[i]
            impostor.pairs[others + i], impostor.lengths[others + i] = q * width + c, lengths[c]
            impostor.cells[others + i] = cells[c]
        others += many
        _add_steps(steps, sums)
    return same, others


@inner
def _measure(
    product: Floats, norm: float, norms: Floats, scales: Scales, lengths: Floats, steps: Floats, cells: Places
) -> None:
    """Fill in lengths, steps and cells; a pair that is not sure of its step is put into the last cell."""
    rooted, per_length, factor, per_unit, _, many, relative, least, trust = scales
    unsure, most = np.int32(many + 1), float(many - 1)
    for c in range(len(product)):
        both = norm + norms[c]
        squared = product[c] + both
        squared = max(0.0, squared)
        length = np.sqrt(squared) if rooted else squared
        step = length * per_length
        shifted = step + MAGIC
        room = min(trust, 0.5 - abs(step - (shifted - MAGIC))) - step * 2.0**-51
        # How far the root is off, times itself, is no more than how far the square is.
        sure = (room * length if rooted else room) > both * relative + least
        place = length * factor * per_unit
        place = min(most, place)
        lengths[c] = length
        steps[c] = shifted if sure else MAGIC
        cells[c] = np.int32(place) if sure else unsure


@inner
def tally(cells: Places, counts: Counts, listed: Numbers) -> int:
    """Count each pair in its cell, and list those that must be looked at; return how many."""
    many = np.uint64(0)
    for c in range(len(cells)):  # without a branch to mispredict
        cell = np.uint64(np.uint32(cells[c]))
        count = counts[cell]
        counts[cell] = count + np.int16(count >= 0)
        listed[many] = c
        many += np.uint64(count < 0)
    return int(many)


@inner
def _from(rows: Ints, low: int, high: int, row: int) -> int:
    """Return the first place from ``low`` on whose row is no smaller than ``row``."""
    while low < high:
        middle = (low + high) >> 1
        if rows[middle] < row:
            low = middle + 1
        else:
            high = middle
    return low


@inner
def _add_steps(steps: Floats, sums: Ints) -> None:
    """Add the steps of a line, and their squares, to the sums."""
    total = high = mixed = low = np.int64(0)
    bits = steps.view(np.int64)
    for c in range(len(bits)):
        step = bits[c] - MAGIC_BITS
        upper, lower = (step >> HALF) & _WORD, step & _LOW
        total += step
        high += upper * upper
        mixed += upper * lower
        low += lower * lower
    _add(total, high, mixed, low, sums)


@inner
def add_step(step: np.int64, sums: Ints) -> None:
    """Add a step to (4, 2) sums, in two limbs each: of the steps, and of the products of their halves."""
    upper, lower = step >> HALF, step & _LOW
    _add(step, upper * upper, upper * lower, lower * lower, sums)


@inner
def _add(total: np.int64, high: np.int64, mixed: np.int64, low: np.int64, sums: Ints) -> None:
    sums[0, 0] += total >> LIMB
    sums[0, 1] += total & _LIMB
    sums[1, 0] += high >> LIMB
    sums[1, 1] += high & _LIMB
    sums[2, 0] += mixed >> LIMB
    sums[2, 1] += mixed & _LIMB
    sums[3, 0] += low >> LIMB
    sums[3, 1] += low & _LIMB
