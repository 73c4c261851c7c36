"""An estimate that is sure of its step is never wrong about it, and rounding keeps the order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripleteval.distance.formula import Distance
from tripleteval.engine.whole import ENDLESS, UNSURE, Bound, Unit, step_of, whole_steps

UNIT = Unit(True, 2.0**20)


def steps_of(squared, bound: Bound, unit: Unit):
    steps = np.empty(len(squared), np.int64)
    whole_steps(np.asarray(squared, dtype=float), bound, unit, steps, steps.view(np.float64))
    return steps


@pytest.mark.parametrize("rooted", [True, False])
def test_a_step_is_whole_or_unsure_and_never_wrong(rooted):
    rng = np.random.default_rng(1)
    unit, exact = Unit(rooted, 2.0**30), rng.gamma(2.0, size=5000)
    off = exact * (1 + rng.uniform(-1, 1, 5000) * 2.0**-40)
    steps = steps_of(off, Bound(2.0**-40, 0.0), unit)
    known = steps != UNSURE
    assert known.mean() > 0.9
    assert np.array_equal(steps[known], np.rint((np.sqrt(exact) if rooted else exact) * unit.scale)[known])


@pytest.mark.parametrize("rooted", [True, False])
@pytest.mark.parametrize("relatively", [True, False])
@pytest.mark.parametrize("way", [-1, 1])
def test_what_would_reach_the_next_step_is_unsure_and_what_would_not_is_sure(rooted, relatively, way):
    rng, count = np.random.default_rng(3), 4000
    unit = Unit(rooted, 2.0**20)
    whole = rng.integers(1, [[3], [2**10], [2**24]], (3, count // 3 + 1)).ravel()[:count]
    room = rng.uniform(0.01, 0.49, count)
    squared = ((whole + way * (0.5 - room)) / unit.scale) ** (2 if rooted else 1)
    end = ((whole + way * 0.5) / unit.scale) ** (2 if rooted else 1)  # where the next step begins
    for share, reaches in ((1.001, True), (0.9, False)):
        for one, of, far in zip(squared, whole.tolist(), end, strict=True):
            error = share * abs(far - one)
            bound = Bound(error / one, 0.0) if relatively else Bound(0.0, error)
            (step,) = steps_of([one], bound, unit).tolist()
            if reaches:
                assert step == UNSURE
                assert step_of(one + way * error, unit) != of
            elif of > 10:  # nearer to zero, it may be unsure without need
                assert step == of


@given(st.floats(0, 1e12), st.floats(0, 1e12), st.booleans())
def test_rounding_keeps_the_order(one, two, rooted):
    unit = Unit(rooted, 2.0**7)
    nearer, farther = sorted((one, two))
    assert step_of(nearer, unit) <= step_of(farther, unit)


def test_what_is_farther_than_any_distance_is_without_end():
    assert step_of(2.0**60, UNIT) == 2**50
    assert [step_of(squared, UNIT) for squared in (2.0**62, 1e300, np.inf)] == [ENDLESS] * 3


def test_the_step_of_what_is_no_distance_is_unsure():
    steps = steps_of([-1e-20, 0.0, np.inf, np.nan], Bound(2.0**-50, 1e-290), UNIT)
    assert steps.tolist() == [UNSURE] * 4


@pytest.mark.parametrize("name", ["euclidean", "sqeuclidean", "cosine"])
def test_a_unit_is_that_of_the_distance(name):
    distance = Distance(name, span=4.0, step_bits=20)
    squared = np.random.default_rng(2).gamma(2.0, size=100)
    unit = Unit.of(distance)
    assert [step_of(of, unit) for of in squared] == distance.steps(squared).tolist()
