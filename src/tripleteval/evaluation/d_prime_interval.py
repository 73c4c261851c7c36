"""The interval of d prime: means and variances of distances over units, in the studentised bootstrap.

Its standard deviations rest on the few widest units. A resample misses a third of them, so that plain percentiles are
too narrow; and a sample without them takes itself for surer than it is, so that the t interval is, too.
"""

from __future__ import annotations

import numpy as np

from tripleteval.arrays import Floats, Ints
from tripleteval.evidence.unit_counts import UnitCounts
from tripleteval.metrics.curves import Curves
from tripleteval.uncertainty.studentised import studentised
from tripleteval.uncertainty.vertices import signal


def d_prime_interval(
    value: float, counts: UnitCounts, whole: Curves, drawn: Floats, sides: int, confidence: float
) -> tuple[float, float]:
    """Return low and high.

    Args:
        value: d prime of all pairs.
        counts: Pairs by unit.
        whole: The curves of all pairs.
        drawn: (replicates, units) how often each unit was drawn.
        sides: How many units a genuine pair has; an impostor pair has 2.
        confidence: In (0, 1).
    """
    middle = (whole.at[1:] + whole.at[:-1]) / 2
    middle = np.ldexp(middle, -int(np.frexp(whole.at.max())[1]))  # the same at any scale
    powers = np.stack([np.ones_like(middle), middle, np.square(middle)], axis=1)
    near, apart = (_total(np.diff(shares, axis=1).T * powers[:, 1:]) for shares in (whole.tar, whole.far))
    genuine, impostor, half = (_moments(each, powers) for each in (counts.genuine, counts.impostor, counts.half))
    usual = [_total(each[:, 1:]) / each[:, 0].sum() for each in (genuine, impostor)]
    real = np.ones(2)
    if 0 < half[:, 0].sum() < impostor[:, 0].sum():
        real = signal(impostor[:, 1:], half[:, 1:], impostor[:, 0], half[:, 0])

    def statistic(sums: Floats) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            one = near + sides * (sums[..., 1:3] / sums[..., :1] - usual[0])
            two = apart + 2 * real * (sums[..., 4:] / sums[..., 3:4] - usual[1])
            spread = (one[..., 1] - np.square(one[..., 0])) + (two[..., 1] - np.square(two[..., 0]))
            return np.asarray((two[..., 0] - one[..., 0]) / np.sqrt(spread / 2))

    return studentised(statistic, np.concatenate([genuine, impostor], axis=1), drawn, value, confidence)


def _moments(counts: Ints, powers: Floats) -> Floats:
    """Return (units, 3) pairs, their distances and the squares of these, summed in the order of the cells."""
    return np.stack([np.cumsum(counts * power, axis=1)[:, -1] for power in powers.T], axis=1)


def _total(terms: Floats) -> Floats:
    return np.asarray(np.cumsum(terms, axis=0)[-1])
