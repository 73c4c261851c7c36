"""What an index costs the task: metric(true lists) − metric(found lists), on the same queries, class by class."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from tripleteval.arrays import Floats, Ints
from tripleteval.bounds import SHARE
from tripleteval.evaluation.summary import class_means
from tripleteval.metrics import Column
from tripleteval.search.contract import NOBODY, Found
from tripleteval.uncertainty.interval import Interval
from tripleteval.uncertainty.paired import paired_intervals
from tripleteval.uncertainty.sums import Sums, Units


def losses(
    true: Mapping[str, Column], found: Mapping[str, Floats], units: Units, confidence: float
) -> dict[str, dict[str, Any]]:
    """Return for each metric its value on the index's lists, on the true ones, and the loss with its interval.

    The interval resamples whole classes, the same for both lists: see `uncertainty.paired`.

    Args:
        true: Columns over the true lists.
        found: (queries,) values over the lists that were found.
        units: The unit of inference of each query: its class.
        confidence: Of the intervals.
    """
    values = {name: column.values() for name, column in true.items()}
    known = {name: each for name, each in values.items() if not np.isnan(each).all()}
    pairs = [(_sums(found[name], each, units), _sums(each, each, units)) for name, each in known.items()]
    drawn = paired_intervals(pairs, confidence=confidence, seed=0, noun=units.noun)
    ends = dict(zip(known, drawn, strict=True))
    return {name: _loss(each, found[name], ends.get(name)) for name, each in values.items()}


def class_loss(true: Floats, found: Floats, codes: Ints, classes: int) -> Floats:
    """Return (classes,) the mean loss over the queries of each class, NaN where there is none."""
    return class_means(true - found, codes, classes)


def unreached(true: Found, found: Found, gallery: int) -> Ints:
    """Return (n,) in how many true lists each gallery row stands, for rows that stand in no list found; else 0."""
    wanted, reached = (np.bincount(each.rows[each.rows != NOBODY], minlength=gallery) for each in (true, found))
    return np.where(reached == 0, wanted, 0)


def _sums(values: Floats, true: Floats, units: Units) -> Sums:
    """Return the sums per class over the queries whose true value is defined."""
    defined = ~np.isnan(true)
    return Sums(units.sum(np.where(defined, values, 0.0)), units.sum(defined), SHARE)  # whatever a list can tell is one


def _loss(true: Floats, found: Floats, interval: Interval | None) -> dict[str, Any]:
    if interval is None:
        reason = "no query has anything relevant to find"
        return {"value": None, "exact": None, "loss": None, "low": None, "high": None, "reason": reason}
    defined = ~np.isnan(true)
    value, exact = (math.fsum(each[defined].tolist()) / int(defined.sum()) for each in (found, true))
    ends = {"low": interval.low, "high": interval.high, "interval": interval.method, "units": interval.units}
    said = {"interval_reason": interval.reason} if interval.reason else {}
    return {"value": value, "exact": exact, "loss": exact - value, **ends, "n": int(defined.sum()), **said}
