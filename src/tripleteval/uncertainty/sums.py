"""Sums per unit of inference, free of rounding, so that the order of rows and of work never shows.

Values are cut once to multiples of a power of two so fine that nothing of interest is lost (at least 38 bits
for a million units), and everything after that is integer arithmetic, in int64 or in float64 below 2**53.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from tripleteval.arrays import AnyArray, Bools, Floats, Ints
from tripleteval.bounds import ANY, Bounds


class Sums(NamedTuple):
    """One estimand as the ratio Σ part / Σ whole over units of inference.

    Attributes:
        part: (units,) float64.
        whole: (units,) float64, >= 0; a unit with 0 says nothing.
        bounds: Between which values the ratio lies, so that no interval leaves them.
    """

    part: Floats
    whole: Floats
    bounds: Bounds = ANY

    @property
    def supported(self) -> Bools:
        """(units,) which units say anything."""
        return np.asarray(self.whole > 0)

    @property
    def ratio(self) -> float:
        """The estimate."""
        return math.fsum(self.part.tolist()) / math.fsum(self.whole.tolist())


@dataclass(frozen=True)
class Units:
    """Which unit each query belongs to.

    Attributes:
        codes: (queries,) int64 >= 0, the unit of each query.
        noun: What one unit is called in a sentence, such as ``"class"``.
    """

    codes: Ints
    noun: str = "class"

    @cached_property
    def _sorted(self) -> tuple[Ints, Ints]:
        order = np.argsort(self.codes, kind="stable")
        codes = self.codes[order]
        return order, np.flatnonzero(np.concatenate([[True], codes[1:] != codes[:-1]]))

    @cached_property
    def present(self) -> Ints:
        """(units,) the codes that occur, ascending."""
        return np.unique(self.codes)

    def sum(self, values: AnyArray) -> Floats:
        """Return (units,) the sum of the values of each unit that occurs; the order of the rows never shows."""
        order, starts = self._sorted
        if values.dtype.kind in "iub":
            return np.add.reduceat(values.astype(np.int64)[order], starts).astype(np.float64)
        longest = int(np.diff([*starts.tolist(), len(order)]).max())
        scale = exponent(values, 62 - longest.bit_length())
        whole = np.rint(np.ldexp(values, scale)).astype(np.int64)
        return np.ldexp(np.add.reduceat(whole[order], starts).astype(np.float64), -scale)


def exponent(values: AnyArray, bits: int) -> int:
    """Return e such that the values times 2**e are below 2**bits in magnitude."""
    largest = float(np.abs(values).max(initial=0.0))
    return 0 if largest == 0 else bits - int(np.frexp(largest)[1])


def integers(columns: Floats, weight: int) -> tuple[Floats, Ints]:
    """Return (units, columns) whole numbers whose weighted sums stay below 2**53, and each column's exponent.

    Args:
        columns: (units, columns) finite float64.
        weight: The most that all weights of one weighted sum add up to.
    """
    bits = 52 - int(weight).bit_length()
    scales = np.array([exponent(column, bits) for column in columns.T], dtype=np.int64)
    return np.rint(np.ldexp(columns, scales)), scales
