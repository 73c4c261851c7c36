"""Which queries a second run answers better than a first, and which worse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tripleteval.arrays import Floats

if TYPE_CHECKING:
    import pyarrow as pa

FIRST = "hit_rate@1"
_CHANGES = {1: "fixed", 0: "", -1: "broken"}
_KNOWN = ("id", "anchor", "positive", "negative", "label", "group", "weight")


def changed_queries(
    first: pa.Table, second: pa.Table, primary: str, *, falls: bool = False, right: str = FIRST, least: float = 0.5
) -> pa.Table:
    """Return one row per query, the greatest loss first.

    ``change`` is ``"broken"`` where the nearest item was right and is wrong, ``"fixed"`` the other way round,
    empty elsewhere (ties at 1/2 and above count as right); without hit_rate@1 it follows the sign of the
    difference. Of given triplets another column tells what is right.

    ``query`` and ``query_b`` are its rows in the first and in the second run.

    Args:
        first: Queries of the first run.
        second: Queries of the second, row by row the same.
        primary: The metric that ``a``, ``b`` and ``difference`` are about.
        falls: Whether it is better the lower it is.
        right: The metric that tells whether a query is right.
        least: Its least value where it is.
    """
    import pyarrow as pa

    known = [name for name in _KNOWN if name in first.column_names]
    a, b = (values_of(table, primary) for table in (first, second))
    columns: dict[str, Any] = {"query": first["query"], "query_b": second["query"]}
    columns |= {name: first[name] for name in known}
    columns |= {"a": _nullable(a), "b": _nullable(b), "difference": _nullable(b - a)}
    if right in first.column_names and right in second.column_names:
        before, after = (values_of(table, right) >= least for table in (first, second))
        rise = after.astype(int) - before.astype(int)
    else:
        rise = np.sign(np.nan_to_num(a - b if falls else b - a)).astype(int)
    columns["change"] = pa.array([_CHANGES[sign] for sign in rise.tolist()], pa.string())
    order = [("difference", "descending" if falls else "ascending"), ("query", "ascending")]
    return pa.table(columns).sort_by(order)


def _nullable(values: Floats) -> Any:
    import pyarrow as pa

    return pa.array(values, mask=np.isnan(values))


def values_of(table: pa.Table, spelling: str) -> Floats:
    """Return (queries,) float64 values of a metric, NaN where undefined."""
    return np.asarray(table[spelling].to_numpy(), dtype=np.float64)


def lost_or_gained(difference: float | None, change: str, *, falls: bool = False) -> bool:
    """Return whether a difference goes the way of a change: a loss of what is broken, a gain of what is fixed.

    The nearest item of a query may be wrong now and its ranking better all the same.

    Args:
        difference: Second minus first.
        change: ``"broken"`` or ``"fixed"``.
        falls: Whether lower values are better.
    """
    if difference is None or not difference:
        return False
    return (difference > 0) == ((change == "fixed") != falls)


def not_listed(rest: int, change: str) -> str:
    """Return a sentence about those of a change that go the other way or nowhere; nothing where there is none."""
    one = rest == 1
    does = {"broken": "lose", "fixed": "gain"}[change] + ("s" if one else "")
    return f" {rest:,} more {does} nothing in it, and {'is' if one else 'are'} not listed." if rest else ""
