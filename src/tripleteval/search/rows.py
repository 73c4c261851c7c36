"""Vectors as every backend gets them: float32, within [−1, 1], ready for squared Euclidean distance."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tripleteval.arrays import AnyArray, row_blocks
from tripleteval.distance.formula import Distance


@dataclass(frozen=True)
class Frame:
    """How rows are made ready, the same for both sides: prepared as the distance asks, and scaled exactly.

    Attributes:
        distance: Prepares rows: for cosine it normalises them.
        exponent: Prepared rows are multiplied by ``2**-exponent``, which brings every value within [−1, 1].
    """

    distance: Distance
    exponent: int

    @classmethod
    def around(cls, distance: Distance, *sets: AnyArray) -> Frame:
        """Return the frame that fits all vectors of the sets."""
        prepared = (distance.prepare(rows).columns for vectors in sets for rows in row_blocks(vectors))
        return cls(distance, math.frexp(max(float(np.abs(columns).max()) for columns in prepared))[1])

    def rows(self, vectors: AnyArray) -> AnyArray:
        """Return (n, dim) float32 rows, C-contiguous."""
        ready = np.empty(vectors.shape, np.float32)
        at = 0
        for rows in row_blocks(vectors):
            ready[at : at + len(rows)] = np.ldexp(self.distance.prepare(rows).columns, -self.exponent).T
            at += len(rows)
        return ready

    def squared(self, own: AnyArray) -> AnyArray:
        """Return a backend's squared distances in the unit of the engine's ``squared``."""
        scaled: AnyArray = np.ldexp(own.astype(np.float64), 2 * self.exponent)
        return scaled
