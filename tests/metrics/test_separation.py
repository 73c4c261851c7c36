"""The ratio of what lies within classes to what lies between them, and the reasons why there is none."""

import numpy as np
import pytest

from tripleteval.metrics.separation import Separation, separation_ratio


def sums(own: list[float], own_items: list[int], other: list[float], other_items: list[int]) -> Separation:
    nothing = np.zeros(len(own))
    given = (np.array(own), np.array(own_items), np.array(other), np.array(other_items))
    return Separation(*given, nothing, nothing > 0, nothing, nothing)


def test_every_pair_weighs_alike():
    found = separation_ratio(sums([3.0, 1.0], [3, 1], [12.0, 4.0], [2, 6]))
    assert found[:2] == (pytest.approx((4 / 4) / (16 / 8)), 12)


@pytest.mark.parametrize(
    ("given", "n", "why"),
    [
        (([0.0], [0], [3.0], [2]), 2, "no pair within a class"),
        (([3.0], [2], [0.0], [0]), 2, "no pair of different classes"),
        (([3.0], [2], [0.0], [5]), 7, "all distances between classes are 0"),
    ],
)
def test_without_pairs_of_a_kind_there_is_no_ratio(given, n, why):
    assert separation_ratio(sums(*given))[:3] == (None, n, why)
