"""The squares of lists of pairs, compiled."""

from __future__ import annotations

import numba
import numpy as np

from tripleteval.arrays import Bools, Floats, Ints
from tripleteval.distance.formula import FAR_SQUARED
from tripleteval.engine.squared_one import all_in_given_order

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
    """
    for q in order:
        first, stop = indptr[q], indptr[q + 1]
        all_in_given_order(rows, np.full(stop - first, q), gallery, listed[first:stop], squared[first:stop])
        for j in range(first, stop):
            if rows_far[q] or gallery_far[listed[j]]:
                squared[j] = FAR_SQUARED
