"""What fixed thresholds decide about the pairs of each unit: enough for rates, and for how sure they are."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tripleteval.arrays import Floats, Ints


@dataclass(frozen=True)
class Decisions:
    """Counts per threshold, kind of pair and unit; an impostor pair counts for the units of both its items.

    Attributes:
        thresholds: (T,) float64; a pair is accepted up to it.
        accepted: (T, K, U) int64, impostor pairs accepted.
        impostor: (K, U) int64, impostor pairs.
        rejected: (T, K, U) int64, genuine pairs rejected.
        genuine: (K, U) int64, genuine pairs.
    """

    thresholds: Floats
    accepted: Ints
    impostor: Ints
    rejected: Ints
    genuine: Ints

    @classmethod
    def empty(cls, thresholds: Floats, units: int, kinds: int = 1) -> Decisions:
        """Return the evidence of no pair."""
        each, every = np.zeros((len(thresholds), kinds, units), np.int64), np.zeros((kinds, units), np.int64)
        return cls(thresholds, each, every, each, every)

    def merge(self, other: Decisions) -> Decisions:
        """Return the evidence of both sets of pairs together."""
        return replace(
            self,
            accepted=self.accepted + other.accepted,
            impostor=self.impostor + other.impostor,
            rejected=self.rejected + other.rejected,
            genuine=self.genuine + other.genuine,
        )
