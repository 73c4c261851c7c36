"""Rates of pairs by the values of a column on either side: who is taken for whom, and who is not recognised."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tripleteval.arrays import Ints
from tripleteval.data.comparison import Comparison
from tripleteval.distance.formula import Distance
from tripleteval.engine.decisions import DecisionPass, Kinds
from tripleteval.errors import ParameterError, counted
from tripleteval.evaluation.decided import decided, need_to_decide
from tripleteval.evaluation.intervals import NO_GROUPS, without_groups
from tripleteval.evaluation.means import Means
from tripleteval.evaluation.pair_units import MOST_UNITS, grouped_units, owners_of
from tripleteval.evaluation.rate_interval import rate_interval
from tripleteval.evaluation.settings import Settings
from tripleteval.evaluation.slices import column_values
from tripleteval.evaluation.standing import Need
from tripleteval.evidence.decisions import Decisions
from tripleteval.metrics.operating import Operating, within_budget
from tripleteval.uncertainty.interval import FEWEST

MOST_VALUES = 12  # 78 pairs of them

Entry = dict[str, Any]


def pair_slices(
    comparison: Comparison, curve: Operating, distance: Distance, settings: Settings, means: Means
) -> list[Entry]:
    """Return one entry per column and unordered pair of its values.

    Thresholds are those of all pairs together. An entry has ``column``, ``first``, ``second``, and ``impostor`` and
    ``genuine``, each with ``pairs``, ``units`` and either the ``rates`` per ``target_far`` (of accepted impostors,
    of rejected genuine pairs, with their intervals), or the ``reason`` why there are none.
    """
    found: list[Entry] = []
    for name in settings.by:
        values, kinds, reason = _kinds(comparison, name, settings.unit)
        if reason:
            found.append({"column": name, "reason": reason})
            continue
        owners = owners_of(comparison, settings.unit)
        asked, searched = (grouped_units(codes, owners.units, settings.seed) for codes in owners[:2])
        cuts = np.array([within_budget(curve, far).cut for far in settings.fars])
        units = min(owners.units, MOST_UNITS)
        engine = DecisionPass(comparison, distance, cuts, asked, searched, units, means.kernel, kinds)
        decisions = decided(engine, means)
        for place, (one, two) in enumerate(kinds.pairs):
            who = {"column": name, "first": values[one], "second": values[two]}
            found.append({**who, **_entry(decisions, place, owners.noun, settings)})
    return found


def needs_of_slices(comparison: Comparison, settings: Settings, means: Means) -> Iterator[Need]:
    """Yield the memory without which `pair_slices` refuses, of each column."""
    for name in settings.by:
        _, kinds, reason = _kinds(comparison, name, settings.unit)
        if not reason:
            yield need_to_decide(comparison, means, MOST_UNITS, len(kinds.pairs), len(settings.fars))


def _kinds(comparison: Comparison, name: str, unit: str) -> tuple[list[str | None], Kinds, str]:
    """Return the values of a column, how pairs are told apart by them, and why they are not, if so."""
    asked = column_values(comparison.queries, name)
    try:
        searched = asked if comparison.leave_one_out else column_values(comparison.gallery, name)
    except ParameterError as error:
        return [], Kinds(np.zeros(0, np.int64), np.zeros(0, np.int64), 0), error.found
    values = sorted({*asked, *searched}, key=lambda text: (text is None, text or ""))
    place = {value: code for code, value in enumerate(values)}
    sides: list[Ints] = [np.array([place[value] for value in side], dtype=np.int64) for side in (asked, searched)]
    fits = 2 <= len(values) <= MOST_VALUES
    reason = "" if fits else f"{counted(len(values), 'value')}, and pairs of 2 to {MOST_VALUES} are told apart"
    if without_groups(comparison.gallery, unit):
        reason = NO_GROUPS
    return values, Kinds(sides[0], sides[1], len(values)), reason


def _entry(found: Decisions, place: int, noun: str, settings: Settings) -> Entry:
    alone = 1 if noun == "class" else 2
    sides = (("impostor", found.accepted, found.impostor, 2), ("genuine", found.rejected, found.genuine, 1))
    entry: Entry = {}
    for kind, wrong, pairs, count in sides:
        units = int((pairs[place] > 0).sum())
        said: Entry = {"pairs": int(pairs[place].sum()) // count, "units": units}
        if units < FEWEST:
            said["reason"] = f"too small: pairs of {counted(units, noun)}, where {FEWEST} are needed"
        else:
            said["rates"] = [
                {
                    "target_far": far,
                    "value": int(wrong[at, place].sum()) / int(pairs[place].sum()),
                    **rate_interval(wrong[at, place], pairs[place], max(count, alone), settings.confidence),
                }
                for at, far in enumerate(settings.fars)
            ]
        entry[kind] = said
    return entry
