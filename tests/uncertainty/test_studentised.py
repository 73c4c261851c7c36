"""The studentised bootstrap, against one resample at a time."""

import math

import numpy as np
import pytest

from tripleteval.uncertainty.studentised import jackknifed, studentised
from tripleteval.uncertainty.vertices import resampled

RANDOM = np.random.default_rng(2)
COLUMNS = np.stack([RANDOM.exponential(size=25), RANDOM.integers(1, 6, 25).astype(float)], axis=1)
DRAWN = resampled(25, 0, "test")


def ratio(sums):
    return sums[..., 0] / sums[..., 1]


def one_by_one(rows):
    """Return the ratio of the rows, and its standard error by leaving out one of them."""
    value = rows[:, 0].sum() / rows[:, 1].sum()
    without = np.array([ratio(np.delete(rows, row, axis=0).sum(axis=0)) for row in range(len(rows))])
    n = len(rows)
    return value, math.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum())


def test_each_resample_has_the_jackknife_of_its_own_rows():
    found = jackknifed(ratio, COLUMNS, DRAWN[:50])
    for row in range(50):
        rows = np.repeat(COLUMNS, DRAWN[row].astype(int), axis=0)
        assert (found[0][row], found[1][row]) == pytest.approx(one_by_one(rows))


def test_the_ends_are_quantiles_of_what_resamples_stray():
    value, error = one_by_one(COLUMNS)
    values, errors = np.array([one_by_one(np.repeat(COLUMNS, w.astype(int), axis=0)) for w in DRAWN[:500]]).T
    low, high = np.quantile((values - value) / errors, [0.05, 0.95])
    found = studentised(ratio, COLUMNS, DRAWN[:500], value, 0.9)
    assert found == pytest.approx((value - high * error, value - low * error))
    assert value - found[0] < found[1] - value  # of a mean that is skewed to the right, the truth may lie far above


def test_units_that_are_all_alike_leave_no_doubt():
    assert studentised(ratio, np.ones((25, 2)), DRAWN, 1.0, 0.95) == (1.0, 1.0)
