"""How often each item is found: against SciPy, and what nothing can be said about."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tripleteval.metrics.hubness import Occurrences, anti_hubs, bad_occurrences, hubness, largest_hub, robin_hood

ALL = (hubness, anti_hubs, largest_hub, robin_hood, bad_occurrences)


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0, 7.0]), min_size=1, max_size=9).filter(any))
def test_every_number_is_that_of_its_definition(times):
    hubs = {2: Occurrences(np.array(times), wrong=0.25)}
    n, mean = len(times), np.mean(times)
    skew = stats.skew(times) if len({*times}) > 1 else 0.0
    moved = sum(abs(t - mean) for t in times) / 2 / sum(times)
    expected = [skew, times.count(0.0) / n, max(times) / mean, moved, 0.25 / sum(times)]
    assert [metric(hubs, 2).value for metric in ALL] == pytest.approx(expected, abs=1e-12)
    assert {metric(hubs, 2).n for metric in ALL} == {n}


def test_what_is_not_known_or_not_there_is_undefined():
    unknown = {2: Occurrences(np.ones(3), reason="not counted")}
    assert [(metric(unknown, 2).value, metric(unknown, 2).reason) for metric in ALL] == [(None, "not counted")] * 5
    nobody = {2: Occurrences(np.zeros(3))}
    assert [metric(nobody, 2).value for metric in ALL] == [0.0, 1.0, None, None, None]
    assert {metric(nobody, 2).reason for metric in ALL[2:]} == {"nobody is found at all"}
