"""Moments: exact, so that nobody can tell how the rows were cut."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripleteval.engine.maps import threads
from tripleteval.engine.moments import moments
from tripleteval.errors import ResourceError
from tripleteval.evidence.vectors import Vectors
from tripleteval.metrics import health
from tripleteval.metrics.spectrum import effective_rank, spectrum

GAUSSIAN = np.random.default_rng(3).normal(size=(3000, 5)) * [1, 2, 3, 0.1, 1e-3]


def measured(vectors: np.ndarray, workers: int = 1) -> Vectors:
    """Return the moments, by one worker."""
    return moments(vectors, mapping=map if workers == 1 else threads(workers), workers=workers, memory=2**30)


def bits(vectors: Vectors) -> list[object]:
    """Return every field in a form that compares."""
    return [value.tolist() if isinstance(value, np.ndarray) else value for value in vars(vectors).values()]


@pytest.mark.parametrize("offset", [0.0, 100.0, -4096.0])
def test_moments_are_those_of_numpy_also_far_from_the_origin(offset):
    points = GAUSSIAN + offset
    vectors = measured(points)
    scale = 4.0**vectors.exponent
    centred = points - points.mean(axis=0)
    covariance = centred.T @ centred / len(points)
    np.testing.assert_allclose(
        vectors.second_moments(centred=True) * scale, covariance, rtol=1e-6, atol=1e-9 * (1 + abs(offset))
    )
    np.testing.assert_allclose(
        vectors.second_moments(centred=False) * scale, points.T @ points / len(points), rtol=1e-10, atol=1e-11
    )
    norms = np.linalg.norm(points, axis=1)
    assert health.norm_mean(vectors).value == pytest.approx(norms.mean(), rel=1e-11)
    assert health.norm_cv(vectors).value == pytest.approx(norms.std() / norms.mean(), rel=1e-8)
    units = points / norms[:, None]
    cosines = units @ units.T
    pairs = (cosines.sum() - len(points)) / (len(points) * (len(points) - 1))
    assert health.anisotropy(vectors).value == pytest.approx(pairs, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("workers", [2, 3, 7])
def test_any_number_of_workers_gives_the_same_bits(workers):
    assert bits(measured(GAUSSIAN, workers)) == bits(measured(GAUSSIAN))


@given(st.integers(0, 300), st.randoms(use_true_random=False))
def test_any_cut_and_any_order_of_rows_give_the_same_bits(cut, random):
    rows = list(range(300))
    random.shuffle(rows)
    points = GAUSSIAN[:300]
    whole = Vectors.of(points, 4)
    parts = Vectors.of(points[rows[:cut]], 4).merge(Vectors.of(points[rows[cut:]], 4))
    assert bits(parts) == bits(whole)


@pytest.mark.parametrize("dtype", ["f2", "f4", ">f4", "i1", "u1", "i4"])
def test_every_dtype_is_read_as_the_numbers_it_holds(dtype):
    points = np.random.default_rng(0).integers(0, 100, size=(40, 3)).astype(dtype)
    assert bits(measured(points)) == bits(measured(points.astype(np.float64)))


@pytest.mark.parametrize("power", [-1040, -100, 60, 900])
def test_scaling_by_a_power_of_two_scales_norms_and_leaves_ranks_alone(power):
    points = np.random.default_rng(0).integers(1, 9, size=(40, 3)).astype(np.float64)
    plain, scaled = measured(points), measured(points * 2.0**power)
    assert effective_rank(spectrum(scaled)) == effective_rank(spectrum(plain))
    assert health.norm_cv(scaled) == health.norm_cv(plain)
    assert health.norm_mean(scaled).value == health.norm_mean(plain).value * 2.0**power


def test_a_rotation_leaves_the_spectrum_alone():
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(5, 5)))[0]
    one, two = spectrum(measured(GAUSSIAN)), spectrum(measured(GAUSSIAN @ turn))
    np.testing.assert_allclose(one.variances * 4.0**5, two.variances * 4.0**5, rtol=1e-5)
    assert effective_rank(one).value == pytest.approx(effective_rank(two).value, rel=1e-6)


def test_rows_that_are_zero_have_no_direction():
    vectors = measured(np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]]))
    assert vectors.zeros == 1
    assert health.anisotropy(vectors).value == pytest.approx(2 / 6)


def test_too_many_dimensions_for_the_budget_say_what_would_do():
    with pytest.raises(ResourceError, match="E802.*second moments of 300 dimensions.*--memory"):
        moments(np.ones((3, 300)), mapping=map, workers=1, memory=2**20)
