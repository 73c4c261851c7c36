"""Shares of pairs when units are drawn again: a pair has two units, and counts as often as both were drawn.

With w how often each unit was drawn, a pair of units c and d counts w_c w_d times: the vertex bootstrap. Its exact sums
need a count for every pair of units. To first order in w − 1 they need one per unit, of the pairs that touch it: the
share of accepted pairs changes by the square of the factor by which the same share, over the units, does. What is left
out grows with one over the number of units, and copies of a unit never meet.
"""

from __future__ import annotations

import numpy as np

from tripleteval.arrays import Floats, Ints
from tripleteval.uncertainty.bootstrap import weights


def resampled(units: int, seed: int, purpose: str) -> Floats:
    """Return (replicates, units) how often each unit was drawn."""
    return np.concatenate(list(weights(units, seed, purpose)))


def without_each(units: int) -> Floats:
    """Return (units, units) the weights of the jackknife: everybody but one."""
    return np.ones((units, units)) - np.eye(units)


def redrawn_shares(share: Floats, counts: Ints, drawn: Floats, sides: int) -> Floats:
    """Return (replicates, K) the shares of pairs up to each cut under resampled units.

    Args:
        share: (K,) the share itself, never falling.
        counts: (units, K + 1) pairs of each unit in the cells between the cuts.
        drawn: (replicates, units) how often each unit was drawn.
        sides: How many units a pair has: 2, or 1 where both items are of one unit.

    Source:
        Fogliato, Patil & Perona 2024, the vertex bootstrap; its first order is Hoeffding's projection.
    """
    upto = np.cumsum(counts, axis=1)
    # The smaller part is what varies: then the share leaves [0, 1] hardly ever.
    low = share <= 0.5
    part = np.where(low, upto[:, :-1], upto[:, -1:] - upto[:, :-1])
    # Whole numbers far below 2**53: any BLAS gives the same sums.
    sums, whole = (drawn @ side.astype(np.float64) for side in (part, upto[:, -1:]))
    once, pairs = part.sum(axis=0), max(int(upto[:, -1].sum()), 1)
    known = (once > 0) & (whole > 0)
    factor = np.where(known, sums / np.maximum(once, 1) * pairs / np.where(whole > 0, whole, 1), 1.0)
    varied = factor**sides * np.where(low, share, 1 - share)
    return np.maximum.accumulate(np.clip(np.where(low, varied, 1 - varied), 0.0, 1.0), axis=1)
