"""What fixed thresholds decide about the pairs of each class: enough for rates, and for how sure they are."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tripleteval.arrays import Floats, Ints


@dataclass(frozen=True)
class Decisions:
    """Counts per threshold and class; an impostor pair counts for both of its classes.

    Attributes:
        thresholds: (T,) float64; a pair is accepted up to it.
        accepted: (T, C) int64, impostor pairs accepted with a side in each class.
        impostor: (C,) int64, impostor pairs with a side in each class.
        rejected: (T, C) int64, genuine pairs of each class rejected.
        genuine: (C,) int64, genuine pairs of each class.
    """

    thresholds: Floats
    accepted: Ints
    impostor: Ints
    rejected: Ints
    genuine: Ints

    @classmethod
    def empty(cls, thresholds: Floats, classes: int) -> Decisions:
        """Return the evidence of no pair."""
        each, none = np.zeros((len(thresholds), classes), np.int64), np.zeros(classes, np.int64)
        return cls(thresholds, each, none, each, none)

    def merge(self, other: Decisions) -> Decisions:
        """Return the evidence of both sets of pairs together."""
        return replace(
            self,
            accepted=self.accepted + other.accepted,
            impostor=self.impostor + other.impostor,
            rejected=self.rejected + other.rejected,
            genuine=self.genuine + other.genuine,
        )
