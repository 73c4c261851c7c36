"""The tables behind the entries: which classes an index hurts, and which items it cannot find."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tripleteval.arrays import Floats
from tripleteval.data.embeddings import Embeddings
from tripleteval.data.labels import Labels
from tripleteval.data.stored import StoredVectors
from tripleteval.errors import counted
from tripleteval.evaluation.search_entries import Lists, label_of, over_seeds
from tripleteval.evaluation.search_loss import class_loss, unreached
from tripleteval.evaluation.search_sweep import Outcome

if TYPE_CHECKING:
    import pyarrow as pa

_MOST_UNREACHED = 1000
_MOST_COMPARED = 2_000_000


def per_class_table(lists: Lists, outcomes: Sequence[Outcome]) -> pa.Table | None:
    """Return one row per class: its queries and, per setting, the mean loss of recall@k over them."""
    labels = lists.comparison.queries.labels
    if not isinstance(labels, Labels):
        return None
    import pyarrow as pa

    codes, of = labels.codes[lists.asked], len(labels.classes)
    counts = np.bincount(codes, minlength=of)
    present = np.flatnonzero(counts)
    table: dict[str, Any] = {
        "label": pa.array([str(labels.classes[code]) for code in present.tolist()]),
        "queries": pa.array(counts[present]),
    }
    true = lists.exact[lists.headline].values()
    for outcome in outcomes:
        if outcome.error is None:
            values: list[Floats] = [each[lists.headline] for each in outcome.values]
            lost = class_loss(true, over_seeds(values)[lists.asked], codes, of)[present]
            table[label_of(outcome)] = pa.array(lost, mask=np.isnan(lost))
    return pa.table(table)


def unreached_table(lists: Lists, outcomes: Sequence[Outcome]) -> pa.Table:
    """Return gallery items that stand in true lists but in no list of the first index, most wanted first.

    Columns ``setting``, ``gallery`` (the row), ``true_lists`` (in how many it stands), and ``id`` and ``label`` where
    known.
    """
    import pyarrow as pa

    gallery = lists.comparison.gallery
    columns: dict[str, list[Any]] = {"setting": [], "gallery": [], "true_lists": []}
    for outcome in outcomes:
        if outcome.error is not None:
            continue
        first = outcome.found[0].take(lists.asked)
        wanted = unreached(lists.truth.found, first, len(gallery))
        rows = np.argsort(-wanted, kind="stable")[: min(_MOST_UNREACHED, int((wanted > 0).sum()))]
        columns["setting"] += [label_of(outcome)] * len(rows)
        columns["gallery"] += rows.tolist()
        columns["true_lists"] += wanted[rows].tolist()
    types = (pa.string(), pa.int64(), pa.int64())
    table = pa.table({name: pa.array(c, kind) for (name, c), kind in zip(columns.items(), types, strict=True)})
    rows_of_all = np.array(columns["gallery"], np.int64)
    for name, column in (("id", gallery.ids), ("label", gallery.labels)):
        if isinstance(column, Labels):
            texts = [str(value) for value in column.take(rows_of_all).values()]
            table = table.append_column(name, pa.array(texts, pa.string()))
    return table


def identical_in_float32(gallery: Embeddings) -> list[str]:
    """Return a note where distinct float64 rows become one in float32, which is what libraries store."""
    stored = isinstance(gallery.vectors, StoredVectors)
    if gallery.vectors.dtype != np.float64 or len(gallery) > _MOST_COMPARED or stored:
        return []
    distinct = [_distinct(np.asarray(gallery.vectors).astype(dtype)) for dtype in (np.float64, np.float32)]
    lost = distinct[0] - distinct[1]
    copies = f"In float32, which search libraries store, {counted(lost, 'gallery row')} would repeat another."
    return [copies] if lost else []


def _distinct(rows: Floats) -> int:
    plain = np.ascontiguousarray(rows + 0.0)  # −0.0 is 0.0
    return len(np.unique(plain.view(np.dtype((np.void, plain.dtype.itemsize * plain.shape[1])))))
