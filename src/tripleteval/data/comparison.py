"""Who asks, who is searched, what counts as found, and what is ignored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from tripleteval.arrays import Bools, Floats, Ints, in_runs
from tripleteval.data.embeddings import Embeddings


class Lists(NamedTuple):
    """One list of gallery rows per query of a block, ascending: ``rows[indptr[i]:indptr[i + 1]]``."""

    indptr: Ints
    rows: Ints


class Rule(Protocol):
    """What counts as relevant: a rule names the relevant gallery rows of a block of queries."""

    def relevant(self, start: int, stop: int) -> tuple[Lists, Floats]:
        """Return the relevant rows of queries ``start:stop`` and the gain of each."""
        ...

    def at_most(self) -> Ints:
        """Return, per query, a number no smaller than that of its relevant rows, without listing them."""
        ...

    def take(self, queries: Ints) -> Rule:
        """Return the rule for some of the queries, in this order."""
        ...


@dataclass(frozen=True)
class SharedClass:
    """Relevant: at least one class in common. ``of_class`` lists the gallery rows of each class."""

    of_query: Lists
    of_class: Lists

    def relevant(self, start: int, stop: int) -> tuple[Lists, Floats]:
        """Return the gallery rows that share a class with each query of the block."""
        lists = _union(cut(self.of_query, start, stop), self.of_class)
        return lists, np.ones(len(lists.rows))

    def at_most(self) -> Ints:
        """Return the summed sizes of each query's classes."""
        sizes = np.concatenate([[0], np.cumsum(np.diff(self.of_class.indptr)[self.of_query.rows])])
        return np.diff(sizes[self.of_query.indptr])

    def take(self, queries: Ints) -> SharedClass:
        """Return the rule for some of the queries, in this order."""
        lists, _ = _take(self.of_query, queries)
        return SharedClass(lists, self.of_class)


@dataclass(frozen=True)
class Graded:
    """Relevant: listed explicitly, with a gain >= 1 each."""

    listed: Lists
    gains: Floats

    def relevant(self, start: int, stop: int) -> tuple[Lists, Floats]:
        """Return the listed rows of the block and their gains."""
        first, last = self.listed.indptr[[start, stop]]
        return cut(self.listed, start, stop), self.gains[first:last]

    def at_most(self) -> Ints:
        """Return how many rows are listed for each query."""
        return np.diff(self.listed.indptr)

    def take(self, queries: Ints) -> Graded:
        """Return the rule for some of the queries, in this order."""
        lists, entries = _take(self.listed, queries)
        return Graded(lists, self.gains[entries])


@dataclass(frozen=True)
class Comparison:
    """Everything the engine must know: two sets, a rule of relevance, and who is not asked about.

    Attributes:
        queries: Who asks.
        gallery: Who is searched; the same object in leave-one-out.
        rule: What counts as relevant.
        own_row: (queries,) int64, the gallery row that is the query itself (removed before ranking),
            -1 where there is none.
        ignored: Rules whose rows are removed before ranks are assigned, beyond the query itself.
        drawn: (queries,) int64, the row of each query in the set it was drawn from; ``None`` where all are there.
    """

    queries: Embeddings
    gallery: Embeddings
    rule: Rule
    own_row: Ints
    ignored: SharedClass | None = None
    drawn: Ints | None = None

    @property
    def query_rows(self) -> Ints:
        """(queries,) the row of each query in the set that was given."""
        return np.arange(len(self.queries)) if self.drawn is None else self.drawn

    def take(self, rows: Ints) -> Comparison:
        """Return the comparison with some of the queries only, in this order; the gallery stays."""
        return Comparison(
            self.queries.take(rows),
            self.gallery,
            self.rule.take(rows),
            self.own_row[rows],
            None if self.ignored is None else self.ignored.take(rows),
            self.query_rows[rows],
        )

    def rules_of(self, rows: Ints) -> Comparison:
        """Return who some of the queries, in this order, are compared with; all vectors stay where they are."""
        ignored = None if self.ignored is None else self.ignored.take(rows)
        return Comparison(self.queries, self.gallery, self.rule.take(rows), self.own_row[rows], ignored)

    @property
    def leave_one_out(self) -> bool:
        """Whether every query is searched among the others."""
        return self.gallery is self.queries

    def removed(self, start: int, stop: int) -> Lists:
        """Return the gallery rows that queries ``start:stop`` must not see: themselves and the ignored."""
        own = self.own_row[start:stop]
        has_own = own >= 0
        itself = Lists(np.concatenate([[0], np.cumsum(has_own)]).astype(np.int64), own[has_own])
        if self.ignored is None:
            return itself
        return _merge(itself, self.ignored.relevant(start, stop)[0])

    def positives(self, start: int, stop: int, removed: Lists) -> tuple[Lists, Floats]:
        """Return the relevant rows that are not ``removed``, and the gain of each."""
        lists, gains = self.rule.relevant(start, stop)
        kept = ~_contained(lists, removed)
        counts = np.bincount(owners(lists)[kept], minlength=stop - start)
        return Lists(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), lists.rows[kept]), gains[kept]


def cut(lists: Lists, start: int, stop: int) -> Lists:
    """Return the lists ``start:stop``."""
    indptr = lists.indptr[start : stop + 1]
    return Lists(indptr - indptr[0], lists.rows[indptr[0] : indptr[-1]])


def _take(lists: Lists, chosen: Ints) -> tuple[Lists, Ints]:
    """Return some of the lists, in this order, and where their entries stood."""
    lengths = np.diff(lists.indptr)[chosen]
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    entries = np.arange(indptr[-1]) + np.repeat(lists.indptr[chosen] - indptr[:-1], lengths)
    return Lists(indptr, lists.rows[entries]), entries


def owners(lists: Lists) -> Ints:
    """Return, for every entry, the number of the list it stands in."""
    return np.repeat(np.arange(len(lists.indptr) - 1), np.diff(lists.indptr))


def rows_by_class(codes: Ints, classes: int, rows: Ints | None = None) -> Lists:
    """Return the rows of each class, ascending; ``rows[i]`` has class ``codes[i]`` (default: row i)."""
    order = np.argsort(codes, kind="stable")
    indptr = np.concatenate([[0], np.cumsum(np.bincount(codes, minlength=classes))]).astype(np.int64)
    return Lists(indptr, order if rows is None else rows[order])


def _union(of_query: Lists, of_class: Lists) -> Lists:
    """Return for each query the sorted union of the rows of its classes."""
    lengths = np.diff(of_class.indptr)[of_query.rows]
    run, within = in_runs(lengths)
    owner, rows = owners(of_query)[run], of_class.rows[of_class.indptr[of_query.rows][run] + within]
    if np.all(np.diff(of_query.indptr) <= 1):  # one class each: already sorted, nothing twice
        return _lists(owner, rows, len(of_query.indptr) - 1)
    return _sorted_unique(owner, rows, len(of_query.indptr) - 1)


def _merge(one: Lists, two: Lists) -> Lists:
    owner = np.concatenate([owners(one), owners(two)])
    return _sorted_unique(owner, np.concatenate([one.rows, two.rows]), len(one.indptr) - 1)


def _sorted_unique(owner: Ints, rows: Ints, queries: int) -> Lists:
    order = np.lexsort((rows, owner))
    owner, rows = owner[order], rows[order]
    fresh = np.ones(len(rows), dtype=bool)
    fresh[1:] = (np.diff(owner) != 0) | (np.diff(rows) != 0)
    return _lists(owner[fresh], rows[fresh], queries)


def _lists(owner: Ints, rows: Ints, queries: int) -> Lists:
    counts = np.bincount(owner, minlength=queries)
    return Lists(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), rows)


def _contained(lists: Lists, others: Lists) -> Bools:
    """Return which entries of ``lists`` also stand in the list of the same query in ``others``."""
    if not len(lists.rows) or not len(others.rows):
        return np.zeros(len(lists.rows), dtype=bool)
    width = int(max(lists.rows.max(), others.rows.max())) + 1
    keys, known = owners(lists) * width + lists.rows, owners(others) * width + others.rows
    place = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    found: Bools = known[place] == keys
    return found
