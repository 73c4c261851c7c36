"""Intervals of a share of trials: independent ones, or as many as clustered ones are worth."""

from __future__ import annotations

import math

from tripleteval.uncertainty.quantiles import beta_quantile, normal_quantile, student_quantile


def wilson(share: float, trials: float, confidence: float = 0.95) -> tuple[float, float]:
    """Return the Wilson score interval of a share; ``trials`` may be an effective number.

    Source:
        Wilson 1927; Brown, Cai & DasGupta 2001.
    """
    if not trials > 0:
        return 0.0, 1.0
    z2 = normal_quantile((1 + confidence) / 2) ** 2
    centre = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = math.sqrt(z2) / (1 + z2 / trials) * math.sqrt(share * (1 - share) / trials + z2 / (4 * trials**2))
    return (0.0 if share == 0 else max(centre - half, 0.0)), (1.0 if share == 1 else min(centre + half, 1.0))


def share_interval(share: float, standard_error: float, units: int, confidence: float) -> tuple[float, float]:
    """Return the Wilson interval of a share in (0, 1) with as many trials as its standard error over units is worth.

    Student's t takes the place of the normal quantile, which is too small where the error itself rests on few units.

    Source:
        Fogliato, Patil & Perona 2024, section 4; Korn & Graubard 1998 for t.
    """
    trials = effective_trials(share, standard_error)
    if math.isinf(trials):
        return share, share
    outside = (1 + confidence) / 2
    return wilson(share, trials * (normal_quantile(outside) / student_quantile(outside, units - 1)) ** 2, confidence)


def clopper_pearson(hits: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the interval of a share of independent trials that never covers too rarely.

    Source:
        Clopper & Pearson 1934.
    """
    outside = (1 - confidence) / 2
    low = 0.0 if hits == 0 else beta_quantile(outside, hits, trials - hits + 1)
    high = 1.0 if hits == trials else beta_quantile(1 - outside, hits + 1, trials - hits)
    return low, high


def effective_trials(share: float, standard_error: float) -> float:
    """Return how many independent trials would have this standard error: θ(1 − θ) / SE².

    Infinite where the error is 0 though the share is neither 0 nor 1, NaN where it is 0 or 1: then the
    variance says nothing, see `rule_of_three`.

    Source:
        Fogliato, Patil & Perona 2024, section 4.
    """
    spread = share * (1 - share)
    if standard_error == 0:
        return math.inf if spread else math.nan
    return spread / standard_error**2


def rule_of_three(units: int, confidence: float = 0.95) -> float:
    """Return the upper bound of a share that was 0 in each of ``units`` independent units, at most 1.

    −ln(1 − confidence) / units, the numerator rounded up to two decimals: 3 at 95 %.

    Source:
        Spec C.8; Hanley & Lippman-Hand 1983.
    """
    return min(1.0, math.ceil(-100 * math.log(1 - confidence)) / 100 / units)


def all_or_none(share: float, units: int, confidence: float) -> tuple[float, float]:
    """Return the interval of a share that is 0 or 1, by the rule of three."""
    bound = rule_of_three(units, confidence)
    return (1 - bound, 1.0) if share else (0.0, bound)
