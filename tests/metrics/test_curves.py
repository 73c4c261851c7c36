"""Curves close to one another: by how much what is read off them changes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripleteval.metrics import verification
from tripleteval.metrics.curves import (
    READ,
    Curves,
    auc,
    changes_of_eer,
    changes_of_tar,
    d_prime,
    eer,
    intra_quantile,
    overlap,
    tar,
    threshold,
)
from tripleteval.metrics.operating import operating_of

AT = np.linspace(0, 1, 2001)
WHOLE = Curves(AT, (AT**3)[None], (AT**0.5)[None])
BUMPS = np.sin(np.pi * AT) * np.array([[1e-3], [-1e-3], [0.0], [2e-3]])
MOVED = Curves(AT, WHOLE.far + BUMPS, WHOLE.tar + BUMPS[[1, 1, 3, 2]])
distances = st.lists(st.integers(1, 6).map(float), min_size=1, max_size=9)


@given(distances, distances)
def test_where_every_distance_is_a_cut_the_numbers_are_those_of_the_pairs(genuine, impostor):
    at = np.unique([0.0, *genuine, *impostor])
    shares = [np.array([[np.mean(np.array(d) <= cut) for cut in at]]) for d in (impostor, genuine)]
    read, known = Curves(at, *shares), operating_of(np.array(genuine), np.array(impostor), np.zeros(0))
    for name in ("auc", "eer", "overlap"):
        assert READ[name](read) == pytest.approx([getattr(verification, name)(known).value], abs=1e-12)


def test_between_two_known_points_a_curve_is_straight():
    far, near = np.array([[0.0, 0.2, 0.6, 1.0], [0.0, 0.1, 0.2, 1.0]]), np.array([[0.0, 0.5, 0.9, 1.0]] * 2)
    read = Curves(np.array([0.0, 1.0, 4.0, 6.0]), far, near)
    for share in (0.0, 0.05, 0.2, 0.3, 0.99, 1.0):
        for one in range(2):
            assert tar(read, share)[one] == pytest.approx(np.interp(share, far[one], near[one]))
            assert threshold(read, share)[one] == pytest.approx(np.interp(share, far[one], read.at))
            assert intra_quantile(read, share)[one] == pytest.approx(np.interp(share, near[one], read.at))
    assert overlap(read) == pytest.approx([0.7, 0.3])
    assert auc(read) == pytest.approx([np.trapezoid(near[one], far[one]) for one in range(2)])


def test_where_a_curve_rises_at_once_its_upper_end_is_read():
    steep = Curves(np.array([0.0, 1.0, 2.0, 3.0]), np.array([[0.0, 0.0, 0.0, 1.0]]), np.array([[0.0, 0.4, 0.6, 1.0]]))
    assert tar(steep, 0.0) == pytest.approx([0.6])
    assert threshold(steep, 0.0) == pytest.approx([2.0])


@pytest.mark.parametrize("scale", [1.0, 2.0**900])
def test_d_prime_is_that_of_pairs_midway_between_the_cuts(scale):
    at = np.array([0.0, 1.0, 4.0, 6.0])
    counts = np.array([[2, 1, 1], [1, 3, 6]])
    genuine, impostor = (np.r_[0, np.cumsum(side)][None] / side.sum() for side in counts)
    near, apart = (np.repeat((at[1:] + at[:-1]) / 2, side) for side in counts)
    expected = (apart.mean() - near.mean()) / np.sqrt((near.var() + apart.var()) / 2)
    assert d_prime(Curves(at * scale, impostor, genuine)) == pytest.approx([expected])


@pytest.mark.parametrize("far", [0.02, 0.1, 0.4])
def test_a_change_of_tar_is_that_of_reading_smooth_curves_again(far):
    expected = tar(MOVED, far) - tar(WHOLE, far)
    assert changes_of_tar(WHOLE, MOVED, far) == pytest.approx(expected, rel=0.1, abs=5e-5)


def test_a_change_of_the_eer_likewise():
    assert changes_of_eer(WHOLE, MOVED) == pytest.approx(eer(MOVED) - eer(WHOLE), rel=0.1)


@pytest.mark.parametrize(("far", "place"), [(0.1, 1), (0.4, 2), (0.9, 2)])
def test_a_change_is_taken_at_the_known_point_next_to_the_rate_and_paid_for_along_the_slope(far, place):
    whole = Curves(np.arange(4.0), np.array([[0.0, 0.1, 0.4, 1.0]]), np.array([[0.0, 0.5, 0.8, 1.0]]))
    moved = Curves(np.arange(4.0), np.array([[0.0, 0.12, 0.45, 1.0]]), np.array([[0.0, 0.51, 0.88, 1.0]]))
    around = [far / 1.5, min(far * 1.5, 1.0)]
    slope = np.diff(np.interp(around, whole.far[0], whole.tar[0])) / np.diff(around)
    nearer, farther = (moved.tar - whole.tar)[0, place], (moved.far - whole.far)[0, place]
    assert changes_of_tar(whole, moved, far) == pytest.approx(nearer - slope * farther)


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
