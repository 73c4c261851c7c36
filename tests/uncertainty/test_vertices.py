"""Shares of pairs under resampled units: to first order the vertex bootstrap, without a count per pair of units."""

import math

import numpy as np
import pytest

from tripleteval.uncertainty.vertices import redrawn_shares, resampled, without_each
from vertex import vertex_bootstrap, vertex_error

RANDOM = np.random.default_rng(3)


def impostors(units: int, each: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return accepted and all impostor pairs by pair of units, and the cells of those that touch each unit."""
    ease = RANDOM.normal(size=units)
    chance = 1 / (1 + np.exp(2 - ease[:, None] - ease))
    accepted = np.triu(RANDOM.binomial(each**2, chance), 1)
    accepted, every = accepted + accepted.T, each**2 * (1 - np.eye(units, dtype=int))
    touching = np.stack([accepted.sum(axis=1), (every - accepted).sum(axis=1)], axis=1)
    return accepted.astype(float), every.astype(float), touching


def test_the_shares_themselves_come_back_where_nobody_is_drawn_twice():
    counts = RANDOM.integers(0, 9, (7, 5))
    share = np.cumsum(counts.sum(axis=0))[:-1] / counts.sum()
    for sides in (1, 2):
        np.testing.assert_allclose(redrawn_shares(share, counts, np.ones((1, 7)), sides)[0], share)


def test_a_pair_of_two_units_varies_as_in_the_vertex_bootstrap():
    accepted, every, touching = impostors(60)
    share = np.array([accepted.sum() / every.sum()])
    drawn = redrawn_shares(share, touching, resampled(60, 0, "x"), 2)[:, 0]
    exact = vertex_bootstrap(accepted, every, 0, "x")
    assert np.corrcoef(drawn, exact)[0, 1] > 0.995
    assert drawn.std() == pytest.approx(exact.std(), rel=0.03)


def test_leaving_out_each_unit_gives_the_linearised_error():
    accepted, every, touching = impostors(80)
    share = np.array([accepted.sum() / every.sum()])
    found = redrawn_shares(share, touching, without_each(80), 2)[:, 0]
    error = math.sqrt(79 / 80 * np.square(found - found.mean()).sum())
    assert error == pytest.approx(vertex_error(accepted, every), rel=0.03)


def test_where_both_items_are_of_one_unit_it_is_the_share_over_the_drawn_units():
    counts = RANDOM.integers(1, 9, (25, 4))
    share = np.cumsum(counts.sum(axis=0))[:-1] / counts.sum()
    drawn = resampled(25, 0, "x")
    sums = np.cumsum(drawn @ counts, axis=1)
    np.testing.assert_allclose(redrawn_shares(share, counts, drawn, 1), sums[:, :-1] / sums[:, -1:], rtol=1e-12)


def test_a_cell_that_nobody_fills_does_not_vary_and_shares_never_fall_or_leave_their_range():
    counts = np.zeros((20, 6), int)
    counts[:, 2], counts[:, 5], counts[3, 3] = RANDOM.integers(0, 5, 20), 1, 90
    share = np.cumsum(counts.sum(axis=0))[:-1] / counts.sum()
    found = redrawn_shares(share, counts, resampled(20, 0, "x"), 2)
    assert (found[:, :2] == 0).all()
    assert (np.diff(found, axis=1) >= 0).all()
    assert found.min() >= 0
    assert found.max() <= 1


def test_two_halves_tell_how_much_of_a_sample_is_luck():
    """Units that differ, and units that do not, each seen through a few sampled pairs only."""
    drawn = resampled(400, 0, "x")
    for spread in (0.0, 1.0):
        rate = 0.01 * np.exp(spread * RANDOM.normal(size=400))
        halves = RANDOM.binomial(300, rate[:, None], (400, 2))
        counts, half = (np.stack([hits, 300 * n - hits], axis=1) for hits, n in ((halves.sum(1), 2), (halves[:, 1], 1)))
        share = np.array([counts[:, 0].sum() / counts.sum()])
        luck = redrawn_shares(share, counts, drawn, 2)[:, 0].std()
        found = redrawn_shares(share, counts, drawn, 2, half)[:, 0].std()
        real = 2 * share[0] * rate.std() / rate.mean() / np.sqrt(400)
        assert real * 0.8 - 1e-9 <= found <= luck
        assert found < 1.25 * real or not spread
        assert found < 0.5 * luck or spread
