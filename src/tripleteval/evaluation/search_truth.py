"""What approximate search is measured against: the true neighbours, found by the engine, and what is relevant."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from tripleteval.arrays import Bools, Floats, Ints
from tripleteval.data.comparison import Comparison, Graded, Lists, owners
from tripleteval.data.stored import StoredVectors
from tripleteval.distance.formula import Distance
from tripleteval.engine import maps
from tripleteval.engine.plan import Costs
from tripleteval.engine.run import Pass, choose_kernel
from tripleteval.evaluation.means import Means
from tripleteval.evidence.neighbors import Neighbors
from tripleteval.journal.page import Pages
from tripleteval.search.contract import NOBODY, Found

Progress = Callable[[int, int], None]
_QUERIES_AT_ONCE = 512


@dataclass(frozen=True)
class Truth:
    """The certified k nearest of each query, itself left out.

    Attributes:
        found: By (squared, row), exact in float64.
        valid: (queries,) how many rows could be found, |V|.
        tied: (queries,) whether the next item is exactly as far as the last of the list.
    """

    found: Found
    valid: Ints
    tied: Bools

    def take(self, rows: Ints) -> Truth:
        """Return the truth about some of the queries."""
        return Truth(self.found.take(rows), self.valid[rows], self.tied[rows])


class Relevance(NamedTuple):
    """What is relevant among the neighbours of each query.

    Attributes:
        gains: (queries, k) float64, the grade of each neighbour, 0 for irrelevant and for nobody.
        relevant: (queries,) int64, how many items are relevant to each query, R.
        grades: The grade of everything relevant, query after query; ``None`` where all are 1.
    """

    gains: Floats
    relevant: Ints
    grades: Floats | None

    def blocks(self) -> Iterator[tuple[slice, Relevance]]:
        """Yield a block of queries after another, and what is known about it."""
        ends = np.concatenate([[0], np.cumsum(self.relevant)])
        for start in range(0, len(self.relevant), _QUERIES_AT_ONCE):
            some = slice(start, min(start + _QUERIES_AT_ONCE, len(self.relevant)))
            grades = None if self.grades is None else self.grades[ends[some.start] : ends[some.stop]]
            yield some, Relevance(self.gains[some], self.relevant[some], grades)


def true_neighbors(
    comparison: Comparison,
    distance: Distance,
    k: int,
    *,
    threads: int,
    mapping: maps.Map | None = None,
    progress: Progress | None,
) -> Truth:
    """Return the k nearest of every query, by the engine.

    Args:
        comparison: Who is searched by whom; its rule of relevance plays no part.
        distance: How.
        k: How many.
        threads: Worker threads.
        mapping: Where orders run instead.
        progress: Called with queries done and queries in all.
    """
    queries, gallery = len(comparison.queries), len(comparison.gallery)
    nobody = Graded(Lists(np.zeros(queries + 1, np.int64), np.zeros(0, np.int64)), np.zeros(0))
    nothing = np.zeros(0)
    kernel = choose_kernel("auto", queries * gallery)
    workers = threads if mapping is None else getattr(mapping, "workers", 1)
    mapping = mapping or maps.threads(threads)
    listing = replace(comparison, rule=nobody)
    # Nothing but lists is kept, which fit any memory; only whether the gallery is in it decides about the cut.
    stored = int(isinstance(comparison.gallery.vectors, StoredVectors))
    costs = Costs(0, 0, 0, 0, fixed=0, held=stored)
    orders, hold = Means(kernel, mapping, workers, 0, Pages()).cut(listing, costs, along=True)
    engine = Pass(listing, distance, nothing, nothing, k + 1, kernel, hold=hold)
    parts: list[Neighbors] = []
    for order, evidence in zip(orders, mapping(engine.measure, orders), strict=True):
        found = evidence.neighbors
        parts.append(found if order.first == 0 else parts.pop().merge(found))
        if progress is not None and order.last == gallery:
            progress(order.stop, queries)
    rows = np.concatenate([part.rows for part in parts])
    squared = np.concatenate([part.squared for part in parts])
    tied = (rows[:, k] != NOBODY) & (squared[:, k] == squared[:, k - 1])
    return Truth(Found(rows[:, :k], squared[:, :k]), gallery - (comparison.own_row >= 0), tied)


def judge(comparison: Comparison, rows: Ints) -> Relevance:
    """Return which of the given neighbours of every query are relevant.

    Args:
        comparison: Whose rule holds; rows it removes are not relevant.
        rows: (queries, k) gallery rows.
    """
    gains, everything, counts = np.zeros(rows.shape), [], []
    for start in range(0, len(rows), _QUERIES_AT_ONCE):
        stop = min(start + _QUERIES_AT_ONCE, len(rows))
        lists, grades = comparison.positives(start, stop, comparison.removed(start, stop))
        gains[start:stop] = _looked_up(lists, grades, rows[start:stop], len(comparison.gallery))
        counts.append(np.diff(lists.indptr))
        if isinstance(comparison.rule, Graded):
            everything.append(grades)
    return Relevance(gains, np.concatenate(counts), np.concatenate(everything) if everything else None)


def _looked_up(lists: Lists, grades: Floats, rows: Ints, gallery: int) -> Floats:
    """Return the grade of each row in its query's list, 0 where it is not listed."""
    if not len(lists.rows):
        return np.zeros(rows.shape)
    known = owners(lists) * gallery + lists.rows
    asked = np.arange(len(rows))[:, None] * gallery + rows
    place = np.minimum(np.searchsorted(known, asked), len(known) - 1)
    return np.where((rows != NOBODY) & (known[place] == asked), grades[place], 0.0)
