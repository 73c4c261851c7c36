"""How the pairs of every unit of inference are spread between fixed distances: what their intervals rest on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tripleteval.arrays import Floats, Ints


@dataclass(frozen=True)
class UnitCounts:
    """Pairs per unit and cell; a pair counts once for each of its two items, so twice in all.

    Attributes:
        cuts: (K,) float64, ascending and distinct; cell ``k`` holds the distances beyond ``cuts[k - 1]``, up to
            and with ``cuts[k]``.
        genuine: (units, K + 1) int64, of genuine pairs.
        impostor: (units, K + 1) int64, of impostor pairs.
        half: (units, K + 1) int64, those of ``impostor`` in one half of a sample; nothing where every pair was counted.
    """

    cuts: Floats
    genuine: Ints
    impostor: Ints
    half: Ints

    @classmethod
    def empty(cls, cuts: Floats, units: int) -> UnitCounts:
        """Return the evidence of no pair."""
        return cls(cuts, *(np.zeros((units, len(cuts) + 1), np.int64) for _ in range(3)))

    @classmethod
    def of(cls, cuts: Floats, units: int, genuine: tuple[Floats, Ints], impostor: tuple[Floats, Ints]) -> UnitCounts:
        """Return the evidence of listed pairs: distances, and (pairs, 2) the units of both items."""
        sides = []
        for distances, of_pair in (genuine, impostor):
            cell = np.searchsorted(cuts, distances)
            place = (of_pair * (len(cuts) + 1) + cell[:, None]).ravel()
            sides.append(np.bincount(place, minlength=units * (len(cuts) + 1)).reshape(units, len(cuts) + 1))
        return cls(cuts, sides[0], sides[1], np.zeros_like(sides[1]))

    def merge(self, other: UnitCounts) -> UnitCounts:
        """Return the evidence of both sets of pairs together."""
        return replace(
            self,
            genuine=self.genuine + other.genuine,
            impostor=self.impostor + other.impostor,
            half=self.half + other.half,
        )
