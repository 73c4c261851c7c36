"""Sums that do not depend on the order of adding up."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tripleteval.arrays import Floats, Ints

_AT_ONCE = 2**21  # numbers below 2**31 add up to less than 2**53, which float64 holds exactly


class FixedPoint(NamedTuple):
    """Sums of numbers in [0, unit · 2**31], as integers, so that they do not depend on the order.

    Attributes:
        coarse, fine: int64 of one shape; the sums in units of ``unit`` and of ``unit * 2**-31``.
        unit: A power of two.
    """

    coarse: Ints
    fine: Ints
    unit: float

    @classmethod
    def of(cls, values: Floats, span: float) -> FixedPoint:
        """Return numbers in [0, span) as integers, each rounded down to ``span * 2**-62``."""
        steps = values * (2.0**31 / span)
        whole = np.floor(steps)
        rest = np.floor((steps - whole) * 2.0**31)
        return cls(whole.astype(np.int64), rest.astype(np.int64), span * 2.0**-31)

    def plus(self, other: FixedPoint) -> FixedPoint:
        """Return the sums of both."""
        return FixedPoint(self.coarse + other.coarse, self.fine + other.fine, self.unit)

    def by_group(self, groups: Ints, of: int) -> FixedPoint:
        """Return the sums of each group; number ``i`` belongs to ``groups[i]`` in 0 … ``of`` − 1."""
        coarse, fine = np.zeros(of, np.int64), np.zeros(of, np.int64)
        for start in range(0, len(groups), _AT_ONCE):
            some = slice(start, start + _AT_ONCE)
            coarse += np.bincount(groups[some], weights=self.coarse[some], minlength=of).astype(np.int64)
            fine += np.bincount(groups[some], weights=self.fine[some], minlength=of).astype(np.int64)
        return FixedPoint(coarse, fine, self.unit)

    def values(self) -> Floats:
        """Return the sums as float64."""
        sums: Floats = self.coarse * self.unit + self.fine * (self.unit * 2.0**-31)
        return sums
