"""What float64 computes in bulk, compiled: the squares of lists and of whole tiles, and the count of a whole tile."""

from __future__ import annotations

import numba
import numpy as np

from tripleteval.arrays import Bools, Floats, Ints
from tripleteval.distance.formula import FAR_SQUARED
from tripleteval.engine.frame import Singles
from tripleteval.engine.settle import in_given_order, insert

_compiled = numba.njit(nogil=True, cache=True, error_model="numpy")


@_compiled
def listed_squares(
    indptr: Ints, listed: Ints, rows: Floats, rows_far: Bools, gallery: Floats, gallery_far: Bools, squared: Floats
) -> None:
    """Fill in ``squared`` of each row and the gallery rows listed for it, with the bits of the reference.

    Four at a time: each keeps the order of its own sum, and the processor has something to do meanwhile.
    """
    for q in range(len(rows)):
        i, stop = indptr[q], indptr[q + 1]
        while i + 4 <= stop:
            a, b, c, d = listed[i], listed[i + 1], listed[i + 2], listed[i + 3]
            sa = sb = sc = sd = 0.0
            for k in range(rows.shape[1]):
                x = rows[q, k]
                da, db, dc, dd = x - gallery[a, k], x - gallery[b, k], x - gallery[c, k], x - gallery[d, k]
                sa += da * da
                sb += db * db
                sc += dc * dc
                sd += dd * dd
            squared[i], squared[i + 1], squared[i + 2], squared[i + 3] = sa, sb, sc, sd
            i += 4
        while i < stop:
            squared[i] = in_given_order(rows, q, gallery, listed[i])
            i += 1
        for j in range(indptr[q], stop):
            if rows_far[q] or gallery_far[listed[j]]:
                squared[j] = FAR_SQUARED


@_compiled
def every_square(
    rows: Floats, rows_far: Bools, columns: Floats, columns_far: Bools, product: Singles, squares: Floats
) -> None:
    """Fill in ``squared`` of a whole tile with the bits of the reference.

    Args:
        rows: (rows, dim) prepared.
        rows_far: True where a zero vector is at a distance of its own.
        columns: (dim, columns) prepared, one coordinate per row.
        columns_far: As ``rows_far``.
        product: (rows, columns or more) +inf where there is no negative.
        squares: (rows, columns) filled in, +inf where there is no negative.
    """
    dim, width = columns.shape
    whole = dim - dim % 4
    for r in range(len(rows)):
        line = squares[r]
        line[:] = 0.0
        for i in range(0, whole, 4):  # one addition per coordinate and pair, in order, but fewer trips to the cache
            q0, q1, q2, q3 = rows[r, i], rows[r, i + 1], rows[r, i + 2], rows[r, i + 3]
            c0, c1, c2, c3 = columns[i], columns[i + 1], columns[i + 2], columns[i + 3]
            for c in range(width):
                d0, d1, d2, d3 = q0 - c0[c], q1 - c1[c], q2 - c2[c], q3 - c3[c]
                line[c] = (((line[c] + d0 * d0) + d1 * d1) + d2 * d2) + d3 * d3
        for i in range(whole, dim):
            for c in range(width):
                d = rows[r, i] - columns[i, c]
                line[c] += d * d
        for c in range(width):
            if rows_far[r] or columns_far[c]:
                line[c] = FAR_SQUARED
            if product[r, c] == np.inf:
                line[c] = np.inf


@_compiled
def settle_lines(
    squares: Floats,
    first: int,
    edge_indptr: Ints,
    edge_squared: Floats,
    edge_rows: Ints,
    rooted: bool,
    scale: float,
    kept: Floats,
    counts: Ints,
    lengths: Ints,
    near_squared: Floats,
    near_rows: Ints,
) -> None:
    """Count a whole tile into the bins of its rows, which are the queries: line by line, edge by edge.

    For few edges this costs less than finding the bin of every pair. Arguments as in `settle.settle`; ``squares``
    (queries, columns) is +inf where there is no negative.
    """
    queries, width = squares.shape
    steps = np.empty(width, np.int64)
    for q in range(queries):
        line = squares[q]
        for c in range(width):
            length = (np.sqrt(line[c]) if rooted else line[c]) * scale
            steps[c] = np.int64(np.rint(length)) if line[c] < np.inf else 0
        start, stop = edge_indptr[q], edge_indptr[q + 1]
        _count_line(line, steps, first, edge_squared, edge_rows, start, stop, counts, lengths)
        last = near_squared.shape[1] - 1
        for c in range(width):
            if line[c] <= kept[q] and line[c] <= near_squared[q, last] and line[c] < np.inf:
                insert(near_squared, near_rows, q, line[c], first + c)


@_compiled
def _count_line(
    line: Floats,
    steps: Ints,
    first: int,
    edge_squared: Floats,
    edge_rows: Ints,
    start: int,
    stop: int,
    counts: Ints,
    lengths: Ints,
) -> None:
    before = before_length = less = equal = total = 0
    counted = -1.0
    for j in range(start, stop):
        edge = edge_squared[j]
        if edge != counted:
            less = equal = total = 0
            for c in range(len(line)):
                less += line[c] < edge
                equal += line[c] == edge
                total += steps[c] if line[c] < edge else 0
            counted = edge
        below, below_length = less, total
        if equal and edge < np.inf:
            for c in range(len(line)):
                if line[c] == edge and first + c < edge_rows[j]:
                    below += 1
                    below_length += steps[c]
        counts[j] += below - before
        lengths[j] += below_length - before_length
        before, before_length = below, below_length
