"""Searches when their units are drawn again: strangers set the threshold, mated searches are judged by it.

Both kinds are drawn, each from its own units, so that what is said holds for other strangers too.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from tripleteval.arrays import Floats, Ints

_AT_ONCE = 2**20


class Drawn(NamedTuple):
    """Searches of one kind, sorted, and how often each of their units was drawn.

    Attributes:
        distance: (n,) float64, ascending.
        unit: (n,) int64, the unit of each search.
        times: (replicates, units) float64, how often each unit was drawn.
    """

    distance: Floats
    unit: Ints
    times: Floats

    @classmethod
    def of(cls, distance: Floats, unit: Ints, times: Floats) -> Drawn:
        """Return the searches in the order of their distances."""
        order = np.argsort(distance, kind="stable")
        return cls(distance[order], unit[order], times)

    def among(self, start: int, stop: int) -> Floats:
        """Return (replicates, stop − start) how many searches from ``start`` up to each were drawn."""
        return np.cumsum(self.times[:, self.unit[start:stop]], axis=1)

    def before(self, place: int) -> Floats:
        """Return (replicates,) how many of the first ``place`` searches were drawn."""
        counts = np.bincount(self.unit[:place], minlength=self.times.shape[1])
        return np.asarray(self.times @ counts.astype(np.float64))  # whole numbers: the same in any order

    @property
    def step(self) -> int:
        """How many searches are looked at together."""
        return max(1, _AT_ONCE // len(self.times))


def first_beyond(strangers: Drawn, rate: float) -> Floats:
    """Return (replicates,) the distance of the first search of a stranger too many, +inf where none is.

    Args:
        strangers: Searches that should find nobody.
        rate: At most this share of them may be accepted; in (0, 1].

    Source:
        The rule of ``tpir@fpir``, for searches that count as often as they were drawn.
    """
    searches = len(strangers.distance)
    limit = np.floor(rate * strangers.before(searches) + 1e-9)
    found, upto = np.full(len(limit), np.inf), np.zeros(len(limit))
    for start in range(0, searches, strangers.step):
        counts = upto[:, None] + strangers.among(start, start + strangers.step)
        beyond = counts > limit[:, None]
        here = beyond[:, -1] & (upto <= limit)
        found[here] = strangers.distance[start + beyond[here].argmax(axis=1)]
        upto = counts[:, -1]
        if beyond[:, -1].all():
            break
    return found


def share_below(mated: Drawn, cuts: Floats) -> Floats:
    """Return (replicates,) the share of searches closer than the cut of each replicate."""
    place = np.searchsorted(mated.distance, cuts)
    low, high = int(place.min()), int(place.max())
    inside = mated.before(low)
    for start in range(low, high, mated.step):
        counts = mated.among(start, min(start + mated.step, high))
        closer = np.clip(place - start, 0, counts.shape[1])[:, None]
        inside += np.where(closer > 0, np.take_along_axis(counts, np.maximum(closer - 1, 0), axis=1), 0.0)[:, 0]
    return inside / mated.before(len(mated.distance))


def slope(values: Floats, rates: Floats) -> float:
    """Return how much ``values`` change, over replicates, per unit of ``rates``; 0 where these never change."""
    one, two = (side - math.fsum(side.tolist()) / len(side) for side in (rates, values))
    spread = math.fsum(np.square(one).tolist())
    return math.fsum((one * two).tolist()) / spread if spread else 0.0
