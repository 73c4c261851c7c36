"""From per-query columns to the numbers people read, summed so that no order of work shows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tripleteval.arrays import AnyArray, Bools, Floats, Ints
from tripleteval.evidence.fixed_point import FixedPoint
from tripleteval.metrics import Column, Named

_REASONS = {
    "groups": "no query has anything relevant to find",
    "spread": "it takes one class per item, at least two classes, and fewer classes than items",
}


class Measured(NamedTuple):
    """One metric over all queries, with what it would be by chance and at best."""

    named: Named
    column: Column
    chance: Column | None = None
    ceiling: Column | None = None


def summarise(measured: Measured, classes: Ints | None, average: str) -> dict[str, Any]:
    """Return what an evaluation holds about one metric.

    Args:
        measured: The metric's column over all queries.
        classes: (queries,) class of each query; ``None`` where a query has no single class.
        average: ``"query"``, ``"class"`` or ``"pooled"``; where it means nothing for this metric the
            metric's own headline holds.
    """
    metric = measured.named.metric
    chosen = average if average == "class" or (average == "pooled" and metric.pools) else metric.headline
    if chosen == "class" and classes is None:
        chosen = metric.headline
    averages = {
        "query": _mean(measured.column.values()),
        "class": None if classes is None else _class_mean(measured.column.values(), classes),
        "pooled": _ratio(measured.column) if metric.pools else None,
    }
    if metric.headline == "median":
        averages["median"] = _reduce(measured.column, "median", classes)
    entry: dict[str, Any] = {
        "value": averages[chosen],
        "n": _support(measured.column, chosen),
        "better": metric.better,
        "average": chosen,
        "averages": averages,
    }
    if measured.chance is not None:
        entry["chance"] = _reduce(measured.chance, chosen, classes)
    if measured.ceiling is not None:
        entry["ceiling"] = _reduce(measured.ceiling, chosen, classes)
    if metric.pools and measured.column.part.dtype.kind == "i":
        entry["count"] = total(measured.column.part)
    if entry["value"] is None:
        entry["reason"] = _REASONS.get(metric.of, "no valid triplet")
    return entry


def per_query(column: Column, average: str, classes: Ints | None) -> Column:
    """Return what each query adds to the two halves of the ratio that an average is."""
    defined = column.whole != 0
    if average == "pooled":
        return Column(np.where(defined, column.part, 0), column.whole)
    part, whole = np.where(defined, column.values(), 0.0), defined.astype(np.int64)
    if average == "class" and classes is not None:
        of_class = np.maximum(np.bincount(classes[defined], minlength=int(classes.max()) + 1), 1)[classes]
        return Column(part / of_class, whole / of_class)
    return Column(part, whole)


def total(counts: AnyArray) -> int:
    """Return the exact sum of integers, also beyond 2**63."""
    return (int((counts >> 32).sum()) << 32) + int((counts & 0xFFFFFFFF).sum())


def class_means(values: Floats, classes: Ints, of: int) -> Floats:
    """Return (of,) the mean of the defined values of each class, NaN where there is none; no order of rows shows."""
    defined = ~np.isnan(values)
    values, classes = values[defined], classes[defined]
    counts = np.bincount(classes, minlength=of)
    exponent = math.frexp(np.abs(values).max(initial=0.0))[1]
    parts = FixedPoint.of(np.ldexp(values, -exponent), 1.0)
    sums = np.ldexp(parts.by_group(classes, of).values(), exponent)
    return np.where(counts == 0, np.nan, sums / np.maximum(counts, 1))


def _reduce(column: Column, how: str, classes: Ints | None) -> float | None:
    if how == "pooled":
        return _ratio(column)
    values = column.values()
    if how == "class" and classes is not None:
        return _class_mean(values, classes)
    if how == "median":
        defined = values[~np.isnan(values)]
        return float(np.median(defined)) if len(defined) else None
    return _mean(values)


def _mean(values: Floats) -> float | None:
    defined: Sequence[float] = values[~np.isnan(values)].tolist()
    return math.fsum(defined) / len(defined) if defined else None


def _class_mean(values: Floats, classes: Ints) -> float | None:
    return _mean(class_means(values, classes, int(classes.max()) + 1))


def _ratio(column: Column) -> float | None:
    whole = _sum(column.whole)
    return _sum(column.part) / whole if whole else None


def _sum(values: AnyArray) -> float:
    return total(values) if values.dtype.kind == "i" else math.fsum(values.tolist())


def _support(column: Column, how: str) -> int:
    return int(_sum(column.whole)) if how == "pooled" else int(_defined(column).sum())


def _defined(column: Column) -> Bools:
    return np.asarray(column.whole != 0)
