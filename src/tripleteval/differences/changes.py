"""Which queries and classes got better and which got worse, as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tripleteval.arrays import Floats
from tripleteval.differences.estimands import values_of

if TYPE_CHECKING:
    import pyarrow as pa

FIRST = "hit_rate@1"


def changed_queries(first: pa.Table, second: pa.Table, primary: str) -> pa.Table:
    """Return one row per query, the greatest loss first.

    ``change`` is ``"broken"`` where the nearest item was right and is wrong, ``"fixed"`` the other way round,
    empty elsewhere (ties at 1/2 and above count as right); without hit_rate@1 it follows the sign of the
    difference.

    Args:
        first: Queries of the first run.
        second: Queries of the second, row by row the same.
        primary: The metric that ``a``, ``b`` and ``difference`` are about.
    """
    import pyarrow as pa

    known = [name for name in ("query", "id", "label", "group") if name in first.column_names]
    a, b = (values_of(table, primary) for table in (first, second))
    columns: dict[str, Any] = {name: first[name] for name in known}
    columns |= {"a": _nullable(a), "b": _nullable(b), "difference": _nullable(b - a)}
    columns["change"] = pa.array(_change(first, second, b - a), pa.string())
    order = [("difference", "ascending"), ("query", "ascending")]
    return pa.table(columns).sort_by(order)


def changed_classes(queries: pa.Table) -> pa.Table | None:
    """Return one row per class, the greatest loss first: queries, means of both runs, fixed and broken queries."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import types

    if "label" not in queries.column_names or types.is_list(queries["label"].type):
        return None
    kept = queries.filter(pc.is_valid(queries["difference"]))
    labels = kept["label"].cast(kept["label"].type)
    counted = pa.table(
        {
            "label": labels,
            "a": kept["a"],
            "b": kept["b"],
            "difference": kept["difference"],
            "fixed": pc.equal(kept["change"], "fixed").cast(pa.int64()),
            "broken": pc.equal(kept["change"], "broken").cast(pa.int64()),
        }
    )
    means = [(name, "mean") for name in ("a", "b", "difference")]
    sums = [("fixed", "sum"), ("broken", "sum")]
    grouped = counted.group_by("label", use_threads=False).aggregate([("a", "count"), *means, *sums])
    named = grouped.select(["label", "a_count", "a_mean", "b_mean", "difference_mean", "fixed_sum", "broken_sum"])
    named = named.rename_columns(["label", "queries", "a", "b", "difference", "fixed", "broken"])
    return named.sort_by([("difference", "ascending"), ("label", "ascending")])


def _change(first: pa.Table, second: pa.Table, difference: Floats) -> list[str]:
    if FIRST in first.column_names and FIRST in second.column_names:
        before, after = (values_of(table, FIRST) >= 0.5 for table in (first, second))
        rise = after.astype(int) - before.astype(int)
    else:
        rise = np.sign(np.nan_to_num(difference)).astype(int)
    return [{1: "fixed", 0: "", -1: "broken"}[sign] for sign in rise.tolist()]


def _nullable(values: Floats) -> Any:
    import pyarrow as pa

    return pa.array(values, mask=np.isnan(values))
