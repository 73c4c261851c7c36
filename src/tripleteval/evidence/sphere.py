"""How queries lie among the gallery on the unit sphere: near their positives, and crowded or not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tripleteval.arrays import Ints
from tripleteval.evidence.fixed_point import FixedPoint

SPAN = 8.0  # squared distances of unit vectors are at most 4, up to rounding


@dataclass(frozen=True)
class Sphere:
    """How a block of queries lies on the unit sphere, distances being those of the unit vectors.

    Attributes:
        crowding: (queries,) sum of exp(−2 d²) over all valid items.
        items: (queries,) int64, how many there are.
        pull: (queries,) sum of d² over the positives.
        positives: (queries,) int64, how many there are.
    """

    crowding: FixedPoint
    items: Ints
    pull: FixedPoint
    positives: Ints

    @classmethod
    def empty(cls, queries: int) -> Sphere:
        """Return the evidence of an empty gallery."""
        nothing = np.zeros(queries, np.int64)
        nil = FixedPoint(nothing, nothing, SPAN * 2.0**-31)
        return cls(nil, nothing, nil, nothing)

    def merge(self, other: Sphere) -> Sphere:
        """Return the evidence of both stretches of gallery together."""
        return Sphere(
            self.crowding.plus(other.crowding),
            self.items + other.items,
            self.pull.plus(other.pull),
            self.positives + other.positives,
        )
