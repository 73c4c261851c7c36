"""FAISS: flat, inverted lists, product quantisation, and HNSW graphs."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from tripleteval.arrays import AnyArray
from tripleteval.search import How, Index, Params, backend

_FAISS = {"module": "faiss", "extra": "search"}
_NPROBE = {"nprobe": (1, 8, 32)}


class Faiss:
    """Any FAISS index, with what turns our parameters into its own."""

    def __init__(self, index: Any, threads: int) -> None:
        self.index, self.threads = index, threads

    def search(self, queries: AnyArray, k: int, params: Params) -> tuple[AnyArray, AnyArray]:
        """Return what the index finds; FAISS fills up with −1."""
        import faiss

        faiss.omp_set_num_threads(self.threads)
        for name, value in params.items():
            if name == "efSearch":
                self.index.hnsw.efSearch = value
            else:
                self.index.nprobe = value
        squared, rows = self.index.search(queries, k)
        return rows, squared

    def save(self, path: str) -> None:
        """Write the index with everything it needs."""
        import faiss

        faiss.write_index(self.index, path)


def _load(path: str, how: How) -> Index:
    import faiss

    return Faiss(faiss.read_index(path), how.threads)


def _filled(index: Any, gallery: AnyArray, how: How) -> Index:
    import faiss

    faiss.omp_set_num_threads(how.threads)
    if not index.is_trained:
        index.train(gallery)
    index.add(gallery)
    return Faiss(index, how.threads)


@backend("faiss-flat", **_FAISS)
class Flat:
    """Every distance, in float32."""

    load = staticmethod(_load)

    @staticmethod
    def build(gallery: AnyArray, how: How) -> Index:
        """Return the rows as they are."""
        import faiss

        return _filled(faiss.IndexFlatL2(how.dim), gallery, how)


@backend("faiss-ivf", **_FAISS, build_grid={"nlist": ("auto",)}, search_grid=_NPROBE, randomised=True)
class InvertedLists:
    """Cells around k-means centres; ``nprobe`` is how many of them a query looks into."""

    load = staticmethod(_load)

    @staticmethod
    def build(gallery: AnyArray, how: How) -> Index:
        """Return ``nlist`` cells; ``"auto"`` takes about 4 √n of them, as FAISS advises."""
        import faiss

        index = faiss.IndexIVFFlat(faiss.IndexFlatL2(how.dim), how.dim, _cells(how, len(gallery)))
        index.cp.seed = how.seed + 1234
        return _filled(index, gallery, how)


@backend(
    "faiss-ivfpq",
    **_FAISS,
    build_grid={"nlist": ("auto",), "bytes": ("auto",)},
    search_grid=_NPROBE,
    randomised=True,
    faithful=False,
)
class QuantisedLists:
    """Cells whose rows are stored in ``bytes`` bytes each, by product quantisation."""

    load = staticmethod(_load)

    @staticmethod
    def build(gallery: AnyArray, how: How) -> Index:
        """Return the quantised cells; ``"auto"`` stores one byte per four coordinates."""
        import faiss

        pieces = how.params["bytes"]
        if pieces == "auto":
            pieces = max(m for m in range(1, max(how.dim // 4, 1) + 1) if how.dim % m == 0)
        # A codebook of 2**8 centres needs as many rows to learn from.
        bits = min(8, max(1, int(np.log2(max(len(gallery) // 39, 2)))))
        index = faiss.IndexIVFPQ(faiss.IndexFlatL2(how.dim), how.dim, _cells(how, len(gallery)), pieces, bits)
        index.cp.seed = index.pq.cp.seed = how.seed + 1234
        # FAISS would learn each of the codebooks from 65,536 rows in 25 rounds, which takes minutes and gains little.
        index.pq.cp.niter, index.pq.cp.max_points_per_centroid = 10, 64
        return _filled(index, gallery, how)


@backend(
    "faiss-hnsw",
    **_FAISS,
    build_grid={"M": (32,), "efConstruction": (80,)},
    search_grid={"efSearch": (16, 64, 256)},
    randomised=True,
)
class Graph:
    """A navigable small-world graph; ``efSearch`` is how many candidates a query keeps."""

    load = staticmethod(_load)

    @staticmethod
    def build(gallery: AnyArray, how: How) -> Index:
        """Return a graph of ``M`` links per row."""
        faiss: Any = import_module("faiss")  # its stubs do not know the generator

        index = faiss.IndexHNSWFlat(how.dim, how.params["M"])
        index.hnsw.efConstruction = how.params["efConstruction"]
        index.hnsw.rng = faiss.RandomGenerator(how.seed + 12345)
        return _filled(index, gallery, how)


def _cells(how: How, rows: int) -> int:
    cells = how.params["nlist"]
    return max(1, min(int(4 * rows**0.5), rows // 39)) if cells == "auto" else int(cells)
