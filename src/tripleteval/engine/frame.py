"""The frame in which float32 is trusted, and by how much: centred, scaled, with a proven bound.

Prepared rows ``x`` (float64, see `distance.formula`) become ``x̃ = fl32((x − μ) · 2**-e)``, with μ the mean of the
gallery: distances do not change, and what float32 would lose far from the origin is gone before it is rounded.
With ``a = ‖q̃‖²``, ``b = ‖g̃‖²`` and ``S`` the float32 product of ``q̃`` and ``g̃`` by a classical matrix product
(any order, any blocking, fused or not),

    v = fl32(fl32(b) − 2S)      lies within  E = (dim + 32) · 1.01 · 2**-24 · (a + b) + dim · 2**-118

of ``squared · 4**-e − a``, where ``squared`` is what the reference computes. Of dim + 32, the product takes dim,
rounding the rows 4, the sum and fl32(b) 3; float64's own error takes less than 1; the rest pays for limits that are
themselves compared in float32. The last term pays for underflow, also where subnormal numbers are flushed to zero.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tripleteval.arrays import AnyArray, Bools, Floats, row_blocks
from tripleteval.data.facts import facts_of
from tripleteval.distance.formula import Distance, Prepared

Singles = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int32]
Marks = npt.NDArray[np.int16]

_UNIT = 2.0**-24
WINDOW = 2**18  # numbers
# Beside the product, where lengths are added to it: rounding the rows 4, both lengths 2, their sum and the product's 2,
# float64's own 1.
SUM_PARTS = 10
# Below this exponent float64 itself may lose the square of a difference, so the frame stops shrinking there
# and every pair is closer than float32 can tell.
_SMALLEST_EXPONENT = -460


class Rows(NamedTuple):
    """Rows of one set in both precisions.

    Attributes:
        single: (n, dim) float32, in the frame.
        norms: (n,) float64, squared lengths of ``single``.
        exact: (n, dim) float64, prepared.
        far: (n,) true where the row is a zero vector under cosine, about which the frame says nothing.
    """

    single: Singles
    norms: Floats
    exact: Floats
    far: Bools

    def cut(self, first: int, last: int) -> Rows:
        """Return rows ``first:last``."""
        return Rows(self.single[first:last], self.norms[first:last], self.exact[first:last], self.far[first:last])


@dataclass(frozen=True)
class Frame:
    """Where float32 looks from.

    Attributes:
        distance: How rows are prepared.
        centre: (dim,) float64, subtracted from prepared rows.
        exponent: Rows are then multiplied by ``2**-exponent``.
    """

    distance: Distance
    centre: Floats
    exponent: int

    @classmethod
    def around(cls, distance: Distance, queries: AnyArray, gallery: AnyArray) -> Frame:
        """Return the frame centred on ``gallery``; both sets fit into [-1, 1]."""
        seen = [facts_of(vectors) for vectors in ((gallery,) if queries is gallery else (gallery, queries))]
        if distance.name == "cosine":  # no coordinate of a unit vector is beyond 1
            centre, largest = seen[0].direction, 1 + float(np.abs(seen[0].direction).max())
        else:
            centre = np.ldexp(seen[0].centre, -distance.exponent)
            ends = [np.ldexp(end, -distance.exponent) for facts in seen for end in (facts.lowest, facts.highest)]
            largest = max(float(np.abs(end - centre).max()) for end in ends)
        return cls(distance, centre, max(math.frexp(largest)[1], _SMALLEST_EXPONENT))

    @property
    def relative(self) -> float:
        """What the bound holds of ``a + b``."""
        return share(len(self.centre), 32)

    @property
    def least(self) -> float:
        """What the bound holds whatever ``a`` and ``b`` are."""
        return len(self.centre) * 2.0**-118

    def scaled(self, squared: Floats) -> Floats:
        """Return ``squared`` as it is in the frame."""
        return squared * math.ldexp(1.0, -2 * self.exponent)

    def rows(self, vectors: AnyArray) -> Rows:
        """Return ``vectors`` (n, dim) in both precisions."""
        if self.distance.name == "cosine" or self.distance.exponent:
            return self.rows_of(self.distance.prepare(vectors))
        return self._rows(np.ascontiguousarray(vectors, dtype=np.float64), np.zeros(len(vectors), dtype=bool))

    def rows_of(self, prepared: Prepared) -> Rows:
        """Return prepared rows in both precisions."""
        return self._rows(np.ascontiguousarray(prepared.columns.T), prepared.far)

    def _rows(self, exact: Floats, far: Bools) -> Rows:
        centred = exact - self.centre
        centred *= math.ldexp(1.0, -self.exponent)
        single = centred.astype(np.float32)
        norms = np.einsum("ij,ij->i", single, single, dtype=np.float64)
        return Rows(single, norms, exact, far)


@dataclass(frozen=True)
class Shelf:
    """A set from which rows are taken in both precisions, held ready where memory allows it.

    Attributes:
        frame: Where float32 looks from.
        vectors: The set.
        held: Rows that are ready; ``None`` for none.
        begin: Which row the first of them is.
    """

    frame: Frame
    vectors: AnyArray
    held: Rows | None = None
    begin: int = 0

    @classmethod
    def of(cls, frame: Frame, vectors: AnyArray, *, hold: bool) -> Shelf:
        """Return the shelf of ``vectors``; ``hold`` keeps 12 bytes per coordinate."""
        if not hold:
            return cls(frame, vectors)
        n, dim = vectors.shape
        held = Rows(np.empty((n, dim), np.float32), np.empty(n), np.empty((n, dim)), np.empty(n, dtype=bool))
        done = 0
        for block in row_blocks(vectors, 4096):
            here, rows = held.cut(done, done + len(block)), frame.rows(block)
            here.single[:], here.norms[:], here.exact[:], here.far[:] = rows
            done += len(block)
        return cls(frame, vectors, held)

    def windows(self, first: int, last: int) -> Iterator[tuple[Shelf, int, int]]:
        """Yield stretches of rows ``first:last`` with a shelf on which they are ready, each made ready once."""
        if self.held is not None:
            yield self, first, last
            return
        step = window(self.vectors.shape[1])
        for start in range(first, last, step):
            stop = min(start + step, last)
            yield Shelf(self.frame, self.vectors, self.frame.rows(self.vectors[start:stop]), start), start, stop

    def rows(self, first: int, last: int) -> Rows:
        """Return rows ``first:last``."""
        if self.held is None:
            return self.frame.rows(self.vectors[first:last])
        return self.held.cut(first - self.begin, last - self.begin)


def share(dim: int, parts: int) -> float:
    """Return how far off a product is, as a share of the squared lengths, if so many roundings come on top."""
    return (dim + parts) * 1.01 * _UNIT


def window(dim: int) -> int:
    """Return how many rows of ``dim`` coordinates are made ready at once where the whole set is not."""
    return max(512, WINDOW // dim)
