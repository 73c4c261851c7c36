"""Genuine pairs one by one: they are few, so each of them can be looked at."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tripleteval.arrays import Floats, Ints
from tripleteval.data.comparison import Comparison, owners
from tripleteval.distance.formula import Distance, Prepared, squared_pairs
from tripleteval.engine.pairs import count_squares
from tripleteval.evidence.pairs import Pairs, Ruler

PAIRS_AT_ONCE = 4096
_BLOCK = 512


def distinct(comparison: Comparison, distance: Distance) -> Floats:
    """Return every distinct genuine distance."""
    return np.unique(distance.from_squared(_squares(comparison, distance)))


def evidence(comparison: Comparison, distance: Distance, ruler: Ruler) -> Pairs:
    """Return the evidence of all genuine pairs, each unordered pair once."""
    bins = np.zeros(2 * len(ruler.edges) + 1, np.int64)
    kept, sums = count_squares(_squares(comparison, distance), distance, ruler, bins)
    return replace(Pairs.at(ruler, kept, np.zeros(0)), genuine=bins, sums=(*sums, 0, 0))


def squared_of(comparison: Comparison, distance: Distance, queries: Prepared, of_query: Ints, rows: Ints) -> Floats:
    """Return ``squared`` of each gallery row and its query."""
    found = np.empty(len(rows))
    for begin in range(0, len(rows), PAIRS_AT_ONCE):
        some = slice(begin, begin + PAIRS_AT_ONCE)
        gallery = distance.prepare(comparison.gallery.vectors[rows[some]])
        found[some] = squared_pairs(queries, of_query[some], gallery)
    return found


def _squares(comparison: Comparison, distance: Distance) -> Floats:
    """Return ``squared`` of the genuine pairs, each unordered pair once."""
    found = [np.zeros(0)]
    for start in range(0, len(comparison.queries), _BLOCK):
        stop = min(start + _BLOCK, len(comparison.queries))
        lists, _ = comparison.positives(start, stop, comparison.removed(start, stop))
        of_query = owners(lists)
        new = lists.rows > of_query + start if comparison.leave_one_out else np.ones(len(of_query), dtype=bool)
        queries = distance.prepare(comparison.queries.vectors[start:stop])
        found.append(squared_of(comparison, distance, queries, of_query[new], lists.rows[new]))
    return np.concatenate(found)
