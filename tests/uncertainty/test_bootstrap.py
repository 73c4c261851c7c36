"""Resampling: the same draws for everybody, exact sums, and the values of the definition."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from tripleteval.uncertainty.bootstrap import REPLICATES, replicates, weights
from tripleteval.uncertainty.clustered import influence, median_interval, standard_error
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
    assert Stream(0, "interval").signs(64, 2)[1, :5].tolist() == [1.0, -1.0, 1.0, 1.0, 1.0]
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


def test_two_units_have_a_standard_error_and_one_has_none():
    assert standard_error(np.array([1.0, 4.0]), np.ones(2)) == pytest.approx(np.std([1, 4], ddof=1) / np.sqrt(2))
    assert np.isnan(standard_error(np.ones(1), np.ones(1)))


def test_an_influence_is_what_a_unit_adds_and_its_squares_make_the_standard_error():
    one = some(12)._replace(whole=np.r_[0.0, RANDOM.integers(1, 9, 11)])
    part, whole = one.part[1:], one.whole[1:]
    found = influence(one._replace(part=np.r_[0.0, part]))
    assert found == pytest.approx((part - part.sum() / whole.sum() * whole) / whole.sum())
    assert np.sqrt(11 / 10 * (found**2).sum()) == pytest.approx(standard_error(part, whole))


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


def test_the_interval_of_a_median_inverts_that_of_the_share_below_it():
    units = np.repeat(np.arange(12), [1, 2, 3, 4, 5, 6] * 2)
    values = RANDOM.integers(0, 9, len(units)).astype(float)  # several are the median itself
    below = [
        np.mean([0.5 * (v == np.median(values)) + (v < np.median(values)) for v in values[units == u]])
        for u in range(12)
    ]
    counts = np.bincount(units)
    share = np.average(below, weights=counts)
    error = np.sqrt(12 / 11 * sum(((b - share) * n) ** 2 for b, n in zip(below, counts, strict=True))) / len(units)
    half = stats.t.ppf(0.9, 11) * error
    expected = np.quantile(values, [0.5 - half, 0.5 + half])
    assert median_interval(values, units, 0.8) == pytest.approx(tuple(expected))


def test_where_little_is_known_the_median_lies_among_all_values():
    assert median_interval(np.array([0.0, 1.0, 9.0, 10.0]), np.array([0, 0, 1, 1]), 0.95) == (0.0, 10.0)
