"""Where the positives of each query stand among its negatives."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tripleteval.arrays import Floats, Ints


@dataclass(frozen=True)
class Positives:
    """The positives of a block of queries, known before the first negative is seen.

    Attributes:
        indptr: (queries + 1,) int64; the positives of query ``i`` are ``indptr[i]:indptr[i + 1]``.
        rows: (positives,) int64, gallery row of each, ascending by (squared, row) within a query.
        squared: (positives,) float64, what ranks and ties are decided on.
        gains: (positives,) float64, the grade of each under explicit relevance, else all 1.
    """

    indptr: Ints
    rows: Ints
    squared: Floats
    gains: Floats

    @property
    def queries(self) -> int:
        """Number of queries in the block."""
        return len(self.indptr) - 1

    @property
    def per_query(self) -> Ints:
        """(queries,) number of positives of each query, R."""
        return np.diff(self.indptr)


@dataclass(frozen=True)
class Ranks:
    """For each positive, how many negatives are closer, and how many are exactly as close.

    Attributes:
        positives: Whom the counts are about; the same in everything that is merged.
        closer: (positives,) int64, negatives strictly closer.
        tied: (positives,) int64, negatives at exactly the same distance.
        tied_before: (positives,) int64, those of the tied whose gallery row is lower.
        negatives: (queries,) int64, negatives seen so far.
        coincident: (queries,) int64, negatives at distance zero.
    """

    positives: Positives
    closer: Ints
    tied: Ints
    tied_before: Ints
    negatives: Ints
    coincident: Ints

    @classmethod
    def empty(cls, positives: Positives) -> Ranks:
        """Return the evidence of a gallery without negatives."""
        none, nobody = np.zeros(len(positives.rows), np.int64), np.zeros(positives.queries, np.int64)
        return cls(positives, none, none, none, nobody, nobody)

    def merge(self, other: Ranks) -> Ranks:
        """Return the evidence of both stretches of gallery together."""
        return replace(
            self,
            closer=self.closer + other.closer,
            tied=self.tied + other.tied,
            tied_before=self.tied_before + other.tied_before,
            negatives=self.negatives + other.negatives,
            coincident=self.coincident + other.coincident,
        )
