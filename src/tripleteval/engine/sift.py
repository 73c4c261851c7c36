"""What float32 can rule out: of a tile of products, the pairs that may matter, compiled.

A negative matters when it may lie below the last edge of its query, or among its nearest. With ``v`` and its bound as
in `frame`, that is ``−2S + (b − its share of the bound) <= limit + the query's share``: one addition and one
comparison per pair, eight or sixteen pairs at a time, and a look at every eight answers together.
"""

from __future__ import annotations

import numba
import numpy as np

from tripleteval.arrays import Floats, Ints
from tripleteval.engine.frame import Numbers, Singles

EIGHT = 8
SHIFT = 15  # a pair of a tile is its row and its column in one int32, taken apart without a division
COLUMN = 2**SHIFT - 1
_compiled = numba.njit(nogil=True, cache=True, error_model="numpy")


@_compiled
def hide(product: Singles, first: int, indptr: Ints, rows: Ints, cursor: Ints) -> None:
    """Set the listed gallery rows of each query to +inf; ``cursor`` walks along the lists from tile to tile."""
    queries, width = product.shape
    for q in range(queries):
        place, stop = cursor[q], indptr[q + 1]
        while place < stop and rows[place] < first + width:
            product[q, rows[place] - first] = np.inf
            place += 1
        cursor[q] = place


@_compiled
def sift(
    product: Singles,
    lows: Singles,
    errors: Floats,
    reach: Floats,
    nearest: Floats,
    upper: Floats,
    own_errors: Floats,
    listed: Numbers,
) -> int:
    """List the pairs of the tile that may matter to their row's query; return how many there are.

    Args:
        product: (queries, columns) ``−2S``, +inf where there is no negative; a multiple of eight columns.
        lows: (columns,) norm of each column less its share of the bound, +inf where there is no column.
        errors: (columns,) twice that share.
        reach: (queries,) last edge, in the frame and less the query's norm.
        nearest: (queries,) upper bound of the nearest negative; lowered in place.
        upper: (queries, k) upper bounds of the k nearest, ascending; lowered in place.
        own_errors: (queries,) the query's share of the bound.
        listed: Filled with ``query << SHIFT | column``; a little longer than the tile.
    """
    queries, width = product.shape
    matters = np.empty(width, np.uint8)
    eights = matters.view(np.uint64)
    n = 0
    for q in range(queries):
        limit = _limit(reach, nearest, upper, own_errors, q)
        lowers = _may_lower(reach, nearest, upper, q)
        for c in range(width):
            matters[c] = product[q, c] + lows[c] <= limit
        for eight in range(width // 8):
            if not eights[eight]:
                continue
            start = n
            for c in range(eight * 8, eight * 8 + 8):
                listed[n] = q << SHIFT | c
                n += matters[c]
            if lowers:  # the limit may have come down since the answers were made
                stop, n = n, start
                for i in range(start, stop):
                    c = listed[i] & COLUMN
                    if product[q, c] + lows[c] <= limit:
                        listed[n] = listed[i]
                        n += 1
                        _offer(product[q, c] + lows[c] + errors[c] + own_errors[q], nearest, upper, q)
                        limit = _limit(reach, nearest, upper, own_errors, q)
    return n


@_compiled
def sift_across(
    product: Singles,
    lows: Singles,
    errors: Floats,
    reach: Floats,
    nearest: Floats,
    upper: Floats,
    own_errors: Floats,
    listed: Numbers,
) -> int:
    """List the pairs that may matter to their column's query: `sift` of the same tile, seen from the other side.

    Args:
        product: As in `sift`.
        lows: (rows,) of the rows, which are now the gallery; so are ``errors``.
        errors: See `sift`.
        reach: (columns,) of the columns, which are now the queries; so are ``nearest``, ``upper``, ``own_errors``.
        nearest: See `sift`.
        upper: See `sift`.
        own_errors: See `sift`.
        listed: Filled with ``row << SHIFT | column``.
    """
    rows, width = product.shape
    limits = np.full(width, -np.inf, np.float32)
    for c in range(len(reach)):
        limits[c] = _limit(reach, nearest, upper, own_errors, c)
    matters = np.empty(width, np.uint8)
    eights = matters.view(np.uint64)
    n = 0
    for r in range(rows):
        low = lows[r]
        for c in range(width):
            matters[c] = product[r, c] + low <= limits[c]
        for eight in range(width // 8):
            if not eights[eight]:
                continue
            start = n
            for c in range(eight * 8, eight * 8 + 8):
                listed[n] = r << SHIFT | c
                n += matters[c]
            for i in range(start, n):
                c = listed[i] & COLUMN
                if _may_lower(reach, nearest, upper, c):
                    _offer(product[r, c] + low + errors[r] + own_errors[c], nearest, upper, c)
                    limits[c] = _limit(reach, nearest, upper, own_errors, c)
    return n


@_compiled
def _limit(reach: Floats, nearest: Floats, upper: Floats, own_errors: Floats, q: int) -> np.float32:
    # Far below the largest float32, so that nothing hidden (+inf) is ever within a limit.
    return np.float32(min(max(reach[q], nearest[q], upper[q, -1]) + own_errors[q], 1e38))


@_compiled
def _may_lower(reach: Floats, nearest: Floats, upper: Floats, q: int) -> bool:
    """Return whether the nearest, and not the edges, set the limit of a query."""
    return bool(reach[q] < max(nearest[q], upper[q, -1]))


@_compiled
def _offer(value: float, nearest: Floats, upper: Floats, q: int) -> None:
    nearest[q] = min(nearest[q], value)
    place = upper.shape[1] - 1
    if value >= upper[q, place]:
        return
    while place > 0 and upper[q, place - 1] > value:
        upper[q, place] = upper[q, place - 1]
        place -= 1
    upper[q, place] = value
