"""The same count, compiled."""

from __future__ import annotations

import numpy as np

from tripleteval.arrays import Bools, Floats, Ints
from tripleteval.engine.compiled import entry


@entry
def count(distances: Floats, wanted: Bools, asked: Ints, searched: Ints, cuts: Floats, counts: Ints) -> None:
    """Add every wanted pair of a tile to the cell of its distance, for the unit of its row and of its column."""
    for row in range(distances.shape[0]):
        for column in range(distances.shape[1]):
            if wanted[row, column]:
                cell = np.searchsorted(cuts, distances[row, column])
                counts[asked[row], cell] += 1
                counts[searched[column], cell] += 1
