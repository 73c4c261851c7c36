"""Where distances enter sums in steps so coarse that float32 can tell almost all of them apart (decision 014)."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from tripleteval.arrays import Floats, Ints
from tripleteval.data.comparison import Comparison
from tripleteval.distance.formula import Distance, squared_block

FROM_PAIRS = 2**25  # each of those among each other twice
_BITS = 12  # of a typical distance
_SPREAD = 2.0**-7  # of a typical distance, at least, between the twentieth part that are nearest and farthest
_LEAST_DROPPED = 11  # bits, so that the boundaries of fine steps are near those of coarse ones
_COMPARED = 64  # rows


def rounded(distance: Distance, comparison: Comparison, pairs: int | None = None) -> Distance:
    """Return a distance whose sums are of coarse steps, where a sum has many distances that are hardly ever the same.

    Then what rounding does to one, it undoes to another. A sample of evenly spaced rows tells how long distances
    are, how far spread, and whether they repeat; the choice depends on the comparison alone.

    Args:
        distance: How rows are compared.
        comparison: Who is compared with whom.
        pairs: How many pairs, where the comparison is a part of another.
    """
    if (pairs or len(comparison.queries) * len(comparison.gallery)) < FROM_PAIRS:
        return distance
    some = sampled(comparison, distance)
    lengths = np.sqrt(some) if distance.rooted else some
    nearest, typical, farthest = np.quantile(lengths, [0.05, 0.5, 0.95]) if len(some) else (0.0, 0.0, 0.0)
    if repeated(some) or farthest - nearest < _SPREAD * typical:
        return distance
    dropped = math.frexp(typical)[1] - _BITS - (math.frexp(distance.fine_step)[1] - 1)
    return replace(distance, dropped_bits=dropped) if dropped >= _LEAST_DROPPED else distance


def sampled(comparison: Comparison, distance: Distance) -> Floats:
    """Return ``squared`` of evenly spaced rows and each other, or of queries and gallery."""
    queries, gallery = comparison.queries.vectors, comparison.gallery.vectors
    asked = distance.prepare(queries[spaced(len(queries), _COMPARED)])
    if comparison.leave_one_out:
        return squared_block(asked, asked)[np.triu_indices(len(asked.far), 1)]
    return squared_block(asked, distance.prepare(gallery[spaced(len(gallery), _COMPARED)])).reshape(-1)


def repeated(squared: Floats) -> bool:
    """Return whether many distances of a sample are the same."""
    return len(np.unique(squared)) <= len(squared) / 2


def spaced(count: int, most: int) -> Ints:
    """Return evenly spaced places, the first and the last among them."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64)) if count else np.zeros(0, np.int64)
