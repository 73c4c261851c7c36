"""Quantiles against SciPy, which the package itself does not need."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from tripleteval.uncertainty.proportion import (
    clopper_pearson,
    effective_trials,
    rule_of_three,
    share_interval,
    wilson,
)
from tripleteval.uncertainty.quantiles import beta_quantile, incomplete_beta, normal_quantile, student_quantile


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 7, 19, 100, 4_999, 50_000])
@pytest.mark.parametrize("share", [0.005, 0.025, 0.5, 0.75, 0.95, 0.975, 0.9995])
def test_student(share, freedom):
    assert student_quantile(share, freedom) == pytest.approx(stats.t.ppf(share, freedom), rel=1e-9, abs=1e-12)


@given(st.floats(0.1, 500), st.floats(0.1, 500), st.floats(0, 1))
def test_incomplete_beta(a, b, x):
    assert incomplete_beta(a, b, x) == pytest.approx(special.betainc(a, b, x), rel=1e-9, abs=1e-12)


@given(st.integers(1, 200), st.integers(1, 200), st.floats(0.01, 0.99))
def test_a_quantile_of_beta_is_where_its_distribution_reaches_the_share(a, b, share):
    assert incomplete_beta(a, b, beta_quantile(share, a, b)) == pytest.approx(share, abs=1e-9)


def test_normal():
    assert normal_quantile(0.975) == pytest.approx(stats.norm.ppf(0.975), rel=1e-12)


@given(st.integers(0, 300), st.integers(1, 300), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_intervals_of_a_share_hold_it_and_stay_in_range(hits, trials, confidence):
    hits = min(hits, trials)
    for low, high in (wilson(hits / trials, trials, confidence), clopper_pearson(hits, trials, confidence)):
        assert 0 <= low <= hits / trials <= high <= 1


def test_trials_are_worth_as_many_as_their_variance_says():
    assert effective_trials(0.2, math.sqrt(0.2 * 0.8 / 50)) == pytest.approx(50)
    assert effective_trials(0.5, 0.0) == math.inf
    assert np.isnan(effective_trials(1.0, 0.0))
    assert wilson(0.0, math.nan) == wilson(0.5, 0) == (0.0, 1.0)


@pytest.mark.parametrize(("units", "confidence"), [(5, 0.95), (19, 0.9), (2, 0.5)])
def test_a_share_over_units_is_worth_its_effective_trials_less_what_student_takes(units, confidence):
    outside = (1 + confidence) / 2
    error = math.sqrt(0.2 * 0.8 / 50) * stats.norm.ppf(outside) / stats.t.ppf(outside, units - 1)
    expected = stats.binomtest(10, 50).proportion_ci(confidence, "wilson")
    assert share_interval(0.2, error, units, confidence) == pytest.approx((expected.low, expected.high))
    assert share_interval(0.2, 0.0, units, confidence) == (0.2, 0.2)


def test_the_rule_of_three_is_called_so():
    assert rule_of_three(100) == 0.03
    assert rule_of_three(2) == 1.0
    assert rule_of_three(100, 0.99) == pytest.approx(0.0461)
