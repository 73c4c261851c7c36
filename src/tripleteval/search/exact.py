"""Every distance, in plain NumPy: what approximate search must be cheaper than."""

from __future__ import annotations

import numpy as np

from tripleteval.arrays import AnyArray
from tripleteval.search import How, Index, Params, backend
from tripleteval.search.brute import Brute


@backend("exact")
class Exact:
    """Brute force over the rows as they are."""

    def __init__(self, gallery: AnyArray) -> None:
        self.brute = Brute(gallery)

    @staticmethod
    def build(gallery: AnyArray, how: How) -> Index:  # noqa: ARG004  # nothing to choose
        """Return the rows, ready."""
        return Exact(gallery)

    @staticmethod
    def load(path: str, how: How) -> Index:  # noqa: ARG004
        """Return saved rows."""
        with open(path, "rb") as file:  # noqa: PTH123  # np.save would add a suffix to a name
            return Exact(np.load(file, allow_pickle=False))

    def search(self, queries: AnyArray, k: int, params: Params) -> tuple[AnyArray, AnyArray]:  # noqa: ARG002
        """Return the k nearest."""
        return self.brute.nearest(queries, k)

    def save(self, path: str) -> None:
        """Write the rows."""
        with open(path, "wb") as file:  # noqa: PTH123
            np.save(file, self.brute.rows, allow_pickle=False)
