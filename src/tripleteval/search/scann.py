"""ScaNN: partitions and anisotropic quantisation, then exact distances for the best candidates."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from tripleteval.arrays import AnyArray
from tripleteval.search import How, Index, Params, backend

_FEWEST = 100  # rows below which there is nothing to partition


@backend(
    "scann",
    module="scann",
    extra="scann",
    build_grid={"num_leaves": ("auto",)},
    search_grid={"leaves_to_search": (4, 16, 64), "reorder": (100,)},
    randomised=True,
    faithful=False,
)
class Scann:
    """Quantised partitions; ``leaves_to_search`` of them are scored and ``reorder`` rows measured exactly.

    The library takes no seed: every build is another draw.
    """

    def __init__(self, searcher: Any, threads: int) -> None:
        self.searcher, self.threads = searcher, threads

    @staticmethod
    def build(gallery: AnyArray, how: How) -> Index:
        """Return ``num_leaves`` partitions; ``"auto"`` takes about √n of them."""
        leaves = how.params["num_leaves"]
        leaves = max(1, int(len(gallery) ** 0.5)) if leaves == "auto" else leaves
        builder = _ops().builder(gallery, 10, "squared_l2").set_n_training_threads(how.threads)
        if len(gallery) < _FEWEST:
            return Scann(builder.score_brute_force().build(), how.threads)
        built = (
            builder.tree(num_leaves=leaves, num_leaves_to_search=1, training_sample_size=len(gallery))
            .score_ah(2, anisotropic_quantization_threshold=0.2)
            .reorder(100)
            .build()
        )
        return Scann(built, how.threads)

    @staticmethod
    def load(path: str, how: How) -> Index:
        """Return a saved searcher."""
        return Scann(_ops().load_searcher(path), how.threads)

    def search(self, queries: AnyArray, k: int, params: Params) -> tuple[AnyArray, AnyArray]:
        """Return the nearest of the candidates; a partition that holds too few pads with NaN."""
        asked = {"leaves_to_search": params["leaves_to_search"], "pre_reorder_num_neighbors": max(params["reorder"], k)}
        if len(queries) == 1:
            one, distances = self.searcher.search(queries[0], final_num_neighbors=k, **asked)
            rows, squared = np.full((1, k), -1, np.int64), np.full((1, k), np.inf)
            rows[0, : len(one)], squared[0, : len(one)] = one, distances
            return rows, squared
        run = self.searcher.search_batched if self.threads == 1 else self.searcher.search_batched_parallel
        found, squared = run(queries, final_num_neighbors=k, **asked)
        missing = np.isnan(squared)
        return np.where(missing, -1, found.astype(np.int64)), np.where(missing, np.inf, squared)

    def save(self, path: str) -> None:
        """Write the searcher's files into a folder."""
        Path(path).mkdir()
        self.searcher.serialize(path)


def _ops() -> Any:
    # ScaNN loads its operations for TensorFlow, which only fit one version of it; without TensorFlow it does not.
    sys.modules.setdefault("tensorflow", None)  # type: ignore[arg-type]  # how Python spells "not importable"
    from scann.scann_ops.py import scann_ops_pybind

    return scann_ops_pybind
