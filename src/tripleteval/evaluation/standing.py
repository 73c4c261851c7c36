"""How much of the memory budget is left for passes once sets on disk have their labels in memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from tripleteval.data.comparison import Comparison, Lists, SharedClass
from tripleteval.data.embeddings import Embeddings
from tripleteval.data.stored import StoredVectors
from tripleteval.errors import ResourceError

_PER_CLASS = 100  # bytes of a Python object, its place in a tuple and in a table


def taken_by(comparison: Comparison) -> int:
    """Return how many bytes of the budget stand in memory throughout.

    Where vectors stay on disk the budget is for everything. A set that was given in memory is the caller's, and costs
    nothing here.
    """
    sides = [comparison.queries] + ([] if comparison.leave_one_out else [comparison.gallery])
    if not any(isinstance(side.vectors, StoredVectors) for side in sides):
        return 0
    return sum(map(held, sides)) + _bytes(comparison.own_row) + sum(map(_rule, _rules(comparison)))


def left(memory: int, standing: int, gallery: Embeddings) -> int:
    """Return what passes may use beside what stands in memory throughout.

    Raises:
        ResourceError: Nothing is left (E802).
    """
    if standing >= memory:
        raise ResourceError(
            "E802",
            f"a memory budget of {_size(memory)}, where labels and ids of {len(gallery):,} rows take {_size(standing)}",
            where=gallery.name,
            fix=f"give more with memory= (--memory), such as {1.5 * standing / 2**20 + 64:.0f}MiB",
        )
    return memory - standing


def held(side: Embeddings) -> int:
    """Return how many bytes the labels, ids and groups of a set take."""
    columns = [column for column in (side.labels, side.ids, side.groups) if column is not None]
    return sum(_bytes(column.codes) + _PER_CLASS * len(column.classes) for column in columns)


def _size(count: float) -> str:
    return f"{count / 2**20:,.0f} MiB" if count >= 2**20 else f"{count:,.0f} bytes"


def _rules(comparison: Comparison) -> list[Any]:
    return [rule for rule in (comparison.rule, comparison.ignored) if isinstance(rule, SharedClass)]


def _rule(rule: SharedClass) -> int:
    lists: tuple[Lists, ...] = (rule.of_query, rule.of_class)
    return sum(_bytes(array) for both in lists for array in both)


def _bytes(array: Any) -> int:
    return int(np.asarray(array).nbytes)
