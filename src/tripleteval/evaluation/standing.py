"""What an evaluation needs of the memory budget, and what of it sets on disk take with their labels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from tripleteval.data.comparison import Comparison, Lists, SharedClass
from tripleteval.data.embeddings import Embeddings
from tripleteval.data.stored import StoredVectors
from tripleteval.errors import ResourceError

_PER_CLASS = 100  # bytes of a Python object, its place in a tuple and in a table


class Need(NamedTuple):
    """What something needs of the memory budget, beside what stands there throughout.

    Attributes:
        least: Bytes.
        what: Who needs them.
        fewer_threads: Whether fewer threads need less.
    """

    least: int
    what: str
    fewer_threads: bool = False


def taken_by(comparison: Comparison) -> int:
    """Return how many bytes of the budget stand in memory throughout.

    Where vectors stay on disk the budget is for everything. A set that was given in memory is the caller's, and costs
    nothing here.
    """
    sides = [comparison.queries] + ([] if comparison.leave_one_out else [comparison.gallery])
    if not any(isinstance(side.vectors, StoredVectors) for side in sides):
        return 0
    return sum(map(held, sides)) + _bytes(comparison.own_row) + sum(map(_rule, _rules(comparison)))


def require_enough(memory: int, standing: int, gallery: Embeddings, needs: Iterable[Need]) -> None:
    """Refuse a budget that would be too little for anything of an evaluation, and name one that is enough for all.

    Args:
        memory: The budget in bytes.
        standing: As of `taken_by`.
        gallery: Who is searched.
        needs: Of everything that is to run.

    Raises:
        ResourceError: The budget is too little (E802).
    """
    most = max(needs)
    enough = most.least + standing
    if memory >= enough:
        return
    fewer = ", or fewer threads= (--threads)" if most.fewer_threads else ""
    fix = f"give memory= (--memory) {enough / 2**20 + 1:.0f}MiB or more{fewer}"
    if memory > standing:
        raise ResourceError("E802", f"a memory budget of {_size(memory)} for {most.what}", fix=fix)
    raise ResourceError(
        "E802",
        f"a memory budget of {_size(memory)}, where labels and ids of {len(gallery):,} rows take {_size(standing)}",
        where=gallery.name,
        fix=fix,
    )


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
