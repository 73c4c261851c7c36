"""How sure the rate of a fixed threshold is: Wilson, with as many trials as the identities are worth."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tripleteval.arrays import Ints
from tripleteval.uncertainty.interval import FEWEST, Interval, none_of
from tripleteval.uncertainty.proportion import all_or_none, share_interval


def rate_interval(wrong: Ints, pairs: Ints, sides: int, confidence: float) -> dict[str, Any]:
    """Return the interval of a rate of pairs from sums per class: Wilson, with as many trials as classes are worth.

    Where nothing (or everything) went wrong, the spread of the classes says nothing: there the bound is 3 over
    the number of classes, or of disjoint pairs of classes.

    Args:
        wrong: (C,) pairs decided wrongly with a side in each class.
        pairs: (C,) pairs with a side in each class.
        sides: How many classes a pair counts for: 2 for impostors, 1 for genuine pairs.
        confidence: In (0, 1).

    Source:
        Spec F.4; Fogliato, Patil & Perona 2024 for the effective number; Hanley & Lippman-Hand 1983.
    """
    there = pairs > 0
    wrong, pairs = wrong[there], pairs[there]
    classes, total = len(pairs), float(pairs.sum())
    rate = float(wrong.sum()) / total
    if rate in (0.0, 1.0):
        ends = all_or_none(rate, max(classes // sides, 1), confidence)
        return Interval(*ends, "rule of three", classes).entry()
    if classes < FEWEST:
        return none_of(classes, "class").entry()
    error = standard_error(wrong, pairs, sides)
    return Interval(*share_interval(rate, error, classes, confidence), "Wilson, effective n", classes).entry()


def standard_error(wrong: Ints, pairs: Ints, sides: int) -> float:
    """Return the linearised standard error of Σ wrong / Σ pairs, as `rate_interval` takes it."""
    classes, total = len(pairs), float(pairs.sum())
    # A pair stands in the sums of each of its classes, so the total over classes is ``sides`` times too large.
    psi = sides * (wrong - float(wrong.sum()) / total * pairs) / total
    return math.sqrt(classes / (classes - 1) * math.fsum(np.square(psi).tolist()))
