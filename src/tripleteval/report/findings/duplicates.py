"""Items that are in the data more than once, or nearly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tripleteval.arrays import AnyArray, Bools
from tripleteval.data.evaluation import Evaluation
from tripleteval.report.findings.neighborhood import among_each_other, lengths, neighborhood

if TYPE_CHECKING:
    import pyarrow as pa

NEAR = 0.05
_SAME = 1e-7  # as a length: what float64 leaves of a distance of 0 between vectors of one direction


def duplicates(evaluation: Evaluation, *, near: float = NEAR) -> pa.Table | None:
    """Return every pair of a query and one of its nearest items that are the same, or nearly, closest first.

    Nearly means closer than ``near`` times the median distance between a query and the nearest item that is not the
    same. Of more than k copies of one item every copy is in some pair, though not every pair is listed.

    Args:
        evaluation: A run with neighbours. Queries searched among each other give each pair once; a gallery of its
            own gives what stands on both sides (leakage).
        near: Share of the usual distance.

    Returns:
        Columns ``query``, ``gallery`` (rows), ``id``, ``gallery_id``, ``label`` and ``gallery_label`` where known,
        ``distance``, ``kind`` (``"exact"`` or ``"near"``) and ``relevant``. ``None`` without neighbours.
    """
    found, table = neighborhood(evaluation), evaluation.neighbors
    if found is None or table is None or evaluation.per_query is None:
        return None
    import pyarrow as pa

    query, gallery = table["query"].to_numpy(), table["gallery"].to_numpy()
    length = lengths(table["distance"].to_numpy(), evaluation)
    apart = np.min(np.where(lengths(found.distance, evaluation) > _SAME, found.distance, np.inf), axis=1)
    apart = lengths(apart[np.isfinite(apart)], evaluation)
    limit = max(near * float(np.median(apart)), _SAME) if len(apart) else _SAME
    close = length <= limit
    if among_each_other(evaluation):
        close &= _once(query, gallery, close)
    rows = np.flatnonzero(close)
    rows = rows[np.lexsort((gallery[rows], query[rows], length[rows]))]
    pairs = table.take(pa.array(rows))
    asked = evaluation.per_query.take(pairs["query"])
    columns = {"query": pairs["query"], "gallery": pairs["gallery"]}
    for name, side in (("id", asked), ("gallery_id", pairs), ("label", asked), ("gallery_label", pairs)):
        if name in side.column_names:
            columns[name] = side[name]
    kind = np.where(length[rows] <= _SAME, "exact", "near")
    return pa.table(columns | {"distance": pairs["distance"], "kind": pa.array(kind), "relevant": pairs["relevant"]})


def _once(query: AnyArray, gallery: AnyArray, close: Bools) -> Bools:
    """Return which pairs to keep so that (a, b) and (b, a) are one."""
    low, high = np.minimum(query, gallery), np.maximum(query, gallery)
    kept = np.zeros(len(query), dtype=bool)
    rows = np.flatnonzero(close)
    pairs = low[rows] * (int(high.max()) + 1) + high[rows]
    kept[rows[np.unique(pairs, return_index=True)[1]]] = True
    return kept
