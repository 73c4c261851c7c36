"""Is the difference of two models chance: whole classes change sides, and what happens is counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tripleteval.arrays import Floats
from tripleteval.uncertainty.stream import Stream
from tripleteval.uncertainty.sums import integers

EXACT, DRAWS = 20, 10_000
_SIGNS_AT_ONCE = 2**20
_ROUNDED = 1e-12  # of all differences: thirds that cancel are as extreme as others that do, whatever their last bits


def sign_flip(differences: Floats, seed: int, purpose: str = "sign flip") -> list[float]:
    """Return the two-sided p of each column of class differences, under flipping the sign of whole classes.

    Args:
        differences: (classes, metrics) float64: per class, the sum of the differences of its queries.
        seed: Of the draws, where there are too many classes to enumerate.
        purpose: What the draws are for.

    Returns:
        One p per metric: over all 2**C patterns if C <= 20, else (1 + #) / (1 + 10,000) over draws. 1.0 for a
        metric whose every difference is 0.

    Source:
        Fisher's randomisation test; Smucker, Allan & Carterette 2007, here with the class as the unit.
    """
    classes = len(differences)
    exact, _ = integers(differences, classes)
    observed = np.abs(exact.sum(axis=0)) - classes - _ROUNDED * np.abs(exact).sum(axis=0)
    as_extreme = np.zeros(differences.shape[1], np.int64)
    patterns = _every_pattern(classes) if classes <= EXACT else _drawn(classes, seed, purpose)
    for signs in patterns:
        as_extreme += (np.abs(signs @ exact) >= observed).sum(axis=0)
    if classes <= EXACT:
        return [count / 2**classes for count in as_extreme.tolist()]
    return [(1 + count) / (1 + DRAWS) for count in as_extreme.tolist()]


def holm(p: Sequence[float]) -> list[float]:
    """Return the p values adjusted for how many there are, so that each may be read as if it were the only one.

    Source:
        Holm 1979.
    """
    order = sorted(range(len(p)), key=lambda place: p[place])
    adjusted, largest = [0.0] * len(p), 0.0
    for rank, place in enumerate(order):
        largest = max(largest, min(1.0, (len(p) - rank) * p[place]))
        adjusted[place] = largest
    return adjusted


def _every_pattern(classes: int) -> Iterator[Floats]:
    step = max(1, _SIGNS_AT_ONCE // max(classes, 1))
    for start in range(0, 2**classes, step):
        patterns = np.arange(start, min(start + step, 2**classes))
        yield ((patterns[:, None] >> np.arange(classes)) & 1).astype(np.float64) * 2 - 1


def _drawn(classes: int, seed: int, purpose: str) -> Iterator[Floats]:
    stream, step = Stream(seed, purpose), max(1, _SIGNS_AT_ONCE // classes)
    for start in range(0, DRAWS, step):
        yield stream.signs(classes, min(step, DRAWS - start))
