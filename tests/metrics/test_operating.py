"""What thresholds decide, from counted pairs: known one by one, at an edge, or somewhere in a gap."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tripleteval.evidence.pairs import Pairs, Ruler
from tripleteval.metrics.operating import operating, operating_of, within_budget

distances = st.lists(st.integers(0, 6).map(float), max_size=9)


def counted(genuine: list[float], impostor: list[float], capacity: int) -> Pairs:
    """Return the evidence of pairs that are known at 1, 3 and 5, and one by one below 1 and between 3 and 5."""
    ruler = Ruler(np.array([1.0, 3.0, 5.0]), np.array([True, False, True, False]), capacity, np.zeros(0))
    sides = [np.sort(np.array(side, dtype=float)) for side in (genuine, impostor)]
    bins = [ruler.counts(side) for side in sides]
    kept = Pairs.at(ruler, *(ruler.keeps(side, counts) for side, counts in zip(sides, bins, strict=True)))
    steps = [int(total) for side in sides for total in (side.sum() * 4, (side**2).sum() * 16)]
    return replace(kept, genuine=bins[0], impostor=bins[1], sums=tuple(steps))


@settings(max_examples=20)
@given(distances, distances, st.sampled_from([1, 9]))
def test_every_pair_stands_at_its_distance_or_in_its_gap(genuine, impostor, capacity):
    kept = {0.0, 4.0} & {*genuine, *impostor}
    kept = kept if len(kept) <= capacity else set()
    of = operating(counted(genuine, impostor, capacity), 0.25, 2.0)
    at = sorted({1.0, 3.0, 5.0} | kept)
    assert of.at.tolist() == at
    for side, bins, moments in (
        (genuine, of.genuine, of.genuine_moments),
        (impostor, of.impostor, of.impostor_moments),
    ):
        edges = [-math.inf, *at, math.inf]
        assert bins[1::2].tolist() == [side.count(d) for d in at]
        assert bins[::2].tolist() == [sum(a < d < b for d in side) for a, b in pairwise(edges)]
        scale = 1.0 if not bins[::2].any() else 2.0  # from sums of steps where not all are known
        assert moments.mean == (pytest.approx(scale * np.mean(side)) if side else None)
        variance = np.var(side, ddof=1) - (np.var(side, ddof=1) > 1) * (scale - 1) / 12 / 16 if len(side) > 1 else 0.0
        assert moments.sd == (pytest.approx(scale * math.sqrt(variance)) if len(side) > 1 else None)


def test_the_cut_of_a_point_is_its_threshold_or_beyond_everything():
    of = operating_of(np.array([1.0, 2.0]), np.array([2.0, 3.0]), np.zeros(0))
    assert [within_budget(of, far).cut for far in (0.0, 0.5, 1.0)] == [1.5, 2.5, math.inf]
    assert within_budget(operating_of(np.array([2.0]), np.array([1.0]), np.zeros(0)), 0.5).cut == -math.inf
