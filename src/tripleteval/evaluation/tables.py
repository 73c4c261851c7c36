"""The tables behind the numbers: one row per query, per class, per neighbour, as Arrow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tripleteval.arrays import AnyArray, Floats, Ints
from tripleteval.data.comparison import Comparison
from tripleteval.data.embeddings import Embeddings
from tripleteval.data.labels import Labels, LabelSets
from tripleteval.distance.formula import Distance
from tripleteval.evaluation.measure import Results
from tripleteval.evaluation.pair_units import Grouped
from tripleteval.evaluation.summary import class_means
from tripleteval.evidence.neighbors import NOBODY

if TYPE_CHECKING:
    import pyarrow as pa


def class_codes(queries: Embeddings) -> Ints | None:
    """Return the class of each query, or ``None`` where a query has no single class."""
    return queries.labels.codes if isinstance(queries.labels, Labels) else None


def per_query_table(comparison: Comparison, results: Results) -> pa.Table:
    """Return one row per query: who it is, what it could find, and every metric (null where undefined)."""
    import pyarrow as pa

    queries, facts = comparison.queries, results.facts
    columns: dict[str, Any] = {"query": pa.array(comparison.query_rows)}
    for name, column in (("id", queries.ids), ("label", queries.labels), ("group", queries.groups)):
        if column is not None:
            columns[name] = arrow_of(column)
    columns["relevant"] = pa.array(facts.positives)
    columns["valid"] = pa.array(facts.positives + facts.negatives)
    for measured in results.measured:
        if measured.named.metric.headline != "median":  # the same per-query rank as first_rank_mean
            columns[measured.named.spelling] = _nullable(measured.column.values())
    return pa.table(columns)


def per_class_table(
    comparison: Comparison,
    results: Results,
    codes: Ints | None,
    rates: dict[str, Floats],
) -> pa.Table | None:
    """Return one row per class of the queries: support, the mean of each metric over its queries, shrunken rates."""
    labels = comparison.queries.labels
    if codes is None or not isinstance(labels, Labels):
        return None
    import pyarrow as pa

    present = np.unique(codes)
    of = len(labels.classes)
    evaluated = np.bincount(codes[results.facts.positives > 0], minlength=of)
    columns: dict[str, Any] = {
        "label": _values([labels.classes[code] for code in present.tolist()]),
        "queries": pa.array(np.bincount(codes, minlength=of)[present]),
        "evaluated": pa.array(evaluated[present]),
    }
    for measured in results.measured:
        if measured.named.metric.headline != "median":
            columns[measured.named.spelling] = _nullable(class_means(measured.column.values(), codes, of)[present])
    columns |= {f"shrunken {spelling}": _nullable(rate) for spelling, rate in rates.items()}
    return pa.table(columns)


def per_unit_table(grouped: Grouped, values: Mapping[str, Floats]) -> pa.Table | None:
    """Return one row per unit of pairs, or group of units: its name, its members, what it makes of each number.

    Args:
        grouped: The units; the column of their names is called as they are.
        values: By spelling, (units,) each: their mean is the number, their spread its variance (`pseudo_values`).

    Returns:
        ``None`` where there is no value to keep.
    """
    if not values:
        return None
    import pyarrow as pa

    columns = {grouped.noun: pa.array(grouped.names, pa.string()), "members": pa.array(grouped.members)}
    return pa.table(columns | {spelling: pa.array(each) for spelling, each in values.items()})


def neighbor_table(comparison: Comparison, results: Results, distance: Distance, most: int) -> pa.Table | None:
    """Return one row per (query, rank): the gallery row, its distance, relevance, id and label."""
    found = results.neighbors.nearest(most)
    if not found.rows.shape[1]:
        return None
    import pyarrow as pa

    query, place = np.nonzero(found.rows != NOBODY)
    rows = found.rows[query, place]
    columns: dict[str, Any] = {
        "query": pa.array(comparison.query_rows[query]),
        "rank": pa.array(place + 1),
        "gallery": pa.array(rows),
        "distance": pa.array(distance.from_squared(found.squared[query, place])),
        "relevant": pa.array(found.relevant[query, place]),
    }
    if comparison.gallery.ids is not None:
        columns["gallery_id"] = arrow_of(comparison.gallery.ids.take(rows))
    if isinstance(comparison.gallery.labels, Labels):
        columns["gallery_label"] = arrow_of(comparison.gallery.labels.take(rows))
    return pa.table(columns)


def arrow_of(column: Labels | LabelSets) -> Any:
    """Return labels, ids or groups as Arrow, a value per row; a set of labels as a list of text."""
    import pyarrow as pa

    if isinstance(column, LabelSets):
        return pa.array([[str(label) for label in row] for row in column.values()], pa.list_(pa.string()))
    return _values(list(column.classes)).take(pa.array(column.codes))


def _values(classes: list[Any]) -> Any:
    """Return classes as Arrow: integers as integers where 64 bits hold them, everything else as text."""
    import pyarrow as pa

    if all(type(label) is int and -(2**63) <= label < 2**63 for label in classes):
        return pa.array(classes, pa.int64())
    return pa.array([str(label) for label in classes], pa.string())


def _nullable(values: Floats) -> Any:
    import pyarrow as pa

    mask: AnyArray = np.isnan(values)
    return pa.array(values, mask=mask)
