"""Which interval belongs to an estimate, and when there is none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tripleteval.bounds import SHARE
from tripleteval.errors import counted
from tripleteval.uncertainty.bootstrap import replicates
from tripleteval.uncertainty.clustered import influence, standard_error
from tripleteval.uncertainty.percentiles import ends
from tripleteval.uncertainty.proportion import all_or_none
from tripleteval.uncertainty.quantiles import half_width
from tripleteval.uncertainty.sums import Sums

FEWEST, FEW, MANY = 5, 20, 50_000
_ROUNDED = 1e-12  # seven sevenths may not be quite one


class Interval(NamedTuple):
    """What is known about an estimate besides its value.

    Attributes:
        low: Lower end; ``None`` where there is no interval.
        high: Upper end.
        method: ``"bootstrap"``, ``"t"``, ``"rule of three"`` or ``"median"``; ``None`` without an interval.
        units: On how many units it rests.
        reason: Why there is none.
    """

    low: float | None
    high: float | None
    method: str | None
    units: int
    reason: str = ""

    def entry(self) -> dict[str, Any]:
        """Return what an evaluation holds beside a number: its ends, ``None`` with the reason where there are none."""
        said = {"low": self.low, "high": self.high, "interval": self.method, "units": self.units}
        return said if self.method else said | {"interval_reason": self.reason}


def intervals(
    estimands: Sequence[Sums], *, confidence: float, seed: int, noun: str = "class", purpose: str = "interval"
) -> list[Interval]:
    """Return the interval of each estimand, all from the same resampled units.

    From 20 units on, the accelerated percentiles (`ends`) of the class bootstrap (above 50,000, where resampling tells
    nothing new, and below 20, where it is too narrow, the t interval of the linearised standard error, but none
    where one unit is more than half of the estimate). Fewer than 5 units give none. A share that is 0, or 1, in every
    unit has no variance to resample: there the bound is the rule of three over units. No interval leaves the bounds of
    its estimand.

    Args:
        estimands: Ratios over the same units.
        confidence: In (0, 1).
        seed: Of the resampling.
        noun: What one unit is called where there are too few.
        purpose: Another purpose is an independent resampling.

    Source:
        Spec F.2; Fogliato, Patil & Perona 2024 for the cluster as the unit.
    """
    quick = [_quick(each, confidence, noun) for each in estimands]
    rest = [place for place, found in enumerate(quick) if found is None]
    drawn = _bootstrapped([estimands[place] for place in rest], confidence, seed, purpose)
    by_place = dict(zip(rest, drawn, strict=True))
    return [by_place[place] if found is None else found for place, found in enumerate(quick)]


def none_of(units: int, noun: str) -> Interval:
    """Return that there is no interval, because so few units tell nothing about others."""
    return Interval(None, None, None, units, f"{counted(units, noun)}, and an interval needs {FEWEST}")


def dominated(sums: Sums) -> bool:
    """Return whether one unit is more than half of an estimate, so that its t interval would hardly see the others."""
    whole = sums.whole[sums.supported]
    return bool(2 * whole.max() > whole.sum())


def uneven(units: int, noun: str) -> Interval:
    """Return that there is no interval, because one of few units counts for more than all others."""
    return Interval(None, None, None, units, f"one {noun} is more than half of it")


def _quick(sums: Sums, confidence: float, noun: str) -> Interval | None:
    """Return the interval where it needs no resampling."""
    part, whole = sums.part[sums.supported], sums.whole[sums.supported]
    units = len(whole)
    if units < FEWEST:
        return none_of(units, noun)
    if sums.bounds == SHARE and (not part.any() or np.allclose(part, whole, rtol=_ROUNDED, atol=0.0)):
        return Interval(*all_or_none(bool(part.any()), units, confidence), "rule of three", units)
    if FEW <= units <= MANY:
        return None
    if dominated(sums):
        return uneven(units, noun)
    half = half_width(standard_error(part, whole), units, confidence)
    return Interval(*sums.bounds.cut(sums.ratio - half, sums.ratio + half), "t", units)


def _bootstrapped(estimands: Sequence[Sums], confidence: float, seed: int, purpose: str) -> list[Interval]:
    return [
        Interval(*ends(values, each.ratio, influence(each), confidence), "bootstrap", int(each.supported.sum()))
        for each, values in zip(estimands, replicates(estimands, seed, purpose), strict=True)
    ]
