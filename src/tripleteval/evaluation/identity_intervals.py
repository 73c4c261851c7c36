"""How much of the numbers of identification is chance: the identities of the probes are drawn again.

The gallery stays what it is. Enrolled people and strangers are drawn each among their own, and every draw chooses its
threshold on the strangers that it drew.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from tripleteval.arrays import Bools, Floats, Ints
from tripleteval.bounds import SHARE, Bounds
from tripleteval.evaluation.intervals import SETTLED
from tripleteval.evaluation.pair_units import MOST_UNITS, grouped_units
from tripleteval.metrics import Named
from tripleteval.metrics.identification import Searches
from tripleteval.uncertainty.interval import FEW, FEWEST, Interval, intervals, none_of
from tripleteval.uncertainty.open_set import Drawn, first_beyond, share_below, slope
from tripleteval.uncertainty.percentiles import ends
from tripleteval.uncertainty.proportion import all_or_none, share_interval
from tripleteval.uncertainty.quantiles import half_width
from tripleteval.uncertainty.sums import Sums, Units
from tripleteval.uncertainty.vertices import resampled

MATED, STRANGER = "mated identity", "stranger identity"
_TOO_FEW = "so few strangers cannot tell how the closest of them would vary"

Entries = dict[str, dict[str, Any]]


class Whose(NamedTuple):
    """The identity of each search, 0 and up within its kind: that of each mated probe, and of each stranger."""

    mated: Ints
    strangers: Ints

    @property
    def counts(self) -> tuple[int, int]:
        """How many identities of either kind there are."""
        return int(self.mated.max(initial=-1)) + 1, int(self.strangers.max(initial=-1)) + 1

    @property
    def fewest(self) -> int:
        """How many identities there are of the rarer kind that there is."""
        return min((count for count in self.counts if count), default=0)


def with_identity_intervals(
    entries: Entries, named: Sequence[Named], searches: Searches, whose: Whose, *, confidence: float, seed: int
) -> Entries:
    """Return the entries with ``low``, ``high``, ``interval`` and ``units``; those of TPIR with ``by_rank_interval``.

    Rates of mated probes alone are ratios over their identities. TPIR and its threshold draw mated identities and
    strangers 2,000 times: accelerated percentiles from 20 units of either kind on; below, t (for shares Wilson with as
    many trials as the identities are worth); under 5 none. A share of 0 or 1 has the rule of three.

    Args:
        entries: By spelling.
        named: The numbers.
        searches: What was found.
        whose: The identity of each search.
        confidence: In (0, 1).
        seed: Of the resampling.

    Source:
        Spec F.2, C.7; Bolle, Ratha & Pankanti 2004 for the searches of one identity drawn together.
    """
    known = [name for name in named if entries[name.spelling]["value"] is not None and not _settled(name, searches)]
    added = _closed_set([name for name in known if name.metric.pattern == "cmc@k"], searches, whose, confidence, seed)
    budgets = [name for name in known if name.metric.parameter == "fpir"]
    for fpir in dict.fromkeys(name.value for name in budgets):
        redrawn = Redrawn(searches, whose, fpir, confidence, seed)
        added |= {n.spelling: _open_set(n, entries[n.spelling], redrawn) for n in budgets if n.value == fpir}
    none = {name: Interval(None, None, None, 0, entry.get("reason", SETTLED)) for name, entry in entries.items()}
    return {name: entry | added.get(name, none[name].entry()) for name, entry in entries.items()}


def _settled(name: Named, searches: Searches) -> bool:
    """Return whether every identity is among the first k, whoever is searched for."""
    return name.metric.pattern == "cmc@k" and name.value >= searches.identities


def _closed_set(named: Sequence[Named], searches: Searches, whose: Whose, confidence: float, seed: int) -> Entries:
    units = Units(whose.mated, MATED)
    found = [searches.rank <= name.value for name in named]
    ratios = [Sums(units.sum(hits), units.sum(np.ones(len(hits), np.int64)), SHARE) for hits in found]
    drawn = intervals(ratios, confidence=confidence, seed=seed, noun=MATED)
    return {name.spelling: interval.entry() for name, interval in zip(named, drawn, strict=True)}


def _open_set(name: Named, entry: dict[str, Any], redrawn: Redrawn) -> dict[str, Any]:
    none = too_few(entry, redrawn.whose)
    if name.metric.pattern == "threshold@fpir":
        return (none or redrawn.threshold(entry["value"], name.metric.bounds)).entry()
    by_rank = {k: none or redrawn.rate(share, float(k)) for k, share in entry["by_rank"].items()}
    found = (none or redrawn.rate(entry["value"], 1.0)).entry()
    return found | {"by_rank_interval": {k: [each.low, each.high] for k, each in by_rank.items()}}


def too_few(entry: dict[str, Any], whose: Whose) -> Interval | None:
    """Return that there is no interval, and why, where identities or false positives are too few for one."""
    for count, noun in zip(whose.counts, (MATED, STRANGER), strict=True):
        if 0 < count < FEWEST:  # with none at all there is the threshold of strangers alone, or no number
            return none_of(count, noun)
    return Interval(None, None, None, whose.fewest, _TOO_FEW) if entry["below_resolution"] else None


class Redraws(NamedTuple):
    """A number when identities are drawn again.

    Attributes:
        values: (replicates,) what it is then.
        mated: (units,) what each mated unit adds to it beyond its share.
        strangers: (units,) what each unit of strangers adds to it.
        share: (units,) the share of the mated searches that are of each unit.
    """

    values: Floats
    mated: Floats
    strangers: Floats
    share: Floats


@dataclass(frozen=True)
class Redrawn:
    """One rate of false positives, when the identities of mated probes and of strangers are drawn again.

    Attributes:
        searches: What was found.
        whose: The identity of each search.
        fpir: The rate of false positives.
        confidence: Of the intervals.
        seed: Of the resampling.
    """

    searches: Searches
    whose: Whose
    fpir: float
    confidence: float
    seed: int

    def rate(self, value: float, k: float) -> Interval:
        """Return the interval of the share of mated searches within the threshold and the first ``k`` ranks."""
        units = self.whose.fewest
        if value in (0.0, 1.0):
            return Interval(*all_or_none(value, units, self.confidence), "rule of three", units)
        drawn = self.rates(k)
        if units >= FEW:
            added = np.concatenate([drawn.mated, drawn.strangers])
            return Interval(*ends(drawn.values, value, added, self.confidence), "bootstrap", units)
        error = joint_error(drawn.mated, drawn.strangers)
        return Interval(*share_interval(value, error, units, self.confidence), "t", units)

    def rates(self, k: float) -> Redraws:
        """Return that share over all draws."""
        codes, times = self._mated
        reach = np.where(self.searches.rank <= k, self.searches.mate, np.inf)
        values = share_below(Drawn.of(reach, codes, times), self._cuts)
        return Redraws(
            values,
            _residuals(reach < self._cut, codes),
            self._influence_of_strangers(values),
            np.bincount(codes) / len(codes),
        )

    def threshold(self, value: float, bounds: Bounds) -> Interval:
        """Return the interval of the threshold, midway between the first stranger too many and what is before it."""
        units = self.whose.fewest
        observed = np.unique(np.concatenate([self.searches.mate, self.searches.stranger]))
        beyond = np.minimum(self._cuts, observed[-1])
        before = observed[np.maximum(np.searchsorted(observed, beyond) - 1, 0)]
        values = np.where(before < beyond, before + (beyond - before) / 2, beyond)
        influence = self._influence_of_strangers(values)
        if units >= FEW:
            return Interval(*ends(values, value, influence, self.confidence), "bootstrap", units)
        half = half_width(joint_error(influence), units, self.confidence)
        return Interval(*bounds.cut(value - half, value + half), "t", units)

    @cached_property
    def _mated(self) -> tuple[Ints, Floats]:
        return self._drawn(self.whose.mated, self.whose.counts[0], MATED)

    @cached_property
    def _strangers(self) -> Drawn:
        return Drawn.of(self.searches.stranger, *self._drawn(self.whose.strangers, self.whose.counts[1], STRANGER))

    def _drawn(self, codes: Ints, units: int, purpose: str) -> tuple[Ints, Floats]:
        return grouped_units(codes, units, self.seed), resampled(min(units, MOST_UNITS), self.seed, purpose)

    @cached_property
    def _cut(self) -> float:
        """The distance of the first stranger too many."""
        strangers = self._strangers
        return float(first_beyond(strangers._replace(times=np.ones((1, strangers.times.shape[1]))), self.fpir)[0])

    @cached_property
    def _cuts(self) -> Floats:
        return first_beyond(self._strangers, self.fpir)

    def _influence_of_strangers(self, values: Floats) -> Floats:
        """Return what each unit adds: a stranger closer than the cut lowers a number, by as much as draws do.

        Where one draw has more strangers within the cut than another, it chooses a lower one: by how much ``values``
        change then is their regression on that share.
        """
        strangers = self._strangers
        closer = share_below(strangers, np.full(len(values), self._cut))
        return slope(values, closer) * _residuals(strangers.distance < self._cut, strangers.unit)


def _residuals(hits: Bools, codes: Ints) -> Floats:
    """Return (units,) what each unit adds to the share of hits."""
    whole = np.bincount(codes).astype(np.float64)
    part = np.bincount(codes, weights=hits)
    return np.asarray((part - hits.sum() / len(hits) * whole) / len(hits))


def joint_error(*influence: Floats) -> float:
    """Return the standard error that the units of independent samples give together."""
    return math.hypot(*(math.sqrt(len(of) / (len(of) - 1)) * math.hypot(*of.tolist()) for of in influence))
