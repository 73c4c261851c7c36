"""From lists to entries: per setting, what was lost and what it took; then which settings are worth having."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tripleteval.arrays import Floats, Ints
from tripleteval.data.comparison import Comparison
from tripleteval.distance.formula import Distance
from tripleteval.errors import counted
from tripleteval.evaluation.accounting import found_again
from tripleteval.evaluation.intervals import units_of
from tripleteval.evaluation.search_loss import losses, unreached
from tripleteval.evaluation.search_metrics import columns
from tripleteval.evaluation.search_overlap import Overlap
from tripleteval.evaluation.search_sweep import Outcome
from tripleteval.evaluation.search_truth import Relevance, Truth, judge
from tripleteval.metrics import Column, Named
from tripleteval.search.contract import Found
from tripleteval.uncertainty.sums import Units

_LOW_CEILING = 0.5


@dataclass(frozen=True)
class Lists:
    """The true lists, and everything the lists of an index are read with.

    Attributes:
        comparison: Who asks, who is searched, what is relevant.
        truth: The true neighbours of the queries in ``asked``.
        asked: (some queries,) which ones.
        distance: How.
        names: What is measured.
        k: Length of the lists.
        headline: The metric whose loss settings are chosen by.
        confidence: Of the intervals.
    """

    comparison: Comparison
    truth: Truth
    asked: Ints
    distance: Distance
    names: tuple[Named, ...]
    k: int
    headline: str
    confidence: float

    @cached_property
    def valid(self) -> Ints:
        """(queries,) how many rows each query could find."""
        return np.asarray(len(self.comparison.gallery) - (self.comparison.own_row >= 0))

    @cached_property
    def units(self) -> Units:
        """The class of each query, or the query itself where it has no single one."""
        return units_of(self.comparison.queries, "class")

    @property
    def queries(self) -> int:
        """How many ask."""
        return len(self.comparison.queries)

    @cached_property
    def exact(self) -> dict[str, Column]:
        """Every metric over the true lists."""
        everyone = np.full((self.queries, self.truth.found.rows.shape[1]), -1)
        everyone[self.asked] = self.truth.found.rows
        relevance = judge(self.comparison, everyone)
        some = Relevance(relevance.gains[self.asked], relevance.relevant[self.asked], _of(relevance, self.asked))
        return columns(self.names, self.truth.found, some, self.truth.valid)

    def values(self, found: Found) -> dict[str, Floats]:
        """Return (queries,) each metric over the lists an index returned for all queries."""
        got = columns(self.names, found, judge(self.comparison, found.rows), self.valid)
        return {name: column.values() for name, column in got.items()}

    def facts(self) -> dict[str, Any]:
        """Return what was asked of whom."""
        return {
            "queries": self.queries,
            "compared_with_truth": len(self.asked),
            "gallery": len(self.comparison.gallery),
            "dim": self.comparison.gallery.dim,
            "classes": len(self.units.present) if self.units.noun == "class" else None,
            "own_rows_left_out": int((self.comparison.own_row >= 0).sum()),
            "ties_truncated": int(self.truth.tied.sum()),
        }

    def notes(self) -> list[str]:
        """Return what a careful colleague would remark about the true lists."""
        found: list[str] = []
        if not self.comparison.leave_one_out:
            again = (self.truth.found.squared[:, 0] == 0) & (self.comparison.own_row[self.asked] < 0)
            found.extend(found_again(int(again.sum()), len(self.asked)))
        tied = int(self.truth.tied.sum())
        if tied:
            found.append(
                f"For {counted(tied, 'query')} an item beyond the list is exactly as far as its last; which of them is "
                "listed is arbitrary, and tie-aware recall does not mind."
            )
        if len(self.asked) < self.queries:
            found.append(
                f"Exact lists were made for {len(self.asked):,} of {self.queries:,} queries; losses are about them."
            )
        ceiling = self._ceiling()
        if self.headline == f"recall@{self.k}" and ceiling < _LOW_CEILING:
            found.append(
                f"{self.headline} cannot exceed {ceiling:.3f} here: classes are larger than the lists; judge by "
                f"precision@{self.k} or hit_rate@1 instead."
            )
        return found

    def _ceiling(self) -> float:
        relevant = judge(self.comparison, np.zeros((self.queries, 0), np.int64)).relevant
        relevant = relevant[relevant > 0]
        return float(np.mean(np.minimum(relevant, self.k) / relevant))


def entries(lists: Lists, outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Return one entry per setting, with what dominates what among them."""
    found = [_failed(outcome) if outcome.error else _entry(lists, outcome) for outcome in outcomes]
    ran = [entry for entry in found if "error" not in entry]
    for entry in ran:
        entry["pareto"] = not any(_dominates(other, entry, lists.headline) for other in ran)
    return found


def chosen(found: Sequence[dict[str, Any]], name: str, tolerance: float) -> tuple[dict[str, Any] | None, bool]:
    """Return the setting to recommend, and whether it is shown to cost at most ``tolerance`` of a metric.

    What is shown is the upper end of the interval of the loss, or the loss where there is no interval. The fastest
    setting within the tolerance is chosen; where there is none, the one that is shown to cost least.
    """
    ran = [entry for entry in found if "error" not in entry and entry["metrics"][name]["loss"] is not None]
    cheap = [entry for entry in ran if _at_most(entry, name) <= tolerance]
    if cheap:
        return max(cheap, key=_speed), True
    return min(ran, key=lambda entry: (_at_most(entry, name), -_speed(entry)), default=None), False


def verdict(found: Sequence[dict[str, Any]], name: str, tolerance: float) -> str:
    """Return in one sentence which is the fastest setting that costs at most ``tolerance`` of a metric."""
    points = f"{100 * tolerance:g} points"
    best, cheap = chosen(found, name, tolerance)
    if best is None:
        return "No setting ran."
    said = f"it {_cost(best['metrics'][name])}, at {_speed(best):,.0f} queries per second."
    if not cheap:
        return f"No setting is shown to cost at most {points} of {name}; {best['label']} comes nearest: {said}"
    return f"The cheapest setting that costs at most {points} of {name} is {best['label']}: {said}"


def _at_most(entry: dict[str, Any], name: str) -> float:
    told = entry["metrics"][name]
    high = told.get("high")
    return float(told["loss"] if high is None else high)


def _speed(entry: dict[str, Any]) -> float:
    return float(entry["speed"]["queries_per_second"])


def _cost(told: dict[str, Any]) -> str:
    """Return what a setting costs and where its interval ends, in points: a gain is called one."""
    lost, high = round(100 * told["loss"], 2), told.get("high")
    said = f"{'gains' if lost < 0 else 'costs'} {abs(lost):.2f} points" if lost else "costs nothing measurable"
    if high is None:
        return f"{said} (it has no interval)"
    end = round(100 * high, 2)
    return f"{said} (its interval ends at a {'gain' if end < 0 else 'loss'} of {abs(end):.2f})"


def _entry(lists: Lists, outcome: Outcome) -> dict[str, Any]:
    asked = lists.asked
    seen = [each.take(asked) for each in outcome.found]
    overlaps = [Overlap(lists.truth, each, lists.distance).numbers() for each in seen]
    overlap = {name: _mean([each[name] for each in overlaps]) for name in overlaps[0]}
    outcome.values = values = [lists.values(each) for each in outcome.found]
    together = {name: over_seeds([each[name] for each in values]) for name in values[0]}
    units = Units(lists.units.codes[asked], lists.units.noun)
    sampled = {name: value[asked] for name, value in together.items()}
    lost = losses(lists.exact, sampled, units, lists.confidence)
    if len(asked) < lists.queries:
        for name, entry in lost.items():
            entry["value_all_queries"] = _mean([together[name]])
    dark = [unreached(lists.truth.found, each, len(lists.comparison.gallery)) for each in seen]
    return {
        **_named(outcome),
        **({"store": outcome.store} if outcome.store else {}),
        "overlap": overlap,
        "metrics": lost,
        "speed": outcome.speed,
        "build": _build(outcome),
        "seeds": _spread(lists, overlaps, values),
        "unreached": {"items": statistics.fmean(int((each > 0).sum()) for each in dark), "seeds": len(dark)},
    }


def label_of(outcome: Outcome) -> str:
    """Return how tables name a setting: its backend, and the parameters of which more than one value was tried."""
    chosen = {**outcome.build, **outcome.search}
    varied = [f"{key}={value}" for key, value in chosen.items() if key in outcome.plan.varied]
    return " ".join([outcome.plan.backend.name, *varied])


def _named(outcome: Outcome) -> dict[str, Any]:
    params = {**outcome.build, **outcome.search}
    return {"backend": outcome.plan.backend.name, "params": params, "label": label_of(outcome)}


def _failed(outcome: Outcome) -> dict[str, Any]:
    error = outcome.error
    said = {} if error is None else {"code": error.code, "found": error.found, "where": error.where, "fix": error.fix}
    return {**_named(outcome), "error": said}


def _build(outcome: Outcome) -> dict[str, Any]:
    seconds, of_all, grown, peak = (
        [each[name] for each in outcome.builds if each.get(name) is not None]
        for name in ("seconds", "seconds_of_all", "grown", "peak")
    )
    return {
        "seconds": statistics.median(seconds) if seconds else None,
        "seconds_of_all_shards": statistics.median(of_all) if of_all else None,
        "memory_bytes": statistics.median(grown) if grown else None,
        "peak_bytes": max(peak) if peak else None,
        "file_bytes": outcome.builds[0].get("file_bytes"),
        "rows_bytes": outcome.builds[0]["bytes_of_rows"],
    }


def _spread(lists: Lists, overlaps: list[dict[str, Floats]], values: list[dict[str, Floats]]) -> dict[str, Any]:
    """Return each seed's recall and headline, so that luck shows."""
    recall = [_mean([each["tie_aware_recall"]]) for each in overlaps]
    headline = [_mean([each[lists.headline][lists.asked]]) for each in values]
    return {"count": len(overlaps), "tie_aware_recall": recall, lists.headline: headline}


def _dominates(other: dict[str, Any], entry: dict[str, Any], name: str) -> bool:
    mine, theirs = (
        (each["metrics"][name]["loss"] or 0.0, -each["speed"]["queries_per_second"]) for each in (entry, other)
    )
    return theirs[0] <= mine[0] and theirs[1] <= mine[1] and theirs != mine


def over_seeds(values: list[Floats]) -> Floats:
    """Return (queries,) the mean over seeds, added up exactly as one where there is one."""
    return values[0] if len(values) == 1 else np.mean(np.stack(values), axis=0)


def _mean(per_seed: list[Floats]) -> float | None:
    values = np.concatenate(per_seed)
    values = values[~np.isnan(values)]
    return math.fsum(values.tolist()) / len(values) if len(values) else None


def _of(relevance: Relevance, rows: Ints) -> Floats | None:
    if relevance.grades is None:
        return None
    ends = np.concatenate([[0], np.cumsum(relevance.relevant)])
    return np.concatenate([relevance.grades[ends[row] : ends[row + 1]] for row in rows.tolist()])
