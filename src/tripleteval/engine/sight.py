"""What float32 sees of a tile where the steps of a sum are coarse (decision 014), compiled: almost every step.

A product of the frame is sure of its step, but near the boundary between two. Pairs that are not sure, or that may be
among the nearest of a query, are listed, to be computed in float64.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from tripleteval.arrays import Floats
from tripleteval.distance.formula import Distance
from tripleteval.engine.compiled import inner
from tripleteval.engine.frame import SUM_PARTS, Frame, Marks, Numbers, Singles, share
from tripleteval.engine.lines import Book, Points, kept_within
from tripleteval.engine.room import EIGHT, Answers
from tripleteval.engine.sift import SHIFT, list_answers, offer
from tripleteval.engine.whole import LAST_MARK

NOWHERE = LAST_MARK + 1  # instead of a step: of what is no negative, or too far to matter, or listed
UNKNOWN = -1  # instead of how many are listed
ROUNDED = np.float32(2.0**-21)  # of a length, more than a root and two products in float32 round
_HALF = np.float32(0.5 - 2.0**-10)  # a step, less what the boundaries of fine steps are off those of coarse ones
_LARGEST = np.float32(1e38)  # far below what is hidden (+inf)
OUTWARD = 1 + 2.0**-20


class Sight(NamedTuple):
    """How a product of the frame becomes a step.

    Attributes:
        rooted: Whether the distance is the root of ``squared``.
        per_length: Steps per unit of length in the frame, or of its square.
        share: What the bound of the product holds of the squared lengths of both rows.
        least: What it holds whatever they are.
    """

    rooted: bool
    per_length: float
    share: float
    least: float

    @classmethod
    def of(cls, distance: Distance, frame: Frame) -> Sight:
        """Return how steps of sums of a distance are seen in a frame."""
        exponent = frame.exponent if distance.rooted else 2 * frame.exponent
        per_length = math.ldexp(1.0 / distance.step, exponent)
        return cls(distance.rooted, per_length, share(len(frame.centre), SUM_PARTS), frame.least)


class Seen(NamedTuple):
    """One side of a tile.

    Attributes:
        norms: (items,) float64, squared lengths in the frame.
        asks: Whether they are queries.
        points: The items.
        book: Where they are counted.
    """

    norms: Floats
    asks: bool
    points: Points
    book: Book


@inner
def steps_seen(
    product: Singles, rows: Seen, columns: Seen, sight: Sight, answers: Answers, steps: Marks, listed: Numbers
) -> int:
    """Fill in the steps of a tile, and list the pairs that are to be computed.

    Args:
        product: (rows, columns and up to seven more) ``−2S``, +inf where there is no negative.
        rows: The rows.
        columns: The columns.
        sight: What a product becomes.
        answers: Room for a row of them.
        steps: Filled in: (rows, as many columns) int16, `NOWHERE` where there is none to count.
        listed: Filled in: pairs that may be among the nearest of a side that asks, and those that may lie below its
            last edge and are not sure of their step; ``row << SHIFT | column``, row by row.

    Returns:
        How many are listed; `UNKNOWN` where some who ask do not know yet how near their nearest are.
    """
    width = product.shape[1]
    norms, ends, nears = np.empty(width, np.float32), np.empty(width, np.float32), np.empty(width, np.float32)
    norms[:], ends[:], nears[:] = np.inf, -1.0, -1.0
    longest = longest_of(rows.norms)
    for c in range(len(columns.norms)):
        norms[c] = columns.norms[c]
        if columns.asks:
            ends[c], nears[c] = _limits(columns, c, norms[c] + longest, sight)
            if nears[c] == _LARGEST:
                return UNKNOWN
    longest = longest_of(columns.norms)
    rooted, per_length = sight.rooted, np.float32(sight.per_length)
    nowhere, last = np.float32(NOWHERE), np.float32(LAST_MARK)
    doubted, eights, some = answers.single[:width], answers.eights[: width // EIGHT], answers.some
    n = int(np.int64(0))  # of a literal 0 numba would compile versions of its own
    for r in range(len(product)):
        norm, end, near, both = np.float32(rows.norms[r]), np.float32(-1.0), np.float32(-1.0), rows.norms[r] + longest
        if rows.asks:
            end, near = _limits(rows, r, both, sight)
            if near == _LARGEST:
                return UNKNOWN
        error = off_in_steps(both, sight)
        line, out = product[r], steps[r]
        for c in range(width):
            squared = max(np.float32(0.0), line[c] + (norm + norms[c]))
            length = (np.sqrt(squared) if rooted else squared) * per_length
            step = np.rint(length)
            room = _HALF - abs(length - step) - length * ROUNDED
            sure = (room * (length + length - room) if rooted else room) > error
            beyond = length >= last
            doubt = ((length <= end) | (length <= ends[c])) & (beyond | (not sure))
            doubt |= (length <= near) | (length <= nears[c])
            doubted[c] = doubt
            out[c] = np.int16(nowhere if doubt | beyond else step)
        n = list_answers(eights, r << SHIFT, listed, n, some)
    return n


@inner
def look_first(product: Singles, rows: Seen, columns: Seen, sight: Sight) -> None:
    """Tell the queries of a tile how near their nearest are at least, so that they know something."""
    for r in range(len(product)):
        for c in range(len(columns.norms)):
            if product[r, c] == np.inf:
                continue
            norm, other = rows.norms[r], columns.norms[c]
            squared = product[r, c] + off(norm + other, sight)
            if rows.asks and squared + other < max(rows.book.nearest[r], rows.book.upper[r, -1]):
                offer(squared + other, rows.book.nearest, rows.book.upper, r)
            if columns.asks and squared + norm < max(columns.book.nearest[c], columns.book.upper[c, -1]):
                offer(squared + norm, columns.book.nearest, columns.book.upper, c)


@inner
def off(both: float, sight: Sight) -> float:
    """Return how far off a square in the frame may be, of rows whose squared lengths add up to ``both``."""
    return (sight.share * both + sight.least) * OUTWARD


@inner
def off_in_steps(both: float, sight: Sight) -> np.float32:
    """Return how far off the square of a length in steps may be, or the length where that is a square itself."""
    return np.float32(off(both, sight) * sight.per_length * (sight.per_length if sight.rooted else 1.0))


@inner
def longest_of(norms: Floats) -> float:
    """Return the largest of the squared lengths."""
    longest = 0.0
    for norm in norms:
        longest = max(longest, norm)
    return longest


@inner
def _limits(side: Seen, q: int, both: float, sight: Sight) -> tuple[np.float32, np.float32]:
    """Return up to which lengths, in steps, pairs may lie below the last edge of a query, or among its nearest."""
    book = side.book
    edge, near = book.squared[book.indptr[q + 1] - 1], min(kept_within(book, q), book.near_squared[q, -1])
    return _length(edge / book.scale, both, sight), _length(near / book.scale, both, sight)


@inner
def _length(squared: float, both: float, sight: Sight) -> np.float32:
    squared += off(both, sight)
    length = (np.sqrt(squared) if sight.rooted else squared) * sight.per_length
    return min(np.float32(length * OUTWARD), _LARGEST)
