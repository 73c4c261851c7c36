"""Tie groups: what a ranking looks like when items at equal distance have no order.

A group is a run of items at one distance that holds at least one positive. Under ``ties="expected"``
its members come in uniformly random order; under the other modes every item has a rank of its own, so
every positive is a group of one, and the same formulas apply.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tripleteval.arrays import AnyArray, Floats, Ints
from tripleteval.errors import ParameterError, nearest
from tripleteval.evidence.ranks import Ranks

TIES = ("expected", "index", "optimistic", "pessimistic")
Some = Ints | slice  # which groups
_LISTED = 2**21  # running sums up to here are all kept
_APART = 1024  # and of those beyond, one in so many


@dataclass(frozen=True)
class TieGroups:
    """The groups of a block of queries, nearest first within each query.

    Attributes:
        query: (groups,) int64, the query a group belongs to.
        before: (groups,) int64, items strictly ahead of the group: ``a``.
        size: (groups,) int64, items in the group: ``g``.
        relevant: (groups,) int64, positives in the group: ``r``.
        found: (groups,) int64, positives strictly ahead of the group: ``b``.
        gains: (positives of all queries,) float64, the gain of each positive, group by group.
        positives: (queries,) int64, ``R``.
        valid: (queries,) int64, items that are ranked at all: ``|V|``.
    """

    query: Ints
    before: Ints
    size: Ints
    relevant: Ints
    found: Ints
    gains: Floats
    positives: Ints
    valid: Ints

    @property
    def queries(self) -> int:
        """Number of queries."""
        return len(self.positives)

    def total(self, per_group: AnyArray, some: Some = slice(None)) -> Floats:
        """Return, per query, the sum over its groups, or over some of them, added up nearest first."""
        sums: Floats = np.bincount(self.query[some], weights=per_group, minlength=self.queries).astype(np.float64)
        return sums

    def reached(self, limit: int | Ints) -> Some:
        """Return which groups begin among the first ``limit`` ranks; of large classes these are few."""
        begins = self.before < (limit if isinstance(limit, int) else limit[self.query])
        return slice(None) if begins.all() else np.flatnonzero(begins)

    def highest_gains(self) -> Floats:
        """Return the gains of each query's positives, the highest first."""
        if not (self.gains[1:] > self.gains[:-1]).any():  # as always where there are no grades
            return self.gains
        query = np.repeat(np.arange(self.queries), self.positives)
        return self.gains[np.lexsort((-self.gains, query))]

    def within(self, limit: int | Ints, some: Some = slice(None)) -> Ints:
        """Return how many places of each group, or of some, lie among the first ``limit`` ranks."""
        last = limit if isinstance(limit, int) else limit[self.query[some]]
        inside: Ints = np.clip(last - self.before[some], 0, self.size[some])
        return inside

    def first(self) -> Ints:
        """Return the position of each answered query's first group."""
        return np.flatnonzero(np.diff(self.query, prepend=-1))

    def last(self) -> Ints:
        """Return the position of each answered query's last group."""
        return np.flatnonzero(np.diff(self.query, append=self.queries))

    def answered(self, per_query: AnyArray) -> Floats:
        """Spread one value per answered query (R > 0) over all queries; the others get 0."""
        spread = np.zeros(self.queries)
        spread[self.positives > 0] = per_query
        return spread


def tie_groups(ranks: Ranks, ties: str = "expected") -> TieGroups:
    """Return the tie groups of ``ranks`` under one of the four modes.

    Raises:
        ParameterError: No mode has this name (E510).
    """
    if ties not in TIES:
        raise ParameterError("E510", f"unknown tie mode {ties!r}", fix=nearest(ties, TIES))
    positives = ranks.positives
    query = np.repeat(np.arange(positives.queries), positives.per_query)
    nth = np.arange(len(query)) - positives.indptr[:-1][query]
    gains = positives.gains
    if ties == "expected":
        start = np.flatnonzero((np.diff(query, prepend=-1) != 0) | (np.diff(positives.squared, prepend=-1.0) != 0))
        relevant = np.diff(start, append=len(query))
        before, size = ranks.closer[start] + nth[start], ranks.tied[start] + relevant
        query, found = query[start], nth[start]
    else:
        if ties != "index":  # the tied positive with the highest gain first, or last
            sign = -1.0 if ties == "optimistic" else 1.0
            gains = gains[np.lexsort((sign * gains, positives.squared, query))]
        ahead = {"index": ranks.tied_before, "optimistic": 0 * ranks.tied, "pessimistic": ranks.tied}[ties]
        before, found = ranks.closer + ahead + nth, nth
        size = relevant = np.ones(len(query), np.int64)
    return TieGroups(query, before, size, relevant, found, gains, positives.per_query, _valid(ranks))


def chance_groups(ranks: Ranks) -> TieGroups:
    """Return the groups of a collapsed model: all valid items tied. Every metric of it is its chance level."""
    return _one_group(ranks, _valid(ranks))


def perfect_groups(ranks: Ranks) -> TieGroups:
    """Return the groups of a perfect ranking: the positives first. Metrics of hits reach their ceiling."""
    return _one_group(ranks, ranks.positives.per_query)


def _one_group(ranks: Ranks, size: Ints) -> TieGroups:
    per_query = ranks.positives.per_query
    query = np.flatnonzero(per_query)
    nothing = np.zeros(len(query), np.int64)
    gains = ranks.positives.gains
    return TieGroups(query, nothing, size[query], per_query[query], nothing, gains, per_query, _valid(ranks))


def _valid(ranks: Ranks) -> Ints:
    return ranks.positives.per_query + ranks.negatives


def harmonic(before: Ints, places: Ints) -> Floats:
    """Return ``1/(before+1) + … + 1/(before+places)`` to the last bits, also far down the ranking.

    A running float sum would cancel there; the running sum of 1/i in units of 2**-52 is an exact integer,
    and what rounding leaves over is summed apart.
    """
    if not len(before):
        return np.zeros(0)
    ends = np.concatenate([before, before + places])
    whole, rest = _running(ends) if ends.max() > _LISTED else (part[ends] for part in _listed(int(ends.max())))
    first, last = slice(0, len(before)), slice(len(before), None)
    sums: Floats = (whole[last] - whole[first]) * 2.0**-52 + (rest[last] - rest[first])
    return sums


def _listed(most: int) -> tuple[Ints, Floats]:
    return _table(1 << most.bit_length(), 1)


def _running(ends: Ints) -> tuple[Ints, Floats]:
    """Return the two running sums at each of the ends, from the nearest entry of a table that holds few of them."""
    known, place = np.unique(ends, return_inverse=True)
    whole, rest = np.empty(len(known), np.int64), np.empty(len(known))
    entries = _table(1 << (int(known[-1]) // _APART + 1).bit_length(), _APART)
    for start in range(0, len(known), _APART):
        some = known[start : start + _APART]
        entry, here = some // _APART, np.arange(len(some))
        i = entry[:, None] * _APART + np.arange(1, _APART)
        both = _running_from(i, entries[0][entry], entries[1][entry])
        whole[start : start + _APART], rest[start : start + _APART] = (part[here, some % _APART] for part in both)
    return whole[place], rest[place]


def _running_from(i: Ints, whole: Ints, rest: Floats) -> tuple[Ints, Floats]:
    """Return both running sums along each row of ``i``, the sums before it first."""
    units = 2**52 // i
    left = (2**52 - units * i) / i * 2.0**-52
    return np.cumsum(np.column_stack([whole, units]), axis=1), np.cumsum(np.column_stack([rest, left]), axis=1)


@lru_cache(maxsize=2)
def _table(entries: int, apart: int) -> tuple[Ints, Floats]:
    """Return the running sums up to 0, ``apart``, twice that and so on."""
    wide = max(1, _LISTED // apart)  # entries that are made at once
    whole, rest = [np.zeros(1, np.int64)], [np.zeros(1)]
    for entry in range(0, entries, wide):
        i = np.arange(entry * apart + 1, min(entry + wide, entries) * apart + 1)[None, :]
        sums = _running_from(i, whole[-1][-1:], rest[-1][-1:])
        whole.append(sums[0][0, apart::apart])
        rest.append(sums[1][0, apart::apart])
    return np.concatenate(whole), np.concatenate(rest)


def by_distinct(formula: Callable[..., float], *columns: Ints) -> Floats:
    """Return ``formula`` of every row of the columns, evaluated once per distinct row."""
    rows, inverse = np.unique(np.stack(columns, axis=1), axis=0, return_inverse=True)
    values = np.array([formula(*row) for row in rows.tolist()], dtype=np.float64)
    spread: Floats = values[inverse.reshape(-1)]
    return spread


def first_place(size: int, relevant: int, upto: float = np.inf) -> Floats:
    """Return P(the first of ``relevant`` items stands at place t), t = 1 … size−relevant+1, in random order.

    Places beyond ``upto`` are left out.

    C(size−t, relevant−1) / C(size, relevant), by recurrence. Read backwards it is the last item's place.
    """
    t = np.arange(1, int(min(size - relevant + 1, max(upto, 1))))
    steps = (size - t - relevant + 1) / (size - t)
    return np.cumprod(np.concatenate([[relevant / size], steps]))


def mean_reciprocal_of_first(size: int, relevant: int) -> float:
    """Return E[1 / place of the first of ``relevant`` items] among ``size``, however many.

    Σ C(size−t, relevant−1) / t = C(size, relevant−1) · (H(size) − H(relevant−1)).
    """
    h = harmonic(np.array([relevant - 1]), np.array([size - relevant + 1]))
    return relevant / (size - relevant + 1) * float(h[0])


def mean_reciprocal_of_last(size: int, relevant: int) -> float:
    """Return E[1 / place of the last of ``relevant`` items], at most half of ``size``, however many.

    With E₁ = H(size) / size and, as C(l−1, r−1) = C(l, r−1) − C(l−1, r−2),
    Eᵣ = r / (size−r+1) · (1 / (r−1) − Eᵣ₋₁).
    """
    mean = float(harmonic(np.array([0]), np.array([size]))[0]) / size
    for r in range(2, relevant + 1):
        mean = r / (size - r + 1) * (1 / (r - 1) - mean)
    return mean
