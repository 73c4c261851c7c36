"""What every threshold would decide: the genuine and impostor pairs at and between known distances.

A pair is accepted if and only if its distance is <= the threshold. Counts are exact at every known distance;
between two of them a gap may hold pairs whose own distance is not known.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from tripleteval.arrays import Floats, Ints
from tripleteval.evidence.pairs import Pairs

RELIABLE = 30  # errors allowed below which a rate is good to worse than about 30 %
_ROUNDED_SMOOTHLY = 16  # square steps of variance: of narrower distances rounding may do anything


class Moments(NamedTuple):
    """Mean and standard deviation (ddof = 1) of distances; ``None`` where there are too few."""

    mean: float | None
    sd: float | None


@dataclass(frozen=True)
class Operating:
    """Every threshold's decisions.

    Attributes:
        at: (T,) float64, the known distances, ascending and distinct.
        genuine: (2 T + 1,) int64, genuine pairs: odd bins at a known distance, even bins in the gap below it.
        impostor: (2 T + 1,) int64, impostor pairs.
        genuine_moments: Of their distances.
        impostor_moments: Of their distances.
        grid: (G,) float64, equally spaced known distances at which histograms are cut.
        reason: Why nothing can be said, if so.
    """

    at: Floats
    genuine: Ints
    impostor: Ints
    genuine_moments: Moments
    impostor_moments: Moments
    grid: Floats
    reason: str = ""

    @property
    def genuine_pairs(self) -> int:
        """Number of genuine pairs."""
        return int(self.genuine.sum())

    @property
    def impostor_pairs(self) -> int:
        """Number of impostor pairs."""
        return int(self.impostor.sum())

    @property
    def undefined(self) -> str:
        """Why a rate of both kinds of pairs is undefined; empty where it is not."""
        if self.reason:
            return self.reason
        if not self.genuine_pairs:
            return "no genuine pair" if self.impostor_pairs else "no pairs"
        return "" if self.impostor_pairs else "no impostor pair: one class only"

    def densest(self) -> float:
        """Return the largest share of the impostor pairs that lie in one gap."""
        return float(self.impostor[::2].max()) / max(self.impostor_pairs, 1)

    def accepted(self) -> tuple[Ints, Ints]:
        """Return (2 T + 2,) genuine and impostor pairs accepted before bin ``b``: nothing first, everything last."""
        zero = np.zeros(1, np.int64)
        genuine, impostor = (np.cumsum(counts) for counts in (self.genuine, self.impostor))
        return np.concatenate([zero, genuine]), np.concatenate([zero, impostor])

    def blurred(self) -> Ints:
        """Return the gaps that hold both kinds of pairs, whose order is not known."""
        return np.flatnonzero((self.genuine[::2] > 0) & (self.impostor[::2] > 0))


class Point(NamedTuple):
    """One threshold and what it accepts.

    Attributes:
        genuine: Genuine pairs accepted.
        impostor: Impostor pairs accepted.
        threshold: Accept distances up to it; ``None`` where everything or nothing is accepted.
        possible: Genuine pairs that a threshold within the same budget could accept at most.
        midway: Whether the threshold lies midway between the two distances that it separates.
    """

    genuine: int
    impostor: int
    threshold: float | None
    possible: int
    midway: bool

    @property
    def cut(self) -> float:
        """The threshold, infinite where everything (+) or nothing (−) is accepted."""
        return self.threshold if self.threshold is not None else math.copysign(math.inf, 1 if self.impostor else -1)


def operating(pairs: Pairs, step: float, factor: float) -> Operating:
    """Return what every threshold would decide, from counted pairs.

    Args:
        pairs: The evidence.
        step: What its sums are counted in.
        factor: What turns a step into a distance.
    """
    edges, at = pairs.ruler.edges, np.union1d(pairs.ruler.edges, pairs.values)
    place, found = np.searchsorted(at, edges), np.searchsorted(at, pairs.values)
    resolved = pairs.ruler.kept & (not pairs.overflow)
    sides: list[Ints] = []
    moments: list[Moments] = []
    for counts, kept, sums in (
        (pairs.genuine, pairs.genuine_at, pairs.sums[:2]),
        (pairs.impostor, pairs.impostor_at, pairs.sums[2:]),
    ):
        bins = np.zeros(2 * len(at) + 1, np.int64)
        bins[2 * place + 1] = counts[1::2]
        bins[2 * np.append(place, len(at))] = np.where(resolved, 0, counts[::2])
        np.add.at(bins, 2 * found + 1, kept)
        sides.append(bins)
        known = not bins[::2].any()
        moments.append(_moments_at(at, bins[1::2]) if known else _moments(int(bins.sum()), sums, step, factor))
    return Operating(at, sides[0], sides[1], moments[0], moments[1], pairs.ruler.grid)


def operating_of(genuine: Floats, impostor: Floats, grid: Floats) -> Operating:
    """Return what every threshold would decide about listed distances."""
    at = np.unique(np.concatenate([genuine, impostor, grid]))
    sides: list[Ints] = []
    moments: list[Moments] = []
    for distances in (genuine, impostor):
        bins = np.zeros(2 * len(at) + 1, np.int64)
        bins[1::2] = np.bincount(np.searchsorted(at, distances), minlength=len(at))
        sides.append(bins)
        moments.append(_moments_at(at, bins[1::2]))
    return Operating(at, sides[0], sides[1], moments[0], moments[1], grid)


def allowed(far: float, impostors: int) -> int:
    """Return κ: how many impostors may be accepted at a false accept rate; never more than it says."""
    return min(math.floor(far * impostors + 1e-9), impostors)


def within_budget(curve: Operating, far: float) -> Point:
    """Return the threshold that accepts the most without accepting more than ``far`` of the impostors."""
    genuine, impostor = curve.accepted()
    first = int(np.searchsorted(impostor, allowed(far, curve.impostor_pairs), side="right")) - 1
    if first == len(curve.genuine):
        return Point(int(genuine[-1]), int(impostor[-1]), None, int(genuine[-1]), midway=True)
    # ``first`` is the bin that holds the first impostor too many.
    threshold, midway = _separating(curve, first)
    possible = int(genuine[first] + (curve.genuine[first] if first % 2 == 0 else 0))
    return Point(int(genuine[first]), int(impostor[first]), threshold, possible, midway)


def cut_after(curve: Operating, accepted: int) -> tuple[float | None, bool]:
    """Return the threshold that accepts the first ``accepted`` bins, and whether it lies midway."""
    if accepted == 0:
        return None, True
    observed = np.flatnonzero(curve.genuine[accepted:] + curve.impostor[accepted:])
    if not len(observed):
        return None, True
    return _separating(curve, accepted + int(observed[0]))


def best_cut(curve: Operating) -> float:
    """Return the smallest threshold that decides the most pairs rightly; −∞ rejects, +∞ accepts every pair."""
    genuine, impostor = curve.accepted()
    best = int(np.argmax(genuine - impostor))
    cut, _ = cut_after(curve, best)
    return cut if cut is not None else math.copysign(math.inf, 1 if best else -1)


def crossing(curve: Operating) -> int:
    """Return the first ``b`` for which accepting the bins before ``b`` makes FNMR <= FMR; b >= 1."""
    genuine, impostor = curve.accepted()
    n, m = curve.genuine_pairs, curve.impostor_pairs

    def at_least(b: int) -> bool:
        return (n - int(genuine[b])) * m <= int(impostor[b]) * n

    return bisect_left(range(len(genuine)), x=True, key=at_least)


def thinned(curve: Operating, most: int = 128) -> dict[str, list[Any]]:
    """Return points of the ROC curve to draw: the same number along log FAR and along TAR, all of them exact."""
    genuine, impostor = curve.accepted()
    n, m = max(curve.genuine_pairs, 1), max(curve.impostor_pairs, 1)
    moved = np.append([True], (np.diff(genuine) > 0) | (np.diff(impostor) > 0))
    bins = np.flatnonzero(moved)
    if len(bins) > 2 * most:
        by_far = np.searchsorted(impostor[bins], np.floor(np.geomspace(1.0, m, most)), side="right") - 1
        by_tar = np.searchsorted(genuine[bins], np.ceil(np.linspace(0, n, most)))
        bins = bins[np.unique(np.concatenate([[0, len(bins) - 1], by_far, by_tar]))]
    return {
        "threshold": [upto(curve, int(b)) for b in bins],
        "far": (impostor[bins] / m).tolist(),
        "tar": (genuine[bins] / n).tolist(),
    }


def upto(curve: Operating, accepted: int) -> float | None:
    """Return a threshold that accepts exactly the bins before ``accepted``, without looking for a midway one."""
    if accepted == 0 or accepted > 2 * len(curve.at):
        return None
    known = curve.at[(accepted - 1) // 2]
    return float(known) if accepted % 2 == 0 else float(np.nextafter(known, -np.inf))


def histogram(curve: Operating, most: int = 64) -> dict[str, list[Any]]:
    """Return how many pairs of each kind fall between equally spaced distances, the first of them 0."""
    genuine, impostor = curve.accepted()
    grid = curve.grid
    below = 2 * np.searchsorted(curve.at, grid) + 1  # everything nearer than the edge
    counts = [np.diff(side[below]) for side in (genuine, impostor)]
    used = np.flatnonzero(counts[0] + counts[1])
    if not len(used):
        return {"edges": [], "genuine": [], "impostor": []}
    step = 1
    while used[-1] >= most * step:
        step *= 2
    starts = np.arange(0, int(used[-1]) + 1, step)
    ends = np.append(starts, starts[-1] + step) * float(grid[1])
    sums = [np.add.reduceat(side[: starts[-1] + step], starts).tolist() for side in counts]
    return {"edges": ends.tolist(), "genuine": sums[0], "impostor": sums[1]}


def _separating(curve: Operating, rejected: int) -> tuple[float | None, bool]:
    """Return a threshold that accepts everything before bin ``rejected``, and whether it lies midway."""
    observed = np.flatnonzero(curve.genuine[:rejected] + curve.impostor[:rejected])
    if not len(observed):
        return None, True
    last = int(observed[-1])
    if rejected % 2 == 0:  # somewhere in this gap the first rejected pair lies
        return float(curve.at[rejected // 2 - 1]), False
    first = float(curve.at[rejected // 2])
    if last % 2 == 0:
        return float(np.nextafter(first, -np.inf)), False
    nearest = float(curve.at[last // 2])
    middle = nearest + (first - nearest) / 2
    return (middle if middle < first else nearest), True


def _moments(count: int, sums: tuple[int, ...], step: float, factor: float) -> Moments:
    """Return the moments from sums of whole steps: exact but for that rounding, until the last division."""
    total, squares = sums
    if not count:
        return Moments(None, None)
    mean = float(Fraction(total, count)) * step * factor
    if count < 2:
        return Moments(mean, None)
    variance = Fraction(count * squares - total * total, count * (count - 1))
    if variance > _ROUNDED_SMOOTHLY:
        variance -= Fraction(1, 12)  # what rounding adds (Sheppard 1898)
    return Moments(mean, math.sqrt(float(variance)) * step * factor)


def _moments_at(at: Floats, counts: Ints) -> Moments:
    """Return the moments of distances that are all known."""
    there = counts > 0
    at, counts, count = at[there], counts[there], int(counts.sum())
    if not count:
        return Moments(None, None)
    exponent = math.frexp(float(at[-1]))[1]  # no sum, and no square, leaves the range of float64
    at = np.ldexp(at, -exponent)
    mean = float(at[0]) if len(at) == 1 else math.fsum((at * counts).tolist()) / count
    variance = math.fsum((counts * np.square(at - mean)).tolist()) / max(count - 1, 1)
    sd = math.ldexp(math.sqrt(variance), exponent) if count > 1 else None
    return Moments(math.ldexp(mean, exponent), sd)
