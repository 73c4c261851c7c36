"""Which classes got better and which got worse."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


def changed_classes(queries: pa.Table, better: str | None) -> pa.Table | None:
    """Return one row per class, the greatest loss first: queries, means of both runs, fixed and broken queries.

    Args:
        queries: From `changed_queries`.
        better: Whether ``"higher"`` or ``"lower"`` values are.
    """
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
    return named.sort_by([("difference", "descending" if better == "lower" else "ascending"), ("label", "ascending")])
