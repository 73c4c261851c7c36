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

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tripleteval.arrays import Floats, Ints
from tripleteval.distance.formula import Distance
from tripleteval.evidence.ranks import Positives, Ranks
from tripleteval.evidence.triplets import Triplets

FIRST, LAST = -1, int(np.iinfo(np.int64).max)
_MANY = 200_000  # edges from which on sorting them in NumPy costs more than loading compiled code


@dataclass
class Tally:
    """What a kernel fills in, negative by negative; bin ``j`` of a query lies just below its edge ``j``.

    Attributes:
        counts: (edges,) int64, negatives per bin.
        lengths: (edges,) int64, sum of their distances, each in whole steps of ``Distance.step``.
        squared, rows: (queries, k), the nearest negatives, ascending by (squared, row).
        negatives: (queries,) int64, negatives seen.
        settled: (1,) int64, negatives whose distance was computed in float64; it depends on kernel and tiles.
    """

    counts: Ints
    lengths: Ints
    squared: Floats
    rows: Ints
    negatives: Ints
    settled: Ints

    @classmethod
    def empty(cls, edges: int, queries: int, k: int) -> Tally:
        """Return a tally of nothing."""
        return cls(
            np.zeros(edges, np.int64),
            np.zeros(edges, np.int64),
            np.full((queries, k), np.inf),
            np.full((queries, k), -1, np.int64),
            np.zeros(queries, np.int64),
            np.zeros(1, np.int64),
        )

    def add(self, other: Tally) -> None:
        """Add what another tally counted of the same queries, against other negatives."""
        from tripleteval.engine.nearest import insert_all  # numba takes a second to import

        self.counts += other.counts
        self.lengths += other.lengths
        self.negatives += other.negatives
        self.settled += other.settled
        insert_all(self.squared, self.rows, other.squared, other.rows)


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
        count, of = len(positives.rows), positives
        d = distance.from_squared(of.squared)
        beyond = d + margins[:, None]
        first, last = np.full(count, FIRST), np.full(count, LAST)
        squared = np.vstack(
            [
                of.squared[None, :].repeat(3, axis=0),
                distance.first_above(d)[None, :],
                distance.first_at_least(beyond),
                distance.first_above(beyond),
                distance.first_above(d + curve[:, None]),
            ]
        )
        rows = np.vstack([first, last, of.rows, first[None, :].repeat(len(squared) - 3, axis=0)])
        sort = _merged if squared.size > _MANY else _sorted
        edge_squared, edge_rows, places, zero = sort(of.indptr, squared, rows)
        closer, tied, lower_row, hard = places[:4]
        below, upto, onward = np.split(places[4:], [len(margins), 2 * len(margins)])
        named = _Places(zero, closer, tied, lower_row, hard, below.T, upto.T, onward.T)
        indptr = of.indptr * len(squared) + np.arange(of.queries + 1)
        return cls(indptr, edge_squared, edge_rows, named, positives, distance, margins, curve)

    def read(self, tally: Tally) -> tuple[Ranks, Triplets]:
        """Return how the tallied negatives stand to each positive, and to each positive plus each margin."""
        begins = self.indptr[:-1]
        zero, *below = _sums_below(tally.counts, begins, self.places, self.positives.per_query)
        closer, tied, lower_row, hard, below_margins, upto, curve = below
        _, lengths = _sums_below(tally.lengths, begins, (self.places.zero, self.places.below), self.positives.per_query)
        ranks = Ranks(
            self.positives,
            closer=closer,
            tied=tied - closer,
            tied_before=lower_row - closer,
            negatives=tally.negatives,
            coincident=zero,
        )
        triplets = Triplets(
            self.positives.indptr,
            self.distance.from_squared(self.positives.squared),
            self.margins,
            below=below_margins,
            upto=upto,
            hard=hard,
            lengths=lengths,
            unit=self.distance.step * self.distance.factor,
            curve_margins=self.curve,
            curve_upto=curve,
            negatives=tally.negatives,
            nearest_negative=self.distance.from_squared(tally.squared[:, 0]),
        )
        return ranks, triplets


def _sums_below(bins: Ints, begins: Ints, places: Iterable[Ints], per_query: Ints) -> list[Ints]:
    """Return, for the edges at some places, the sum over the bins of their query up to each.

    Args:
        bins: Of all queries.
        begins: (queries,) the first bin of each.
        places: The first array has one per query, each other a row per positive.
        per_query: (queries,) positives of each.
    """
    running = np.cumsum(bins)  # of a whole block; where it runs over, so does what is taken off
    before = np.concatenate([[0], running])[begins]
    of_query, *of_positives = places
    owned = np.repeat(before, per_query)
    sums = [running[some].T - owned for some in of_positives]
    return [running[of_query] - before, *(some.T for some in sums)]


def _sorted(indptr: Ints, squared: Floats, rows: Ints) -> tuple[Floats, Ints, Ints, Ints]:
    """Return what `merge.merge` does, without waiting for compiled code."""
    queries, per_query = len(indptr) - 1, np.diff(indptr)
    of = np.concatenate([np.arange(queries), np.tile(np.repeat(np.arange(queries), per_query), len(squared))])
    all_squared = np.concatenate([np.zeros(queries), squared.reshape(-1)])
    all_rows = np.concatenate([np.full(queries, LAST), rows.reshape(-1)])
    order = np.lexsort((all_rows, all_squared, of))
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return all_squared[order], all_rows[order], place[queries:].reshape(squared.shape), place[:queries]


def _merged(indptr: Ints, squared: Floats, rows: Ints) -> tuple[Floats, Ints, Ints, Ints]:
    from tripleteval.engine.merge import merge  # numba takes a second to import

    found: tuple[Floats, Ints, Ints, Ints] = merge(indptr, squared, rows, LAST)
    return found
