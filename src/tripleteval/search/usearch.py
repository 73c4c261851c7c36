"""USearch: HNSW graphs over float32, float16 or int8."""

from __future__ import annotations

from typing import Any

import numpy as np

from tripleteval.arrays import AnyArray
from tripleteval.search import How, Index, Params, backend


@backend(
    "usearch",
    module="usearch",
    extra="search",
    build_grid={"dtype": ("f32",), "connectivity": (16,), "expansion_add": (128,)},
    search_grid={"expansion_search": (16, 64, 256)},
    randomised=True,
    faithful=False,
)
class Usearch:
    """A navigable small-world graph; ``expansion_search`` is how many candidates a query keeps.

    The library takes no seed. The order in which rows come decides the graph, so a seed shuffles that.
    """

    def __init__(self, index: Any, how: How) -> None:
        self.index, self.threads = index, how.threads
        self.int8 = how.params["dtype"] == "i8"

    @staticmethod
    def build(gallery: AnyArray, how: How) -> Index:
        """Return a graph of ``connectivity`` links per row."""
        built = Usearch(_empty(how), how)
        order = np.random.default_rng(how.seed).permutation(len(gallery))
        built.index.add(order, built.ready(gallery[order]), threads=how.threads)
        return built

    @staticmethod
    def load(path: str, how: How) -> Index:
        """Return a saved graph."""
        index = _empty(how)
        index.load(path)
        return Usearch(index, how)

    def search(self, queries: AnyArray, k: int, params: Params) -> tuple[AnyArray, AnyArray]:
        """Return the nearest candidates; the library pads with key 0, which is a real row, and is not believed."""
        self.index.expansion_search = params["expansion_search"]
        matches = self.index.search(self.ready(queries), k, threads=self.threads)
        rows, squared = np.atleast_2d(matches.keys).astype(np.int64), np.atleast_2d(matches.distances)
        if rows.shape[1] < k:
            short = ((0, 0), (0, k - rows.shape[1]))
            rows, squared = np.pad(rows, short), np.pad(squared.astype(np.float64), short)
        counts = np.atleast_1d(getattr(matches, "counts", len(matches)))
        beyond = np.arange(k)[None, :] >= counts[:, None]
        return np.where(beyond, -1, rows), np.where(beyond, np.inf, squared)

    def save(self, path: str) -> None:
        """Write graph and vectors."""
        self.index.save(path)

    def ready(self, rows: AnyArray) -> AnyArray:
        """Return rows as int8 where the index holds such; left to itself the library would drop their lengths."""
        return np.rint(rows.clip(-1, 1) * 127).astype(np.int8) if self.int8 else rows


def _empty(how: How) -> Any:
    from usearch.index import Index as Graph

    return Graph(
        ndim=how.dim,
        metric="l2sq",
        dtype=how.params["dtype"],
        connectivity=how.params["connectivity"],
        expansion_add=how.params["expansion_add"],
    )
