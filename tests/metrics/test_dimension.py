"""The two estimators of a dimension, against least squares and the definition."""

import numpy as np
import pytest

from tripleteval.metrics.dimension import Gaps, intrinsic_dimension, intrinsic_dimension_linfit


@pytest.mark.parametrize("points", [3, 9, 10, 11, 40])
def test_both_are_those_of_their_definitions(points):
    gaps = np.random.default_rng(points).exponential(size=points)
    assert intrinsic_dimension(Gaps(gaps)).value == pytest.approx((points - 1) / gaps.sum())
    kept = int(0.9 * points)
    heights = -np.log(1 - np.arange(1, kept + 1) / points)
    slope = np.linalg.lstsq(np.sort(gaps)[:kept, None], heights, rcond=None)[0][0]
    assert intrinsic_dimension_linfit(Gaps(gaps)).value == pytest.approx(slope)


@pytest.mark.parametrize("of", [intrinsic_dimension, intrinsic_dimension_linfit])
def test_two_points_or_equal_distances_have_no_dimension(of):
    assert of(Gaps(np.ones(2))).reason.startswith("fewer than three")
    assert of(Gaps(np.full(5, 1e-13))).reason == "the two nearest neighbours are equally far"


def test_a_line_through_nothing_but_equal_distances_has_no_slope():
    gaps = Gaps(np.array([0.0] * 9 + [1.0]))
    assert intrinsic_dimension(gaps).value == 9.0
    assert intrinsic_dimension_linfit(gaps).reason == "the two nearest neighbours are equally far"
    rounded, narrow = (np.array([gap] * 9 + [1.0]) for gap in (1e-13, 1e-6))
    assert intrinsic_dimension_linfit(Gaps(rounded)).value is None
    assert intrinsic_dimension_linfit(Gaps(narrow)).value > 1e5
