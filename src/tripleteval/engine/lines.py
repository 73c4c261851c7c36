"""The count of a crowded tile, compiled: line by line and edge by edge, which for few edges beats a search per pair.

The squares come from a product that knows its bound. A pair is computed again, in the order of the reference, where an
edge, the boundary between two steps of a sum, or a place among the nearest lies within that bound.
"""

from __future__ import annotations

import numba
import numpy as np

from tripleteval.arrays import Floats, Ints
from tripleteval.distance.formula import FAR_SQUARED
from tripleteval.engine.nearest import insert
from tripleteval.engine.settle import Book, Points, in_given_order

_compiled = numba.njit(nogil=True, cache=True, error_model="numpy")


@_compiled
def settle_lines(squares: Floats, asked: Points, searched: Points, book: Book, rooted: bool, scale: float) -> None:
    """Count a whole tile into the bins of its queries, and offer it to their nearest.

    Args:
        squares: (queries, items) to within the doubts of both sides, +inf where there is no negative; overwritten.
        asked: The queries.
        searched: The items.
        book: Of the queries.
        rooted: Whether the distance is the root of ``squared``.
        scale: Steps of ``lengths`` per unit of distance.
    """
    width, last = squares.shape[1], book.near_squared.shape[1] - 1
    steps, errors = np.empty(width, np.int64), np.empty(width)
    for q in range(len(squares)):
        line = squares[q]
        _steps(line, q, asked, searched, rooted, scale, errors, steps)
        for c in range(width):
            bound = min(book.kept[q], book.near_squared[q, last])
            if line[c] < np.inf and not line[c] - errors[c] > bound:
                line[c], errors[c] = _exact(asked, q, searched, c), 0.0
                steps[c] = np.int64(np.rint((np.sqrt(line[c]) if rooted else line[c]) * scale))
                if line[c] <= book.near_squared[q, last]:
                    insert(book.near_squared, book.near_rows, q, line[c], book.first + c)
        _count_line(line, q, asked, searched, errors, steps, book)


@_compiled
def _steps(
    line: Floats, q: int, asked: Points, searched: Points, rooted: bool, scale: float, errors: Floats, steps: Ints
) -> None:
    """Fill in the distances in whole steps, and the errors: endless where they leave a choice between two steps."""
    half = 0.5 if rooted else 1.0
    for c in range(len(line)):
        length = (np.sqrt(line[c]) if rooted else line[c]) * scale
        whole = np.rint(length)
        error = asked.doubts[q] + searched.doubts[c]
        sure = abs(length - whole) + length * (error / line[c] * half + 2.0**-51) < 0.5
        errors[c] = error if sure and not (asked.far[q] or searched.far[c]) else np.inf
        steps[c] = np.int64(whole)
    for c in range(len(line)):
        if line[c] == np.inf:
            errors[c], steps[c] = 0.0, 0


@_compiled
def _count_line(line: Floats, q: int, asked: Points, searched: Points, errors: Floats, steps: Ints, book: Book) -> None:
    """Count a line below each edge of its query."""
    first, indptr, edges, edge_rows, _, counts, lengths, _, _ = book
    before = before_length = less = total = near = 0
    counted = -1.0
    for j in range(indptr[q], indptr[q + 1]):
        edge = edges[j]
        if edge != counted:
            less, total, near = _below(line, errors, steps, edge)
            if near and edge < np.inf:
                for c in range(len(line)):
                    if errors[c] > 0 and abs(line[c] - edge) <= errors[c]:
                        line[c], errors[c] = _exact(asked, q, searched, c), 0.0
                less, total, near = _below(line, errors, steps, edge)
            counted = edge
        below, below_length = less, total
        if near and edge < np.inf:
            for c in range(len(line)):
                if line[c] == edge and first + c < edge_rows[j]:
                    below += 1
                    below_length += steps[c]
        counts[j] += below - before
        lengths[j] += below_length - before_length
        before, before_length = below, below_length


@_compiled
def _below(line: Floats, errors: Floats, steps: Ints, edge: float) -> tuple[int, int, int]:
    """Return how many lie below an edge, the sum of their steps, and how many may lie at it."""
    less = total = near = 0
    for c in range(len(line)):
        less += line[c] < edge
        total += steps[c] if line[c] < edge else 0
        near += abs(line[c] - edge) <= errors[c]
    return less, total, near


@_compiled
def _exact(asked: Points, q: int, searched: Points, c: int) -> float:
    far = asked.far[q] or searched.far[c]
    return FAR_SQUARED if far else in_given_order(asked.exact, q, searched.exact, c)
