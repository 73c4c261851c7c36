"""The nearest of each query, ascending by (squared, row), compiled."""

from __future__ import annotations

import numba

from tripleteval.arrays import Floats, Ints

_compiled = numba.njit(nogil=True, cache=True, error_model="numpy")


@_compiled
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


@_compiled
def insert_all(near_squared: Floats, near_rows: Ints, other_squared: Floats, other_rows: Ints) -> None:
    """Put the nearest of others into their places among the nearest of the same queries."""
    queries, k = other_squared.shape
    for q in range(queries):
        for i in range(k):
            if other_rows[q, i] >= 0 and other_squared[q, i] <= near_squared[q, k - 1]:
                insert(near_squared, near_rows, q, other_squared[q, i], other_rows[q, i])
