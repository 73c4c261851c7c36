"""Distances enter sums in coarse steps only where what rounding does to one, it undoes to another."""

import math
from dataclasses import replace

import numpy as np
import pytest

import tripleteval as te
from tripleteval.data.embeddings import Embeddings
from tripleteval.distance.formula import DISTANCES, Distance, distance_for
from tripleteval.engine import rounding
from tripleteval.evaluation.relevance import compare

RNG = np.random.default_rng(4)
SPREAD = RNG.normal(size=(100, 8))


def fitted(x, distance="euclidean", queries=None):
    """Return the distance a set is evaluated with, and the one before it was rounded."""
    gallery = Embeddings(x, np.arange(len(x)) % 9)
    asked = gallery if queries is None else Embeddings(queries, np.arange(len(queries)) % 9)
    comparison = compare(asked, None if queries is None else gallery, ignore=None, relevance=None)
    plain = replace(distance_for(distance, x), step_bits=36)
    return rounding.rounded(plain, comparison), plain


@pytest.fixture(autouse=True)
def _any_number_of_pairs(monkeypatch):
    monkeypatch.setattr(rounding, "FROM_PAIRS", 100)


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e5])
def test_a_step_is_a_four_thousandth_of_a_typical_distance_and_a_power_of_two(distance, scale):
    found, _ = fitted(SPREAD * scale, distance)
    among = compare(Embeddings(SPREAD * scale, np.zeros(100, int)), None, ignore=None, relevance=None)
    squared = rounding.sampled(among, found)
    typical = np.median(np.sqrt(squared) if found.rooted else squared)
    assert typical / 4096 <= found.step < typical / 2048
    assert math.frexp(found.step)[0] == 0.5
    assert found.step == found.fine_step * 2**found.dropped_bits


@pytest.mark.parametrize(
    "x",
    [
        RNG.integers(0, 2, (100, 6)).astype(float),  # few different distances
        np.ones((100, 8)),  # only one
        np.vstack([SPREAD, 1e9 * np.ones((1, 8))]),  # a row so far away that a step of the sample is a fine one
        np.eye(100)[:, :100] + 1e-6 * RNG.normal(size=(100, 100)),  # all nearly equally far
    ],
    ids=["bits", "one point", "an outlier", "no spread"],
)
def test_where_rounding_would_show_steps_stay_fine(x):
    found, plain = fitted(x)
    assert found == plain


def test_few_pairs_are_not_rounded(monkeypatch):
    monkeypatch.setattr(rounding, "FROM_PAIRS", 100 * 100)
    assert fitted(SPREAD)[0].dropped_bits
    monkeypatch.setattr(rounding, "FROM_PAIRS", 100 * 100 + 1)
    found, plain = fitted(SPREAD)
    assert found == plain


def test_queries_and_gallery_are_compared_with_each_other():
    found, _ = fitted(SPREAD, queries=SPREAD[:30] + 10.0)
    assert 32 / 4096 <= found.step < 64 / 4096  # among each other, either are about four apart
    assert fitted(SPREAD)[0].step == 8 / 4096


def test_steps_of_a_sum_are_those_of_fine_steps_rounded_halves_up():
    distance = Distance("euclidean", span=2.0**11, step_bits=11, dropped_bits=3)  # fine steps of 1, and steps of 8
    lengths = np.array([0.0, 3.0, 3.6, 4.0, 11.4, 11.5, 12.0, 100.0])
    assert distance.steps(lengths**2).tolist() == [0, 0, 1, 1, 1, 2, 2, 13]
    assert distance.step == 8.0
    assert distance.fine_step == 1.0


@pytest.mark.parametrize("distance", DISTANCES)
def test_a_loss_hardly_moves_and_no_count_does(distance, monkeypatch):
    rng = np.random.default_rng(1)
    labels = np.arange(1200) % 200
    x = rng.normal(size=(200, 16))[labels] + 1.5 * rng.normal(size=(1200, 16))
    coarse = te.evaluate(x, labels, distance=distance, verification=False, kernel="cpu")
    monkeypatch.setattr(rounding, "FROM_PAIRS", math.inf)
    fine = te.evaluate(x, labels, distance=distance, verification=False, kernel="cpu")
    moved = {name for name in fine.metrics if coarse[name] != fine[name]}
    assert {name.partition("@")[0] for name in moved} == {"triplet_loss"}
    for name in moved:
        assert coarse[name] == pytest.approx(fine[name], rel=1e-5)
