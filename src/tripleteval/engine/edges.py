"""What a kernel counts against: every question about a negative, as a point on one line.

A negative is the pair (squared, row). An edge is a point in the lexicographic order of such pairs, and
the kernel counts, per query, how many negatives lie below each edge. All integer evidence follows:

    strictly closer than positive p     below (s_p, -1)
    closer or exactly tied              below (s_p, LAST)
    closer, or tied with a lower row    below (s_p, row_p)
    d(a,n) <  t = d(a,p) + margin       below (first squared with distance >= t, -1)
    d(a,n) <= t                         below (first squared with distance >  t, -1)
    at distance zero                    below (0, LAST)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tripleteval.arrays import Floats, Ints
from tripleteval.data.comparison import Lists, owners
from tripleteval.distance.formula import Distance
from tripleteval.evidence.ranks import Positives, Ranks
from tripleteval.evidence.triplets import Triplets

FIRST, LAST = -1, np.iinfo(np.int64).max


@dataclass
class Tally:
    """What a kernel fills in, negative by negative; bin ``j`` of a query lies just below its edge ``j``.

    Attributes:
        counts: (edges,) int64, negatives per bin.
        coarse, fine: (edges,) int64, sum of their distances in units of 2**-31 and 2**-62 of the span.
        squared, rows: (queries, k), the nearest negatives, ascending by (squared, row).
        negatives: (queries,) int64, negatives seen.
    """

    counts: Ints
    coarse: Ints
    fine: Ints
    squared: Floats
    rows: Ints
    negatives: Ints

    @classmethod
    def empty(cls, edges: int, queries: int, k: int) -> Tally:
        """Return a tally of nothing."""
        return cls(
            np.zeros(edges, np.int64),
            np.zeros(edges, np.int64),
            np.zeros(edges, np.int64),
            np.full((queries, k), np.inf),
            np.full((queries, k), -1, np.int64),
            np.zeros(queries, np.int64),
        )


class _Places(NamedTuple):
    """Where each question ended up among the sorted edges."""

    zero: Ints  # (queries,)
    closer: Ints  # (positives,)
    tied: Ints
    lower_row: Ints
    hard: Ints
    below: Ints  # (positives, margins)
    upto: Ints
    curve: Ints  # (positives, points)


@dataclass(frozen=True)
class Edges:
    """The edges of a block of queries, ascending within each query.

    Attributes:
        indptr: (queries + 1,) int64.
        squared: (edges,) float64, first coordinate of each edge.
        rows: (edges,) int64, second coordinate.
    """

    indptr: Ints
    squared: Floats
    rows: Ints
    places: _Places
    positives: Positives
    distance: Distance
    margins: Floats
    curve: Floats

    @classmethod
    def between(cls, positives: Positives, distance: Distance, margins: Floats, curve: Floats) -> Edges:
        """Return the edges that answer every question about ``positives`` at these margins."""
        queries, count = positives.queries, len(positives.rows)
        owner = owners(Lists(positives.indptr, positives.rows))
        d = distance.from_squared(positives.squared)
        beyond = d[:, None] + margins[None, :]
        questions = [
            (np.arange(queries), np.zeros(queries), np.full(queries, LAST)),
            (owner, positives.squared, np.full(count, FIRST)),
            (owner, positives.squared, np.full(count, LAST)),
            (owner, positives.squared, positives.rows),
            (owner, distance.first_above(d), np.full(count, FIRST)),
            _grid(owner, distance.first_at_least(beyond)),
            _grid(owner, distance.first_above(beyond)),
            _grid(owner, distance.first_above(d[:, None] + curve[None, :])),
        ]
        of, squared, rows = (np.concatenate(parts) for parts in zip(*questions, strict=True))
        order = np.lexsort((rows, squared, of))
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        pieces = np.split(place, np.cumsum([len(q[0]) for q in questions])[:-1])
        widths = (len(margins), len(margins), len(curve))
        pieces[5:] = [p.reshape(count, width) for p, width in zip(pieces[5:], widths, strict=True)]
        indptr = np.concatenate([[0], np.cumsum(np.bincount(of, minlength=queries))]).astype(np.int64)
        places = _Places(*pieces)
        return cls(indptr, squared[order], rows[order], places, positives, distance, margins, curve)

    def ranks(self, tally: Tally) -> Ranks:
        """Return how the tallied negatives stand to each positive."""
        below = self._below(tally.counts)
        closer = below[self.places.closer]
        return Ranks(
            self.positives,
            closer=closer,
            tied=below[self.places.tied] - closer,
            tied_before=below[self.places.lower_row] - closer,
            negatives=tally.negatives,
            coincident=below[self.places.zero],
        )

    def triplets(self, tally: Tally, nearest: Floats) -> Triplets:
        """Return how the tallied negatives stand to each positive plus each margin."""
        below = self._below(tally.counts)
        return Triplets(
            self.positives.indptr,
            self.distance.from_squared(self.positives.squared),
            self.margins,
            below=below[self.places.below],
            upto=below[self.places.upto],
            hard=below[self.places.hard],
            coarse=self._below(tally.coarse)[self.places.below],
            fine=self._below(tally.fine)[self.places.below],
            unit=self.distance.span * 2.0**-31 * (self.distance.factor),
            curve_margins=self.curve,
            curve_upto=below[self.places.curve],
            negatives=tally.negatives,
            nearest_negative=self.distance.from_squared(nearest),
        )

    def _below(self, bins: Ints) -> Ints:
        """Return, for each edge, the sum over the bins of its query up to it."""
        running = np.cumsum(bins)
        before = np.concatenate([[0], running])[self.indptr[:-1]]
        sums: Ints = running - np.repeat(before, np.diff(self.indptr))
        return sums


def _grid(owner: Ints, squared: Floats) -> tuple[Ints, Floats, Ints]:
    return np.repeat(owner, squared.shape[1]), squared.reshape(-1), np.full(squared.size, FIRST)
