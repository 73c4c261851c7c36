"""Every distance, in plain NumPy: what approximate search must be cheaper than."""

from __future__ import annotations

import numpy as np

from tripleteval.arrays import AnyArray
from tripleteval.search import How, Index, Params, backend

_AT_ONCE = 2**22  # distances in flight


@backend("exact")
class Exact:
    """Brute force: float32 products choose candidates, float64 differences order them.

    Centred rows and a margin that covers the rounding of every float32 product keep the k nearest among the
    candidates, also where float32 alone would see only zeros.
    """

    def __init__(self, gallery: AnyArray) -> None:
        self.gallery = gallery
        self.centre = gallery.mean(axis=0, dtype=np.float64).astype(np.float32)
        self.centred = gallery - self.centre
        self.norms = np.einsum("ij,ij->i", self.centred, self.centred)

    @staticmethod
    def build(gallery: AnyArray, how: How) -> Index:  # noqa: ARG004  # nothing to choose
        """Return the rows, centred."""
        return Exact(gallery)

    @staticmethod
    def load(path: str, how: How) -> Index:  # noqa: ARG004
        """Return saved rows."""
        with open(path, "rb") as file:  # noqa: PTH123  # np.save would add a suffix to a name
            return Exact(np.load(file, allow_pickle=False))

    def search(self, queries: AnyArray, k: int, params: Params) -> tuple[AnyArray, AnyArray]:  # noqa: ARG002
        """Return the k nearest, lower row first where distances are equal."""
        step = max(1, _AT_ONCE // len(self.gallery))
        parts = [self._block(queries[at : at + step], k) for at in range(0, len(queries), step)]
        rows, squared = zip(*parts, strict=True)
        return np.concatenate(rows), np.concatenate(squared)

    def save(self, path: str) -> None:
        """Write the rows."""
        with open(path, "wb") as file:  # noqa: PTH123
            np.save(file, self.gallery, allow_pickle=False)

    def _block(self, queries: AnyArray, k: int) -> tuple[AnyArray, AnyArray]:
        centred = queries - self.centre
        lengths = np.einsum("ij,ij->i", centred, centred)
        rough = self.norms[None, :] - 2 * (centred @ self.centred.T) + lengths[:, None]
        k = min(k, rough.shape[1])
        kth = np.partition(rough, k - 1, axis=1)[:, k - 1]
        # |error| of a float32 expansion of d terms <= 2 (d + 4) u (|q| + |g|)², on either side of the k-th.
        largest = np.sqrt(lengths) + np.sqrt(self.norms.max())
        slack = 4 * (queries.shape[1] + 8) * 2.0**-24 * np.square(largest)
        rows, squared = np.empty((len(queries), k), np.int64), np.empty((len(queries), k))
        for i, line in enumerate(rough):
            near = np.flatnonzero(line <= kth[i] + slack[i])
            exact = np.square(self.gallery[near].astype(np.float64) - queries[i]).sum(axis=1)
            best = np.lexsort((near, exact))[:k]
            rows[i], squared[i] = near[best], exact[best]
        return rows, squared
