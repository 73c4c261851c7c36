"""Quantiles of the normal, Student and beta distributions, without a statistics library."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from statistics import NormalDist

_TINY = 1e-300
_MOST_STEPS = 10_000


def normal_quantile(share: float) -> float:
    """Return z such that a standard normal variable lies below it with probability ``share``, in (0, 1)."""
    return NormalDist().inv_cdf(share)


@cache
def student_quantile(share: float, freedom: int) -> float:
    """Return t such that Student's t with ``freedom`` >= 1 degrees lies below it with probability ``share``.

    Source:
        P(|T| > t) = I_x(f/2, 1/2) with x = f / (f + t²) and f the degrees of freedom.
    """
    if share < 0.5:
        return -student_quantile(1 - share, freedom)
    if share == 0.5:
        return 0.0
    outside = 2 * (1 - share)
    return _root(lambda t: outside - incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t)), 0.0, 1.0)


def half_width(error: float, units: int, confidence: float) -> float:
    """Return half the width of the t interval of a number with this standard error, over at least two units."""
    return student_quantile((1 + confidence) / 2, units - 1) * error


def beta_quantile(share: float, a: float, b: float) -> float:
    """Return x in [0, 1] such that a Beta(a, b) variable lies below it with probability ``share``."""
    return _root(lambda x: incomplete_beta(a, b, x) - share, 0.0, 1.0, grow=False)


def incomplete_beta(a: float, b: float, x: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b), to about 1e-12.

    Source:
        Press et al., Numerical Recipes, section 6.4: continued fraction by Lentz's method.
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(b, a, 1 - x)
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(front) * _fraction(a, b, x) / a


def _fraction(a: float, b: float, x: float) -> float:
    c, d = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _MOST_STEPS):
        for factor in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _away(1 + factor * d)
            c = _away(1 + factor / c)
            value *= c * d
        if abs(c * d - 1) < 1e-16:
            break
    return value


def _away(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def _root(rising: Callable[[float], float], low: float, high: float, *, grow: bool = True) -> float:
    """Return where a rising function crosses 0: halving the interval until floats leave nothing between."""
    while grow and rising(high) < 0:
        low, high = high, 2 * high
    middle = (low + high) / 2
    while low < middle < high:
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
        middle = (low + high) / 2
    return middle
