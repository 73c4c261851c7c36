"""The tables that a run gives away, by name, as Parquet or CSV."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.material import Material
from tripleteval.data.section import Side
from tripleteval.errors import ParameterError, nearest
from tripleteval.report.findings.confusions import confusions
from tripleteval.report.findings.duplicates import duplicates
from tripleteval.report.findings.hubs import hubs
from tripleteval.report.findings.inside import copies_inside
from tripleteval.report.findings.neighborhood import among_each_other
from tripleteval.report.findings.suspects import suspects
from tripleteval.report.wording import listed

if TYPE_CHECKING:
    import pyarrow as pa

TABLES = {
    "metrics": "every number with its interval, chance and count",
    "queries": "one row per query",
    "classes": "one row per class",
    "units": "what each class makes of the numbers of all pairs",
    "neighbors": "the nearest items of each query",
    "suspects": "labels to look at again",
    "confusions": "pairs of classes that are taken for each other",
    "hubs": "how often each item is found",
    "duplicates": "items that are there twice; with the embeddings also inside one side",
    "map": "x and y of each query, with its neighbours; needs the embeddings",
}

_OTHER_KINDS = {"triplets", "pairs", "identification"}  # settings of runs that evaluate does not make
_NEEDS = {"units": "it needs 5 classes or more with pairs of both kinds (verification=True, not --no-verification)"}

# What a spreadsheet takes for the start of a formula, also behind quotes.
_FORMULA = '^("*[=+\\-@\t\r\\x00])'


def exported(evaluation: Evaluation, name: str, material: Material | None = None) -> pa.Table:
    """Return one of `TABLES`.

    Raises:
        ParameterError: No table has this name (E510), the run does not hold what it is made from, or it needs
            the embeddings (E101).
    """
    if name not in TABLES:
        raise ParameterError("E510", f"no table {name!r}", fix=nearest(name, TABLES))
    if name == "map":
        return _map(evaluation, material)
    kept = {
        "queries": evaluation.per_query,
        "classes": evaluation.per_class,
        "units": evaluation.per_unit,
        "neighbors": evaluation.neighbors,
    }
    found = {"suspects": suspects, "confusions": confusions, "hubs": hubs}
    if name == "metrics":
        return _metrics(evaluation)
    if name == "duplicates":
        found[name] = partial(_duplicates, material=material)
    table = kept[name] if name in kept else found[name](evaluation)
    if table is None:
        fix = _NEEDS.get(name, "it needs one label per item, and neighbours (neighbors=, --neighbors, above 0)")
        if not _OTHER_KINDS.isdisjoint(evaluation.settings):
            held = ["metrics", *(other for other, known in kept.items() if known is not None)]
            fix = f"this run has {listed(held)}; tripleteval evaluate makes runs that have more"
        raise ParameterError("E101", f"the table {name!r} of a run that does not hold it", fix=fix)
    return table


def as_csv(table: pa.Table, *, raw: bool = False) -> bytes:
    """Return a table as CSV (RFC 4180), lists as JSON.

    Args:
        table: What to write.
        raw: Leave texts as they are; otherwise those that a spreadsheet would run as a formula start with ``'``.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv

    columns = {}
    for name, given in zip(table.column_names, table.columns, strict=True):
        column = _flat(given)
        if not raw and pa.types.is_string(column.type):
            column = pc.replace_substring_regex(column, _FORMULA, "'\\1")
        columns[name] = column
    sink = pa.BufferOutputStream()
    csv.write_csv(pa.table(columns), sink)
    return bytes(sink.getvalue())


def as_parquet(table: pa.Table) -> bytes:
    """Return a table as a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return bytes(sink.getvalue())


def _flat(column: pa.ChunkedArray) -> pa.ChunkedArray:
    import json

    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        return column.cast(column.type.value_type)
    if pa.types.is_binary(column.type):
        return pa.chunked_array([pa.array([None] * len(column), pa.string())])
    if pa.types.is_nested(column.type):
        return pa.chunked_array([[json.dumps(value) for value in column.to_pylist()]], pa.string())
    return column


def _metrics(evaluation: Evaluation) -> pa.Table:
    import pyarrow as pa

    facts: dict[str, Any] = {
        "metric": (pa.string(), list(evaluation.metrics)),
        **{
            name: (pa.float64(), [entry.get(name) for entry in evaluation.metrics.values()])
            for name in ("value", "low", "high", "chance", "ceiling")
        },
        "n": (pa.int64(), [entry.get("n") for entry in evaluation.metrics.values()]),
        **{
            name: (pa.string(), [entry.get(name) for entry in evaluation.metrics.values()])
            for name in ("average", "better", "reason")
        },
    }
    return pa.table({name: pa.array(values, kind) for name, (kind, values) in facts.items()})


def _duplicates(evaluation: Evaluation, material: Material | None) -> pa.Table | None:
    """Return pairs with the set they are ``inside`` of; ``both`` is one in each."""
    found = duplicates(evaluation)
    if found is None:
        return None
    parts = {"queries" if among_each_other(evaluation) else "both": found}
    if material is not None and material.gallery is not None:
        distance = evaluation.settings.get("distance", "euclidean")
        sides: tuple[Side, ...] = ("queries", "gallery")
        parts |= {side: table for side in sides if (table := copies_inside(material, side, distance)) is not None}
    return _stacked(parts)


def _stacked(parts: Mapping[str, pa.Table]) -> pa.Table:
    import pyarrow as pa

    # Ids and labels may be numbers on one side and texts on the other.
    texts = {"id", "gallery_id", "label", "gallery_label"} if len(parts) > 1 else set()
    named = []
    for inside, table in parts.items():
        columns = {
            name: pa.array([str(value) for value in table[name].to_pylist()], pa.string())
            if name in texts
            else table[name]
            for name in table.column_names
        }
        named.append(pa.table(columns | {"inside": pa.array([inside] * table.num_rows, pa.string())}))
    return pa.concat_tables(named, promote_options="default")


def _map(evaluation: Evaluation, material: Material | None) -> pa.Table:
    from tripleteval.report.atlas import atlas

    if material is None:
        raise ParameterError("E101", "a map without embeddings", fix="give material= (--embeddings)")
    return atlas(evaluation, material)
