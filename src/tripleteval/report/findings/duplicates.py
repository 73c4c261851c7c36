"""Items that are in the data more than once, or nearly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tripleteval.arrays import Bools, Floats, Ints
from tripleteval.data.evaluation import Evaluation
from tripleteval.report.findings.neighborhood import among_each_other, places

if TYPE_CHECKING:
    import pyarrow as pa

NEAR = 0.05
_ROUNDING = 1e-7  # as a length: what float64 leaves of a cosine distance of 0; the others are then 0 themselves


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
    table = evaluation.neighbors
    if table is None or not table.num_rows or evaluation.per_query is None:
        return None
    import pyarrow as pa

    query, gallery = table["query"].to_numpy(), table["gallery"].to_numpy()
    distance = evaluation.settings.get("distance", "euclidean")
    apart = table["distance"].to_numpy()
    rows, kind = close_pairs(query, gallery, apart, distance, near, once=among_each_other(evaluation))
    pairs = table.take(pa.array(rows))
    asked = evaluation.per_query.take(pa.array(places(evaluation.per_query, query[rows])))
    columns = {"query": pairs["query"], "gallery": pairs["gallery"]}
    for name, side in (("id", asked), ("gallery_id", pairs), ("label", asked), ("gallery_label", pairs)):
        if name in side.column_names:
            columns[name] = side[name]
    kinds = pa.array(kind, pa.string())
    return pa.table(columns | {"distance": pairs["distance"], "kind": kinds, "relevant": pairs["relevant"]})


def close_pairs(
    query: Ints, gallery: Ints, apart: Floats, distance: str, near: float, *, once: bool
) -> tuple[Ints, list[str]]:
    """Return which pairs are the same or nearly, closest first, and for each ``"exact"`` or ``"near"``.

    Args:
        query: (pairs,) row of the one.
        gallery: (pairs,) row of the other.
        apart: (pairs,) how far apart they are.
        distance: What that was measured by.
        near: Share of the median length between a query and the nearest item that is not the same.
        once: Whether (a, b) and (b, a) are one pair.
    """
    length, same = as_length(apart, distance), _ROUNDING if distance == "cosine" else 0.0
    nearest = np.full(int(query.max(initial=-1)) + 1, np.inf)
    other = length > same
    np.minimum.at(nearest, query[other], length[other])
    nearest = nearest[np.isfinite(nearest)]
    limit = max(near * float(np.median(nearest)), same) if len(nearest) else same
    close = length <= limit
    if once:
        close &= _once(query, gallery, close)
    rows = np.flatnonzero(close)
    rows = rows[np.lexsort((gallery[rows], query[rows], length[rows]))]
    return rows, ["exact" if at <= same else "near" for at in length[rows].tolist()]


def as_length(distances: Floats, distance: str) -> Floats:
    """Return distances that grow as lengths do; squared ones and cosine grow as their squares."""
    return distances if distance == "euclidean" else np.sqrt(np.maximum(distances, 0))


def _once(query: Ints, gallery: Ints, close: Bools) -> Bools:
    """Return which pairs to keep so that (a, b) and (b, a) are one."""
    low, high = np.minimum(query, gallery), np.maximum(query, gallery)
    kept = np.zeros(len(query), dtype=bool)
    rows = np.flatnonzero(close)
    pairs = low[rows] * (int(high.max()) + 1) + high[rows]
    kept[rows[np.unique(pairs, return_index=True)[1]]] = True
    return kept
