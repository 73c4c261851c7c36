"""Items that are there twice: inside a set, or on both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.section import Case, Item, Section, Table
from tripleteval.report.findings.duplicates import NEAR, duplicates
from tripleteval.report.findings.neighborhood import among_each_other
from tripleteval.report.sections import section
from tripleteval.report.wording import label, number, percent, whole

if TYPE_CHECKING:
    import pyarrow as pa

_MOST = 10
_MOST_CASES = 12


@section("duplicates", place=74)
def twice(evaluation: Evaluation) -> Section | None:
    """List exact and near duplicates, and say what they mean where queries and gallery share them."""
    found = duplicates(evaluation)
    if found is None or not found.num_rows:
        return None
    inside = among_each_other(evaluation)
    rows = found.slice(0, _MOST_CASES).to_pylist()
    heads = ["query", "label", "item", "its label", "distance", "kind"]
    table = Table(heads, [_row(row) for row in rows[:_MOST]], frozenset({"distance"}))
    cases = [_case(row) for row in rows]
    return Section("Duplicates", _text(found, inside=inside), [table], level="warning", cases=cases)


def _text(found: pa.Table, *, inside: bool) -> str:
    exact = np.array(found["kind"].to_pylist()) == "exact"
    query = found["query"].to_numpy()
    ends = [query, found["gallery"].to_numpy()] if inside else [query]
    same = len(np.unique(np.concatenate([end[exact] for end in ends])))
    either = len(np.unique(np.concatenate(ends)))
    among = "another item" if inside else "an item of the gallery"
    said = [f"{whole(same)} queries have exactly the vector of {among}, {whole(either - same)} nearly"]
    said[0] += f" (within {percent(NEAR)} of the usual distance to the nearest)."
    other = int((~found["relevant"].to_numpy(zero_copy_only=False)).sum())
    if other:
        said.append(
            f"{whole(other)} of {whole(found.num_rows)} pairs are not relevant to each other: look at their labels."
        )
    said.append(
        "Copies of one item find each other and make every number look better."
        if inside
        else "What stands on both sides is found for free: if it leaked from one split into the other, remove it."
    )
    return " ".join(said)


def _row(row: dict[str, Any]) -> list[str]:
    query, item = (label(row.get(name, row[other])) for name, other in (("id", "query"), ("gallery_id", "gallery")))
    labels = [label(row.get(name, "")) for name in ("label", "gallery_label")]
    return [query, labels[0], item, labels[1], number(row["distance"]), row["kind"]]


def _case(row: dict[str, Any]) -> Case:
    query, one, item, other, distance, _ = _row(row)
    found = Item("gallery", row["gallery"], item, other, distance, right=bool(row["relevant"]))
    return Case(Item("queries", row["query"], query, one), [found], {"distance": row["distance"]})
