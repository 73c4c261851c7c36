"""How much of the numbers of all pairs is chance: identities are drawn again, and with each all its pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tripleteval.arrays import Floats
from tripleteval.bounds import SHARE
from tripleteval.evaluation.d_prime_interval import d_prime_interval
from tripleteval.evaluation.intervals import SETTLED
from tripleteval.evidence.unit_counts import UnitCounts
from tripleteval.metrics import Named
from tripleteval.metrics.curves import CHANGES, READ, Curves
from tripleteval.metrics.operating import Operating, crossing
from tripleteval.uncertainty.interval import FEW, FEWEST, Interval, none_of
from tripleteval.uncertainty.percentiles import ends
from tripleteval.uncertainty.proportion import all_or_none, share_interval
from tripleteval.uncertainty.quantiles import half_width
from tripleteval.uncertainty.vertices import redrawn_shares, resampled, without_each

_STEPS = 32  # along TAR, along FAR, and along the distance, where means and variances are decided
_AROUND = (0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0)  # a false accept rate, where its threshold may move to
_NONE = "the threshold was chosen on the very pairs it is judged by"
_TOO_FEW = "so few impostors cannot tell how the lowest of them would vary"

Entries = dict[str, dict[str, Any]]


class Sure(NamedTuple):
    """What intervals of pairs are made of.

    Attributes:
        counts: Pairs by unit.
        units: How many units there are, before any were put together.
        noun: What one unit is called.
        alone: Whether both items of a genuine pair are of one unit.
        confidence: Of the intervals.
        seed: Of the resampling.
    """

    counts: UnitCounts
    units: int
    noun: str
    alone: bool
    confidence: float
    seed: int


def cuts_for(curve: Operating, fars: Sequence[float]) -> Floats:
    """Return (K,) known distances at which curves are followed: along FAR and TAR, and around each rate asked for."""
    genuine, impostor = (accepted[2::2] for accepted in curve.accepted())
    m = curve.impostor_pairs
    rates = [*fars, impostor[min(crossing(curve) // 2, len(impostor) - 1)] / m]
    budgets = [math.floor(factor * rate * m) for rate in rates for factor in _AROUND]
    budgets += [(2 << power) * part // 4 for power in range(m.bit_length()) for part in (2, 3)]
    chosen = [np.searchsorted(impostor, np.array(budgets), side="right") - 1]
    chosen += [np.searchsorted(side, side[-1] * np.arange(_STEPS + 1) // _STEPS) for side in (genuine, impostor)]
    chosen += [np.searchsorted(curve.at, np.linspace(curve.at[0], curve.at[-1], _STEPS))]
    found: Floats = curve.at[np.unique(np.clip(np.concatenate(chosen), 0, len(curve.at) - 1))]
    return found


class Read(NamedTuple):
    """The curves themselves, without each unit, and, where there are enough units, of each resample.

    ``times`` is (replicates, units), how often each unit was drawn.
    """

    whole: Curves
    without: Curves
    drawn: Curves | None
    times: Floats | None


def with_pair_intervals(entries: Entries, named: Sequence[Named], sure: Sure, read: Read) -> Entries:
    """Return the entries of the numbers of all pairs with ``low``, ``high``, ``interval`` and ``units``.

    From 20 units on, the accelerated percentiles of 2,000 resamples of the units, for d prime the studentised
    bootstrap; below, the t interval of the jackknife over them, for shares that of Wilson with as many trials as the
    units are worth; under 5 none. A share of 0 or 1 has the rule of three over units.

    Args:
        entries: By spelling; those of other numbers stay as they are.
        named: The numbers.
        sure: The pairs by unit, and how intervals are made.
        read: The curves that follow.
    """
    mine = [name for name in named if name.metric.of == "pairs"]
    supported = int((sure.counts.genuine.any(axis=1) & sure.counts.impostor.any(axis=1)).sum())
    several = len(sure.counts.genuine)
    units = supported if several == sure.units else sure.units
    found = {name.spelling: _interval(name, entries[name.spelling], read, units, sure) for name in mine}
    return {name: entry | (found[name].entry() if name in found else {}) for name, entry in entries.items()}


def pseudo_values(entries: Entries, named: Sequence[Named], sure: Sure, read: Read) -> dict[str, Floats]:
    """Return, per number, (units,) what each unit makes of it: their mean is the number, their spread its variance.

    Two runs over the same units are compared by the differences of these, as if each were a mean over units.

    Source:
        Tukey 1958, centred on the number itself: θ + (C − 1) (mean of θ₋ − θ₋c).
    """
    units, found = len(sure.counts.genuine), {}
    for name in named:
        entry = entries[name.spelling]
        if name.metric.pattern in READ and entry["interval"] is not None:
            without = _without(name, read)
            if np.isfinite(without).all():
                found[name.spelling] = entry["value"] + (units - 1) * (without.mean() - without)
    return found


def readings(curve: Operating, sure: Sure) -> Read:
    """Return the curves of the pairs by unit, at the exact shares of all pairs."""
    place = 2 * np.searchsorted(curve.at, sure.counts.cuts) + 2
    tar, far = (
        accepted[place] / pairs
        for accepted, pairs in zip(curve.accepted(), (curve.genuine_pairs, curve.impostor_pairs), strict=True)
    )
    units = len(sure.counts.genuine)

    def curves(drawn: Floats) -> Curves:
        sides = 1 if sure.alone else 2
        return _curves(
            sure.counts.cuts,
            redrawn_shares(far, sure.counts.impostor, drawn, 2, sure.counts.half),
            redrawn_shares(tar, sure.counts.genuine, drawn, sides),
        )

    times = resampled(units, sure.seed, "interval") if units >= FEW else None
    drawn = None if times is None else curves(times)
    return Read(_curves(sure.counts.cuts, far[None], tar[None]), curves(without_each(units)), drawn, times)


def _curves(cuts: Floats, far: Floats, tar: Floats) -> Curves:
    """Return curves from nothing to everything."""
    at = np.concatenate([cuts[:1], cuts, cuts[-1:]])
    far, tar = (np.pad(np.pad(side, ((0, 0), (1, 0))), ((0, 0), (0, 1)), constant_values=1.0) for side in (far, tar))
    return Curves(at, far, tar)


def _interval(name: Named, entry: dict[str, Any], read: Read, units: int, sure: Sure) -> Interval:
    pattern, value = name.metric.pattern, entry["value"]
    if value is None or pattern not in READ:
        return Interval(None, None, None, 0, _NONE if value is not None else entry["reason"])
    if units < FEWEST:
        return none_of(units, sure.noun)
    everything = name.metric.bounds == SHARE and name.value == 1.0  # may be accepted
    if everything or entry.get("below_resolution"):
        return Interval(None, None, None, units, SETTLED if everything else _TOO_FEW)
    if name.metric.bounds == SHARE and value in (0.0, 1.0):
        return Interval(*all_or_none(value, units, sure.confidence), "rule of three", units)
    if pattern == "d_prime" and read.times is not None and units >= FEW:
        sides = 1 if sure.alone else 2
        ends_of = d_prime_interval(value, sure.counts, read.whole, read.times, sides, sure.confidence)
        return Interval(*ends_of, "studentised bootstrap", units)
    return _varied(name, value, read, units, sure.confidence)


def _varied(name: Named, value: float, read: Read, units: int, confidence: float) -> Interval:
    """Return the interval that resampling, or leaving out, units gives."""
    bounds, without = name.metric.bounds, _without(name, read)
    if not np.isfinite(without).all():
        return Interval(None, None, None, units, "undefined without one of the units")
    influence = without.mean() - without
    if read.drawn is None or units < FEW:
        error = math.sqrt((len(without) - 1) / len(without)) * math.hypot(*influence.tolist())
        of = share_interval if bounds == SHARE else _t
        return Interval(*bounds.cut(*of(value, error, units, confidence)), "t", units)
    drawn = _values(name, read.drawn)
    shifted = drawn[np.isfinite(drawn)] + (value - _values(name, read.whole)[0])
    return Interval(*bounds.cut(*ends(shifted, value, influence, confidence)), "bootstrap", units)


def _t(value: float, error: float, units: int, confidence: float) -> tuple[float, float]:
    half = half_width(error, units, confidence)
    return value - half, value + half


def _without(name: Named, read: Read) -> Floats:
    """Return (units,) the number without each unit, less a constant."""
    changes = CHANGES.get(name.metric.pattern)
    if changes is None:
        return _values(name, read.without)
    parameter = () if name.value is None else (name.value,)
    return changes(read.whole, read.without, *parameter)


def _values(name: Named, curves: Curves) -> Floats:
    read = READ[name.metric.pattern]
    return read(curves) if name.value is None else read(curves, name.value)
