"""Which queries a second run answers better than a first, and which worse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tripleteval.data.evaluation import Evaluation

if TYPE_CHECKING:
    import pyarrow as pa

NEAREST, RANKING = "hit_rate@1", "map"


def changes(before: Evaluation, after: Evaluation) -> pa.Table | None:
    """Return, query by query, what became of it; the largest loss first.

    Returns:
        Columns ``query``, ``id`` and ``label`` where known, ``nearest_before`` and ``nearest_after`` (`hit_rate@1`),
        ``before`` and ``after`` (`map`), ``change`` of the latter, and ``became``: ``"broken"`` where the nearest item
        was right and is not any more, ``"fixed"`` the other way round, else ``"same"`` (right is at least one half,
        where ties share the place). ``None`` where the two do not ask the same queries, or have no such columns.
    """
    one, two = before.per_query, after.per_query
    if one is None or two is None or not _same_queries(one, two):
        return None
    import pyarrow as pa

    right = [np.nan_to_num(table[NEAREST].to_numpy()) for table in (one, two)]
    values = [table[RANKING].to_numpy() for table in (one, two)]
    change = values[1] - values[0]
    was, is_now = (side >= 0.5 for side in right)
    became = np.where(was & ~is_now, "broken", np.where(~was & is_now, "fixed", "same"))
    known = [name for name in ("query", "id", "label") if name in one.column_names]
    table = one.select(known)
    for name, column in (
        ("nearest_before", one[NEAREST]),
        ("nearest_after", two[NEAREST]),
        ("before", one[RANKING]),
        ("after", two[RANKING]),
        ("change", pa.array(change, mask=np.isnan(change))),
        ("became", pa.array(became)),
    ):
        table = table.append_column(name, column)
    return table.sort_by([("change", "ascending"), ("query", "ascending")])


def _same_queries(one: pa.Table, two: pa.Table) -> bool:
    needed = {"query", NEAREST, RANKING}
    if one.num_rows != two.num_rows or not needed <= set(one.column_names) & set(two.column_names):
        return False
    names = [name for name in ("id", "label") if name in one.column_names or name in two.column_names]
    return all(name in two.column_names and name in one.column_names and _equal(one[name], two[name]) for name in names)


def _equal(one: pa.ChunkedArray, two: pa.ChunkedArray) -> bool:
    return bool(one.type == two.type and one.equals(two))
