"""How the negatives of each anchor stand to its positives plus a margin."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tripleteval.arrays import Floats, Ints


@dataclass(frozen=True)
class Triplets:
    """Counts per (positive, margin), so that all valid triplets are counted without listing one.

    With ``t = d(a,p) + margin``, evaluated in float64 exactly as written:

    Attributes:
        indptr: (anchors + 1,) int64; the positives of anchor ``i`` are ``indptr[i]:indptr[i + 1]``.
        distance: (positives,) float64, d(a,p).
        margins: (margins,) float64.
        below: (positives, margins) int64, negatives with d(a,n) < t: those with a positive hinge loss.
        upto: (positives, margins) int64, negatives with d(a,n) <= t: those that violate the margin.
        hard: (positives,) int64, negatives with d(a,n) <= d(a,p).
        lengths: (positives, margins) int64, the sum of d(a,n) over ``below``, each in whole steps of
            ``unit``: integers, so that the sum does not depend on its order. Where pairs are many, steps are coarse
            (decision 014).
        unit: Distance that one step of ``lengths`` stands for; a power of two.
        curve_margins: (points,) float64, further margins at which only satisfaction is counted.
        curve_upto: (positives, points) int64, as ``upto``.
        negatives: (anchors,) int64, negatives seen so far.
        nearest_negative: (anchors,) float64, the smallest d(a,n) so far, +inf before the first.
    """

    indptr: Ints
    distance: Floats
    margins: Floats
    below: Ints
    upto: Ints
    hard: Ints
    lengths: Ints
    unit: float
    curve_margins: Floats
    curve_upto: Ints
    negatives: Ints
    nearest_negative: Floats

    @classmethod
    def empty(cls, indptr: Ints, distance: Floats, margins: Floats, curve_margins: Floats, unit: float) -> Triplets:
        """Return the evidence of a gallery without negatives."""
        anchors, positives = len(indptr) - 1, len(distance)
        counts = np.zeros((positives, len(margins)), np.int64)
        return cls(
            indptr,
            distance,
            margins,
            below=counts,
            upto=counts,
            hard=np.zeros(positives, np.int64),
            lengths=counts,
            unit=unit,
            curve_margins=curve_margins,
            curve_upto=np.zeros((positives, len(curve_margins)), np.int64),
            negatives=np.zeros(anchors, np.int64),
            nearest_negative=np.full(anchors, np.inf),
        )

    def merge(self, other: Triplets) -> Triplets:
        """Return the evidence of both stretches of gallery together."""
        return replace(
            self,
            below=self.below + other.below,
            upto=self.upto + other.upto,
            hard=self.hard + other.hard,
            lengths=self.lengths + other.lengths,
            curve_upto=self.curve_upto + other.curve_upto,
            negatives=self.negatives + other.negatives,
            nearest_negative=np.minimum(self.nearest_negative, other.nearest_negative),
        )
