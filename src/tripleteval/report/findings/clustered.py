"""How sure a mean over queries is when queries come class by class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tripleteval.arrays import Bools, Floats, Ints

if TYPE_CHECKING:
    import pyarrow as pa

_TWO_SIDED = 1.96  # 95 %


def classes_of(table: pa.Table, kept: Bools) -> Ints | None:
    """Return the class of each kept query as a number; ``None`` with fewer than two, or several per query."""
    import pyarrow as pa

    if "label" not in table.column_names or pa.types.is_nested(table["label"].type):
        return None
    codes = table["label"].combine_chunks().dictionary_encode().indices.to_numpy().astype(np.int64)[kept]
    return codes if len(np.unique(codes)) > 1 else None


def half_interval(values: Floats, classes: Ints) -> float:
    """Return half of the 95 % interval of a mean, with classes as units: the cluster-robust standard error.

    Args:
        values: (queries,) what is averaged.
        classes: (queries,) class of each, at least two different ones.

    Source:
        Liang & Zeger 1986, for a mean; with the factor G / (G - 1) for G classes.
    """
    sums = np.bincount(classes, weights=values - values.mean())
    number = len(np.unique(classes))
    return float(_TWO_SIDED * np.sqrt(number / (number - 1) * (sums**2).sum()) / len(values))
