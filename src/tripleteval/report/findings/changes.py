"""Which queries a second run answers better than a first, and which worse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tripleteval.arrays import Floats

if TYPE_CHECKING:
    import pyarrow as pa

FIRST = "hit_rate@1"


def changed_queries(first: pa.Table, second: pa.Table, primary: str) -> pa.Table:
    """Return one row per query, the greatest loss first.

    ``change`` is ``"broken"`` where the nearest item was right and is wrong, ``"fixed"`` the other way round,
    empty elsewhere (ties at 1/2 and above count as right); without hit_rate@1 it follows the sign of the
    difference.

    ``query`` and ``query_b`` are its rows in the first and in the second run.

    Args:
        first: Queries of the first run.
        second: Queries of the second, row by row the same.
        primary: The metric that ``a``, ``b`` and ``difference`` are about.
    """
    import pyarrow as pa

    known = [name for name in ("id", "label", "group") if name in first.column_names]
    a, b = (values_of(table, primary) for table in (first, second))
    columns: dict[str, Any] = {"query": first["query"], "query_b": second["query"]}
    columns |= {name: first[name] for name in known}
    columns |= {"a": _nullable(a), "b": _nullable(b), "difference": _nullable(b - a)}
    columns["change"] = pa.array(_change(first, second, b - a), pa.string())
    order = [("difference", "ascending"), ("query", "ascending")]
    return pa.table(columns).sort_by(order)


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


def values_of(table: pa.Table, spelling: str) -> Floats:
    """Return (queries,) float64 values of a metric, NaN where undefined."""
    return np.asarray(table[spelling].to_numpy(), dtype=np.float64)
