"""The squares of lists of pairs, compiled."""

from __future__ import annotations

import numba

from tripleteval.arrays import Bools, Floats, Ints
from tripleteval.distance.formula import FAR_SQUARED
from tripleteval.engine.squared_one import in_given_order

_compiled = numba.njit(nogil=True, cache=True, error_model="numpy")


@_compiled
def listed_squares(
    order: Ints,
    indptr: Ints,
    listed: Ints,
    rows: Floats,
    rows_far: Bools,
    gallery: Floats,
    gallery_far: Bools,
    squared: Floats,
) -> None:
    """Fill in ``squared`` of each row and the gallery rows listed for it, with the bits of the reference.

    In this ``order`` of rows, which should bring those together that list the same.
    Four at a time: each keeps the order of its own sum, and the processor has something to do meanwhile.
    """
    for q in order:
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
