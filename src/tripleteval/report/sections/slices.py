"""How the numbers differ between parts of the queries."""

from __future__ import annotations

from typing import Any

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.section import Section, Table
from tripleteval.report.sections import section
from tripleteval.report.wording import interval, label, number, whole

_SHOWN = ("map@r", "hit_rate@1", "triplet_accuracy")


@section("slices", place=35)
def slices(evaluation: Evaluation) -> Section | None:
    """List three headline numbers per slice with their intervals; a slice that is too small says so."""
    if not evaluation.slices:
        return None
    columns = dict.fromkeys(entry["column"] for entry in evaluation.slices)
    tables = [_table(name, [e for e in evaluation.slices if e["column"] == name]) for name in columns]
    text = (
        "Each slice is a part of the queries, searched in the whole gallery. Intervals that overlap may still differ, "
        "and of many slices one looks bad by chance."
    )
    return Section("Slices", text, tables)


def _table(name: str, entries: list[dict[str, Any]]) -> Table:
    shown = [metric for metric in _SHOWN if any(metric in entry["metrics"] for entry in entries)]
    heads = [label(name), "queries", "evaluated", *(shown or ["numbers"])]
    return Table(heads, [_row(entry, shown) for entry in entries], frozenset(heads[1:3]))


def _row(entry: dict[str, Any], shown: list[str]) -> list[str]:
    value = "without a value" if entry["value"] is None else label(entry["value"])
    start = [value, whole(entry["queries"]), whole(entry["evaluated"])]
    if "reason" in entry:
        return [*start, entry["reason"].partition(",")[0], *[""] * (len(shown) - 1)]
    return [*start, *(_cell(entry["metrics"][metric]) for metric in shown)]


def _cell(found: dict[str, Any]) -> str:
    return f"{number(found['value'])} {interval(found['low'], found['high'])}".strip()
