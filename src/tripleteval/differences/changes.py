"""Which classes got better and which got worse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tripleteval.differences.estimands import asked
from tripleteval.evaluation.given_measure import near_one
from tripleteval.report.findings.changes import values_of

if TYPE_CHECKING:
    import pyarrow as pa


_MEANS = ("a", "b", "difference")


def changed_classes(queries: pa.Table, better: str | None) -> pa.Table | None:
    """Return one row per class, the greatest loss first: queries, means of both runs, fixed and broken queries.

    Of given triplets they are triplets, their means are weighted, and those of weight 0 count nowhere.

    Args:
        queries: From `changed_queries`.
        better: Whether ``"higher"`` or ``"lower"`` values are.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import types

    if "label" not in queries.column_names or types.is_list(queries["label"].type):
        return None
    weighted = "weight" in queries.column_names
    weights = near_one(values_of(queries, "weight")) if weighted else np.ones(queries.num_rows)
    counts = pc.and_(pc.is_valid(queries["difference"]), pa.array(weights > 0))
    kept, weight = queries.filter(counts), pa.array(weights).filter(counts.combine_chunks())
    counted = pa.table(
        {
            "label": kept["label"],
            **{name: pc.multiply(kept[name], weight) for name in _MEANS},
            "fixed": pc.equal(kept["change"], "fixed").cast(pa.int64()),
            "broken": pc.equal(kept["change"], "broken").cast(pa.int64()),
            "weight": weight,
        }
    )
    summed = (*_MEANS, "fixed", "broken", "weight")
    ways = [("weight", "count"), *((name, "sum") for name in summed)]
    grouped = counted.group_by("label", use_threads=False).aggregate(ways)
    means = {name: pc.divide(grouped[f"{name}_sum"], grouped["weight_sum"]) for name in _MEANS}
    sums = {name: grouped[f"{name}_sum"] for name in ("fixed", "broken")}
    found = pa.table({"label": grouped["label"], asked(queries): grouped["weight_count"], **means, **sums})
    return found.sort_by([("difference", "descending" if better == "lower" else "ascending"), ("label", "ascending")])
