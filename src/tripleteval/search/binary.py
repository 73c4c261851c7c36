"""The last rung of the compression ladder: one bit per coordinate, optionally measured again in full."""

from __future__ import annotations

import numpy as np

from tripleteval.arrays import AnyArray
from tripleteval.search import How, Index, Params, backend

_AT_ONCE = 2**20


@backend("binary", build_grid={"rescore": (1, 4)}, randomised=True, faithful=False)
class Binary:
    """Signs, compared by how many differ; of ``rescore`` times k candidates the k nearest by their true distance.

    With ``rescore=1`` nothing but the bits is needed. Many rows then differ in equally many bits; which of them
    are listed is drawn by lot, for the order of rows is often that of classes.
    """

    def __init__(self, rescore: int, **stored: AnyArray) -> None:
        self.rescore, self.stored = rescore, stored
        self.bits, self.lot = stored["bits"], stored["lot"]

    @staticmethod
    def build(gallery: AnyArray, how: How) -> Index:
        """Return the signs of the rows, and a lot for each."""
        lot = np.random.default_rng(how.seed).permutation(len(gallery))
        rows = {} if how.params["rescore"] == 1 else {"rows": gallery}
        return Binary(how.params["rescore"], bits=_signs(gallery), lot=lot, **rows)

    @staticmethod
    def load(path: str, how: How) -> Index:
        """Return what was saved."""
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:  # noqa: PTH123
            return Binary(how.params["rescore"], **dict(stored))

    def search(self, queries: AnyArray, k: int, params: Params) -> tuple[AnyArray, AnyArray]:  # noqa: ARG002
        """Return the candidates, by bits or by true distance."""
        count = min(self.rescore * k, len(self.lot))
        step = max(1, _AT_ONCE // self.bits.size)
        parts = [self._candidates(queries[at : at + step], count) for at in range(0, len(queries), step)]
        rows, differing = (np.concatenate(part) for part in zip(*parts, strict=True))
        if self.rescore == 1:
            return rows, differing.astype(np.float64)
        squared = np.stack(
            [
                np.square(self.stored["rows"][near].astype(np.float64) - query).sum(axis=1)
                for near, query in zip(rows, queries, strict=True)
            ]
        )
        order = np.argsort(squared, axis=1, kind="stable")[:, :k]
        return np.take_along_axis(rows, order, axis=1), np.take_along_axis(squared, order, axis=1)

    def save(self, path: str) -> None:
        """Write signs and lots, and the rows where rescoring needs them."""
        with open(path, "wb") as file:  # noqa: PTH123
            np.savez(file, **self.stored)  # type: ignore[arg-type]  # its stub takes a name for a flag

    def _candidates(self, queries: AnyArray, count: int) -> tuple[AnyArray, AnyArray]:
        differing = np.bitwise_count(_signs(queries)[:, None, :] ^ self.bits[None, :, :]).sum(axis=2, dtype=np.int64)
        keys = differing * len(self.lot) + self.lot  # all different, so nothing is left to the order of rows
        near = np.argpartition(keys, count - 1, axis=1)[:, :count]
        near = np.take_along_axis(near, np.argsort(np.take_along_axis(keys, near, axis=1), axis=1), axis=1)
        return near, np.take_along_axis(differing, near, axis=1)


def _signs(rows: AnyArray) -> AnyArray:
    return np.packbits(rows > 0, axis=1)
