"""Read every vector once: its share of the moments, in blocks of fixed size, exactly."""

from __future__ import annotations

import math
from functools import partial, reduce

import numpy as np

from tripleteval.arrays import AnyArray
from tripleteval.data.facts import extremes
from tripleteval.engine.maps import Map
from tripleteval.errors import ResourceError
from tripleteval.evidence.vectors import ROWS, Vectors

_PER_ENTRY = 80  # bytes per entry of a dim × dim matrix: two sums kept, and those of the block in flight


def moments(vectors: AnyArray, *, mapping: Map, workers: int, memory: int) -> Vectors:
    """Return the moments of all rows; the same bits for any map, number of workers and memory.

    Raises:
        ResourceError: The second moments of so many dimensions do not fit (E802).
    """
    workers = min(workers, memory // require_room(vectors.shape[1], memory))
    # Whole blocks per stretch, so that one worker more does not mean one small block more.
    rows = ROWS * max(1, math.ceil(len(vectors) / (ROWS * workers)))
    stretches = [(start, min(start + rows, len(vectors))) for start in range(0, len(vectors), rows)]
    parts = mapping(partial(_stretch, vectors, magnitude(vectors)), stretches)
    return reduce(Vectors.merge, parts)


def require_room(dim: int, memory: int, standing: int = 0) -> int:
    """Return how many bytes a worker needs for the moments of ``dim`` dimensions; ``standing`` are taken already.

    Raises:
        ResourceError: ``memory`` is less (E802).
    """
    needed = _PER_ENTRY * dim * dim + 48 * ROWS * dim
    if needed > memory:
        raise ResourceError(
            "E802",
            f"a memory budget of {(memory + standing) / 2**20:.0f} MiB for the second moments of {dim:,} dimensions",
            fix=f"give memory= (--memory) {(needed + standing) / 2**20 + 1:.0f}MiB or more",
        )
    return needed


def magnitude(vectors: AnyArray) -> int:
    """Return the least exponent with every coordinate below ``2**exponent`` in magnitude."""
    return math.frexp(float(np.abs(extremes(vectors)).max()))[1]


def _stretch(vectors: AnyArray, exponent: int, stretch: tuple[int, int]) -> Vectors:
    start, stop = stretch
    blocks = (vectors[first : min(first + ROWS, stop)] for first in range(start, stop, ROWS))
    return reduce(Vectors.merge, (Vectors.of(rows, exponent) for rows in blocks))
