"""Per-class rates that few queries do not make extreme, and the worst of them."""

from __future__ import annotations

import math

import numpy as np

from tripleteval.arrays import Floats

FEWEST_PER_CLASS = 2  # queries, on average


def shrunken(sums: Floats, squares: Floats, counts: Floats) -> Floats:
    """Return the mean of each class, drawn towards that of all as far as its few queries warrant.

    p̃ = (sum + κ p̄) / (count + κ) with κ = within-class variance / between-class variance, both by the method
    of moments (one-way analysis of variance). Where classes differ no more than their queries do, every class
    gets the mean of all.

    Where classes have fewer than two queries on average, hardly any of them shows how much its own queries differ:
    nothing tells the luck of a class from what it is, and no class gets a rate.

    Args:
        sums: (classes,) sum of the scores of each class.
        squares: (classes,) sum of their squares.
        counts: (classes,) how many there are; a class without any gets NaN.

    Returns:
        (classes,) float64; all NaN where there are too few.

    Source:
        Kleinman 1973; Efron & Morris 1975.
    """
    there = counts > 0
    if not there.any() or counts[there].mean() < FEWEST_PER_CLASS:
        return np.full(len(counts), np.nan)
    s, q, n = (column[there] for column in (sums, squares, counts))
    total = math.fsum(n.tolist())
    mean = math.fsum(s.tolist()) / total
    kappa = _kappa(s, q, n, total, mean)
    found = np.full(len(counts), np.nan)
    found[there] = mean if math.isinf(kappa) else (s + kappa * mean) / (n + kappa)
    return found


def worst_tenth(rates: Floats) -> float | None:
    """Return the mean of the lowest tenth of the rates (at least one), or ``None`` where none is defined."""
    defined = np.sort(rates[~np.isnan(rates)]).tolist()
    lowest = defined[: math.ceil(len(defined) / 10)]
    return math.fsum(lowest) / len(lowest) if lowest else None


def _kappa(s: Floats, q: Floats, n: Floats, total: float, mean: float) -> float:
    classes = len(n)
    if classes < 2:
        return 0.0  # it is the mean of all
    within = max(math.fsum((q - s * s / n).tolist()), 0.0) / (total - classes)
    between = math.fsum((n * np.square(s / n - mean)).tolist()) / (classes - 1)
    size = (total - math.fsum((n * n).tolist()) / total) / (classes - 1)
    spread = (between - within) / size
    return within / spread if spread > 0 else math.inf
