"""Which pairs of some queries and some of the gallery are genuine, and which impostor."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from tripleteval.arrays import Bools, Ints
from tripleteval.data.comparison import Comparison, Lists
from tripleteval.engine.spread import valid

_LISTED_AT_ONCE = 2**18  # positives of some queries, in the whole gallery


class Told(NamedTuple):
    """What is known of the pairs of a few queries.

    Attributes:
        positives: Per query, the gallery rows it forms genuine pairs with.
        genuine: (queries, columns) of the pairs that were asked about.
        impostor: (queries, columns) likewise.
    """

    positives: Lists
    genuine: Bools
    impostor: Bools


def told_apart(comparison: Comparison, rows: Ints, columns: Ints) -> Iterator[Told]:
    """Yield which pairs with gallery rows ``columns`` are of which kind, for one run of queries after the other.

    A run has few enough positives to list them at once.
    """
    full = np.cumsum(comparison.rule.take(rows).at_most()) // _LISTED_AT_ONCE
    for first, last in pairwise([0, *(np.flatnonzero(np.diff(full)) + 1).tolist(), len(rows)]):
        rules = comparison.rules_of(rows[first:last])
        removed = rules.removed(0, last - first)
        positives, _ = rules.positives(0, last - first, removed)
        seen, different = (valid(lists, columns, last - first) for lists in (removed, positives))
        yield Told(positives, seen & ~different, seen & different)
