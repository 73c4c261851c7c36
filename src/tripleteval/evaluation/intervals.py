"""How much of each number is chance: an interval whose unit is the class, for every number of an evaluation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tripleteval.arrays import Ints
from tripleteval.data.embeddings import Embeddings
from tripleteval.data.labels import Labels
from tripleteval.errors import ParameterError, counted
from tripleteval.evaluation.summary import Measured, per_query
from tripleteval.uncertainty.clustered import median_interval
from tripleteval.uncertainty.interval import FEW, FEWEST, Interval, intervals, none_of, uneven
from tripleteval.uncertainty.sums import Sums, Units

Entries = dict[str, dict[str, Any]]

SETTLED = "every ranking gives this value"
NO_GROUPS = "no groups in the gallery"
_NAMED = 4

# What a report is told by when queries took the place of the classes that were asked for.
INDEPENDENT = "Queries have no single class, so intervals treat them as independent, and may be too narrow."


def units_of(queries: Embeddings, unit: str) -> Units:
    """Return the unit of inference of each query; without one class per query every query is its own.

    Raises:
        ParameterError: Groups were asked for, and there are none (E101).
    """
    if unit == "group":
        if queries.groups is None:
            fix = "give groups, or name their column: group_column= (--group-column)"
            raise ParameterError("E101", f"unit='group' but no groups in {queries.name}", fix=fix)
        return Units(queries.groups.codes, "group")
    if unit == "class" and isinstance(queries.labels, Labels):
        return Units(queries.labels.codes, "class")
    return Units(np.arange(len(queries)), "query")


def with_intervals(entries: Entries, measured: Sequence[Measured], units: Units, **how: Any) -> Entries:
    """Return the entries with ``low``, ``high``, ``interval`` (the method) and ``units``.

    Where there is no interval these are ``None`` and ``interval_reason`` says why. The gallery, and with it
    the negatives of every triplet, is what it is: what is drawn again is who asks.

    Args:
        entries: What `summarise` made of each of ``measured``, by spelling.
        measured: The columns over all queries.
        units: The unit of each query.
        how: ``classes`` ((queries,) codes or ``None``), ``confidence`` and ``seed``.
    """
    classes, confidence, seed = (how[name] for name in ("classes", "confidence", "seed"))
    names = [each.named.spelling for each in measured]
    found: dict[str, Interval] = {}
    estimands = {}
    for name, each in zip(names, measured, strict=True):
        entry = entries[name]
        if entry["value"] is None:
            found[name] = Interval(None, None, None, 0, entry["reason"])
        elif entry["average"] == "median":
            found[name] = _of_median(each, units, confidence)
        else:
            part, whole = per_query(each.column, entry["average"], classes)
            estimands[name] = Sums(units.sum(part), units.sum(whole), each.named.metric.bounds)
    drawn = intervals(list(estimands.values()), confidence=confidence, seed=seed, noun=units.noun)
    for name, interval in zip(estimands, drawn, strict=True):
        sure = interval.method is not None and settled(entries[name])
        found[name] = Interval(None, None, None, 0, SETTLED) if sure else interval
    return {name: entries[name] | found[name].entry() for name in entries}


def settled(entry: dict[str, Any]) -> bool:
    """Return whether a random ranking scores no less than a perfect one, as where k is as large as the gallery."""
    chance, ceiling = entry.get("chance"), entry.get("ceiling", 1.0)
    return chance is not None and math.isclose(chance, ceiling) and math.isclose(chance, entry["value"])


def without_interval(entries: Entries) -> Entries:
    """Return entries that are no means over queries, with the reason why those without an interval have none."""
    why = "a property of the whole set, not a mean over queries"
    none = {name: Interval(None, None, None, 0, entry.get("reason", why)).entry() for name, entry in entries.items()}
    return {name: entry if "interval" in entry else entry | none[name] for name, entry in entries.items()}


def without_groups(gallery: Embeddings, unit: str) -> bool:
    """Return whether intervals by group were asked for, of a gallery that has none; `NO_GROUPS` is the reason."""
    return unit == "group" and gallery.groups is None


def most_units(entries: Entries) -> int:
    """Return the most units that one of the entries rests on."""
    return max((entry["units"] for entry in entries.values()), default=0)


def interval_notes(entries: Entries, drawn: Mapping[str, int], unit: str | None = None) -> list[str]:
    """Return what a reader of the intervals must know, in sentences.

    Args:
        entries: All that have, or could have, an interval.
        drawn: By what one unit is called, how many of them are drawn again; of others nothing is said.
        unit: The unit that was asked for.
    """
    most = most_units({name: entry for name, entry in entries.items() if entry["interval"]})
    notes = []
    if unit == "class" and "query" in drawn:
        notes.append(INDEPENDENT)
    for noun, count in drawn.items():
        few = counted(count, noun)
        if 0 < count < FEWEST:
            where = f" of what rests on {few}: they" if most else f": {few}"
            notes.append(f"No intervals{where} cannot say what others would do ({FEWEST} are needed).")
        elif FEWEST <= count < FEW:
            rest = f"rest on {few} only: they" if most < FEW else f"that rest on {few}"
            notes.append(f"Intervals {rest} are t intervals, and rough.")
        if heavy := _without_for(entries, uneven(count, noun).reason):
            notes.append(f"One {noun} counts for more than all others together, and so without an interval: {heavy}.")
    if same := _without_for(entries, SETTLED):
        notes.append(f"The same for every ranking, and so without an interval: {same}.")
    return notes


def _without_for(entries: Entries, reason: str) -> str:
    """Return the first names of those that have no interval for this reason, and how many more there are."""
    names = [name for name, entry in entries.items() if entry.get("interval_reason") == reason]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _of_median(measured: Measured, units: Units, confidence: float) -> Interval:
    values = measured.column.values()
    defined = ~np.isnan(values)
    codes: Ints = units.codes[defined]
    count = len(np.unique(codes))
    if count < FEWEST:
        return none_of(count, units.noun)
    return Interval(*median_interval(values[defined], codes, confidence), "median", count)
