"""Who is found too often, and who never: how the k nearest places are shared out among the gallery."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from tripleteval.arrays import Floats
from tripleteval.bounds import SHARE, Bounds
from tripleteval.metrics import Scalar, quantity


class Occurrences(NamedTuple):
    """How often each gallery item stands among the k nearest of a query.

    Attributes:
        times: (gallery,) float64. Items tied at rank k share the places left, so Σ times is queries · k.
        wrong: Of Σ times, how much falls to items that are not relevant for the query.
        reason: Why they are not known; empty where they are.
    """

    times: Floats
    wrong: float = 0.0
    reason: str = ""


Hubs = Mapping[int, Occurrences]


@quantity("hubness@k", of="hubs", better="lower")
def hubness(hubs: Hubs, k: int) -> Scalar:
    """Skewness of how often each item is among the k nearest of another: E[(N − μ)³] / σ³, over all items.

    Range (−∞, ∞); 0 where every item is found equally often. By rule of thumb, above 1 hubs are noticeable,
    above 2 strong: a few items crowd everybody's results. Items tied at rank k share the places left.

    Source:
        Radovanović, Nanopoulos & Ivanović 2010.
    """
    times = hubs[k].times
    if hubs[k].reason:
        return Scalar(None, len(times), hubs[k].reason)
    if times.min() == times.max():  # their mean may be off by a rounding, and its cube over its square is 1
        return Scalar(0.0, len(times))
    away = times - _mean(times)
    return Scalar(_mean(away**3) / _mean(np.square(away)) ** 1.5, len(times))


@quantity("anti_hubs@k", of="hubs", better="lower", bounds=SHARE)
def anti_hubs(hubs: Hubs, k: int) -> Scalar:
    """Share of items that are among the k nearest of no query: they cannot be found.

    Range [0, 1].

    Source:
        Radovanović, Nanopoulos & Ivanović 2010, on anti-hubs.
    """
    times = hubs[k].times
    if hubs[k].reason:
        return Scalar(None, len(times), hubs[k].reason)
    return Scalar(int((times == 0).sum()) / len(times), len(times))


@quantity("largest_hub@k", of="hubs", better="lower", default=False, bounds=Bounds(low=1.0))
def largest_hub(hubs: Hubs, k: int) -> Scalar:
    """How often the most frequent neighbour occurs, in multiples of the mean.

    Range [1, ∞).

    Source:
        The definition itself.
    """
    times = hubs[k].times
    if hubs[k].reason or not times.any():
        return Scalar(None, len(times), hubs[k].reason or "nobody is found at all")
    return Scalar(float(times.max()) / _mean(times), len(times))


@quantity("robin_hood@k", of="hubs", better="lower", default=False, bounds=SHARE)
def robin_hood(hubs: Hubs, k: int) -> Scalar:
    """Share of all places that would have to change hands for everybody to be found equally often.

    Range [0, 1).

    Source:
        Feldbauer & Flexer 2019 (Hoover index of the k-occurrence).
    """
    times = hubs[k].times
    if hubs[k].reason or not times.any():
        return Scalar(None, len(times), hubs[k].reason or "nobody is found at all")
    away = math.fsum(np.abs(times - _mean(times)).tolist())
    return Scalar(away / (2 * math.fsum(times.tolist())), len(times))


@quantity("bad_occurrences@k", of="hubs", better="lower", default=False, bounds=SHARE)
def bad_occurrences(hubs: Hubs, k: int) -> Scalar:
    """Share of all places among the k nearest that are taken by items that are not relevant.

    Range [0, 1]: one minus a precision@k that divides by what can be found.

    Source:
        Radovanović, Nanopoulos & Ivanović 2010 ("bad" k-occurrences).
    """
    times = hubs[k].times
    if hubs[k].reason or not times.any():
        return Scalar(None, len(times), hubs[k].reason or "nobody is found at all")
    return Scalar(hubs[k].wrong / math.fsum(times.tolist()), len(times))


def _mean(values: Floats) -> float:
    return math.fsum(values.tolist()) / len(values)
