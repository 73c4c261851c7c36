"""Resampling: the same draws for everybody, exact sums, and the values of the definition."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tripleteval.uncertainty.bootstrap import REPLICATES, replicates, weights
from tripleteval.uncertainty.clustered import median_interval, standard_error
from tripleteval.uncertainty.stream import Stream
from tripleteval.uncertainty.sums import Sums, Units, integers

RANDOM = np.random.default_rng(5)


def some(units: int) -> Sums:
    return Sums(RANDOM.random(units) * 3, RANDOM.integers(1, 9, units).astype(float))


def test_the_stream_is_what_it_was():
    """Pinned: another value here is another interval for everybody, whatever else did not change."""
    assert Stream(0, "interval").below(1000, 1).shape == (1, 1000)
    assert Stream(0, "interval").below(100, 2)[:, :6].tolist() == [[11, 48, 0, 43, 91, 37], [45, 13, 95, 30, 61, 49]]
    assert Stream(0, "interval").signs(5, 2).tolist() == [[1.0, 1.0, -1.0, 1.0, 1.0], [-1.0, -1.0, -1.0, -1.0, 1.0]]
    assert Stream(7, "sample").shares(1)[0] == pytest.approx(0.3425053923423347, abs=1e-12)


def test_another_seed_or_purpose_is_another_stream():
    first = Stream(0, "a").words(4).tolist()
    assert first != Stream(1, "a").words(4).tolist()
    assert first != Stream(0, "b").words(4).tolist()
    assert first == Stream(0, "a").words(4).tolist()


def test_draws_are_uniform():
    counts = np.bincount(Stream(3, "draws").below(10, 1000).ravel(), minlength=10)
    assert counts.sum() == 10_000
    assert np.abs(counts - 1000).max() < 150
    assert abs(Stream(3, "signs").signs(100, 100).mean()) < 0.05


@pytest.mark.parametrize("units", [1, 2, 7, 64, 3000])
def test_each_replicate_draws_as_many_units_as_there_are(units):
    blocks = list(weights(units, 0, "interval", 700))
    drawn = np.concatenate(blocks)
    assert drawn.shape == (700, units)
    assert (drawn.sum(axis=1) == units).all()


def test_replicates_are_the_ratio_of_the_resampled_sums():
    estimands = [some(30), some(30), some(30)]
    drawn = np.concatenate(list(weights(30, 4, "interval")))
    for each, found in zip(estimands, replicates(estimands, 4, "interval"), strict=True):
        np.testing.assert_allclose(found, (drawn @ each.part) / (drawn @ each.whole), rtol=1e-10)
        assert len(found) == REPLICATES


def test_a_unit_that_says_nothing_is_not_drawn():
    one = some(30)
    padded = Sums(np.insert(one.part, [0, 7], 0.0), np.insert(one.whole, [0, 7], 0.0))
    np.testing.assert_array_equal(replicates([padded], 0, "x")[0], replicates([one], 0, "x")[0])


def test_what_else_is_resampled_changes_nothing():
    one, two = some(25), some(25)
    np.testing.assert_array_equal(replicates([one, two], 0, "x")[0], replicates([one], 0, "x")[0])


def test_replicates_spread_as_the_linearised_error_says():
    one = some(400)
    assert replicates([one], 0, "x")[0].std() == pytest.approx(standard_error(one.part, one.whole), rel=0.06)


@given(hnp.arrays(np.float64, st.integers(1, 40), elements=st.floats(-1e6, 1e6)), st.randoms())
def test_sums_per_unit_are_those_of_fractions_whatever_the_order_of_the_rows(values, random):
    codes = np.array([random.randrange(4) for _ in values])
    units = Units(codes)
    found = units.sum(values)
    for code, total in zip(units.present, found, strict=True):
        exact = sum(Fraction(v) for v in values[codes == code].tolist())
        assert total == pytest.approx(float(exact), abs=1e-10 * max(1.0, np.abs(values).max()))
    order = np.array(random.sample(range(len(values)), len(values)))
    np.testing.assert_array_equal(Units(codes[order]).sum(values[order]), found)


def test_whole_numbers_are_summed_as_they_are():
    codes = np.array([3, 1, 3])
    assert Units(codes).sum(np.array([2**52 - 1, 5, 1])).tolist() == [5.0, 2.0**52]
    assert Units(codes).sum(np.array([True, True, True])).tolist() == [1.0, 2.0]


@given(hnp.arrays(np.float64, (7, 2), elements=st.floats(-1e9, 1e9)), st.integers(1, 10**6))
def test_weighted_sums_of_the_integers_stay_below_what_a_float_holds_exactly(columns, weight):
    whole, scales = integers(columns, weight)
    assert (whole == np.rint(whole)).all()
    assert np.abs(whole).max() * weight < 2**53
    back = np.ldexp(whole, -scales)
    np.testing.assert_allclose(back, columns, atol=np.abs(columns).max() * weight * 2.0**-50)


def test_the_interval_of_a_median_holds_it_and_is_the_same_for_any_order():
    values, units = RANDOM.exponential(size=300), np.repeat(np.arange(30), 10)
    low, high = median_interval(values, units, 0.95)
    assert low < np.median(values) < high
    order = RANDOM.permutation(300)
    assert median_interval(values[order], units[order], 0.95) == (low, high)
    assert median_interval(np.ones(20), np.arange(20), 0.95) == (1.0, 1.0)
