"""Shares of pairs when units are drawn again: a pair has two units, and counts as often as both were drawn.

With w how often each unit was drawn, a pair of units c and d counts w_c w_d times: the vertex bootstrap. Its exact sums
need a count for every pair of units. To first order in w − 1 they need one per unit, of the pairs that touch it: the
share of accepted pairs changes by the square of the factor by which the same share, over the units, does. What is left
out grows with one over the number of units, and copies of a unit never meet.
"""

from __future__ import annotations

import numpy as np

from tripleteval.arrays import AnyArray, Bools, Floats, Ints
from tripleteval.uncertainty.bootstrap import weights


def resampled(units: int, seed: int, purpose: str) -> Floats:
    """Return (replicates, units) how often each unit was drawn."""
    return np.concatenate(list(weights(units, seed, purpose)))


def without_each(units: int) -> Floats:
    """Return (units, units) the weights of the jackknife: everybody but one."""
    return np.ones((units, units)) - np.eye(units)


def redrawn_shares(share: Floats, counts: Ints, drawn: Floats, sides: int, half: Ints | None = None) -> Floats:
    """Return (replicates, K) the shares of pairs up to each cut under resampled units.

    Args:
        share: (K,) the share itself, never falling.
        counts: (units, K + 1) pairs of each unit in the cells between the cuts.
        drawn: (replicates, units) how often each unit was drawn.
        sides: How many units a pair has: 2, or 1 where both items are of one unit.
        half: (units, K + 1) those of ``counts`` in one half of a sample of pairs; ``None`` where all were counted.

    Source:
        Fogliato, Patil & Perona 2024, the vertex bootstrap; its first order is Hoeffding's projection.
    """
    # The smaller part is what varies: then the share leaves [0, 1] hardly ever.
    low, pairs = share <= 0.5, counts.sum(axis=1)
    part = _smaller(counts, low)
    # Whole numbers far below 2**53: any BLAS gives the same sums.
    sums, whole = (drawn @ side.astype(np.float64) for side in (part, pairs[:, None]))
    once = part.sum(axis=0)
    known = (once > 0) & (whole > 0)
    usual = once / max(int(pairs.sum()), 1)
    factor = np.where(known, sums / np.where(known, whole * usual, 1), 1.0)
    if half is not None and 0 < half.sum() < pairs.sum():
        factor = 1 + signal(part, _smaller(half, low), pairs, half.sum(axis=1)) * (factor - 1)
    varied = factor**sides * np.where(low, share, 1 - share)
    return np.maximum.accumulate(np.clip(np.where(low, varied, 1 - varied), 0.0, 1.0), axis=1)


def _smaller(counts: Ints, low: Bools) -> Ints:
    """Return (units, K) the pairs up to each cut where that is the smaller part, else those beyond."""
    upto = np.cumsum(counts, axis=1)
    return np.where(low, upto[:, :-1], upto[:, -1:] - upto[:, :-1])


def signal(part: AnyArray, half: AnyArray, pairs: AnyArray, of_half: AnyArray) -> Floats:
    """Return (K,) which share of the differences between units is theirs, and not the luck of a sample of pairs.

    What two halves of the sample say about a unit agrees in what is the unit's, and in nothing else. Where they are
    too few to tell, by more than one standard error, differences are taken for real.
    """
    usual = part.sum(axis=0) / pairs.sum()
    whole, second = part - usual * pairs[:, None], half - usual * of_half[:, None]
    agreed = (whole - second) * second
    halved = of_half.sum() / pairs.sum()
    real = (agreed.sum(axis=0) + np.sqrt(np.square(agreed).sum(axis=0))) / (halved * (1 - halved))
    apart = np.square(whole).sum(axis=0)
    return np.asarray(np.sqrt(np.clip(real / np.where(apart > 0, apart, 1), 0.0, 1.0)))
