"""How sure a mean over queries is when queries come class by class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tripleteval.arrays import Bools, Floats, Ints
from tripleteval.uncertainty.interval import FEWEST
from tripleteval.uncertainty.quantiles import half_width

if TYPE_CHECKING:
    import pyarrow as pa

_CONFIDENCE, _ROUNDING = 0.95, 1e-12


def classes_of(table: pa.Table, kept: Bools) -> Ints | None:
    """Return the class of each kept query as a number; ``None`` with too few for an interval, or several per query."""
    import pyarrow as pa

    if "label" not in table.column_names or pa.types.is_nested(table["label"].type):
        return None
    codes = table["label"].combine_chunks().dictionary_encode().indices.to_numpy().astype(np.int64)[kept]
    return codes if len(np.unique(codes)) >= FEWEST else None


def ends(values: Floats, classes: Ints) -> tuple[float | None, float | None]:
    """Return the 95 % interval of a mean of shares, with classes as units: t, of the cluster-robust standard error.

    Too few classes give none, as for every other number of a run. Nor do shares that are all 0, or all 1: they have
    no variance, and beside a neighbour that has a little, the rule of three would tear the curve.

    Args:
        values: (queries,) what is averaged, in [0, 1].
        classes: (queries,) class of each.

    Source:
        Liang & Zeger 1986, for a mean; with the factor G / (G - 1) for G classes.
    """
    number, mean = len(np.unique(classes)), float(values.mean())
    if number < FEWEST or np.abs(values - round(mean)).max() <= _ROUNDING:
        return None, None
    sums = np.bincount(classes, weights=values - mean)
    error = float(np.sqrt(number / (number - 1) * (sums**2).sum()) / len(values))
    half = half_width(error, number, _CONFIDENCE)
    return max(0.0, mean - half), min(1.0, mean + half)
