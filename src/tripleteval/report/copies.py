"""Items that are the same, or nearly, as the table and the cases that sections show: one line per group of copies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tripleteval.data.section import Case, Item, Side, Table
from tripleteval.errors import counted
from tripleteval.evaluation.folds import connected
from tripleteval.report.findings.duplicates import NEAR
from tripleteval.report.wording import label, number, percent, whole

if TYPE_CHECKING:
    import pyarrow as pa

CLOSE = f"within {percent(NEAR)} of the usual distance to the nearest"
_MOST, _MOST_CASES = 10, 12


def groups(found: pa.Table, *, inside: bool) -> pa.Table:
    """Return a pair of each group of copies, the closest group first, with ``items``: how many the group has.

    A hundred copies of one item are thousands of pairs, and one thing to know. Copies of copies are in one group.
    The pair is the closest that is not relevant to each other, whose labels are to be looked at, or else the closest.

    Args:
        found: At least one pair, closest first, with rows ``query`` and ``gallery``.
        inside: Whether both are rows of one set.
    """
    import pyarrow as pa

    ends = np.stack([found["query"].to_numpy(), found["gallery"].to_numpy()], axis=1).astype(np.int64)
    if not inside:
        ends[:, 1] += int(ends[:, 0].max()) + 1
    items = np.unique(ends)
    places = np.searchsorted(items, ends)
    group = connected(np.arange(len(items)), places)
    of_pair = group[places[:, 0]]
    known, closest = np.unique(of_pair, return_index=True)
    telling = np.argsort(found["relevant"].to_numpy(), kind="stable")
    shown = telling[np.unique(of_pair[telling], return_index=True)[1]]
    order = np.argsort(closest)
    sizes = np.bincount(group)[known[order]]
    return found.take(pa.array(shown[order])).append_column("items", pa.array(sizes))


def table(grouped: pa.Table, one: str, other: str) -> Table:
    """Return a line for each of the first `groups`; ``one`` and ``other`` are what the ends of a pair are called."""
    heads = [one, "label", other, "its label", "distance", "kind", "items"]
    rows = [[*_row(row), whole(row["items"])] for row in grouped.slice(0, _MOST).to_pylist()]
    return Table(heads, rows, frozenset({"distance", "items"}))


def cases(grouped: pa.Table, one: Side, other: Side) -> list[Case]:
    """Return the first `groups` with pictures and texts of a pair; ``one`` and ``other`` are the sets of its ends."""
    return [_case(row, one, other) for row in grouped.slice(0, _MOST_CASES).to_pylist()]


def listed(grouped: pa.Table) -> str:
    """Return, in a sentence, how many `groups` there are and how many of them the table has."""
    some = f"; the first {_MOST} are listed" if grouped.num_rows > _MOST else ""
    mixed = not all(grouped["relevant"].to_pylist())
    first = ", of those not relevant to each other where there are any" if mixed else ""
    return f"{counted(grouped.num_rows, 'group')} of copies, each by its closest pair{first}{some}."


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
