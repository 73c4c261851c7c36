"""Impostor pairs counted by what float32 sees of them in passing, where steps are coarse (decision 022), compiled.

Each step is cut into a power of two of cells. What float32 leaves open is a matter of place then: pairs near an edge,
or near the boundary between two steps, lie in cells whose pairs are listed for a second look. All others are counted
in their cell, and what they add to the sums follows from how many lie in each.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from tripleteval.arrays import Floats
from tripleteval.distance.formula import Distance
from tripleteval.engine.compiled import entry, inner
from tripleteval.engine.frame import Singles
from tripleteval.engine.pair_bins import Points, Side, settle
from tripleteval.engine.pair_cells import SMALLEST, Cells, Counts, Places, cell_at, look_at, marked
from tripleteval.engine.pair_lines import Listed, Numbers, Scales, listed_of, tally
from tripleteval.engine.settle import estimate
from tripleteval.evidence.pairs import Ruler

MOST_CELLS = 2**20  # of two bytes; those that are used stay near the processor
_LEAST_PER_STEP = 8  # so that sums of squares fit
_ROUNDED = 2.0**-22  # what a root and a product in float32 may cost, as a share of the place
_WIDEST = 2.0**100  # far within the range of float32
_STEP_OFF = 2.0**-20  # steps; far more than float64 is off where there are few enough steps for cells
_ENDLESS = np.float32(np.inf)


class Glance(NamedTuple):
    """How a product of the frame becomes a cell.

    Attributes:
        rooted: Whether the distance is the root of ``squared``.
        per_length: Cells per unit of length in the frame, or of its square.
        most: Squared lengths of both rows up to which the cells hold.
        cells: How many there are.
    """

    rooted: bool
    per_length: np.float32
    most: np.float32
    cells: int


class Coarse(NamedTuple):
    """Cells that tell steps apart.

    Attributes:
        cells: The cells.
        glance: How float32 finds them.
        per_step: How many make a step.
        scales: What a length in float64 becomes.
    """

    cells: Cells
    glance: Glance
    per_step: int
    scales: Scales


def coarse(ruler: Ruler, distance: Distance, exponent: int, most: float, error: float) -> Coarse | None:
    """Return the cells of a ruler that reaches beyond every distance; ``None`` where steps are too fine for it.

    Args:
        ruler: Where distances are told apart.
        distance: With its steps.
        exponent: Of the frame.
        most: Squared lengths of both rows, in the frame, that most pairs stay below.
        error: How far off the square of such a pair may be in float32.
    """
    step, last, cells = distance.step * distance.factor, float(ruler.edges[-1]), MOST_CELLS
    if not (step > 0 and 0 < last < math.inf):
        return None
    per_step = 2 ** math.floor(math.log2(max((cells - 4) * (step / last), 1.0)))
    unit = distance.factor * math.ldexp(1.0, exponent if distance.rooted else 2 * exponent)
    per_unit = per_step / step
    if per_step < _LEAST_PER_STEP or not 1 / _WIDEST < per_unit * unit < _WIDEST:
        return None
    boundaries = (np.arange(math.ceil(last / step)) + 0.5) * step
    places = np.sort(np.concatenate([ruler.edges, boundaries]))
    margin = _off(places / unit, error, rooted=distance.rooted) * unit + SMALLEST
    fresh = np.zeros(cells + 2, np.int16)
    look_at(fresh, cell_at(places - margin, per_unit, cells), cell_at(places + margin, per_unit, cells))
    fresh[cells - 1] = -1
    found = marked(ruler, fresh, per_unit, step * _STEP_OFF)
    glance = Glance(distance.rooted, np.float32(per_unit * unit), np.float32(most), cells)
    trust = 0.5 - _STEP_OFF
    scales = Scales(distance.rooted, 1 / distance.step, distance.factor, per_unit, found.reach, cells, 0.0, 0.0, trust)
    return Coarse(found, glance, per_step, scales)


def _off(places: Floats, error: float, *, rooted: bool) -> Floats:
    """Return how far off a distance, in the frame, may be that lies on one side of a place and seems to on the other.

    ``squared`` is off by ``error`` at most, and so its root by ``error`` over the larger of the two, or the root of
    ``error``.
    """
    if not rooted:
        return error + _ROUNDED * (places + error)
    root = math.sqrt(error)
    with np.errstate(divide="ignore"):
        return np.minimum(error / places, root) + _ROUNDED * (places + root)


class Memory(NamedTuple):
    """To work in.

    Attributes:
        cells: (columns,) int32.
        columns: (columns + 1,) uint32.
        listed: Room for all pairs of a tile.
    """

    cells: Places
    columns: Numbers
    listed: Listed


def memory_for(height: int, width: int) -> Memory:
    """Return what a tile takes."""
    return Memory(np.empty(width, np.int32), np.empty(width + 1, np.uint32), listed_of(height * width))


@entry
def count(
    product: Singles,
    own: Singles,
    norms: Singles,
    start: int,
    lines: Points,
    points: Points,
    found: Coarse,
    counts: Counts,
    side: Side,
    memory: Memory,
) -> None:
    """Count the impostor pairs of a tile.

    Args:
        product: See `look`, also for the next three.
        own: See there.
        norms: See there.
        start: See there.
        lines: The rows; of their coordinates, only ``rows`` are read.
        points: The columns.
        found: What a product becomes.
        counts: Of the cells.
        side: Where they are counted beside the cells.
        memory: To work in.
    """
    many = look(product, len(points.far), own, norms, start, found.glance, counts, memory)
    measure(memory.listed, many, lines, points, found.scales, memory.columns)
    settle(memory.listed, many, lines, points, found.cells.before, found.scales, side)


@entry
def look(
    product: Singles,
    width: int,
    own: Singles,
    norms: Singles,
    start: int,
    glance: Glance,
    counts: Counts,
    memory: Memory,
) -> int:
    """Count the pairs of a tile in their cells, and list those to be looked at again, line by line; return how many.

    Args:
        product: (lines, columns) ``−2S`` in the frame, +inf where there is no impostor pair.
        width: How many of the columns are items.
        own: (lines,) squared lengths of the rows; endless where a zero vector is far from all.
        norms: (columns,) of the others.
        start: Which column the first row is, where columns up to a row's own form no pair with it; else −1.
        glance: What a product becomes.
        counts: Of the cells.
        memory: Its list is filled with ``line * width + column``.
    """
    cells, columns, pairs, nobody = memory.cells, memory.columns, memory.listed.pairs, np.int32(glance.cells)
    listed = 0
    for q in range(len(product)):
        _place(product[q], own[q], norms, glance, cells)
        cells[width:] = nobody
        if start >= 0:
            cells[: start + q + 1] = nobody
        counts[nobody] = 0  # never full
        many = tally(cells, counts, columns)
        for i in range(many):
            pairs[listed + i] = q * width + columns[i]
        listed += many
    return listed


@inner
def _place(product: Singles, norm: np.float32, norms: Singles, glance: Glance, cells: Places) -> None:
    """Fill in the cells of a line."""
    rooted, per_length, most, many = glance
    nobody, unsure, last = np.int32(many), np.int32(many + 1), np.float32(many - 1)
    for c in range(len(product)):
        both = norm + norms[c]
        squared = max(np.float32(0.0), product[c] + both)
        place = min(last, (np.sqrt(squared) if rooted else squared) * per_length)
        cell = np.int32(place) if both <= most else unsure
        cells[c] = nobody if product[c] == _ENDLESS else cell


@entry
def measure(listed: Listed, many: int, queries: Points, points: Points, scales: Scales, columns: Numbers) -> None:
    """Fill in lengths and cells of listed pairs, in float64; what may be on either side of a step is not sure.

    Args:
        listed: The pairs, in the order of their lines.
        many: How many.
        queries: The lines.
        points: The columns.
        scales: What a length becomes.
        columns: (at least ``points``,) memory.
    """
    pairs, lengths, cells = listed
    width, last = np.uint32(len(points.far)), scales.cells - 1.0
    begin = 0
    while begin < many:
        line, end = pairs[begin] // width, begin
        while end < many and pairs[end] // width == line:
            columns[end - begin] = pairs[end] % width
            end += 1
        some = columns[: end - begin]
        estimate(queries.rows, int(line), points.rows, some, lengths[begin:end])
        for i in range(begin, end):
            length = np.sqrt(lengths[i]) if scales.rooted else lengths[i]
            step = length * scales.steps
            sure = abs(step - np.rint(step)) < scales.trust
            sure &= not (queries.far[line] or points.far[some[i - begin]])
            lengths[i] = length
            cells[i] = np.int32(min(last, length * scales.factor * scales.per_unit)) if sure else scales.cells + 1
        begin = end


@entry
def steps_in(counts: Counts, per_step: int) -> tuple[int, int]:
    """Return the sum of the steps, and of their squares, of the pairs that were counted in cells.

    There are at most 2**27 pairs, and at most 2**17 steps: both sums fit.
    """
    total = squares = np.int64(0)
    for cell in range(len(counts) - 2):
        count = np.int64(counts[cell])
        count = -count if count == np.iinfo(np.int16).min else max(count, np.int64(0))
        step = np.int64((cell + per_step // 2) // per_step)
        total += count * step
        squares += count * step * step
    return int(total), int(squares)
