"""How close a negative must be to matter: the last edge of its query, or its nearest so far."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tripleteval.arrays import Floats
from tripleteval.engine.edges import Edges
from tripleteval.engine.frame import Frame, Rows

# A share of the bound larger than every distance in the frame: float32 rules nothing out.
ANYTHING = np.float32(1e38)


@dataclass(frozen=True)
class Limits:
    """The limits of a block of queries, in the frame and less the query's norm.

    Attributes:
        norms: (queries,) squared lengths in the frame.
        own_errors: (queries,) the query's share of the bound.
        reach: (queries,) the last edge.
        nearest: (queries,) upper bound of the nearest negative.
        upper: (queries, k) upper bounds of the k nearest, ascending.
    """

    norms: Floats
    own_errors: Floats
    reach: Floats
    nearest: Floats
    upper: Floats

    @classmethod
    def of(cls, queries: Rows, edges: Edges, frame: Frame, k: int, here: tuple[int, int]) -> Limits:
        """Return the limits before the first negative: the edges, and the k nearest positives in rows ``here``."""
        upper = np.full((len(queries.norms), k), np.inf)
        positives = edges.positives
        owner = np.repeat(np.arange(positives.queries), positives.per_query)
        inside = (positives.rows >= here[0]) & (positives.rows < here[1])
        before = np.concatenate([[0], np.cumsum(inside)])
        nth = before[:-1] - before[positives.indptr[:-1]][owner]
        kept = inside & (nth < k)
        upper[owner[kept], nth[kept]] = frame.scaled(positives.squared[kept])
        return cls(
            queries.norms,
            np.where(queries.far, ANYTHING, frame.relative * queries.norms + frame.least),
            frame.scaled(edges.squared[edges.indptr[1:] - 1]) - queries.norms,
            np.full(len(queries.norms), np.inf),
            upper - queries.norms[:, None],
        )

    def cut(self, first: int, last: int) -> Limits:
        """Return the limits of queries ``first:last``; they share memory with these."""
        return Limits(*(getattr(self, name)[first:last] for name in self.__dataclass_fields__))

    def copy(self) -> Limits:
        """Return limits of one's own, to be lowered while others lower theirs.

        An upper bound that somebody else lowers at this moment is read before or after, and holds either way.
        """
        return Limits(self.norms, self.own_errors, self.reach, self.nearest.copy(), self.upper.copy())

    def lower(self, seeds: Floats, near: Floats, frame: Frame) -> None:
        """Take over that these are the nearest positives and negatives so far.

        Args:
            seeds: (queries, k) upper bounds of the nearest positives, as ``upper`` began.
            near: (queries, k) ``squared`` of the nearest negatives, ascending.
            frame: To compare them in.
        """
        from tripleteval.engine.nearest import lower_bounds  # numba takes a second to import

        scale = math.ldexp(1 + 1e-9, -2 * frame.exponent)
        lower_bounds(seeds, near, self.norms, scale, frame.least, self.nearest, self.upper)
