"""Pairs of items that are the same, or nearly, as the table and the cases that sections show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tripleteval.data.section import Case, Item, Side, Table
from tripleteval.errors import counted
from tripleteval.report.findings.duplicates import NEAR
from tripleteval.report.wording import label, number, percent, whole

if TYPE_CHECKING:
    import pyarrow as pa

CLOSE = f"within {percent(NEAR)} of the usual distance to the nearest"
_MOST, _MOST_CASES = 10, 12


def table(found: pa.Table, one: str, other: str) -> Table:
    """Return the closest pairs; ``one`` and ``other`` are what their two ends are called."""
    heads = [one, "label", other, "its label", "distance", "kind"]
    return Table(heads, [_row(row) for row in found.slice(0, _MOST).to_pylist()], frozenset({"distance"}))


def cases(found: pa.Table, one: Side, other: Side) -> list[Case]:
    """Return the closest pairs with their pictures and texts; ``one`` and ``other`` are the sets of their two ends."""
    return [_case(row, one, other) for row in found.slice(0, _MOST_CASES).to_pylist()]


def differing(found: pa.Table) -> str:
    """Return, in a sentence, how many pairs are not relevant to each other; nothing where all are."""
    other = int((~found["relevant"].to_numpy()).sum())
    if not other:
        return ""
    return f"Of {counted(found.num_rows, 'pair')}, {whole(other)} not relevant to each other: look at their labels."


def _row(row: dict[str, Any]) -> list[str]:
    one, other = (label(row.get(name, row[side])) for name, side in (("id", "query"), ("gallery_id", "gallery")))
    labels = [label(row.get(name, "")) for name in ("label", "gallery_label")]
    return [one, labels[0], other, labels[1], number(row["distance"]), row["kind"]]


def _case(row: dict[str, Any], one: Side, other: Side) -> Case:
    name, its, found, its_label, distance, _ = _row(row)
    nearest = Item(other, row["gallery"], found, its_label, distance, right=bool(row["relevant"]))
    return Case(Item(one, row["query"], name, its), [nearest], {"distance": row["distance"]})
