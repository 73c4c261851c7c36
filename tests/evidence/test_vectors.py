"""The direction of a row does not depend on how small it is beside the others."""

import numpy as np
import pytest

from tripleteval.evidence.vectors import Vectors


def test_a_row_that_is_tiny_beside_others_has_its_direction():
    rows = np.array([[3e-200, 4e-200, 0.0], [3.0, 4.0, 0.0], [0.0, 0.0, 1e-310], [0.0, 0.0, 0.0]])
    seen = Vectors.of(rows, 3)
    assert seen.zeros == 1
    assert seen.resultant() == pytest.approx(5.0)  # two along one direction, one across
