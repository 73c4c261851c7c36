"""Queries shown with what they found: rows of the tables of a run as cases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.section import Case, Item
from tripleteval.report.findings.neighborhood import places
from tripleteval.report.wording import label, number, rank

NEAREST = 6
FIRST_AT = "first at"


def cases(
    evaluation: Evaluation,
    queries: Iterable[int],
    facts: Iterable[Mapping[str, float | None]],
    *,
    nearest: int = NEAREST,
) -> list[Case]:
    """Return the given queries, each with its nearest items and with facts to sort by; none without neighbours."""
    chosen = list(queries)
    table, neighbors = evaluation.per_query, evaluation.neighbors
    if table is None or neighbors is None or not chosen:
        return []
    import pyarrow as pa
    import pyarrow.compute as pc

    wanted = pc.and_(
        pc.is_in(neighbors["query"], pa.array(chosen, pa.int64())), pc.less_equal(neighbors["rank"], nearest)
    )
    found: dict[int, list[Item]] = {query: [] for query in chosen}
    for row in neighbors.filter(wanted).sort_by([("query", "ascending"), ("rank", "ascending")]).to_pylist():
        found[row["query"]].append(_found(row))
    known = [name for name in ("query", "id", "label") if name in table.column_names]
    asked = table.select(known).take(pa.array(places(table, np.array(chosen, dtype=np.int64)))).to_pylist()
    return [Case(_asked(row), found[row["query"]], fact) for row, fact in zip(asked, facts, strict=True)]


def fact(value: float | None, name: str) -> str:
    """Return a fact of a case as it is shown beside its name."""
    return rank(value) if name == FIRST_AT and value is not None else number(value)


def _asked(row: dict[str, Any]) -> Item:
    return Item("queries", row["query"], _name(row.get("id"), row["query"]), _label(row.get("label")))


def _found(row: dict[str, Any]) -> Item:
    name, given = _name(row.get("gallery_id"), row["gallery"]), _label(row.get("gallery_label"))
    return Item("gallery", row["gallery"], name, given, number(row["distance"]), right=bool(row["relevant"]))


def _name(known: Any, row: int) -> str:
    return f"row {row}" if known is None else label(known)


def _label(known: Any) -> str:
    return "" if known is None else label(known)
