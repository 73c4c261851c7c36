"""Random numbers that depend on a seed and a purpose, and on nothing else.

The generator is counter-based (Philox), its key is the seed and a name, and its raw words are read here, so
that neither workers, nor their order, nor the version of NumPy's distributions changes a single draw.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from tripleteval.arrays import Floats, Ints


class Stream:
    """An endless sequence of random words for one purpose.

    Args:
        seed: Any whole number >= 0.
        purpose: What the numbers are for; another purpose is another, independent sequence.
    """

    def __init__(self, seed: int, purpose: str) -> None:
        digest = hashlib.sha256(f"{seed}/{purpose}".encode()).digest()
        self._source: Any = np.random.Philox(key=int.from_bytes(digest[:16], "little"))

    def words(self, count: int) -> Any:
        """Return (count,) uint64 of 64 random bits each."""
        return self._source.random_raw(count)

    def below(self, count: int, rows: int) -> Ints:
        """Return (rows, count) int64, each uniform below ``count`` < 2**31; the bias is below 2**-32 · count."""
        halves = self._bytes(rows * (count // 2 + 1)).view("<u4").reshape(rows, -1)[:, :count]
        drawn: Ints = ((halves.astype(np.uint64) * np.uint64(count)) >> np.uint64(32)).astype(np.int64)
        return drawn

    def signs(self, count: int, rows: int) -> Floats:
        """Return (rows, count) float64, each −1 or 1 alike."""
        bits = np.unpackbits(self._bytes(rows * (count // 64 + 1)).reshape(rows, -1), axis=1)
        return bits[:, :count].astype(np.float64) * 2 - 1

    def shares(self, count: int) -> Floats:
        """Return (count,) float64, uniform in [0, 1) in steps of 2**-53."""
        return np.asarray((self.words(count) >> np.uint64(11)).astype(np.float64) * 2.0**-53)

    def _bytes(self, words: int) -> Any:
        return self.words(words).astype("<u8", copy=False).view(np.uint8)
