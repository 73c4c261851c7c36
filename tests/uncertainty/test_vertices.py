"""Shares of pairs under resampled units: to first order the vertex bootstrap, without a count per pair of units."""

import math

import numpy as np
import pytest

from tripleteval.uncertainty.vertices import redrawn_shares, resampled, signal, without_each
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


def test_everybody_but_one_is_everybody_but_one():
    assert without_each(3).tolist() == [[0, 1, 1], [1, 0, 1], [1, 1, 0]]


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


def test_a_draw_of_units_without_pairs_leaves_the_shares_as_they_are():
    counts = np.array([[0, 0, 0], [1, 2, 3], [4, 0, 1]])
    share = np.array([5, 7]) / 11
    np.testing.assert_array_equal(redrawn_shares(share, counts, np.array([[3.0, 0.0, 0.0]]), 2), [share])


def test_where_both_halves_say_the_same_nothing_is_luck():
    half = RANDOM.integers(0, 9, (25, 4))
    share = np.cumsum(half.sum(axis=0))[:-1] / half.sum()
    drawn = resampled(25, 0, "x")
    found = redrawn_shares(share, 2 * half, drawn, 2, half)
    np.testing.assert_allclose(found, redrawn_shares(share, 2 * half, drawn, 2), rtol=1e-12)


def test_the_signal_is_what_both_halves_agree_on_over_all_that_differs():
    """Unit by unit: by how much it differs from the usual, and how much of that its second half repeats."""
    part, half, pairs, of_half = np.array([[30, 9, 12, 5], [7, 6, 5, 4], [100] * 4, [40] * 4])
    differs = part - part.sum() / 400 * 100
    second = half - part.sum() / 400 * 40
    agreed = [(d - s) * s for d, s in zip(differs, second, strict=True)]
    real = (sum(agreed) + math.sqrt(sum(a * a for a in agreed))) / (0.4 * 0.6)
    found = signal(part[:, None], half[:, None], pairs, of_half)
    assert 0 < found[0] < 1
    assert found == pytest.approx([math.sqrt(real / (differs**2).sum())])


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
