"""Rates per class that few queries do not make extreme, and how the worst tenth of the classes fares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tripleteval.arrays import Floats, Ints
from tripleteval.evaluation.summary import Measured
from tripleteval.uncertainty.classes import shrunken, worst_tenth
from tripleteval.uncertainty.sums import Units

SHRUNKEN = ("hit_rate@1", "map@r")


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
    """Return the entries with ``worst_tenth``: the mean shrunken rate of the lowest tenth of the classes."""
    added = {name: {"worst_tenth": worst_tenth(of_class)} for name, of_class in rates.items()}
    return {name: entry | added.get(name, {}) for name, entry in entries.items()}
