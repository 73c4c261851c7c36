"""Curves close to one another: by how much what is read off them changes."""

import numpy as np
import pytest

from tripleteval.metrics.curves import Curves, changes_of_eer, changes_of_tar, eer, tar

AT = np.linspace(0, 1, 2001)
WHOLE = Curves(AT, (AT**3)[None], (AT**0.5)[None])
BUMPS = np.sin(np.pi * AT) * np.array([[1e-3], [-1e-3], [0.0], [2e-3]])
MOVED = Curves(AT, WHOLE.far + BUMPS, WHOLE.tar + BUMPS[[1, 1, 3, 2]])


@pytest.mark.parametrize("far", [0.02, 0.1, 0.4])
def test_a_change_of_tar_is_that_of_reading_smooth_curves_again(far):
    expected = tar(MOVED, far) - tar(WHOLE, far)
    assert changes_of_tar(WHOLE, MOVED, far) == pytest.approx(expected, rel=0.1, abs=5e-5)


def test_a_change_of_the_eer_likewise():
    assert changes_of_eer(WHOLE, MOVED) == pytest.approx(eer(MOVED) - eer(WHOLE), rel=0.1)


def test_steps_between_neighbouring_pairs_are_no_slope():
    """Where the curve is a staircase, a change that moves nothing but the threshold is still paid for."""
    stairs = Curves(AT, WHOLE.far, np.floor(20 * WHOLE.tar) / 20)
    shifted = stairs._replace(far=stairs.far + 1e-3 * np.sin(np.pi * AT))
    smooth = changes_of_tar(WHOLE, WHOLE._replace(far=shifted.far), 0.1)
    assert changes_of_tar(stairs, shifted, 0.1) == pytest.approx(smooth, rel=0.3)
    assert changes_of_eer(stairs, shifted)[0] > 0


def test_nothing_changes_where_everything_is_right():
    perfect = Curves(np.array([0.0, 1, 2, 3]), np.array([[0.0, 0, 0, 1]]), np.array([[0.0, 1, 1, 1]]))
    assert changes_of_eer(perfect, perfect) == pytest.approx([0.0])
    assert changes_of_tar(perfect, perfect, 0.1) == pytest.approx([0.0])
