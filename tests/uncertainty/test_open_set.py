"""Strangers and mated searches drawn again: the metric itself, on searches repeated as often as they were drawn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripleteval.metrics.identification import Searches, tpir
from tripleteval.uncertainty import open_set
from tripleteval.uncertainty.open_set import Drawn, first_beyond, share_below, slope


def searches(draw, most: int):
    """Return distances with ties, some never accepted, and a unit for each, none of the units empty."""
    distances = draw(st.lists(st.sampled_from([0.5, 1.0, 2.0, 3.0, 5.0, np.inf]), min_size=1, max_size=most))
    units = draw(st.integers(1, len(distances)))
    extra = draw(st.lists(st.integers(0, units - 1), min_size=len(distances) - units, max_size=len(distances) - units))
    return np.array(distances), np.array([*range(units), *extra])


@given(st.data(), st.sampled_from([0.05, 0.1, 0.25, 0.5, 1.0]), st.sampled_from([1, 60, 2**20]))
def test_a_draw_is_the_metric_of_the_searches_it_holds(data, fpir, at_once):
    (mate, of_mate), (stranger, of_stranger) = searches(data.draw, 9), searches(data.draw, 9)
    stranger = np.minimum(stranger, 9.0)  # a stranger is as close to somebody as to the closest
    random = np.random.default_rng(data.draw(st.integers(0, 99)))
    times = [
        random.multinomial(n, np.full(n, 1 / n), size=20).astype(float)
        for n in (of_mate.max() + 1, of_stranger.max() + 1)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(open_set, "_AT_ONCE", at_once)
        cuts = first_beyond(Drawn.of(stranger, of_stranger, times[1]), fpir)
        shares = share_below(Drawn.of(mate, of_mate, times[0]), cuts)
    for row in range(20):
        mates = np.repeat(mate, times[0][row, of_mate].astype(int))
        strangers = np.repeat(stranger, times[1][row, of_stranger].astype(int))
        # A mate that is never accepted is not the closest identity.
        found = Searches(np.minimum(mates, 99.0), np.where(np.isinf(mates), 2.0, 1.0), strangers, 9, 9, (1,))
        if np.isfinite(cuts[row]):
            assert shares[row] == pytest.approx(tpir(found, fpir).value)
        else:
            assert fpir == 1.0


def test_a_slope_is_that_of_least_squares():
    x, y = np.random.default_rng(0).normal(size=(2, 50))
    assert slope(y, x) == pytest.approx(np.polyfit(x, y, 1)[0])
    assert slope(y, np.ones(50)) == 0.0
