"""Genuine pairs one by one: as long as they are few, each of them is looked at, once for all who ask."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from tripleteval.arrays import Floats, Ints
from tripleteval.data.comparison import Comparison, owners
from tripleteval.distance.formula import Distance, Prepared, squared_pairs
from tripleteval.engine.pairs import count_squares
from tripleteval.evidence.pairs import Pairs, Ruler

MOST_GENUINE = 2**20
_BYTES = 24  # of each
PAIRS_AT_ONCE = 4096
_BLOCK = 512


class Genuine(NamedTuple):
    """The genuine pairs of a comparison, each unordered pair once.

    Attributes:
        queries: (pairs,) int64, rows of the queries.
        rows: (pairs,) int64, rows of the gallery.
        squared: (pairs,) float64, as in `Distance`.
    """

    queries: Ints
    rows: Ints
    squared: Floats


def most_genuine(comparison: Comparison) -> int:
    """Return a number of genuine pairs that there are no more of."""
    at_most = int(comparison.rule.at_most().sum())
    return at_most // 2 if comparison.leave_one_out else at_most


def few(comparison: Comparison) -> bool:
    """Return whether genuine pairs are few enough to be listed."""
    return most_genuine(comparison) <= MOST_GENUINE


def bytes_listed(comparison: Comparison) -> int:
    """Return what `listed` takes at most."""
    return _BYTES * most_genuine(comparison) if few(comparison) else 0


def listed(comparison: Comparison, distance: Distance) -> Genuine | None:
    """Return the genuine pairs of a comparison; ``None`` where they are too many."""
    if not few(comparison):
        return None
    none = np.zeros(0, np.int64)
    found = [Genuine(none, none, np.zeros(0))]
    for start in range(0, len(comparison.queries), _BLOCK):
        stop = min(start + _BLOCK, len(comparison.queries))
        lists, _ = comparison.positives(start, stop, comparison.removed(start, stop))
        of_query = owners(lists)
        new = lists.rows > of_query + start if comparison.leave_one_out else np.ones(len(of_query), dtype=bool)
        of_query, rows = of_query[new], lists.rows[new]
        queries = distance.prepare(comparison.queries.vectors[start:stop])
        found.append(Genuine(of_query + start, rows, squared_of(comparison, distance, queries, of_query, rows)))
    return Genuine(*map(np.concatenate, zip(*found, strict=True)))


def evidence(genuine: Genuine, distance: Distance, ruler: Ruler) -> Pairs:
    """Return the evidence of genuine pairs."""
    bins = np.zeros(2 * len(ruler.edges) + 1, np.int64)
    kept, sums = count_squares(genuine.squared, distance, ruler, bins)
    return replace(Pairs.at(ruler, kept, np.zeros(0)), genuine=bins, sums=(*sums, 0, 0))


def squared_of(comparison: Comparison, distance: Distance, queries: Prepared, of_query: Ints, rows: Ints) -> Floats:
    """Return ``squared`` of each gallery row and its query."""
    found = np.empty(len(rows))
    for begin in range(0, len(rows), PAIRS_AT_ONCE):
        some = slice(begin, begin + PAIRS_AT_ONCE)
        gallery = distance.prepare(comparison.gallery.vectors[rows[some]])
        found[some] = squared_pairs(queries, of_query[some], gallery)
    return found
