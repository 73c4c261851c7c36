"""LanceDB: an embedded store, with the index it makes by itself and what restores the recall that one loses."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from tripleteval.arrays import AnyArray
from tripleteval.search import How, Index, Params, backend

_TABLE = "gallery"
_INDEXES = {"IVF_HNSW_SQ": "HnswSq", "IVF_PQ": "IvfPq", "IVF_FLAT": "IvfFlat"}


@backend(
    "lancedb",
    module="lancedb",
    extra="lance",
    build_grid={"index": ("IVF_HNSW_SQ",)},
    search_grid={"nprobes": (20,), "refine_factor": (0, 10)},
    randomised=True,
    faithful=False,
)
class Lance:
    """A table on disk; ``refine_factor`` times k candidates are measured in full, none with 0.

    The library takes no seed and no number of threads.
    """

    def __init__(self, folder: str) -> None:
        import lancedb

        self.folder = folder
        self.table: Any = lancedb.connect(folder).open_table(_TABLE)

    @staticmethod
    def build(gallery: AnyArray, how: How) -> Index:
        """Return a table with the index that ``index`` names: IVF_HNSW_SQ, IVF_PQ, IVF_FLAT, or none."""
        import lancedb
        import pyarrow as pa

        folder = tempfile.mkdtemp(prefix="lance-")  # inside the folder of the process, and gone with it
        vectors = pa.FixedSizeListArray.from_arrays(pa.array(gallery.ravel()), how.dim)
        columns = {"row": pa.array(np.arange(len(gallery))), "vector": vectors}
        table = lancedb.connect(folder).create_table(_TABLE, pa.table(columns))
        if how.params["index"] != "none":
            kind = getattr(lancedb.index, _INDEXES[how.params["index"]])
            table.create_index("vector", config=kind(distance_type="l2"))
        return Lance(folder)

    @staticmethod
    def load(path: str, how: How) -> Index:  # noqa: ARG004
        """Return a saved table."""
        return Lance(path)

    def search(self, queries: AnyArray, k: int, params: Params) -> tuple[AnyArray, AnyArray]:
        """Return what each query finds, one after another."""
        rows = np.full((len(queries), k), -1, np.int64)
        squared = np.full((len(queries), k), np.inf)
        for place, query in enumerate(queries):
            asked = self.table.search(query, vector_column_name="vector").limit(k).nprobes(params["nprobes"])
            if params["refine_factor"]:
                asked = asked.refine_factor(params["refine_factor"])
            found = asked.select(["row", "_distance"]).to_arrow()
            rows[place, : len(found)] = found["row"].to_numpy()
            squared[place, : len(found)] = found["_distance"].to_numpy()
        return rows, squared

    def save(self, path: str) -> None:
        """Copy the folder of the table."""
        shutil.copytree(Path(self.folder), path)
