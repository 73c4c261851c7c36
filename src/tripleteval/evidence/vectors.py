"""Moments of a set of vectors, as exact integers: the same whatever the blocks, the machine or its BLAS.

Coordinates are rounded once to multiples of ``2**(exponent - BITS)`` and cut into a high and a low part, so
small that a matrix product of a block of them is a sum of integers below 2**53: no order of adding it up, and
no fused multiply-add, can change a bit. Integers then merge by adding, without rounding.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tripleteval.arrays import AnyArray, Floats, Ints

BITS = 40
ROWS = 1024  # rows of one exact matrix product: 2**20 · 2**20 · 2**10 stays below 2**53
_LOW = 21
_WORD = 2 * _LOW
_DIRECTION_BITS = 50


@dataclass(frozen=True)
class Vectors:
    """Count, sums, second moments, norms and directions of the rows seen so far.

    With ``q`` the coordinates in units of ``2**(exponent - BITS)``:

    Attributes:
        exponent: Every coordinate is smaller than ``2**exponent`` in magnitude; the same in all that is merged.
        count: Rows seen.
        zeros: Rows that are all zero.
        total: (dim,) int64, the sum of q.
        coarse, fine: (dim, dim) int64; the sum of q qᵀ is ``coarse · 2**42 + fine`` with 0 <= fine < 2**42.
        norms: The sum of the norms, in the same units as q.
        squared_norms: The sum of the squares of those.
        shortest, longest: The extreme norms, in units of ``2**exponent``; +inf and 0 before the first row.
        direction: (dim,) Python integers, the sum of the unit vectors in units of 2**-50; zero rows add nothing.
    """

    exponent: int
    count: int
    zeros: int
    total: Ints
    coarse: Ints
    fine: Ints
    norms: int
    squared_norms: int
    shortest: float
    longest: float
    direction: AnyArray

    @classmethod
    def empty(cls, dim: int, exponent: int) -> Vectors:
        """Return the evidence of no rows."""
        line, square = np.zeros(dim, np.int64), np.zeros((dim, dim), np.int64)
        return cls(exponent, 0, 0, line, square, square, 0, 0, np.inf, 0.0, line.astype(object))

    @classmethod
    def of(cls, rows: AnyArray, exponent: int) -> Vectors:
        """Return the evidence of at most `ROWS` rows (n, dim) of any real dtype."""
        scaled = _times_power(rows.astype(np.float64), -exponent)
        norms, units = _directions(scaled)
        high, low = _cut(scaled)
        crossed = high.T @ low
        lengths = [int(q) for q in np.rint(norms * 2.0**BITS).tolist()]
        coarse, fine = _carry(_integers(high.T @ high), _integers(crossed + crossed.T), _integers(low.T @ low))
        return cls(
            exponent,
            count=len(rows),
            zeros=int((norms == 0).sum()),
            total=(_integers(high).sum(axis=0) << _LOW) + _integers(low).sum(axis=0),
            coarse=coarse,
            fine=fine,
            norms=sum(lengths),
            squared_norms=sum(q * q for q in lengths),
            shortest=float(norms.min(initial=np.inf)),
            longest=float(norms.max(initial=0.0)),
            direction=_integers(np.rint(units * 2.0**_DIRECTION_BITS)).sum(axis=0).astype(object),
        )

    def merge(self, other: Vectors) -> Vectors:
        """Return the evidence of both sets of rows together."""
        nothing = np.zeros_like(self.coarse)
        coarse, fine = _carry(self.coarse + other.coarse, nothing, self.fine + other.fine)
        return replace(
            self,
            count=self.count + other.count,
            zeros=self.zeros + other.zeros,
            total=self.total + other.total,
            coarse=coarse,
            fine=fine,
            norms=self.norms + other.norms,
            squared_norms=self.squared_norms + other.squared_norms,
            shortest=min(self.shortest, other.shortest),
            longest=max(self.longest, other.longest),
            direction=self.direction + other.direction,
        )

    def second_moments(self, *, centred: bool) -> Floats:
        """Return (dim, dim) Σ x xᵀ / count, about the mean if ``centred``, in units of ``4**exponent``.

        Each entry is an exact integer, rounded once: no digit is lost to a mean far from the origin.
        """
        n, sums = self.count, self.total.astype(object)
        matrix = np.empty(self.coarse.shape)
        for i in range(len(sums)):
            line = (self.coarse[i].astype(object) << _WORD) + self.fine[i].astype(object)
            matrix[i] = ((n * line - sums[i] * sums) / (n * n) if centred else line / n).astype(np.float64)
        return np.ldexp(matrix, -2 * BITS)

    def resultant(self) -> float:
        """Return the squared length of the sum of all unit vectors."""
        return float(sum(q * q for q in self.direction.tolist()) / (1 << 2 * _DIRECTION_BITS))


def _cut(scaled: Floats) -> tuple[Floats, Floats]:
    """Return high and low parts, whole numbers with ``q = high · 2**21 + low``."""
    raised = scaled * 2.0 ** (BITS - _LOW)
    high = np.rint(raised)
    return high, np.rint((raised - high) * 2.0**_LOW)


def _carry(high: Ints, crossed: Ints, low: Ints) -> tuple[Ints, Ints]:
    """Return ``high · 2**42 + crossed · 2**21 + low`` as the one pair with 0 <= fine < 2**42."""
    fine = ((crossed & ((1 << _LOW) - 1)) << _LOW) + low
    return high + (crossed >> _LOW) + (fine >> _WORD), fine & ((1 << _WORD) - 1)


def _integers(whole: Floats) -> Ints:
    return whole.astype(np.int64)


def _times_power(values: Floats, power: int | Ints) -> Floats:
    """Return ``values * 2**power``, exactly; in two steps, because the factor alone may leave float64."""
    half = np.asarray(power) // 2
    product: Floats = values * np.ldexp(1.0, half) * np.ldexp(1.0, power - half)
    return product


def _directions(scaled: Floats) -> tuple[Floats, Floats]:
    """Return the norm and the unit vector of each row (zero where the row is)."""
    # A power of two per row first: exact, and the squares can neither overflow nor vanish.
    powers = np.frexp(np.max(np.abs(scaled), axis=1))[1].astype(np.int64)
    columns = _times_power(np.ascontiguousarray(scaled.T), -powers)
    squares = np.zeros(len(powers))
    for column in columns:  # one coordinate after the other: no machine adds them up in another order
        squares += column * column
    lengths = np.sqrt(squares)
    return np.ldexp(lengths, powers), (columns / np.where(lengths == 0, 1.0, lengths)).T
