"""One query against some items, compiled: what is certain by a table of levels, the rest in exact arithmetic.

An item that is sure of its step, has no edge in it, and is not among the nearest, is counted at once. Of all others
the distance is computed with the bits of the reference, and so is the place.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tripleteval.arrays import Bools, Floats, Ints
from tripleteval.distance.formula import FAR_SQUARED
from tripleteval.engine.compiled import entry, inner
from tripleteval.engine.frame import Numbers
from tripleteval.engine.levels import Levels, cell_of
from tripleteval.engine.nearest import insert
from tripleteval.engine.room import Desk
from tripleteval.engine.squared_one import all_in_given_order
from tripleteval.engine.whole import Unit, step_of, summed

# Of a number that may be negative each use as an index asks whether it is.
_INDEX = np.uintp
_ROUNDED = 2.0**-49  # of a norm, more than taking it off and adding it again costs


class Points(NamedTuple):
    """The items of one side of a tile.

    Attributes:
        first: Gallery row of the first item.
        exact: (items, dim) float64, prepared.
        far: (items,) true where a zero vector is at a distance of its own.
    """

    first: int
    exact: Floats
    far: Bools


class Book(NamedTuple):
    """Where the queries of one side of a tile are counted.

    Attributes:
        indptr: (queries + 1,) edges of each query; see `edges.Edges`, also for the next two.
        squared: (edges,) float64.
        rows: (edges,) int64.
        levels: The edges once more.
        norms: (queries,) float64; see `limits.Limits`, also for the next two.
        nearest: (queries,) float64.
        upper: (queries, k) float64.
        least: What the bound of the frame holds whatever the norms are.
        scale: What a square in the frame is multiplied by.
        certain: (levels, 2) int64, how many are certain to lie in a level's bin, and the sum of their steps.
        counts: (edges,) int64, of the others; see `edges.Tally`, also for the rest.
        lengths: (edges,) int64.
        near_squared: (queries, k) float64.
        near_rows: (queries, k) int64.
    """

    indptr: Ints
    squared: Floats
    rows: Ints
    levels: Levels
    norms: Floats
    nearest: Floats
    upper: Floats
    least: float
    scale: float
    certain: Ints
    counts: Ints
    lengths: Ints
    near_squared: Floats
    near_rows: Ints


@inner
def kept_within(book: Book, q: int) -> float:
    """Return the ``squared`` beyond which a negative is not among the nearest of a query."""
    bound = max(book.nearest[q], book.upper[q, -1]) + book.norms[q]
    # What is nearer than rounding tells from the norm was lost when that was taken off.
    return float((bound * (1 + 1e-9) + book.norms[q] * _ROUNDED + book.least) * book.scale)


@inner
def count_certain(
    steps: Ints, others: Numbers, begin: int, end: int, q: int, unit: Unit, book: Book, desk: Desk, left: int
) -> int:
    """Count what is certain of items ``begin:end`` for query ``q``, and put the others onto the desk.

    Args:
        steps: Of the items; see `whole`.
        others: Who they are on the other side.
        begin: The first item.
        end: Where they end.
        q: Who asks.
        unit: Of the steps.
        book: Of the queries.
        desk: With room for all of them.
        left: How many are on the desk before.

    Returns:
        How many are on the desk then.
    """
    places, levels, before, certain = desk.places, book.levels.steps, book.levels.before, book.certain
    first, table = _INDEX(book.levels.indptr[q]), _INDEX(book.levels.cells[q])
    low, shift, top = book.levels.low[q], book.levels.shift[q], book.levels.cells[q + 1] - book.levels.cells[q] - 1
    near = step_of(min(kept_within(book, q), book.near_squared[q, -1]), unit)
    line, stop = _INDEX(begin), _INDEX(end)
    for i in range(line, stop):
        places[i - line] = cell_of(steps[i], low, shift, top)
    for i in range(line, stop):
        step, place = steps[i], first + _INDEX(before[table + _INDEX(places[i - line])])
        place += _INDEX(levels[place] < step)
        while levels[place] < step:  # seldom
            place += _INDEX(1)
        if (step > near) & (levels[place] > step):
            certain[place, 0] += 1
            certain[place, 1] += summed(step, unit)
        else:
            desk.asked[left], desk.searched[left] = q, others[i]
            left += 1
    return left


@inner
def count_left(left: int, asked: Points, searched: Points, unit: Unit, book: Book, desk: Desk) -> None:
    """Count the pairs on the desk at exactly their distance, and offer them to the nearest of their queries.

    Args:
        left: How many there are.
        asked: The queries.
        searched: The other side.
        unit: Of the sums.
        book: Of the queries.
        desk: See above.
    """
    _decide(desk.asked[:left], desk.searched[:left], asked, searched, desk.exact)
    for i in range(left):
        q, exact = desk.asked[i], desk.exact[i]
        row, stop = searched.first + desk.searched[i], book.indptr[q + 1]
        place = _edges_upto(book.squared, book.rows, book.indptr[q], stop, exact, row)
        if place < stop:
            book.counts[place] += 1
            book.lengths[place] += summed(step_of(exact, unit), unit)
        if exact <= book.near_squared[q, -1]:
            insert(book.near_squared, book.near_rows, q, exact, row)


@inner
def _decide(q: Ints, c: Ints, asked: Points, searched: Points, exact: Floats) -> None:
    """Fill in ``squared`` with the bits of the reference."""
    all_in_given_order(asked.exact, q, searched.exact, c, exact)
    for i in range(len(q)):
        if asked.far[q[i]] or searched.far[c[i]]:
            exact[i] = FAR_SQUARED


@entry
def post(levels: Levels, certain: Ints, counts: Ints, lengths: Ints) -> None:
    """Add what is certain to the bins of the edges."""
    for q in range(len(levels.indptr) - 1):
        for level in range(levels.indptr[q], levels.indptr[q + 1] - 1):  # what is above all edges is in no bin
            counts[levels.edges[level]] += certain[level, 0]
            lengths[levels.edges[level]] += certain[level, 1]


@inner
def _edges_upto(edges: Floats, edge_rows: Ints, low: int, high: int, squared: float, row: int) -> int:
    """Return the first edge after (squared, row), lexicographically."""
    while low < high:
        middle = (low + high) >> 1
        edge = edges[middle]
        if edge < squared or (edge == squared and edge_rows[middle] <= row):
            low = middle + 1
        else:
            high = middle
    return low
