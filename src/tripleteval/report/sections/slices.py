"""How the numbers differ between parts of the queries."""

from __future__ import annotations

from typing import Any

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.section import Section, Table
from tripleteval.report.sections import section
from tripleteval.report.wording import interval, label, number, whole

_SHOWN = ("map@r", "hit_rate@1", "triplet_accuracy")
_MOST_SMALL = 5


@section("slices", place=35)
def slices(evaluation: Evaluation) -> Section | None:
    """List three headline numbers per slice, and rates per pair of values; what is too small says so, or is counted."""
    if not evaluation.slices:
        return None
    columns = dict.fromkeys(entry["column"] for entry in evaluation.slices)
    small = {name: [e for e in evaluation.slices if e["column"] == name and "reason" in e] for name in columns}
    unlisted = [entry for entries in small.values() for entry in entries[_MOST_SMALL:]]
    listed = [entry for entry in evaluation.slices if not any(entry is one for one in unlisted)]
    tables = [_table(name, [e for e in listed if e["column"] == name]) for name in columns]
    text = (
        "Each slice is a part of the queries, searched in the whole gallery. Intervals that overlap may still differ, "
        "and of many slices one looks bad by chance."
    )
    if unlisted:
        text += f" Not listed: {whole(len(unlisted))} more that are too small for numbers."
    pairs = [entry for entry in evaluation.verification.get("slices", []) if "reason" not in entry]
    far = _reliable(evaluation)
    if pairs and far is not None:
        tables += [_pairs(name, [e for e in pairs if e["column"] == name], far) for name in columns]
        text += f" Pairs are judged by the one threshold that accepts {far:g} of all impostors."
    return Section("Slices", text, [table for table in tables if table.rows])


def _reliable(evaluation: Evaluation) -> float | None:
    """Return the lowest false accept rate that so many pairs can measure, else the highest that was asked for."""
    found = [entry for name, entry in evaluation.metrics.items() if name.startswith("tar@far=")]
    rates = [entry["target_far"] for entry in found if entry["value"] is not None]
    sure = [entry["target_far"] for entry in found if entry["value"] is not None and not entry["unreliable"]]
    return min(sure) if sure else max(rates, default=None)


def _pairs(column: str, entries: list[dict[str, Any]], far: float) -> Table:
    kinds = ("impostor", "genuine")
    heads = [f"pairs by {label(column)}", "impostors", "impostors accepted", "genuine", "genuine rejected"]
    rows = []
    for entry in entries:
        values = ["without a value" if entry[side] is None else label(entry[side]) for side in ("first", "second")]
        cells = [cell for kind in kinds for cell in (whole(entry[kind]["pairs"]), _rate(entry[kind], far))]
        rows.append([f"{values[0]} and {values[1]}", *cells])
    return Table(heads, rows, frozenset(heads[1:]))


def _rate(found: dict[str, Any], far: float) -> str:
    if "reason" in found:
        return found["reason"].partition(":")[0] if found["pairs"] else ""
    return next(_cell(rate) for rate in found["rates"] if rate["target_far"] == far)


def _table(name: str, entries: list[dict[str, Any]]) -> Table:
    shown = [metric for metric in _SHOWN if any(metric in entry["metrics"] for entry in entries)]
    heads = [label(name), "queries", "evaluated", *(shown or ["numbers"])]
    return Table(heads, [_row(entry, shown) for entry in entries], frozenset(heads[1:]))


def _row(entry: dict[str, Any], shown: list[str]) -> list[str]:
    value = "without a value" if entry["value"] is None else label(entry["value"])
    start = [value, whole(entry["queries"]), whole(entry["evaluated"])]
    if "reason" in entry:
        return [*start, entry["reason"].partition(",")[0], *[""] * (len(shown) - 1)]
    return [*start, *(_cell(entry["metrics"][metric]) for metric in shown)]


def _cell(found: dict[str, Any]) -> str:
    return f"{number(found['value'])} {interval(found['low'], found['high'], found['value'])}".strip()
