"""The squares of lists of pairs, compiled."""

from __future__ import annotations

import numpy as np

from tripleteval.arrays import Bools, Floats, Ints
from tripleteval.distance.formula import FAR_SQUARED
from tripleteval.engine.compiled import entry
from tripleteval.engine.squared_one import all_in_given_order


@entry
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
        again = np.empty(stop - first, np.int64)
        for j in range(len(again)):
            again[j] = q
        all_in_given_order(rows, again, gallery, listed[first:stop], squared[first:stop])
        for j in range(first, stop):
            if rows_far[q] or gallery_far[listed[j]]:
                squared[j] = FAR_SQUARED
