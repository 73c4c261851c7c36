"""The nearest gallery items of each query."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tripleteval.arrays import Bools, Floats, Ints

NOBODY = -1


@dataclass(frozen=True)
class Neighbors:
    """The k nearest valid gallery items per query, ascending by (squared, row).

    Attributes:
        squared: (queries, k) float64, +inf where a query has fewer than k.
        rows: (queries, k) int64, gallery rows, ``NOBODY`` where a query has fewer than k.
        relevant: (queries, k) bool, whether the item is a positive of the query.
    """

    squared: Floats
    rows: Ints
    relevant: Bools

    @classmethod
    def empty(cls, queries: int, k: int) -> Neighbors:
        """Return the evidence of an empty gallery."""
        return cls(
            np.full((queries, k), np.inf), np.full((queries, k), NOBODY, np.int64), np.zeros((queries, k), dtype=bool)
        )

    def nearest(self, k: int) -> Neighbors:
        """Return the k nearest of those kept."""
        return Neighbors(self.squared[:, :k], self.rows[:, :k], self.relevant[:, :k])

    def merge(self, other: Neighbors) -> Neighbors:
        """Return the k nearest of both, lower row first where distances are equal."""
        squared = np.hstack([self.squared, other.squared])
        rows = np.hstack([self.rows, other.rows])
        relevant = np.hstack([self.relevant, other.relevant])
        last = np.where(rows == NOBODY, np.iinfo(np.int64).max, rows)
        order = np.lexsort((last, squared), axis=1)[:, : self.squared.shape[1]]
        return Neighbors(
            np.take_along_axis(squared, order, axis=1),
            np.take_along_axis(rows, order, axis=1),
            np.take_along_axis(relevant, order, axis=1),
        )
