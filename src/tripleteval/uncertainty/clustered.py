"""The standard error of a ratio of sums over units, linearised, and the interval of a median."""

from __future__ import annotations

import math

import numpy as np

from tripleteval.arrays import Floats, Ints
from tripleteval.uncertainty.quantiles import half_width
from tripleteval.uncertainty.sums import Sums


def standard_error(part: Floats, whole: Floats) -> float:
    """Return the cluster-robust standard error of Σ part / Σ whole.

    Args:
        part: (units,) float64.
        whole: (units,) float64, > 0.

    Returns:
        √[C/(C−1) Σ (part − θ whole)²] / Σ whole over C units; NaN for one unit.

    Source:
        Spec F.2; the linearised ratio estimator of survey sampling.
    """
    units = len(part)
    if units < 2:
        return math.nan
    whole_sum = math.fsum(whole.tolist())
    theta = math.fsum(part.tolist()) / whole_sum
    # hypot: the squares of a loss whose distances are near the end of the range of floats leave it.
    return math.sqrt(units / (units - 1)) * math.hypot(*(part - theta * whole).tolist()) / whole_sum


def influence(sums: Sums) -> Floats:
    """Return (supported units,) what each unit adds to the estimate: (part − θ whole) / Σ whole."""
    part, whole = sums.part[sums.supported], sums.whole[sums.supported]
    return np.asarray((part - sums.ratio * whole) / math.fsum(whole.tolist()))


def median_interval(values: Floats, units: Ints, confidence: float) -> tuple[float, float]:
    """Return the interval of the median of ``values``, by inverting that of the share below it.

    Args:
        values: (n,) finite float64.
        units: (n,) int64, the unit of each value; at least two occur.
        confidence: In (0, 1).

    Source:
        Woodruff 1952, "Confidence intervals for medians and other position measures".
    """
    middle = np.median(values)
    _, codes = np.unique(units, return_inverse=True)
    whole: Floats = np.bincount(codes).astype(np.float64)
    # A value at the median counts half below it, so that many equal values do not push the share off 1/2.
    below = (values < middle) + 0.5 * (values == middle)
    part: Floats = np.bincount(codes, weights=below).astype(np.float64)
    half = half_width(standard_error(part, whole), len(whole), confidence)
    low, high = np.quantile(values, [max(0.5 - half, 0.0), min(0.5 + half, 1.0)])
    return float(low), float(high)
