"""Intervals of the difference between two estimates, resampling the same units for both, or each its own."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tripleteval.arrays import Floats
from tripleteval.bounds import Bounds
from tripleteval.uncertainty.bootstrap import replicates
from tripleteval.uncertainty.clustered import influence, standard_error
from tripleteval.uncertainty.interval import FEW, FEWEST, MANY, Interval, dominated, none_of, uneven
from tripleteval.uncertainty.percentiles import ends
from tripleteval.uncertainty.quantiles import half_width
from tripleteval.uncertainty.sums import Sums

Pair = tuple[Sums, Sums]


def paired_intervals(pairs: Sequence[Pair], *, confidence: float, seed: int, noun: str) -> list[Interval]:
    """Return the interval of each second ratio minus the first, over the same units for both.

    The rules are those of `intervals`: percentiles of 2,000 paired resamples from 20 units on, the t interval
    of the linearised error of the difference below, cut to what a difference can be, none under 5, or
    below 20 where one unit is more than half of a ratio.

    Args:
        pairs: Two ratios each, over the same units, supported in the same ones.
        confidence: In (0, 1).
        seed: Of the resampling.
        noun: What one unit is called.

    Source:
        Spec F.5.
    """
    drawn = iter(_differences([pair for pair in pairs if _resamples(_units(pair[0]))], seed))
    found = []
    for first, second in pairs:
        units, change, bounds = _units(first), second.ratio - first.ratio, second.bounds.minus(first.bounds)
        if units < FEWEST:
            found.append(none_of(units, noun))
            continue
        added = influence(second) - influence(first)
        if _resamples(units):
            low, high = ends(next(drawn), change, added, confidence)
            found.append(Interval(*bounds.cut(low, high), "bootstrap", units))
        elif dominated(first) or dominated(second):
            found.append(uneven(units, noun))
        else:
            error = math.sqrt(units / (units - 1)) * math.hypot(*added.tolist())
            found.append(_t(change, error, units, confidence, bounds))
    return found


def unpaired_intervals(pairs: Sequence[Pair], *, confidence: float, seed: int, noun: str) -> list[Interval]:
    """Return the interval of each second ratio minus the first, where each has units of its own."""
    found = []
    for first, second in pairs:
        units, change = min(_units(first), _units(second)), second.ratio - first.ratio
        bounds = second.bounds.minus(first.bounds)
        if units < FEWEST:
            found.append(none_of(units, noun))
        elif _resamples(_units(first)) and _resamples(_units(second)):
            (one,), (two,) = replicates([first], seed, "first of two"), replicates([second], seed, "second of two")
            added = np.concatenate([-influence(first), influence(second)])
            low, high = ends(two - one, change, added, confidence)
            found.append(Interval(*bounds.cut(low, high), "bootstrap", units))
        elif dominated(first) or dominated(second):
            found.append(uneven(units, noun))
        else:
            errors = [standard_error(s.part[s.supported], s.whole[s.supported]) for s in (first, second)]
            found.append(_t(change, math.hypot(*errors), units, confidence, bounds))
    return found


def _differences(pairs: Sequence[Pair], seed: int) -> list[Floats]:
    values = replicates([sums for pair in pairs for sums in pair], seed, "interval")
    return [two - one for one, two in zip(values[::2], values[1::2], strict=True)]


def _units(sums: Sums) -> int:
    return int(sums.supported.sum())


def _resamples(units: int) -> bool:
    return FEW <= units <= MANY


def _t(difference: float, error: float, units: int, confidence: float, bounds: Bounds) -> Interval:
    half = half_width(error, units, confidence)
    return Interval(*bounds.cut(difference - half, difference + half), "t", units)
