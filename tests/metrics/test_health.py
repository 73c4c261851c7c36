"""Norms and directions: against all pairs one by one."""

import numpy as np
import pytest

from tripleteval.evidence.vectors import Vectors
from tripleteval.metrics.health import anisotropy, norm_cv, norm_mean

ROWS = np.array([[3.0, 4.0], [0.0, 0.0], [-1.0, 0.5], [2.0, 0.0]])


def test_the_mean_cosine_is_that_of_all_pairs_and_a_zero_vector_has_cosine_0_to_all():
    lengths = np.linalg.norm(ROWS, axis=1, keepdims=True)
    unit = np.divide(ROWS, lengths, out=np.zeros_like(ROWS), where=lengths > 0)
    pairs = [unit[i] @ unit[j] for i in range(4) for j in range(4) if i != j]
    assert anisotropy(Vectors.of(ROWS, 3)).value == pytest.approx(np.mean(pairs), abs=1e-12)
    assert anisotropy(Vectors.of(ROWS[:2], 3)).value == pytest.approx(0.0, abs=1e-12)
    assert anisotropy(Vectors.of(np.array([[1.0, 0.0], [2.0, 0.0]]), 3)).value == pytest.approx(1.0)
    assert anisotropy(Vectors.of(ROWS[:1], 3)).reason == "fewer than two vectors"


def test_norms_are_those_of_the_rows_also_where_they_are_huge():
    norms = np.linalg.norm(ROWS, axis=1)
    found = Vectors.of(ROWS, 3)
    assert norm_mean(found).value == pytest.approx(norms.mean(), rel=1e-11)
    assert norm_cv(found).value == pytest.approx(norms.std() / norms.mean(), rel=1e-11)
    huge = Vectors.of(np.full((2, 9), 1e308), 1024)
    assert norm_mean(huge).reason == "the norms leave the range of float64"
    assert norm_cv(huge).value == 0.0
    assert norm_cv(Vectors.of(np.zeros((2, 2)), 3)).reason == "all vectors are zero"
