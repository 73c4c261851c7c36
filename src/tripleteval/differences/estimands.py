"""Numbers of a saved run as ratios over its queries again, so that classes can be drawn and signs flipped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tripleteval.arrays import Ints
from tripleteval.data.evaluation import Evaluation
from tripleteval.errors import ParameterError
from tripleteval.evaluation.given_measure import near_one
from tripleteval.evaluation.summary import per_query
from tripleteval.metrics import Column, parse
from tripleteval.report.findings.changes import values_of
from tripleteval.uncertainty.sums import Sums, Units

if TYPE_CHECKING:
    import pyarrow as pa


class Codes(NamedTuple):
    """The unit of each query, and its class where it has one."""

    units: Units
    classes: Ints | None


def has_classes(table: pa.Table) -> bool:
    """Return whether each query of a run has one class: no relevance without labels, no sets of labels."""
    from pyarrow import types

    return "label" in table.column_names and not types.is_list(table["label"].type)


def asked(table: pa.Table) -> str:
    """Return what a row of a table stands for: ``"triplets"``, which alone have anchors, or ``"queries"``."""
    return "triplets" if "anchor" in table.column_names else "queries"


def codes_of(table: pa.Table, unit: str, name: str) -> Codes:
    """Return the units of the queries of a run; each query is its own where it has no class.

    Given triplets of one anchor are one unit where it has no class.

    Args:
        table: The queries.
        unit: ``"class"``, ``"group"`` or ``"query"``.
        name: What the run is called.

    Raises:
        ParameterError: Groups were asked for, and there are none (E101).
    """
    classes = _codes(table["label"]) if has_classes(table) else None
    if unit == "group":
        if "group" not in table.column_names:
            fix = "evaluate it with groups= (--group-column), or compare by another unit= (--unit)"
            raise ParameterError("E101", f"unit='group' but no groups in {name}", fix=fix)
        return Codes(Units(_codes(table["group"]), "group"), classes)
    if unit == "class" and classes is not None:
        return Codes(Units(classes, "class"), classes)
    if "anchor" in table.column_names:
        return Codes(Units(_codes(table["anchor"]), "anchor"), classes)
    return Codes(Units(np.arange(table.num_rows), "query"), classes)


def halves(table: pa.Table, spelling: str, average: str, classes: Ints | None) -> Column | None:
    """Return what each query adds to the ratio behind a number; ``None`` where the table does not say."""
    if spelling not in table.column_names or average == "median":
        return None
    values = values_of(table, spelling)
    weights = _weights(table, spelling) if average == "pooled" else (~np.isnan(values)).astype(np.int64)
    if weights is None:
        return None
    defined = ~np.isnan(values) & (weights > 0)
    whole = np.where(defined, weights, 0)
    column = Column(np.where(defined, np.nan_to_num(values) * whole, 0.0), whole)
    return per_query(column, average, classes)


def by_unit(run: Evaluation, spelling: str, noun: str) -> tuple[list[str], Sums, int] | None:
    """Return the names of the units, what each makes of a number of all pairs, and how many units these stand for.

    ``None`` where the run does not keep it by units of this kind. The units are in the order of their names.
    """
    table = run.per_unit
    if table is None or noun not in table.column_names or spelling not in table.column_names:
        return None
    names = table[noun].to_pylist()
    values = values_of(table, spelling)[np.argsort(names)]
    sums = Sums(values, np.ones(len(values)), parse(spelling).metric.bounds)
    return sorted(names), sums, int(table["members"].to_numpy().sum())


def both_by_unit(runs: Sequence[Evaluation], spelling: str, noun: str) -> tuple[Sums, Sums, int] | None:
    """Return what each unit makes of a number of all pairs in two runs; ``None`` without the same units in both."""
    one, two = (by_unit(run, spelling, noun) for run in runs)
    return None if one is None or two is None or one[0] != two[0] else (one[1], two[1], one[2])


def _weights(table: pa.Table, spelling: str) -> Any:
    """Return how many relevant or other items, or triplets, stand behind the value of each query."""
    if "weight" in table.column_names:
        return near_one(values_of(table, "weight"))  # given triplets stand one by one
    metric = parse(spelling).metric
    relevant, valid = (table[name].to_numpy() for name in ("relevant", "valid"))
    if metric.pattern == "triplet_loss_nonzero@margin":
        return None  # the active triplets of each query are not in the table
    others = valid - relevant
    return {"ranks": relevant * others, "triplets": relevant * others, "spread": others}.get(metric.of, relevant)


def _codes(column: Any) -> Ints:
    return np.unique(np.array([str(value) for value in column.to_pylist()]), return_inverse=True)[1].astype(np.int64)
