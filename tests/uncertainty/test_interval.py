"""Which interval a number gets: by how many units, and where nothing varies."""

import numpy as np
import pytest
from scipy import stats

from tripleteval.bounds import SHARE
from tripleteval.uncertainty.clustered import standard_error
from tripleteval.uncertainty.interval import MANY, intervals
from tripleteval.uncertainty.sums import Sums

RANDOM = np.random.default_rng(1)


def interval(sums: Sums, **how):
    return intervals([sums], **{"confidence": 0.95, "seed": 0} | how)[0]


def scores(units: int, **how) -> Sums:
    return Sums(RANDOM.random(units) * 4, np.full(units, 4.0), **how)


@pytest.mark.parametrize("units", [0, 1, 4])
def test_too_few_units_give_no_interval_but_a_reason(units):
    found = interval(scores(units))
    assert (found.low, found.high, found.method) == (None, None, None)
    assert f"{units} class" in found.reason
    assert "needs 5" in found.reason
    assert found.entry()["interval_reason"] == found.reason
    assert "interval_reason" not in interval(scores(5)).entry()


@pytest.mark.parametrize(("units", "method"), [(5, "t"), (19, "t"), (20, "bootstrap"), (MANY + 1, "t")])
def test_the_method_follows_from_the_number_of_units(units, method):
    sums = scores(units)
    found = interval(sums)
    assert (found.method, found.units) == (method, units)
    assert found.low < sums.ratio < found.high


def test_the_t_interval_is_that_of_the_textbook():
    sums = scores(12)
    half = stats.t.ppf(0.95, 11) * standard_error(sums.part, sums.whole)
    found = interval(sums, confidence=0.9)
    assert (found.low, found.high) == pytest.approx((sums.ratio - half, sums.ratio + half), rel=1e-9)


@pytest.mark.parametrize(("heaviest", "method"), [(20.0, "t"), (20.5, None)])
def test_few_units_of_which_one_is_more_than_half_have_no_t_interval(heaviest, method):
    """Its own share is nearly the whole, whose error would seem to be nothing."""
    whole = np.array([4.0, 4.0, heaviest, 4.0, 4.0, 4.0])
    found = interval(Sums(whole * [0.1, 0.9, 0.8, 0.2, 0.7, 0.5], whole))
    assert (found.method, found.units) == (method, 6)
    assert (found.low is None) == (method is None) == found.reason.startswith("one class is more than half of it")


def test_many_units_are_resampled_though_one_is_more_than_half():
    whole = np.array([4.0] * 19 + [400.0])
    found = interval(Sums(whole * np.linspace(0, 1, 20), whole))
    assert (found.method, found.low < 0.7) == ("bootstrap", True)  # in a third of the resamples it is not drawn


def test_a_share_stays_a_share():
    part = np.array([4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 1.0])
    assert interval(Sums(part, np.full(7, 4.0), bounds=SHARE)).high == 1.0
    assert interval(Sums(part, np.full(7, 4.0))).high > 1.0


@pytest.mark.parametrize("units", [6, 100])
def test_a_share_that_never_varies_gets_the_rule_of_three_over_units(units):
    whole = np.full(units, 10.0)
    assert interval(Sums(whole, whole, bounds=SHARE))[:3] == (1 - 3 / units, 1.0, "rule of three")
    assert interval(Sums(0 * whole, whole, bounds=SHARE))[:3] == (0.0, 3 / units, "rule of three")
    nearly = whole * (1 - 2.0**-53 * np.arange(units))  # as sums of rounded shares are
    assert interval(Sums(nearly, whole, bounds=SHARE))[:3] == (1 - 3 / units, 1.0, "rule of three")
    assert interval(Sums(0 * whole, whole))[:2] == (0.0, 0.0)


@pytest.mark.parametrize(("units", "method"), [(6, "t"), (30, "bootstrap")])
def test_a_share_that_is_nothing_or_everything_in_some_units_only_varies(units, method):
    part = np.where(np.arange(units) < 2, 0.0, 4.0)
    for some in (part, 4.0 - part):
        found = interval(Sums(some, np.full(units, 4.0), bounds=SHARE))
        assert found.method == method
        assert found.low < found.high


def test_more_confidence_is_a_wider_interval_and_the_seed_hardly_matters():
    sums = scores(60)
    narrow, wide, other = interval(sums, confidence=0.8), interval(sums, confidence=0.99), interval(sums, seed=9)
    assert wide.low < narrow.low < narrow.high < wide.high
    assert other.low == pytest.approx(interval(sums).low, abs=0.02)
    assert other.low != interval(sums).low
