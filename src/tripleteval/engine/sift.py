"""What float32 can rule out: of a tile of products, the pairs that may matter, compiled.

A negative matters to a query when it may lie below the query's last edge, or among its nearest. With ``v`` and its
bound as in `frame`, that is ``−2S + (b − its share of the bound) <= limit + the query's share``: one addition and one
comparison per pair and side, eight or sixteen pairs at a time, and a table that turns eight answers into a list.
Both the rows and the columns of a tile may be queries, each the other's gallery.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tripleteval.arrays import AnyArray, Floats, Ints
from tripleteval.engine.compiled import entry, inner
from tripleteval.engine.frame import Numbers, Singles
from tripleteval.engine.room import EIGHT, Answers

SHIFT = 15  # a pair of a tile is its row and its column in one int32, taken apart without a division
COLUMN = 2**SHIFT - 1
# Eight answers of 0 or 1, the first in the lowest byte of a word, become the bits of one byte, the first the lowest.
_TOGETHER, _TOP = np.uint64(0x0102040810204080), np.uint64(56)
_BITS = (np.arange(256)[:, None] >> np.arange(EIGHT)) & 1
_COUNT = _BITS.sum(axis=1)
_WHERE = np.argsort(1 - _BITS, axis=1, kind="stable").astype(np.int32)  # those that are 1 first, in order


class Sieve(NamedTuple):
    """One side of a tile: what its items weigh as gallery, and how far they look as queries.

    Attributes:
        lows: (items,) float32, norm less its share of the bound.
        errors: (items,) twice that share.
        reach: (items,) last edge, in the frame and less the query's norm; -inf where the item is no query.
        nearest: (items,) upper bound of the nearest negative; lowered in place.
        upper: (items, k) upper bounds of the k nearest, ascending; lowered in place.
        own_errors: (items,) the query's share of the bound.
    """

    lows: Singles
    errors: Floats
    reach: Floats
    nearest: Floats
    upper: Floats
    own_errors: Floats


@entry
def hide(product: Singles | Floats, first: int, width: int, indptr: Ints, rows: Ints, cursor: Ints) -> None:
    """Set the listed of the ``width`` gallery rows from ``first`` on to +inf, for each query.

    ``cursor`` walks along the lists from tile to tile.
    """
    for q in range(len(product)):
        place, stop = cursor[q], indptr[q + 1]
        while place < stop and rows[place] < first + width:
            product[q, rows[place] - first] = np.inf
            place += 1
        cursor[q] = place


@entry
def sift(product: Singles, rows: Sieve, columns: Sieve, answers: Answers, listed: Numbers) -> int:
    """List the pairs of the tile that may matter to either side; return how many there are.

    Args:
        product: (rows, columns) ``−2S``, +inf where there is no negative; a multiple of eight columns.
        rows: As many items as rows.
        columns: As many items as columns, or up to seven fewer.
        answers: Room for a row of them.
        listed: Filled with ``row << SHIFT | column``, row by row; a little longer than the tile.
    """
    r_lows, _, r_reach, r_nearest, r_upper, r_own = rows
    c_lows, _, c_reach, c_nearest, c_upper, c_own = columns
    height, width = product.shape
    lows, limits = np.empty(width, np.float32), np.empty(width, np.float32)
    for c in range(len(c_lows)):
        lows[c], limits[c] = c_lows[c], _limit(c_reach, c_nearest, c_upper, c_own, c)
    for c in range(len(c_lows), width):
        lows[c], limits[c] = np.inf, -np.inf
    moving = _any_may_lower(c_reach, c_nearest, c_upper)
    matters, eights, some = answers.single[:width], answers.eights[: width // EIGHT], answers.some
    n = int(np.int64(0))  # of a literal 0 numba would compile versions of its own
    for r in range(height):
        low, limit = r_lows[r], _limit(r_reach, r_nearest, r_upper, r_own, r)
        for c in range(width):
            v = product[r, c]
            matters[c] = (v + lows[c] <= limit) | (v + low <= limits[c])
        start = n
        n = list_answers(eights, r << SHIFT, listed, n, some)
        if moving or _may_lower(r_reach, r_nearest, r_upper, r):
            n = _look_again(product, r, low, limit, lows, limits, rows, columns, listed, start, n)
    return n


@inner
def list_answers(eights: AnyArray, pair: int, listed: Numbers, n: int, some: Numbers) -> int:
    """List the pairs of a row whose answers, eight to a word, are 1; without a branch.

    Few words have any: ``some``, memory for a number per word, is where they stand.
    """
    found = np.uintp(0)
    for eight in range(len(eights)):
        some[found] = eight
        found += np.uintp(eights[eight] != 0)
    for i in range(found):
        word = eights[np.uintp(some[i])]
        answers, place = np.uintp((word * _TOGETHER) >> _TOP), np.uintp(n)
        first = pair + some[i] * EIGHT
        for j in range(EIGHT):
            listed[place + np.uintp(j)] = first + _WHERE[answers, j]
        n += _COUNT[answers]
    return n


@inner
def _look_again(
    product: Singles,
    r: int,
    low: float,
    limit: np.float32,
    lows: Singles,
    limits: Singles,
    rows: Sieve,
    columns: Sieve,
    listed: Numbers,
    start: int,
    stop: int,
) -> int:
    """Keep those of the pairs ``start:stop`` that still matter, and lower the limits of those they are near to."""
    _, r_errors, r_reach, r_nearest, r_upper, r_own = rows
    _, c_errors, c_reach, c_nearest, c_upper, c_own = columns
    n = start
    for i in range(start, stop):  # a limit may have come down since the answers were made
        pair = listed[i]
        c = pair & COLUMN
        to_row, to_column = product[r, c] + lows[c], product[r, c] + low
        matters = False
        if to_row <= limit:
            matters = True
            if _may_lower(r_reach, r_nearest, r_upper, r):
                offer(to_row + c_errors[c] + r_own[r], r_nearest, r_upper, r)
                limit = _limit(r_reach, r_nearest, r_upper, r_own, r)
        if to_column <= limits[c]:
            matters = True
            if _may_lower(c_reach, c_nearest, c_upper, c):
                offer(to_column + r_errors[r] + c_own[c], c_nearest, c_upper, c)
                limits[c] = _limit(c_reach, c_nearest, c_upper, c_own, c)
        listed[n] = pair
        n += matters
    return n


@inner
def _limit(reach: Floats, nearest: Floats, upper: Floats, own_errors: Floats, q: int) -> np.float32:
    # Far below the largest float32, so that nothing hidden (+inf) is ever within a limit.
    return np.float32(min(max(reach[q], nearest[q], upper[q, -1]) + own_errors[q], 1e38))


@inner
def _any_may_lower(reach: Floats, nearest: Floats, upper: Floats) -> bool:
    for q in range(len(reach)):  # noqa: SIM110  # there are no generators in compiled code
        if _may_lower(reach, nearest, upper, q):
            return True
    return False


@inner
def _may_lower(reach: Floats, nearest: Floats, upper: Floats, q: int) -> bool:
    """Return whether the nearest, and not the edges, set the limit of a query."""
    return bool(reach[q] < max(nearest[q], upper[q, -1]))


@inner
def offer(value: float, nearest: Floats, upper: Floats, q: int) -> None:
    """Lower the bounds of a query by a negative that is no farther than ``value``."""
    nearest[q] = min(nearest[q], value)
    place = upper.shape[1] - 1
    if value >= upper[q, place]:
        return
    while place > 0 and upper[q, place - 1] > value:
        upper[q, place] = upper[q, place - 1]
        place -= 1
    upper[q, place] = value
