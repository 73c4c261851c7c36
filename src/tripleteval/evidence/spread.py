"""Sums of distances from each query to the gallery items of every class."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tripleteval.arrays import Floats, Ints
from tripleteval.evidence.fixed_point import FixedPoint


@dataclass(frozen=True)
class Spread:
    """Distances of a block of queries, summed by the class of the gallery item.

    Attributes:
        own: (queries,) int64, the class of each query, -1 where the gallery does not know it.
        sums: (queries, classes), distances to the valid items of each class.
        counts: (queries, classes) int64, how many there are.
        farthest_own: (queries,) float64, the largest distance within the class, -inf where there is none.
        nearest_other: (queries,) float64, the smallest distance to another class, +inf where there is none.
    """

    own: Ints
    sums: FixedPoint
    counts: Ints
    farthest_own: Floats
    nearest_other: Floats

    @classmethod
    def empty(cls, own: Ints, classes: int, unit: float) -> Spread:
        """Return the evidence of an empty gallery."""
        nothing = np.zeros((len(own), classes), np.int64)
        far = np.full(len(own), np.inf)
        return cls(own, FixedPoint(nothing, nothing, unit), nothing, -far, far)

    def merge(self, other: Spread) -> Spread:
        """Return the evidence of both stretches of gallery together."""
        return replace(
            self,
            sums=self.sums.plus(other.sums),
            counts=self.counts + other.counts,
            farthest_own=np.maximum(self.farthest_own, other.farthest_own),
            nearest_other=np.minimum(self.nearest_other, other.nearest_other),
        )
