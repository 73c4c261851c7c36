"""Sums by group are those of exact arithmetic, whatever the order and however large or small the numbers."""

import math
from fractions import Fraction

import numpy as np
import pytest

from tripleteval.evaluation.summary import class_means
from tripleteval.evidence import fixed_point
from tripleteval.evidence.fixed_point import FixedPoint

RNG = np.random.default_rng(3)


def test_sums_by_group_are_exact_also_in_pieces(monkeypatch):
    values, groups = RNG.random(1000), RNG.integers(0, 7, 1000)
    whole = FixedPoint.of(values, 1.0).by_group(groups, 8)
    monkeypatch.setattr(fixed_point, "_AT_ONCE", 64)
    pieces = FixedPoint.of(values, 1.0).by_group(groups, 8)
    for group in range(8):
        exact = sum((Fraction(v) for v in values[groups == group]), Fraction(0))
        found = Fraction(int(whole.coarse[group]), 2**31) + Fraction(int(whole.fine[group]), 2**62)
        assert 0 <= exact - found <= Fraction(1000, 2**62)
    assert np.array_equal(whole.coarse, pieces.coarse)
    assert np.array_equal(whole.fine, pieces.fine)


@pytest.mark.parametrize("scale", [1.0, 1e-310, 1e300])
def test_a_class_mean_is_that_of_exact_sums_and_hides_the_order(scale):
    values, classes = (RNG.random(500) - 0.3) * scale, RNG.integers(0, 20, 500)
    values[::7] = np.nan
    found = class_means(values, classes, 21)
    assert np.isnan(found[20])
    for group in range(20):
        some = values[(classes == group) & ~np.isnan(values)]
        assert found[group] == pytest.approx(math.fsum(some) / len(some), rel=1e-14)
    order = RNG.permutation(500)
    assert class_means(values[order], classes[order], 21)[:20].tolist() == found[:20].tolist()


def test_no_value_at_all_has_no_mean():
    assert np.isnan(class_means(np.full(3, np.nan), np.zeros(3, np.int64), 2)).all()
