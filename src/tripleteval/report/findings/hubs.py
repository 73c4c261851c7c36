"""Which items are everybody's neighbour, and which are nobody's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tripleteval.data.evaluation import Evaluation
from tripleteval.report.findings.neighborhood import NOBODY, among_each_other, neighborhood

if TYPE_CHECKING:
    import pyarrow as pa


def hubs(evaluation: Evaluation) -> pa.Table | None:
    """Return every gallery item that was found at all, the most frequent first.

    Returns:
        Columns ``gallery`` (its row), ``id`` and ``label`` where known, ``found`` (in how many lists of k nearest it
        stands) and ``wrong`` (in how many of those it is not relevant). ``None`` without neighbours.
    """
    near, table = neighborhood(evaluation), evaluation.neighbors
    if near is None or table is None:
        return None
    import pyarrow as pa

    seen = near.rows != NOBODY
    rows, first, counts = np.unique(table["gallery"].to_numpy(), return_index=True, return_counts=True)
    wrong = np.bincount(near.rows[seen & ~near.relevant], minlength=int(rows.max()) + 1)[rows]
    order = np.lexsort((rows, -counts))
    columns = {"gallery": pa.array(rows[order])}
    for name, source in (("id", "gallery_id"), ("label", "gallery_label")):
        if source in table.column_names:
            columns[name] = table[source].take(pa.array(first[order])).combine_chunks()
    return pa.table({**columns, "found": pa.array(counts[order]), "wrong": pa.array(wrong[order])})


def anti_hubs(evaluation: Evaluation) -> pa.Table | None:
    """Return every item that stands in nobody's list, by row.

    Lists keep the first rows among equally near items. An item with an exact copy is as near to that copy as anything
    that stands in its list, so it is not one that nobody finds, and not returned.

    Returns:
        Columns ``gallery`` (its row), ``id`` and ``label`` where known. ``None`` without neighbours, and where the
        queries are not the whole gallery: a run names only those of its other items that were found.
    """
    table, queries = evaluation.neighbors, evaluation.per_query
    if table is None or queries is None or not among_each_other(evaluation):
        return None
    if queries.num_rows != evaluation.accounting.get("gallery"):
        return None
    import pyarrow as pa

    copied = table["query"].to_numpy()[table["distance"].to_numpy() == 0]
    never = np.setdiff1d(np.setdiff1d(queries["query"].to_numpy(), table["gallery"].to_numpy()), copied)
    kept = [name for name in ("query", "id", "label") if name in queries.column_names]
    named = ["gallery" if name == "query" else name for name in kept]
    return queries.select(kept).filter(pa.array(np.isin(queries["query"].to_numpy(), never))).rename_columns(named)
