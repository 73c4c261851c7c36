"""hnswlib: the reference implementation of HNSW graphs."""

from __future__ import annotations

from typing import Any

import numpy as np

from tripleteval.arrays import AnyArray
from tripleteval.search import How, Index, Params, backend


@backend(
    "hnswlib",
    module="hnswlib",
    extra="hnswlib",
    build_grid={"M": (16,), "ef_construction": (200,)},
    search_grid={"ef": (16, 64, 256)},
    randomised=True,
)
class Hnswlib:
    """A navigable small-world graph; ``ef`` is how many candidates a query keeps."""

    def __init__(self, index: Any, how: How) -> None:
        self.index, self.dim, self.threads = index, how.dim, how.threads

    @staticmethod
    def build(gallery: AnyArray, how: How) -> Index:
        """Return a graph of ``M`` links per row."""
        index = _empty(how)
        index.init_index(
            max_elements=len(gallery),
            M=how.params["M"],
            ef_construction=how.params["ef_construction"],
            random_seed=how.seed + 100,
        )
        index.add_items(gallery, num_threads=how.threads)
        return Hnswlib(index, how)

    @staticmethod
    def load(path: str, how: How) -> Index:
        """Return a saved graph."""
        index = _empty(how)
        index.load_index(path)
        return Hnswlib(index, how)

    def search(self, queries: AnyArray, k: int, params: Params) -> tuple[AnyArray, AnyArray]:
        """Return the nearest of ``ef`` candidates."""
        if queries.shape[1] != self.dim:
            raise ValueError(f"queries of {queries.shape[1]} dimensions on an index of {self.dim}")  # it would read on
        k = min(k, self.index.get_current_count())
        self.index.set_ef(max(params["ef"], k))  # below k the library refuses
        rows, squared = self.index.knn_query(queries, k, num_threads=self.threads)
        return rows.astype(np.int64), squared

    def save(self, path: str) -> None:
        """Write graph and vectors."""
        self.index.save_index(path)


def _empty(how: How) -> Any:
    import hnswlib

    return hnswlib.Index(space="l2", dim=how.dim)
