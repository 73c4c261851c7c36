"""Items that are more than once inside the queries, or inside the gallery, where one is searched by the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tripleteval.data.comparison import Comparison, Graded, Lists
from tripleteval.data.labels import Labels
from tripleteval.data.material import Material
from tripleteval.data.section import Side
from tripleteval.distance.formula import distance_for
from tripleteval.engine.maps import thread_count
from tripleteval.evaluation.search_truth import true_neighbors
from tripleteval.report.findings.duplicates import NEAR, close_pairs
from tripleteval.report.findings.neighborhood import NOBODY

if TYPE_CHECKING:
    import pyarrow as pa

MOST_ITEMS = 50_000  # the whole set is searched by the whole set
_NEAREST = 10


def copies_inside(material: Material, side: Side, distance: str, *, near: float = NEAR) -> pa.Table | None:
    """Return every pair of items of one set that are the same, or nearly, closest first, each pair once.

    Nearly means the same as for `duplicates`, with the distances inside this set.

    Args:
        material: The sets behind a run.
        side: Which of them.
        distance: How the run measured.
        near: Share of the usual distance.

    Returns:
        The columns of `duplicates`: ``query`` and ``gallery`` are both rows of this set, ``relevant`` is whether their
        labels are equal. ``None`` for fewer than two items or more than `MOST_ITEMS`.
    """
    items = material.of(side)
    if not 1 < len(items) <= MOST_ITEMS:
        return None
    import pyarrow as pa

    nobody = Graded(Lists(np.zeros(len(items) + 1, np.int64), np.zeros(0, np.int64)), np.zeros(0))
    among_each_other = Comparison(items, items, nobody, np.arange(len(items)))
    measure = distance_for(distance, items.vectors)
    most = min(_NEAREST, len(items) - 1)
    found = true_neighbors(among_each_other, measure, most, threads=thread_count(None), progress=None).found
    query, place = np.nonzero(found.rows != NOBODY)
    gallery, apart = found.rows[query, place], measure.from_squared(found.squared[query, place])
    rows, kind = close_pairs(query, gallery, apart, distance, near, once=True)
    query, gallery = query[rows], gallery[rows]
    columns: dict[str, Any] = {"query": query, "gallery": gallery}
    for name, column in (("id", items.ids), ("label", items.labels)):
        if isinstance(column, Labels):
            for title, taken in ((name, query), (f"gallery_{name}", gallery)):
                columns[title] = pa.array([str(value) for value in column.take(taken).values()], pa.string())
    same = np.zeros(len(rows), bool)
    if isinstance(items.labels, Labels):
        same = items.labels.codes[query] == items.labels.codes[gallery]
    return pa.table(columns | {"distance": apart[rows], "kind": pa.array(kind, pa.string()), "relevant": same})
