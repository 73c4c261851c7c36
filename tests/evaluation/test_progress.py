"""One bar from beginning to end, however many passes there are."""

from itertools import groupby

import numpy as np
import pytest

import tripleteval as te
from tripleteval.engine import genuine, onlookers, pair_ruler, plan
from tripleteval.evaluation.progress import Journey
from tripleteval.journal import folder as journal

RANDOM = np.random.default_rng(0)
LABELS = np.repeat(np.arange(60), 5)
POINTS = RANDOM.normal(size=(60, 3))[LABELS] + RANDOM.normal(size=(300, 3))
ONCE = 300 * 300
BY_UNIT = 6 * 100 * 100  # three blocks, of which each meets the next: pairs that only intervals are made of


@pytest.mark.parametrize(
    ("how", "whole"),
    [
        ({"verification": False}, ONCE),
        ({}, 2 * ONCE + BY_UNIT),
        ({"kernel": "cpu", "threads": 2}, 2 * ONCE + BY_UNIT),
        ({"sample": 100}, 3 * 100 * 300),
        ({"precision": 0.2}, 3 * ONCE),
        ({"calibrate_on": 0.4}, 2 * ONCE + BY_UNIT + 120 * 120 + 180 * 180),
        ({"gallery": te.Embeddings(POINTS[:200], LABELS[:200])}, 3 * 300 * 200),
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
    whole = 3 * ONCE + BY_UNIT
    assert {total for _, total in told} == {whole}
    assert told[-1] == (whole, whole)


def watch(monkeypatch):
    """Have all pairs counted in passing, few as they are."""
    monkeypatch.setattr(pair_ruler, "COARSE_PAIRS", 0)
    monkeypatch.setattr(pair_ruler, "CAPACITY", 500)
    monkeypatch.setattr(onlookers, "_MOST_LISTED", 2.0)


class Watcher:
    """Keeps what is being done at every report."""

    def __init__(self) -> None:
        self.at, self.told = "comparing", []

    def __call__(self, done: int, whole: int) -> None:
        self.told.append((self.at, done / whole))

    def stage(self, name: str) -> None:
        self.at = name

    @property
    def stages(self) -> list[str]:
        return [name for name, _ in groupby(name for name, _ in self.told)]


@pytest.mark.parametrize(
    ("how", "stages"),
    [
        ({"verification": False}, []),
        ({}, ["first look", "comparing"]),
        ({"calibrate_on": 0.4}, ["first look", "comparing", "first look", "comparing"]),
        ({"kernel": "cpu", "watched": True}, []),
        ({"kernel": "cpu", "watched": True, "by": "group"}, ["comparing"]),
    ],
)
def test_what_is_no_comparison_of_all_pairs_has_a_name(how, stages, monkeypatch):
    if how.pop("watched", False):
        watch(monkeypatch)
    watcher = Watcher()
    te.evaluate(te.Embeddings(POINTS, LABELS, groups=np.arange(300) % 3), progress=watcher, **how)
    assert watcher.stages == ["comparing", "measuring the space", *stages, "intervals", "done"]
    shares = [share for _, share in watcher.told]
    assert shares == sorted(shares)
    assert watcher.told[-1] == ("done", 1.0)
    assert dict(watcher.told[:-1])["intervals"] == 1.0


def test_pairs_of_intervals_are_told_as_such():
    watcher = Watcher()
    te.evaluate(POINTS, LABELS, progress=watcher)
    shares = [share for name, share in watcher.told if name == "intervals"]
    assert len(set(shares)) == 4  # none of three blocks, one, two and all
    assert shares[0] == pytest.approx(2 * ONCE / (2 * ONCE + BY_UNIT))


def test_more_than_planned_stretches_the_journey_instead_of_passing_its_end():
    told = []
    journey = Journey(lambda *pairs: told.append(pairs), 10)
    for done in (4, 10, 3):
        journey(done, 10)
    journey.end()
    assert told == [(4, 10), (10, 10), (13, 13)]


def test_who_knows_stages_is_told_once_that_the_end_is_reached():
    watcher = Watcher()
    journey = Journey(watcher, 10)
    journey(4, 4)
    journey.end()
    assert watcher.told == [("comparing", 0.4), ("done", 1.0)]


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


class Teller:
    """Keeps what it is told, and may end the run at a share of the way to the intervals."""

    def __init__(self, until: float = 2.0, by_unit: int = BY_UNIT) -> None:
        self.until, self.by_unit, self.told, self.before = until, by_unit, [], 0

    def __call__(self, done: int, whole: int) -> None:
        self.told.append((done, whole))
        if done >= self.until * (whole - self.by_unit):
            raise InterruptedError

    def resumed(self, pairs: int) -> None:
        self.before += pairs


@pytest.mark.parametrize("until", [0.3, 0.7, 0.97, 1.1])
@pytest.mark.parametrize(
    "how",
    [
        {"gallery": te.Embeddings(POINTS[::2], LABELS[::2])},
        {"kernel": "cpu", "threads": 2},
        {"kernel": "cpu", "watched": True},
        {"calibrate_on": 0.4, "threads": 1},
        {"precision": 0.01, "gallery": te.Embeddings(POINTS[::2], LABELS[::2])},
    ],
)
def test_what_was_compared_before_an_interruption_is_told_apart(how, until, tmp_path, monkeypatch):
    how, most_again = {**how}, 0.25
    if how.pop("watched", False):
        most_again = 0.55  # goes on unwatched, so that all pairs are a pass of their own again
        watch(monkeypatch)
    for where, name, value in (
        (journal, "AFTER", 0.0),
        (journal, "_SHARE", 1e9),
        (plan, "MOST_QUERIES", 16),
        (plan, "MOST_QUERIES_MUTUAL", 50),
    ):
        monkeypatch.setattr(where, name, value)
    monkeypatch.setattr("tripleteval.evaluation.sampling.FIRST", 40)
    by_unit = 300 * 150 if "gallery" in how else BY_UNIT
    first, then = Teller(until, by_unit), Teller()
    assert first.before == 0
    with pytest.raises(InterruptedError):
        te.evaluate(POINTS, LABELS, resume=tmp_path / "run", progress=first, **how)
    te.evaluate(POINTS, LABELS, resume=tmp_path / "run", progress=then, **how)
    stopped, whole = first.told[-1]
    done = [pairs for pairs, _ in then.told]
    kept = min(stopped, whole - by_unit)  # the last pass takes seconds, and begins anew
    assert 0 < then.before <= kept
    assert kept - then.before <= most_again * (whole - by_unit)
    assert done == sorted(done)
    assert done[-1] == whole
    assert {total for _, total in then.told} == {whole}
