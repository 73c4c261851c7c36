"""Between which values a quantity lies, and the difference of two."""

import math
import re

import pytest

from tripleteval.bounds import ANY, SHARE, Bounds
from tripleteval.metrics import METRICS

NUMBERS = {"½": 0.5, "∞": math.inf}


def test_an_interval_is_cut_to_what_is_possible():
    assert SHARE.cut(-0.25, 0.5) == (0.0, 0.5)
    assert SHARE.cut(0.5, 1.25) == (0.5, 1.0)
    assert Bounds(low=1.0).cut(-3.0, 40.0) == (1.0, 40.0)
    assert ANY.cut(-3.0, 40.0) == (-3.0, 40.0)
    assert SHARE.cut(1 + 2.0**-52, 1 + 2.0**-52) == (1.0, 1.0)  # sevenths added up: ends never change places


def test_a_difference_lies_between_those_of_the_ends():
    assert SHARE.minus(SHARE) == (-1.0, 1.0)
    assert Bounds(-1.0, 1.0).minus(SHARE) == (-2.0, 1.0)
    assert Bounds(low=0.0).minus(Bounds(low=0.0)) == ANY
    assert SHARE.minus(ANY) == ANY.minus(SHARE) == ANY


@pytest.mark.parametrize("pattern", METRICS.names())
def test_every_metric_has_the_bounds_that_its_definition_names(pattern):
    """A range that depends on the set, such as [0, min(k, R) / R], lies within the bounds."""
    metric = METRICS[pattern]
    low, high = re.search(r"Range [\[(]([^,]+), (.+?)[\])](?:[\s.,;:]|$)", metric.measure.__doc__).groups()
    if (least := _number(low)) is not None:
        assert metric.bounds.low == least
    if (most := _number(high)) is not None:
        assert metric.bounds.high == most


def _number(text: str) -> float | None:
    sign, digits = (-1, text[1:]) if text.startswith("−") else (1, text)
    return sign * NUMBERS[digits] if digits in NUMBERS else sign * float(digits) if digits.isdigit() else None
