"""Which queries fail worst, and what they find instead."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.section import Section, Table
from tripleteval.report.cases import FIRST_AT, cases
from tripleteval.report.findings.chance import collapsed
from tripleteval.report.sections import section
from tripleteval.report.wording import label, number, rank, whole

if TYPE_CHECKING:
    import pyarrow as pa

_MOST = 10
_MOST_CASES, _MOST_OF_CLASS, _LOOKED_AT = 60, 8, 5000
_ROUNDING = 1e-9
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
    lowest = float(pc.min(defined["map"]).as_py())
    if lowest >= 1 - _ROUNDING or collapsed(evaluation):
        of = "the only query has" if defined.num_rows == 1 else f"all {defined.num_rows:,} queries have"
        return Section("Worst queries", f"None is named: {of} map {number(lowest)}.")
    nearest = _nearest(evaluation, defined)
    order = [("map", "ascending"), ("wrong", "descending"), ("query", "ascending")]
    ordered = defined.append_column("wrong", nearest).sort_by(order).drop_columns(["wrong"])
    worst = ordered.slice(0, _MOST)
    found = _found(evaluation, worst["query"].to_pylist())
    heads = ["row", *(name for name in _KNOWN if name in worst.column_names), "map", "relevant", FIRST_AT, "nearest"]
    rows = [_row(row, found.get(row["query"], {}), heads) for row in worst.to_pylist()]
    some = f"The {len(rows)} of {defined.num_rows:,} queries with the lowest map"
    text = f"{some if defined.num_rows > len(rows) else 'All queries, lowest map first'} (rows are 0-based)."
    if found:
        name = "id" if "gallery_id" in next(iter(found.values())) else "gallery row"
        text += f" The nearest item is named by its {name}; it is right if it is relevant."
    table = Table(heads, rows, frozenset({"row", "map", "relevant", FIRST_AT}))
    shown = _shown(ordered)
    if evaluation.neighbors is not None and shown.num_rows > len(rows):
        text += f" The page shows {shown.num_rows} with what they found, at most {_MOST_OF_CLASS} of a class."
    return Section("Worst queries", text, [table], cases=cases(evaluation, shown["query"].to_pylist(), _facts(shown)))


def _shown(ordered: pa.Table) -> pa.Table:
    """Return the worst queries, few enough of each class that the others are seen as well."""
    if "label" not in ordered.column_names:
        return ordered.slice(0, _MOST_CASES)
    import pyarrow as pa

    seen: Counter[str] = Counter()
    chosen = []
    for place, name in enumerate(map(str, ordered["label"].slice(0, _LOOKED_AT).to_pylist())):
        seen[name] += 1
        if seen[name] <= _MOST_OF_CLASS:
            chosen.append(place)
    return ordered.take(pa.array(chosen[:_MOST_CASES], pa.int64()))


def _facts(shown: pa.Table) -> list[dict[str, float | None]]:
    known = {"map": "map", "map@r": "map@r", "first_rank_mean": FIRST_AT}  # of one query it is no mean
    names = [name for name in known if name in shown.column_names]
    return [{known[name]: value for name, value in row.items()} for row in shown.select(names).to_pylist()]


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
        FIRST_AT: rank(row["first_rank_mean"]) if row.get("first_rank_mean") else "",
        "nearest": _named(found) if found else "",
    }
    return [cells[head] for head in heads]


def _named(found: dict[str, Any]) -> str:
    who = label(found.get("gallery_id", found.get("gallery")))
    return f"{who} ({'right' if found['relevant'] else 'wrong'}, at {number(found['distance'])})"
