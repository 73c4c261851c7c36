"""Permutation tests, pairs of classes, and rates of classes, against their definitions."""

from fractions import Fraction
from itertools import product
from operator import mul

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from tripleteval.uncertainty.bootstrap import weights
from tripleteval.uncertainty.classes import shrunken, worst_tenth
from tripleteval.uncertainty.permutation import DRAWS, holm, sign_flip
from vertex import vertex_bootstrap, vertex_error, vertex_ratio

RANDOM = np.random.default_rng(2)


@given(st.lists(st.integers(-4, 4), min_size=1, max_size=7))
def test_the_exact_p_is_the_share_of_patterns_as_extreme(differences):
    patterns = [abs(np.dot(signs, differences)) for signs in product([-1, 1], repeat=len(differences))]
    expected = np.mean(np.array(patterns) >= abs(sum(differences)))
    assert sign_flip(np.array(differences, dtype=float)[:, None], seed=0) == [expected]


@given(st.lists(st.fractions(-2, 2, max_denominator=9), min_size=2, max_size=7))
@example([Fraction(3), Fraction(-1, 6), Fraction(5, 6), Fraction(-2, 3), Fraction(1)])
@example([Fraction(-9, 7), Fraction(2, 3), Fraction(-7, 3), Fraction(-2), Fraction(5, 3)])
def test_patterns_that_tie_but_for_rounding_are_as_extreme(differences):
    patterns = [abs(sum(map(mul, signs, differences))) for signs in product([-1, 1], repeat=len(differences))]
    expected = np.mean([pattern >= abs(sum(differences)) for pattern in patterns])
    assert sign_flip(np.array(differences, dtype=float)[:, None], seed=0) == [expected]


def test_many_classes_are_drawn_and_agree_with_the_exact_p():
    differences = np.concatenate([RANDOM.normal(0.3, 1, 20), np.zeros(1)])
    exact, drawn = sign_flip(differences[:20, None], 0)[0], sign_flip(differences[:, None], 0)[0]
    assert drawn == pytest.approx(exact, abs=0.03)
    assert drawn * (DRAWS + 1) == pytest.approx(round(drawn * (DRAWS + 1)))


def test_no_difference_at_all_is_no_evidence():
    assert sign_flip(np.zeros((3, 1)), 0) == [1.0]
    assert sign_flip(np.zeros((40, 2)), 0) == [1.0, 1.0]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_is_that_of_the_definition(p):
    adjusted = holm(p)
    for value, given_p in zip(adjusted, p, strict=True):
        assert given_p <= value <= 1
    ranked = sorted(p)
    steps = [min(1.0, (len(p) - i) * value) for i, value in enumerate(ranked)]
    assert sorted(adjusted) == pytest.approx(np.maximum.accumulate(steps))


def pairs(classes: int, per_class: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Return sums and counts of a made symmetric score over pairs of items of different classes."""
    size = classes * per_class
    ease = RANDOM.random(size)
    score, owner = ease[:, None] + ease, np.repeat(np.arange(classes), per_class)
    member = np.eye(classes)[owner]
    apart = 1.0 - np.eye(classes)
    return (member.T @ score @ member) * apart, np.full((classes, classes), per_class**2) * apart


def test_a_replicate_is_the_mean_over_the_pairs_of_the_drawn_classes():
    part, whole = pairs(6)
    drawn = next(weights(6, 0, "x", 5))
    for row, value in zip(drawn, vertex_ratio(part, whole, drawn), strict=True):
        picked = np.repeat(np.arange(6), row.astype(int))
        terms = [(part[c, d], whole[c, d]) for c in picked for d in picked if c != d]
        assert value == pytest.approx(sum(p for p, _ in terms) / sum(w for _, w in terms), rel=1e-9)


def test_a_replicate_without_a_pair_has_no_value():
    part, whole = pairs(3)
    assert np.isnan(vertex_ratio(part, whole, np.array([[3.0, 0.0, 0.0]]))).all()
    assert np.isnan(vertex_error(part[:1, :1], whole[:1, :1]))


def test_the_vertex_bootstrap_spreads_as_the_linearised_error_says():
    part, whole = pairs(150)
    assert vertex_bootstrap(part, whole, 0, "x").std() == pytest.approx(vertex_error(part, whole), rel=0.08)


def rates(values: list[list[float]]) -> np.ndarray:
    return shrunken(
        *(np.array([sum(f(v) for v in row) for row in values]) for f in (float, lambda v: v * v, lambda _: 1.0))
    )


@pytest.mark.parametrize(
    "values",
    [[[0.0, 1.0, 0.0], [1.0, 1.0, 1.0, 1.0, 0.0]], [[0.0, 0.0, 1.0], [1.0] * 7, [0.5, 1.0], [0.0] * 4, [1.0]]],
)
def test_a_class_is_drawn_as_far_as_the_analysis_of_variance_says(values: list[list[float]]):
    counts, mean = np.array([len(row) for row in values]), np.mean(np.concatenate(values))
    size = (counts.sum() - (counts**2).sum() / counts.sum()) / (len(values) - 1)
    kappa = size / (stats.f_oneway(*values).statistic - 1)
    expected = [(sum(row) + kappa * mean) / (len(row) + kappa) for row in values]
    assert rates(values) == pytest.approx(expected, rel=1e-12)


def test_classes_without_noise_keep_their_rates_and_a_single_class_its_own():
    assert rates([[0.25, 0.25], [0.75, 0.75, 0.75]]).tolist() == [0.25, 0.75]
    assert rates([[0.0, 1.0, 1.0, 1.0]]).tolist() == [0.75]


def test_classes_that_differ_only_by_noise_all_get_the_mean():
    assert rates([[0, 1], [0, 1], [1, 0]]).tolist() == [0.5, 0.5, 0.5]


def test_the_fewer_its_queries_the_nearer_a_class_is_to_the_mean():
    few, many, bad, none = rates([[1.0] * 2, [1.0] * 40, [0.0] * 30 + [1.0], []])
    assert 0.9 < few < many < 1
    assert 0 < bad < 0.1
    assert np.isnan(none)


@pytest.mark.parametrize("values", [[[0.0], [1.0], [1.0]], [[0.0, 1.0], [1.0], [0.0]], [[1.0]]])
def test_with_fewer_than_two_queries_per_class_no_class_has_a_rate(values: list[list[float]]):
    assert np.isnan(rates(values)).all()
    assert not np.isnan(rates([[*row, 1.0] for row in values])).any()


def test_shrinkage_recovers_the_variance_between_classes():
    truth = RANDOM.beta(8, 2, 400)
    hits = RANDOM.binomial(10, truth).astype(float)
    found = shrunken(hits, hits, np.full(400, 10.0))
    assert np.mean((found - truth) ** 2) < 0.75 * np.mean((hits / 10 - truth) ** 2)
    kappa = 10 * (hits[0] / 10 - found[0]) / (found[0] - hits.mean() / 10)
    assert kappa == pytest.approx(stats.beta(8, 2).mean() / 0.8 * 10, rel=0.35)


def test_the_worst_tenth():
    assert worst_tenth(np.array([0.5, np.nan, 0.1])) == 0.1
    assert worst_tenth(np.arange(20.0)) == 0.5
    assert worst_tenth(np.arange(21.0)) == 1.0
    assert worst_tenth(np.array([np.nan])) is None
