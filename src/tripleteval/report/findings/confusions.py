"""Which classes steal whose first place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tripleteval.arrays import Floats, Ints
from tripleteval.data.evaluation import Evaluation
from tripleteval.report.findings.neighborhood import NOBODY, neighborhood

if TYPE_CHECKING:
    import pyarrow as pa


def confusions(evaluation: Evaluation) -> pa.Table | None:
    """Return every pair of classes of which one was found in the other's first place, the most frequent first.

    Returns:
        Columns ``label`` (of the queries), ``found`` (the class of their nearest item), ``queries`` (how many),
        ``share`` of the label's queries that have something relevant to find (of no others is anything counted),
        ``back`` (how many the other way round), and ``gap``: the median, over these queries, of the distance to the
        nearest relevant item less that to the thief; null where no query of the pair has a relevant item among its
        neighbours. ``None`` without labels or neighbours.
    """
    near = neighborhood(evaluation)
    if near is None or near.asked is None or near.found is None:
        return None
    import pyarrow as pa

    first = near.found[:, 0]
    wrong = np.flatnonzero((first != NOBODY) & (first != near.asked) & ~near.relevant[:, 0] & near.answerable)
    of = len(near.classes)
    pair = near.asked[wrong] * of + first[wrong]
    pairs, place, counts = np.unique(pair, return_inverse=True, return_counts=True)
    label, found = pairs // of, pairs % of
    own = np.min(np.where(near.relevant[wrong], near.distance[wrong], np.inf), axis=1)
    gaps = own - near.distance[wrong, 0]
    back = dict(zip(pairs.tolist(), counts.tolist(), strict=True))
    asked = np.bincount(near.asked[near.answerable], minlength=of)
    order = np.lexsort((found, label, -counts))
    classes = pa.array(near.classes)
    medians = _medians(gaps, place, len(pairs))[order]
    return pa.table(
        {
            "label": classes.take(pa.array(label[order])),
            "found": classes.take(pa.array(found[order])),
            "queries": pa.array(counts[order]),
            "share": pa.array((counts / np.maximum(asked[label], 1))[order]),
            "back": pa.array([back.get(there, 0) for there in (found * of + label)[order].tolist()], pa.int64()),
            "gap": pa.array(medians, mask=np.isnan(medians)),
        }
    )


def _medians(values: Floats, groups: Ints, of: int) -> Floats:
    """Return (of,) the median of the finite values of each group, NaN where there is none."""
    kept = np.isfinite(values)
    values, groups = values[kept], groups[kept]
    values = values[np.lexsort((values, groups))]
    counts = np.bincount(groups, minlength=of)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    middle = np.full(of, np.nan)
    some = counts > 0
    low, high = starts[some] + (counts[some] - 1) // 2, starts[some] + counts[some] // 2
    middle[some] = (values[low] + values[high]) / 2
    return middle
