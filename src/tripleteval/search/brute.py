"""Every distance: float32 products choose candidates, float64 differences order them."""

from __future__ import annotations

import numpy as np

from tripleteval.arrays import AnyArray

_AT_ONCE = 2**22  # distances in flight


class Brute:
    """(n, dim) float32 rows, ready to be searched one and all.

    Centred rows and a margin that covers the rounding of every float32 product keep the k nearest among the
    candidates, also where float32 alone would see only zeros.
    """

    def __init__(self, rows: AnyArray) -> None:
        self.rows = rows
        self.centre = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
        self.centred = rows - self.centre
        self.norms = np.einsum("ij,ij->i", self.centred, self.centred)

    def nearest(self, queries: AnyArray, k: int) -> tuple[AnyArray, AnyArray]:
        """Return (queries, k) rows, lower row first where distances are equal, and squared distances in float64."""
        step = max(1, _AT_ONCE // len(self.rows))
        parts = [self._block(queries[at : at + step], k) for at in range(0, len(queries), step)]
        rows, squared = zip(*parts, strict=True)
        return np.concatenate(rows), np.concatenate(squared)

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
            exact = np.square(self.rows[near].astype(np.float64) - queries[i]).sum(axis=1)
            best = np.lexsort((near, exact))[:k]
            rows[i], squared[i] = near[best], exact[best]
        return rows, squared
