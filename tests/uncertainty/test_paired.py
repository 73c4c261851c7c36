"""The interval of a difference: of the same units for both, or of units of each."""

import math

import numpy as np
import pytest
from scipy import stats

from tripleteval.bounds import SHARE
from tripleteval.uncertainty.interval import MANY
from tripleteval.uncertainty.paired import paired_intervals, unpaired_intervals
from tripleteval.uncertainty.sums import Sums

RANDOM = np.random.default_rng(6)


def scores(units: int, **how) -> Sums:
    return Sums(RANDOM.random(units) * 4, np.full(units, 4.0), **how)


def interval(of, first: Sums, second: Sums, confidence: float = 0.95):
    return of([(first, second)], confidence=confidence, seed=0, noun="class")[0]


def test_few_units_for_both_have_the_paired_t_interval_of_the_textbook():
    first, second = scores(9), scores(9)
    found = interval(paired_intervals, first, second, 0.9)
    expected = stats.ttest_rel(second.part / 4, first.part / 4).confidence_interval(0.9)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert (found.method, found.units) == ("t", 9)


def test_few_units_of_each_have_the_t_interval_of_both_errors_and_of_the_fewer():
    first, second = scores(9), scores(30)
    found = interval(unpaired_intervals, first, second)
    error = math.hypot(*(stats.sem(each.part / 4) for each in (first, second)))
    half = stats.t.ppf(0.975, 8) * error
    change = second.ratio - first.ratio
    assert (found.low, found.high) == pytest.approx((change - half, change + half))
    assert (found.method, found.units) == ("t", 9)


@pytest.mark.parametrize("of", [paired_intervals, unpaired_intervals])
@pytest.mark.parametrize(("units", "method"), [(4, None), (5, "t"), (19, "t"), (20, "bootstrap"), (MANY + 1, "t")])
def test_the_method_follows_from_the_number_of_units(of, units, method):
    first, second = scores(units), scores(units)
    found = interval(of, first, second)
    assert (found.method, found.units) == (method, units)
    if method:
        assert found.low < second.ratio - first.ratio < found.high
    else:
        assert "needs 5" in found.reason


@pytest.mark.parametrize("of", [paired_intervals, unpaired_intervals])
@pytest.mark.parametrize("which", [0, 1])
def test_few_units_of_which_one_is_more_than_half_have_no_t_interval(of, which):
    sides = [scores(6), scores(6)]
    weights = np.array([1.0, 1, 1, 1, 1, 5.5])
    sides[which] = sides[which]._replace(part=sides[which].part * weights, whole=sides[which].whole * weights)
    found = interval(of, *sides)
    assert (found.method, found.low, found.units) == (None, None, 6)
    assert found.reason.startswith("one class is more than half of it")


def test_resampled_differences_are_about_as_wide_as_the_textbook_says():
    first, second = scores(60), scores(60)
    paired, unpaired = (interval(of, first, second) for of in (paired_intervals, unpaired_intervals))
    expected = stats.ttest_rel(second.part / 4, first.part / 4).confidence_interval(0.95)
    assert (paired.low, paired.high) == pytest.approx((expected.low, expected.high), abs=0.02)
    expected = stats.ttest_ind(second.part / 4, first.part / 4, equal_var=False).confidence_interval(0.95)
    assert (unpaired.low, unpaired.high) == pytest.approx((expected.low, expected.high), abs=0.02)


def test_what_two_models_share_does_not_widen_the_difference_of_the_same_units():
    first = scores(40)
    second = first._replace(part=first.part + 0.4)
    alike, apart = (interval(of, first, second) for of in (paired_intervals, unpaired_intervals))
    assert (alike.low, alike.high) == pytest.approx((0.1, 0.1))
    assert apart.low < 0 < apart.high


@pytest.mark.parametrize("of", [paired_intervals, unpaired_intervals])
def test_a_difference_of_shares_stays_one(of):
    nothing, everything = np.array([0.0, 0, 0, 0, 0, 1]), np.array([4.0, 4, 4, 4, 4, 3])
    first, second = (Sums(part, np.full(6, 4.0), bounds=SHARE) for part in (nothing, everything))
    assert interval(of, first, second).high == 1.0
    assert interval(of, second, first).low == -1.0
    assert interval(of, first._replace(bounds=scores(6).bounds), second).high > 1.0
