"""The nearest of each query, ascending by (squared, row), compiled."""

from __future__ import annotations

import numpy as np

from tripleteval.arrays import Floats, Ints
from tripleteval.engine.compiled import entry, inner


@inner
def insert(near_squared: Floats, near_rows: Ints, q: int, squared: float, row: int) -> None:
    """Put a negative into its place among the nearest, if it has one."""
    k = near_squared.shape[1]
    place = k
    while place > 0 and (
        near_squared[q, place - 1] > squared
        or (near_squared[q, place - 1] == squared and (near_rows[q, place - 1] > row or near_rows[q, place - 1] < 0))
    ):
        place -= 1
    if place == k:
        return
    for i in range(k - 1, place, -1):
        near_squared[q, i] = near_squared[q, i - 1]
        near_rows[q, i] = near_rows[q, i - 1]
    near_squared[q, place] = squared
    near_rows[q, place] = row


@entry
def insert_all(near_squared: Floats, near_rows: Ints, other_squared: Floats, other_rows: Ints) -> None:
    """Put the nearest of others into their places among the nearest of the same queries."""
    queries, k = other_squared.shape
    for q in range(queries):
        for i in range(k):
            if other_rows[q, i] >= 0 and other_squared[q, i] <= near_squared[q, k - 1]:
                insert(near_squared, near_rows, q, other_squared[q, i], other_rows[q, i])


@entry
def lower_bounds(
    seeds: Floats, near: Floats, norms: Floats, scale: float, least: float, nearest: Floats, upper: Floats
) -> None:
    """Lower the bounds of the nearest, and of all k nearest, to what positives and negatives found so far allow.

    Args:
        seeds: (queries, k) bounds of the nearest positives, ascending.
        near: (queries, k) ``squared`` of the nearest negatives, ascending.
        norms: (queries,) what is taken off the latter.
        scale: What they are multiplied by before.
        least: What is added to them.
        nearest: (queries,) bounds of the nearest negative.
        upper: (queries, k) bounds of the k nearest of both.
    """
    queries, k = seeds.shape
    for q in range(queries):
        nearest[q] = min(nearest[q], near[q, 0] * scale + least - norms[q])
        positive = negative = 0
        end = np.inf
        for _ in range(k):
            other = near[q, negative] * scale + least - norms[q]
            end = min(seeds[q, positive], other)
            positive, negative = positive + (seeds[q, positive] <= other), negative + (seeds[q, positive] > other)
        for i in range(k):
            upper[q, i] = min(upper[q, i], end)
