"""Rates per class that few queries do not make extreme, and how the worst tenth of the classes fares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tripleteval.arrays import Floats, Ints
from tripleteval.evaluation.summary import Measured
from tripleteval.uncertainty.classes import FEWEST_PER_CLASS, shrunken, worst_tenth
from tripleteval.uncertainty.sums import Units

SHRUNKEN = ("hit_rate@1", "map@r")
TOO_FEW = f"fewer than {FEWEST_PER_CLASS} queries per class on average: how a class fares is mostly luck"


def shrunken_rates(measured: Sequence[Measured], codes: Ints) -> dict[str, Floats]:
    """Return, for the metrics that classes are judged by, (classes present,) rates drawn towards the mean of all."""
    units = Units(codes)
    found = {}
    for each in measured:
        if each.named.spelling in SHRUNKEN:
            values = each.column.values()
            scores, defined = np.nan_to_num(values), (~np.isnan(values)).astype(np.int64)
            found[each.named.spelling] = shrunken(units.sum(scores), units.sum(scores * scores), units.sum(defined))
    return found


def with_worst_tenth(entries: dict[str, dict[str, Any]], rates: dict[str, Floats]) -> dict[str, dict[str, Any]]:
    """Return the entries with ``worst_tenth``: the mean shrunken rate of the lowest tenth of the classes.

    Where too few queries per class leave none, ``worst_tenth_reason`` says so.
    """
    return {name: entry | (_worst(entry, rates[name]) if name in rates else {}) for name, entry in entries.items()}


def _worst(entry: dict[str, Any], rates: Floats) -> dict[str, Any]:
    worst = worst_tenth(rates)
    known = worst is not None or entry["value"] is None  # else the entry has a reason of its own
    return {"worst_tenth": worst} | ({} if known else {"worst_tenth_reason": TOO_FEW})
