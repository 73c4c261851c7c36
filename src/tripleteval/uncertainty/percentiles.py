"""From bootstrap values to the two ends of an interval."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from tripleteval.arrays import Floats
from tripleteval.uncertainty.quantiles import student_quantile

_NORMAL = NormalDist()
_EQUAL = 1e-10


def ends(values: Floats, estimate: float, influence: Floats, confidence: float) -> tuple[float, float]:
    """Return the bias-corrected and accelerated percentiles of bootstrap values, expanded for few units.

    Plain percentiles miss on one side where a few hard units make the distribution skewed. Two numbers correct
    for it: z₀, how far the middle of the values lies from the estimate, and a, the skewness of the units. And as
    resampling C units varies too little by √((C − 1) / C), and Student's t belongs where the normal stands, the
    nominal point is −√(C / (C − 1)) t instead of −z.

    Args:
        values: (replicates,) float64.
        estimate: The estimate itself.
        influence: (units,) what each unit adds to the estimate beyond its share; sums to 0.
        confidence: In (0, 1).

    Source:
        Efron 1987, "Better bootstrap confidence intervals"; Hesterberg 2015, section 5.3, for the expansion.
    """
    units = len(influence)
    beyond = student_quantile((1 + confidence) / 2, units - 1) * math.sqrt(units / (units - 1))
    # What is the estimate but for how a ratio was rounded, is the estimate: where nothing varies, so are both ends.
    values = np.where(np.abs(values - estimate) <= _EQUAL * np.abs(values).max(), estimate, values)
    centre, skew = _centre(values, estimate), _skew(influence)
    # Where one unit decides everything, an end lies beyond the last replicate: 1 − a z must not change its sign.
    shares = [_NORMAL.cdf(centre + z / max(1 - skew * z, 1e-9)) for z in (centre - beyond, centre + beyond)]
    low, high = np.quantile(values, shares)
    return float(low), float(high)


def _centre(values: Floats, estimate: float) -> float:
    below = int((values < estimate).sum()) + 0.5 * int((values == estimate).sum())
    return _NORMAL.inv_cdf(min(max(below, 1.0), len(values) - 1.0) / len(values))


def _skew(influence: Floats) -> float:
    largest = float(np.abs(influence).max())
    if not largest:
        return 0.0
    scaled = influence / largest  # skewness has no unit, and cubes leave the range of floats
    square = math.fsum(np.square(scaled).tolist())
    return float(math.fsum((np.square(scaled) * scaled).tolist()) / (6 * square**1.5))
