"""One bar from beginning to end, however many passes there are."""

import numpy as np
import pytest

import tripleteval as te
from tripleteval.engine import genuine, pair_ruler
from tripleteval.evaluation.progress import Journey

RANDOM = np.random.default_rng(0)
LABELS = np.repeat(np.arange(60), 5)
POINTS = RANDOM.normal(size=(60, 3))[LABELS] + RANDOM.normal(size=(300, 3))
ONCE = 300 * 300


@pytest.mark.parametrize(
    ("how", "whole"),
    [
        ({"verification": False}, ONCE),
        ({}, 2 * ONCE),
        ({"kernel": "cpu", "threads": 2}, 2 * ONCE),
        ({"sample": 100}, 2 * 100 * 300),
        ({"precision": 0.2}, 2 * ONCE),
        ({"calibrate_on": 0.4}, 2 * ONCE + 120 * 120 + 180 * 180),
    ],
)
def test_it_rises_to_a_total_that_was_known_at_the_beginning(how, whole):
    told = []
    te.evaluate(POINTS, LABELS, progress=lambda *pairs: told.append(pairs), **how)
    done = [pairs for pairs, _ in told]
    assert {total for _, total in told} == {whole}
    assert done == sorted(done)
    assert done[-1] == whole
    assert done.count(whole) == 1


def test_the_closer_look_at_many_genuine_pairs_is_planned(monkeypatch):
    monkeypatch.setattr(genuine, "MOST_GENUINE", 10)
    monkeypatch.setattr(pair_ruler, "CAPACITY", 2**12)
    told = []
    te.evaluate(POINTS, LABELS, progress=lambda *pairs: told.append(pairs))
    assert {total for _, total in told} == {3 * ONCE}
    assert told[-1] == (3 * ONCE, 3 * ONCE)


def test_more_than_planned_stretches_the_journey_instead_of_passing_its_end():
    told = []
    journey = Journey(lambda *pairs: told.append(pairs), 10)
    for done in (4, 10, 3):
        journey(done, 10)
    journey.end()
    assert told == [(4, 10), (10, 10), (13, 13)]


@pytest.mark.parametrize("how", [{}, {"calibrate_on": 0.5}, {"sample": 250}])
def test_what_does_not_fit_is_refused_before_the_first_pair(how):
    labels = np.repeat(np.arange(150), 2)
    points = RANDOM.normal(size=(300, 4))
    least, most = 2**18, 2**25
    while most - least > 2**17:  # the least memory that is enough
        told, memory = [], (least + most) // 2
        try:
            te.evaluate(points, labels, memory=memory, threads=1, progress=lambda *_, t=told: t.append(_), **how)
        except te.ResourceError:
            least, refused = memory, True
        else:
            most, refused = memory, False
        assert bool(told) != refused
