"""The least and the greatest value that a quantity can have, which no interval of it may leave."""

from __future__ import annotations

import math
from typing import NamedTuple


class Bounds(NamedTuple):
    """Between which values a quantity lies, both included."""

    low: float = -math.inf
    high: float = math.inf

    def cut(self, low: float, high: float) -> tuple[float, float]:
        """Return the part of an interval that lies between them."""
        return min(max(low, self.low), self.high), max(min(high, self.high), self.low)

    def minus(self, other: Bounds) -> Bounds:
        """Return between which values the difference of two quantities lies."""
        return Bounds(self.low - other.high, self.high - other.low)


ANY = Bounds()
SHARE = Bounds(0.0, 1.0)
