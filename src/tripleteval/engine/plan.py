"""Memory into orders: how much one worker may hold decides how the comparison is cut."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from tripleteval.arrays import Ints
from tripleteval.data.comparison import Comparison
from tripleteval.errors import ParameterError, ResourceError

MOST_QUERIES = 512
_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}


class Order(NamedTuple):
    """One piece of work: queries ``start:stop`` against gallery rows ``first:last``."""

    start: int
    stop: int
    first: int
    last: int


def parse_memory(text: str | int) -> int:
    """Return a number of bytes from ``1073741824``, ``"512MiB"``, ``"1GiB"`` or ``"2 GB"``.

    Raises:
        ParameterError: It is not a positive amount of memory (E101).
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?\s*", str(text), re.IGNORECASE)
    amount = int(float(match[1]) * _UNITS[match[2].lower()]) if match else 0
    if amount <= 0:
        raise ParameterError("E101", f"memory {text!r}", fix="give an amount such as 512MiB or 2GiB")
    return amount


def plan(
    comparison: Comparison, *, memory: int, workers: int, bytes_per_positive: int, bytes_per_query: int, fixed: int
) -> list[Order]:
    """Cut the comparison into orders that each fit a worker's share of ``memory``.

    Args:
        comparison: What is compared.
        memory: Bytes that may be used beyond the input.
        workers: How many orders are in flight at once.
        bytes_per_positive: What one positive of a query in flight costs.
        bytes_per_query: What one query in flight costs.
        fixed: What a worker needs whatever it does.

    Raises:
        ResourceError: Not even one query at a time fits (E802); the message says what would.
    """
    kept = len(comparison.queries) * bytes_per_query  # results of every query, held to the end
    share = (memory - kept) // workers - fixed
    cost = comparison.rule.at_most() * bytes_per_positive + bytes_per_query
    if share < cost.max():
        needed = kept + workers * (fixed + int(cost.max()))
        raise ResourceError(
            "E802",
            f"a memory budget of {memory / 2**20:.0f} MiB for {len(cost):,} queries and {workers} workers",
            fix=f"at least --memory {needed / 2**20 + 1:.0f}MiB is needed, or fewer --threads",
        )
    return [Order(a, b, 0, len(comparison.gallery)) for a, b in _blocks(cost, share)]


def _blocks(cost: Ints, share: int) -> list[tuple[int, int]]:
    """Cut queries into runs of at most ``MOST_QUERIES`` whose summed cost stays within ``share``."""
    total = np.concatenate([[0], np.cumsum(cost)])
    blocks, start = [], 0
    while start < len(cost):
        fits = int(np.searchsorted(total, total[start] + share, side="right")) - 1
        stop = min(max(fits, start + 1), start + MOST_QUERIES)
        blocks.append((start, stop))
        start = stop
    return blocks
