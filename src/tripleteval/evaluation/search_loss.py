"""What an index costs the task: metric(true lists) − metric(found lists), on the same queries, class by class."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from tripleteval.arrays import Floats, Ints
from tripleteval.evaluation.summary import class_means
from tripleteval.metrics import Column
from tripleteval.search.contract import NOBODY, Found

REPLICATES, SEED, FEWEST, FEW = 2000, 0, 5, 20


def losses(true: Mapping[str, Column], found: Mapping[str, Floats], units: Ints) -> dict[str, dict[str, Any]]:
    """Return for each metric its value on the index's lists, on the true ones, and the loss with its interval.

    Args:
        true: Columns over the true lists.
        found: (queries,) values over the lists that were found.
        units: (queries,) the unit of inference of each query: its class.
    """
    return {name: _loss(column.values(), found[name], units) for name, column in true.items()}


def class_loss(true: Floats, found: Floats, codes: Ints, classes: int) -> Floats:
    """Return (classes,) the mean loss over the queries of each class, NaN where there is none."""
    return class_means(true - found, codes, classes)


def unreached(true: Found, found: Found, gallery: int) -> Ints:
    """Return (n,) in how many true lists each gallery row stands, for rows that stand in no list found; else 0."""
    wanted, reached = (np.bincount(each.rows[each.rows != NOBODY], minlength=gallery) for each in (true, found))
    return np.where(reached == 0, wanted, 0)


def _loss(true: Floats, found: Floats, units: Ints) -> dict[str, Any]:
    defined = ~np.isnan(true)
    if not defined.any():
        return {"value": None, "exact": None, "loss": None, "reason": "no query has anything relevant to find"}
    true, found, units = true[defined], found[defined], units[defined]
    low, high = interval(true - found, units)
    means = [math.fsum(each.tolist()) / len(each) for each in (found, true)]
    return {
        "value": means[0],
        "exact": means[1],
        "loss": means[1] - means[0],
        "low": low,
        "high": high,
        "classes": len(np.unique(units)),
        "n": len(true),
    }


def interval(differences: Floats, units: Ints) -> tuple[float | None, float | None]:
    """Return the 95 % interval of a mean of paired differences, resampling whole units; none below 5 units."""
    codes = np.unique(units, return_inverse=True)[1]
    counts = np.bincount(codes)
    sums = np.bincount(codes, weights=differences)
    if len(counts) < FEWEST:
        return None, None
    rng = np.random.default_rng(SEED)
    drawn = rng.multinomial(len(counts), np.full(len(counts), 1 / len(counts)), REPLICATES)
    low, high = np.percentile((drawn @ sums) / (drawn @ counts), [2.5, 97.5])
    return float(low), float(high)
