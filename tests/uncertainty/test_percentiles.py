"""The ends of a bootstrap interval: plain percentiles where nothing is skewed, further out where it is."""

import math

import numpy as np
import pytest
from scipy import stats

from tripleteval.uncertainty.percentiles import ends

RANDOM = np.random.default_rng(4)
EVEN = np.concatenate([-np.arange(1, 501), np.arange(1, 501)]) / 1e4


def test_symmetric_values_of_many_units_give_plain_percentiles():
    values = RANDOM.normal(size=20_001)
    values = np.concatenate([values, -values])
    assert ends(values, 0.0, EVEN, 0.9) == pytest.approx(np.quantile(values, [0.05, 0.95]), abs=0.02)


def test_bootstrap_of_a_skewed_mean_agrees_with_scipy():
    sample = RANDOM.exponential(size=40)
    values = sample[RANDOM.integers(40, size=(8000, 40))].mean(axis=1)
    theirs = stats.bootstrap((sample,), np.mean, n_resamples=8000, method="BCa", rng=1).confidence_interval
    low, high = ends(values, sample.mean(), (sample - sample.mean()) / 40, 0.95)
    width = theirs.high - theirs.low
    assert low == pytest.approx(theirs.low - 0.02 * width, abs=0.04 * width)  # expanded by t and √(C / (C − 1))
    assert high == pytest.approx(theirs.high + 0.03 * width, abs=0.06 * width)


@pytest.mark.parametrize("estimate", [-1.0, 0.4, 0.5, 0.55, 2.0])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_the_ends_are_those_of_the_formula(estimate, confidence):
    values, units = RANDOM.choice(np.linspace(0, 1, 101), size=500), RANDOM.exponential(size=12)
    share = ((values < estimate).sum() + (values == estimate).sum() / 2) / 500
    centre = stats.norm.ppf(np.clip(share, 1 / 500, 499 / 500))
    skew = stats.skew(units) / (6 * math.sqrt(12))
    beyond = stats.t.ppf((1 + confidence) / 2, 11) * math.sqrt(12 / 11)
    shares = [stats.norm.cdf(centre + z / (1 - skew * z)) for z in (centre - beyond, centre + beyond)]
    found = ends(values, estimate, units - units.mean(), confidence)
    assert found == pytest.approx(np.quantile(values, shares), abs=1e-9)


def test_skewed_units_move_both_ends_towards_the_long_tail():
    values = np.linspace(-1, 1, 2001)
    skewed = np.array([9.0] + [-1.0] * 9) / 100
    (low, high), (low_even, high_even) = (ends(values, 0.0, units, 0.8) for units in (skewed, EVEN[::100]))
    assert low > low_even
    assert high > high_even


@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.9999])
def test_ends_stay_within_the_values_however_extreme_the_units(confidence):
    one = np.array([1.0] + [-0.01] * 99)
    for values in (RANDOM.random(2000), np.ones(2000), np.r_[np.zeros(1999), 1.0]):
        for estimate in (-5.0, values.mean(), 5.0):
            low, high = ends(values, estimate, one, confidence)
            assert values.min() <= low <= high <= values.max()
    assert not any(map(math.isnan, ends(np.ones(10), 1.0, np.zeros(10), confidence)))


def test_where_nothing_varies_but_rounding_both_ends_are_the_estimate():
    estimate = 0.2
    values = estimate + np.random.default_rng(0).normal(size=2000) * 1e-15
    assert ends(values, estimate, np.zeros(30), 0.95) == (estimate, estimate)
    assert ends(-values, -estimate, np.zeros(30), 0.95) == (-estimate, -estimate)
    assert ends(values - estimate, 0.0, np.zeros(30), 0.95) != (0.0, 0.0)  # what small numbers are is left to them


def test_one_replicate_of_nothing_does_not_turn_the_rounding_of_the_others_into_values():
    exact = np.r_[np.full(1999, 0.2), 0.0]
    rounded = exact - 1e-15 * (exact > 0)
    assert ends(rounded, 0.2, EVEN, 0.95) == ends(exact, 0.2, EVEN, 0.95)
