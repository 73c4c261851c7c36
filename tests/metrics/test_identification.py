"""Thresholds that accept nothing, everything, or just up to a mate, on listed searches."""

import numpy as np

from tripleteval.metrics.identification import Searches, threshold, tpir


def searches(mate: list[float], stranger: list[float]) -> Searches:
    return Searches(np.array(mate), np.ones(len(mate)), np.array(stranger), 3, 3, (1, 2))


def test_where_a_stranger_is_the_closest_of_all_nobody_is_accepted():
    found = tpir(searches([1.0, 2.0], [0.5, 3.0]), 0.1)
    assert (found.value, found.details["threshold"], found.details["false_positives"]) == (0.0, None, 0)
    assert threshold(searches([], [0.5, 3.0]), 0.1).reason == "no search can be accepted, or every one is"


def test_where_all_strangers_may_be_accepted_everybody_is():
    found = tpir(searches([1.0, 9.0], [0.5, 3.0]), 1.0)
    assert (found.value, found.details["achieved_fpir"]) == (1.0, 1.0)


def test_a_mate_at_the_threshold_is_accepted():
    found = tpir(searches([1.0], [np.nextafter(1.0, 2)]), 0.1)
    assert (found.value, found.details["threshold"]) == (1.0, 1.0)
