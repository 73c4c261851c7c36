"""Who is near whom, as matrices: what every finding about neighbours starts from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tripleteval.arrays import Bools, Floats, Ints
from tripleteval.data.evaluation import Evaluation

if TYPE_CHECKING:
    import pyarrow as pa

NOBODY = -1


@dataclass(frozen=True)
class Neighborhood:
    """The nearest items of each query, nearest first.

    Attributes:
        queries: (queries,) rows of those who were asked: all of a set, or a sample.
        rows: (queries, k) gallery rows, `NOBODY` where a query has fewer than k.
        distance: (queries, k) distances, infinite there.
        relevant: (queries, k) whether the item counts as a hit.
        answerable: (queries,) whether anything at all would.
        asked: (queries,) code of each query's class; ``None`` without one label per item.
        found: (queries, k) codes of the items' classes, `NOBODY` where there is none; ``None`` likewise.
        classes: What the codes stand for.
    """

    queries: Ints
    rows: Ints
    distance: Floats
    relevant: Bools
    answerable: Bools
    asked: Ints | None
    found: Ints | None
    classes: list[Any]


def neighborhood(evaluation: Evaluation) -> Neighborhood | None:
    """Return who is near whom; ``None`` for a run that kept no neighbours."""
    table, queries = evaluation.neighbors, evaluation.per_query
    if table is None or queries is None or not table.num_rows:
        return None
    query, place = places(queries, table["query"].to_numpy()), table["rank"].to_numpy() - 1
    shape = (queries.num_rows, int(place.max()) + 1)
    rows, distance, relevant = np.full(shape, NOBODY), np.full(shape, np.inf), np.zeros(shape, dtype=bool)
    rows[query, place] = table["gallery"].to_numpy()
    distance[query, place] = table["distance"].to_numpy()
    relevant[query, place] = table["relevant"].to_numpy(zero_copy_only=False)
    asked, codes, classes = _classes(queries, table)
    found = None
    if codes is not None:
        found = np.full(shape, NOBODY)
        found[query, place] = codes
    answerable = queries["relevant"].to_numpy() > 0
    return Neighborhood(queries["query"].to_numpy(), rows, distance, relevant, answerable, asked, found, classes)


def places(queries: pa.Table, rows: Ints) -> Ints:
    """Return where in the table of queries the given rows of the set stand; only of a sample these differ."""
    known = queries["query"].to_numpy()
    if np.array_equal(known, np.arange(len(known))):
        return rows
    order = np.argsort(known, kind="stable")
    found: Ints = order[np.searchsorted(known, rows, sorter=order)]
    return found


def among_each_other(evaluation: Evaluation) -> bool:
    """Return whether queries were searched among each other, so that a gallery row is a query row."""
    return len(evaluation.inputs) == 1


def _classes(queries: pa.Table, table: pa.Table) -> tuple[Ints | None, Ints | None, list[Any]]:
    import pyarrow as pa

    if "label" not in queries.column_names or "gallery_label" not in table.column_names:
        return None, None, []
    asked, found = queries["label"], table["gallery_label"]
    if pa.types.is_nested(asked.type) or pa.types.is_nested(found.type):
        return None, None, []
    if asked.type != found.type:
        asked, found = asked.cast(pa.string()), found.cast(pa.string())
    coded = pa.chunked_array([*asked.chunks, *found.chunks]).combine_chunks().dictionary_encode()
    codes = coded.indices.to_numpy().astype(np.int64)
    return codes[: len(asked)], codes[len(asked) :], coded.dictionary.to_pylist()


def ids(evaluation: Evaluation) -> tuple[pa.ChunkedArray | None, pa.ChunkedArray | None]:
    """Return the ids of the queries, and of the found items row by row of the neighbour table."""
    queries, table = evaluation.per_query, evaluation.neighbors
    asked = queries["id"] if queries is not None and "id" in queries.column_names else None
    found = table["gallery_id"] if table is not None and "gallery_id" in table.column_names else None
    return asked, found
