"""The studentised bootstrap: how far resamples stray, each in standard errors of its own.

Where what a number rests on is spread very unevenly over units, a sample without the widest of them strays far, and
takes itself for sure. Percentiles of resamples do not see that; the ratio of both does.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tripleteval.arrays import Floats
from tripleteval.uncertainty.sums import integers

_CELLS_AT_ONCE = 2**17

Statistic = Callable[[Floats], Floats]


def studentised(
    statistic: Statistic, columns: Floats, drawn: Floats, estimate: float, confidence: float
) -> tuple[float, float]:
    """Return the interval of a smooth function of sums over units: estimate − t s at both outer quantiles t.

    Args:
        statistic: (…, columns) sums over units to (…,) float64; NaN where it is undefined.
        columns: (units, columns) float64, what each unit adds to the sums.
        drawn: (replicates, units) how often each unit was drawn.
        estimate: The number itself, which the interval is put around.
        confidence: In (0, 1).

    Returns:
        Low and high; s is the standard error of the jackknife, and t what each resample is off, in its own.

    Source:
        Efron 1981, "Nonparametric standard errors and confidence intervals"; Hall 1988, section 3.
    """
    centres, whole = jackknifed(statistic, columns, np.ones((1, len(columns))))
    step = max(1, _CELLS_AT_ONCE // columns.size)
    parts = [jackknifed(statistic, columns, drawn[a : a + step]) for a in range(0, len(drawn), step)]
    values, errors = (np.concatenate(halves) for halves in zip(*parts, strict=True))
    with np.errstate(divide="ignore", invalid="ignore"):
        strays = (values - centres[0]) / errors
    strays = strays[np.isfinite(strays)]
    if not len(strays):  # every unit is like every other
        return estimate, estimate
    low, high = np.quantile(strays, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(estimate - high * whole[0]), float(estimate - low * whole[0])


def jackknifed(statistic: Statistic, columns: Floats, drawn: Floats) -> tuple[Floats, Floats]:
    """Return (replicates,) the statistic of each resample, and its standard error by leaving out one unit at a time."""
    units = len(columns)
    exact, scales = integers(columns, units)  # whole numbers: any BLAS gives the same sums
    sums = drawn @ exact
    left = np.moveaxis(sums.T[:, :, None] - exact.T[:, None, :], 0, -1)  # each column in one piece
    values, without = (statistic(each * np.ldexp(1.0, -scales)) for each in (sums, left))
    without = np.where(drawn > 0, without, 0.0)
    middle = _total(drawn * without) / units
    spread = _total(drawn * np.square(without - middle[:, None]))
    return values, np.sqrt((units - 1) / units * spread)


def _total(terms: Floats) -> Floats:
    """Return the sum of each row, added up in order: the same bits everywhere."""
    return np.asarray(np.cumsum(terms, axis=1)[:, -1])
