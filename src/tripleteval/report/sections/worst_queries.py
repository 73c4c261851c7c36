"""Which queries fail worst, and what they find instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.section import Section, Table
from tripleteval.report.sections import section
from tripleteval.report.wording import label, number, whole

if TYPE_CHECKING:
    import pyarrow as pa

_MOST = 10
_KNOWN = ("id", "label", "group")


@section("worst queries", place=70)
def worst_queries(evaluation: Evaluation) -> Section | None:
    """List the ten queries with the lowest map, among equals those whose nearest item is wrong first."""
    table = evaluation.per_query
    if table is None or "map" not in table.column_names:
        return None
    import pyarrow.compute as pc

    defined = table.filter(pc.is_valid(table["map"]))
    if not defined.num_rows:
        return None
    nearest = _nearest(evaluation, defined)
    order = [("map", "ascending"), ("wrong", "descending"), ("query", "ascending")]
    worst = defined.append_column("wrong", nearest).sort_by(order).slice(0, _MOST).drop_columns(["wrong"])
    found = _found(evaluation, worst["query"].to_pylist())
    heads = ["row", *(name for name in _KNOWN if name in worst.column_names), "map", "relevant", "first at", "nearest"]
    rows = [_row(row, found.get(row["query"], {}), heads) for row in worst.to_pylist()]
    text = f"The {len(rows)} of {defined.num_rows:,} queries with the lowest map (rows are 0-based)."
    if found:
        name = "id" if "gallery_id" in next(iter(found.values())) else "gallery row"
        text += f" The nearest item is named by its {name}; it is right if it is relevant."
    return Section("Worst queries", text, [Table(heads, rows, frozenset({"row", "map", "relevant", "first at"}))])


def _nearest(evaluation: Evaluation, queries: pa.Table) -> pa.Array:
    """Return, per query, 1 where its nearest item is wrong, 0 where it is right or unknown."""
    import pyarrow as pa
    import pyarrow.compute as pc

    table = evaluation.neighbors
    if table is None:
        return pa.array([0] * queries.num_rows)
    wrong = table.filter(pc.and_(pc.equal(table["rank"], 1), pc.invert(table["relevant"])))["query"]
    return pc.is_in(queries["query"], value_set=wrong.combine_chunks()).cast(pa.int8())


def _found(evaluation: Evaluation, queries: list[int]) -> dict[int, dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.compute as pc

    table = evaluation.neighbors
    if table is None:
        return {}
    wanted = pc.and_(pc.equal(table["rank"], 1), pc.is_in(table["query"], value_set=pa.array(queries, pa.int64())))
    return {row["query"]: row for row in table.filter(wanted).to_pylist()}


def _row(row: dict[str, Any], found: dict[str, Any], heads: list[str]) -> list[str]:
    cells = {
        "row": str(row["query"]),
        **{name: label(row.get(name)) for name in _KNOWN},
        "map": number(row["map"]),
        "relevant": whole(row.get("relevant")),
        "first at": f"{row['first_rank_mean']:g}" if row.get("first_rank_mean") else "",
        "nearest": _named(found) if found else "",
    }
    return [cells[head] for head in heads]


def _named(found: dict[str, Any]) -> str:
    who = label(found.get("gallery_id", found.get("gallery")))
    return f"{who} ({'right' if found['relevant'] else 'wrong'}, at {number(found['distance'])})"
