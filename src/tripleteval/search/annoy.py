"""Annoy: random projection trees, as in the founding article."""

from __future__ import annotations

from typing import Any

import numpy as np

from tripleteval.arrays import AnyArray
from tripleteval.search import How, Index, Params, backend


@backend(
    "annoy",
    module="annoy",
    extra="annoy",
    build_grid={"n_trees": (50,)},
    search_grid={"search_k": (500, 2000, 8000)},
    randomised=True,
)
class Annoy:
    """Trees of random hyperplanes; ``search_k`` is how many nodes a query may look at."""

    def __init__(self, index: Any) -> None:
        self.index = index

    @staticmethod
    def build(gallery: AnyArray, how: How) -> Index:
        """Return an index of ``n_trees`` trees."""
        index = _empty(how)
        index.set_seed(how.seed + 1)  # 0 would stand for the library's own seed
        for row, vector in enumerate(gallery):
            index.add_item(row, vector)
        index.build(how.params["n_trees"], n_jobs=how.threads)
        return Annoy(index)

    @staticmethod
    def load(path: str, how: How) -> Index:
        """Return a saved index."""
        index = _empty(how)
        index.load(path)
        return Annoy(index)

    def search(self, queries: AnyArray, k: int, params: Params) -> tuple[AnyArray, AnyArray]:
        """Return the nearest of at least ``search_k`` nodes; Annoy knows no batches."""
        rows = np.full((len(queries), k), -1, np.int64)
        squared = np.full((len(queries), k), np.inf)
        for i, query in enumerate(queries):
            found, distances = self.index.get_nns_by_vector(query, k, params["search_k"], include_distances=True)
            rows[i, : len(found)] = found
            squared[i, : len(found)] = np.square(np.array(distances, np.float64))
        return rows, squared

    def save(self, path: str) -> None:
        """Write the trees and the vectors."""
        self.index.save(path)


def _empty(how: How) -> Any:
    from annoy import AnnoyIndex

    return AnnoyIndex(how.dim, "euclidean")
