"""The ruler of a pass over pairs: every genuine distance is an edge, and impostors are told apart where it counts.

1. Where genuine pairs are few enough to be listed, each of their distances is an edge. What is accepted at any
   threshold is then known exactly, and so are AUC, EER and TAR, whatever lies between the edges.
2. Beyond, edges are quantiles of a sample; `narrowed` gives the ruler of a second pass, over what matters.
3. Impostors are kept one by one where all of them fit. Otherwise the lowest are, and those around the
   thresholds that a sample predicts; the sample decides what is kept, and never what is counted.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from tripleteval.arrays import Bools, Floats, Ints, row_blocks
from tripleteval.data.comparison import Comparison
from tripleteval.distance.formula import FAR_SQUARED, Distance, Prepared
from tripleteval.engine.genuine import PAIRS_AT_ONCE, Genuine, few, most_genuine, squared_of
from tripleteval.engine.rounding import repeated, sampled, spaced
from tripleteval.engine.spread import squared_kernel
from tripleteval.engine.told_apart import told_apart
from tripleteval.evidence.pairs import Ruler

CAPACITY = 2**17
QUANTILES = 2**12  # of the sampled impostors
GENUINE_QUANTILES = 2**16  # of the sampled genuine pairs, where there are too many to list
# Sums of distances are counted in steps, so many of which reach the longest one: see decision 021.
_STEP_BITS, _FINE_STEP_BITS, _FEW_ROWS = 34, 50, 2**11
COARSE_PAIRS = 2**27  # from which on steps are coarse enough for float32 to tell almost all of them apart
_COARSE_STEP_BITS, _MOST_COARSE_DIM = 11, 512  # of more coordinates, float32 tells too little
_CELLS, _SMALLEST = 256, 5e-324
_SHARES = 0.05, 0.5, 0.95  # of the quantiles that are measured
_SURE, _EVERY, _LOWEST = 0.006, 4, 0.01  # how well a sample knows a share; of its quantiles; and few pairs are nearer
_ASKED, _SEARCHED = 512, 2048  # rows of the sample
_DEVIATIONS = 12  # the sampled rows share queries, so a rank is far less sure than it would be of single pairs


def ruler_for(
    comparison: Comparison,
    distance: Distance,
    genuine: Genuine | None,
    fars: Sequence[float],
    kernel: str = "reference",
) -> Ruler:
    """Return the ruler of the first pass over a comparison.

    Args:
        comparison: Who is compared with whom.
        distance: How.
        genuine: The genuine pairs; ``None`` where they are too many to be listed.
        fars: False accept rates whose thresholds will be asked for.
        kernel: ``"cpu"`` is compiled; the ruler does not depend on it.
    """
    grid = _grid(comparison, distance)
    pairs = _pairs(comparison)
    everything = pairs <= CAPACITY
    if everything:
        edges, marks = grid, None
    else:
        same, impostor = _sample(comparison, distance, kernel)
        marks = _Marks(impostor, pairs, fars)
        known = _quantiles(same, GENUINE_QUANTILES) if genuine is None else distance.from_squared(genuine.squared)
        coarse = fitted(distance, grid, comparison)
        apart = coarse.step * coarse.factor if coarse.step_bits == _COARSE_STEP_BITS else 0.0
        edges = np.unique(np.concatenate([grid, known, marks.edges(apart)]))
    kept = np.full(len(edges) + 1, everything)
    if marks is not None and genuine is not None:
        kept = marks.kept(edges)
    return Ruler(edges, kept, CAPACITY, grid)


def fitted(distance: Distance, grid: Floats, comparison: Comparison, *, finely: bool = False) -> Distance:
    """Return a distance whose steps are fitted to the longest one and to the number of pairs.

    Args:
        distance: How rows are compared.
        grid: Of the ruler of all pairs: it ends beyond every distance.
        comparison: Who is compared with whom.
        finely: Whether coarse steps are too coarse for the spread of the distances.
    """
    longest = math.frexp(float(grid[-1]) / distance.factor)[1]
    few = max(len(comparison.queries), len(comparison.gallery)) < _FEW_ROWS
    bits = _FINE_STEP_BITS if few else _STEP_BITS
    if not finely and coarsely(comparison, distance):
        bits = _COARSE_STEP_BITS
    span = min(math.ldexp(1.0, longest), distance.span)
    return replace(distance, span=span, step_bits=bits, dropped_bits=0)


def coarsely(comparison: Comparison, distance: Distance) -> bool:
    """Return whether distances enter sums in coarse steps.

    Those of many items among each other do, if their classes are small and hardly two distances are the same: then
    what rounding does to one, it undoes to another.
    """
    if not comparison.leave_one_out or comparison.queries.dim > _MOST_COARSE_DIM or _pairs(comparison) < COARSE_PAIRS:
        return False
    return few(comparison) and not repeated(sampled(comparison, distance))


def _pairs(comparison: Comparison) -> int:
    """Return how many pairs there are, those that are removed or ignored included."""
    return len(comparison.queries) * len(comparison.gallery) // (2 if comparison.leave_one_out else 1)


def most_edges(comparison: Comparison, fars: Sequence[float]) -> int:
    """Return a number that the edges of the first ruler stay below, before any distance is known.

    Args:
        comparison: Who is compared with whom.
        fars: As for `ruler_for`.
    """
    genuine = most_genuine(comparison) if few(comparison) else GENUINE_QUANTILES
    return 2 * _CELLS + QUANTILES + 2 * len(fars) + 4 + genuine


def narrowed(ruler: Ruler, gaps: Ints) -> Ruler:
    """Return the ruler that keeps everything in some gaps of another one, and sees nothing else."""
    bounds = np.unique(np.concatenate([gaps - 1, gaps]))
    edges = ruler.edges[bounds[(bounds >= 0) & (bounds < len(ruler.edges))]]
    kept = np.zeros(len(edges) + 1, dtype=bool)
    below = np.append(ruler.edges, np.inf)[gaps]  # the upper end of each gap
    kept[np.searchsorted(edges, below)] = True
    return Ruler(edges, kept, ruler.capacity, np.zeros(0))


def grid_upto(longest: float) -> Floats:
    """Return 0 and up to 257 multiples of a power of two, the last of them beyond ``longest``."""
    if longest == 0 or not math.isfinite(longest):
        return np.array([0.0, 1.0])
    step = max(math.ldexp(1.0, math.frexp(longest)[1] - 8), _SMALLEST)
    with np.errstate(over="ignore"):
        multiples = np.arange(math.floor(longest / step) + 2, dtype=np.float64) * step
    return np.asarray(multiples[np.isfinite(multiples)])


class _Marks:
    """What a sample of impostor distances says about where thresholds will be."""

    def __init__(self, sample: Floats, pairs: int, fars: Sequence[float]) -> None:
        self._sample, self._pairs, self._fars = np.sort(sample), pairs, fars

    def edges(self, step: float) -> Floats:
        """Return quantiles of the sample, its lowest values, and the ends of what will be kept.

        Where distances are rounded to coarse steps, most quantiles lie midway between two of those: there pairs are
        told apart anyway, and every other edge among many pairs costs time. Few pairs are as near as the lowest
        quantiles, and some of the others are wanted: they stay where they are.
        """
        ends = [end for window in self._windows() for end in window if end > -math.inf]
        quantiles = self._sample[spaced(len(self._sample), QUANTILES)]
        place = np.arange(len(quantiles))
        if step and len(place):
            shares = place / place[-1]
            wanted = np.abs(shares[:, None] - [*self._fars, *_SHARES]).min(axis=1) < _SURE
            as_they_are = (shares < _LOWEST) | (wanted & (place % _EVERY == 0))
            quantiles = np.where(as_they_are, quantiles, (np.floor(quantiles / step) + 0.5) * step)
        return np.concatenate([quantiles, self._sample[:_CELLS], ends])

    def kept(self, edges: Floats) -> Bools:
        """Return the gaps whose impostors are worth keeping and, as far as the sample can tell, fit."""
        kept = np.zeros(len(edges) + 1, dtype=bool)
        for low, high in self._windows():
            first = 0 if low == -math.inf else int(np.searchsorted(edges, low)) + 1
            kept[first : int(np.searchsorted(edges, high)) + 1] = True
        return kept

    def _windows(self) -> list[tuple[float, float]]:
        """Return where the lowest impostors lie, and those around each threshold that is not among them."""
        size = len(self._sample)
        if not size:
            return []
        per_rank = self._pairs / size
        lowest = int(CAPACITY / 4 / per_rank)
        found = [(-math.inf, float(self._sample[lowest]))] if 0 < lowest < size else []
        share = CAPACITY / 4 / max(len(self._fars), 1)
        for far in self._fars:
            wide = _DEVIATIONS * math.sqrt(far * (1 - far) * size) + _DEVIATIONS
            low, high = math.floor(far * size - wide), math.ceil(far * size + wide)
            if low > 0 and high < size and high > lowest and (high - low) * per_rank <= share:
                found.append((float(self._sample[low]), float(self._sample[high])))
        return found


def _sample(comparison: Comparison, distance: Distance, kernel: str) -> tuple[Floats, Floats]:
    """Return distances of genuine and of impostor pairs of evenly spaced rows."""
    asked = spaced(len(comparison.queries), _ASKED)
    rows = spaced(len(comparison.gallery), _SEARCHED)
    queries = distance.prepare(comparison.queries.vectors[asked])
    squared = squared_kernel(kernel)(queries, distance.prepare(comparison.gallery.vectors[rows]))
    chosen, others = list[Ints](), []
    for told in told_apart(comparison, asked, rows):
        others.append(told.impostor)
        bounds = pairwise(told.positives.indptr.tolist())
        chosen += [told.positives.rows[a + spaced(b - a, _SEARCHED)] for a, b in bounds]
    of_query = np.repeat(np.arange(len(asked)), [len(some) for some in chosen])
    genuine = squared_of(comparison, distance, queries, of_query, np.concatenate(chosen))
    return distance.from_squared(genuine), distance.from_squared(squared[np.concatenate(others)])


def _quantiles(values: Floats, count: int) -> Floats:
    ordered = np.sort(values)
    return ordered[spaced(len(ordered), count)]


def _grid(comparison: Comparison, distance: Distance) -> Floats:
    """Return up to 256 multiples of a power of two, the last of them beyond every distance."""
    with np.errstate(over="ignore"):
        longest = distance.from_squared(np.array([_longest_squared(comparison, distance)]))
    return grid_upto(float(longest[0]))


def _longest_squared(comparison: Comparison, distance: Distance) -> float:
    """Return a bound of every ``squared``: the diameter of a ball around the middle of all vectors."""
    sides = [comparison.queries.vectors, comparison.gallery.vectors]
    sides = sides[:1] if comparison.leave_one_out else sides

    def prepared() -> Iterator[Prepared]:
        return (distance.prepare(rows) for side in sides for rows in row_blocks(side, PAIRS_AT_ONCE))

    lows, highs, far = [], [], False
    for columns, zero in prepared():
        lows.append(columns.min(axis=1))
        highs.append(columns.max(axis=1))
        far = far or bool(zero.any())
    middle = (np.min(lows, axis=0) + np.max(highs, axis=0)) / 2
    radius = max(float(np.square(rows.columns - middle[:, None]).sum(axis=0).max()) for rows in prepared())
    return max(4 * radius * (1 + 1e-9), FAR_SQUARED if far else 0.0)
