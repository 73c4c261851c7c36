"""How many dimensions the data seem to have close by: from the two nearest neighbours of each point."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from tripleteval.arrays import Floats
from tripleteval.bounds import Bounds
from tripleteval.metrics import Scalar, quantity

_FEWEST = 3
_DISCARDED = 0.1
_EQUAL = 1e-12  # ln(r₂/r₁) of two distances that differ in their last bits only


class Gaps(NamedTuple):
    """How much farther the second neighbour is than the first.

    Attributes:
        log_ratio: (points,) ln(r₂/r₁) of each distinct point to its two nearest other points.
        repeated: Queries that repeat the vector of another one, and are left out.
        unseen: Points without two distinct neighbours, or with too many copies near by to find them.
    """

    log_ratio: Floats
    repeated: int = 0
    unseen: int = 0


@quantity("intrinsic_dimension", of="gaps", better=None, bounds=Bounds(low=0.0))
def intrinsic_dimension(gaps: Gaps) -> Scalar:
    """Dimension of the data close by, from r₂/r₁: (n − 1) / Σ ln(r₂/r₁), the unbiased maximum likelihood.

    Range (0, ∞). Distances are Euclidean, between unit vectors under cosine; copies of a point count once. It
    needs some 100 points, and is too low where the true dimension is high. Items that ``ignore="group"`` removes
    are nobody's neighbours.

    Source:
        Denti et al. 2022, on Facco et al. 2017 (TwoNN).
    """
    refused = _refused(gaps)
    n = len(gaps.log_ratio)
    return refused or Scalar((n - 1) / math.fsum(gaps.log_ratio.tolist()), n)


@quantity("intrinsic_dimension_linfit", of="gaps", better=None, default=False, bounds=Bounds(low=0.0))
def intrinsic_dimension_linfit(gaps: Gaps) -> Scalar:
    """The same by a straight line through 0: −ln(1 − i/n) on ln(r₂/r₁), ascending, without the last tenth.

    Range (0, ∞).

    Source:
        Facco, d'Errico, Rodriguez & Laio 2017 (TwoNN).
    """
    refused = _refused(gaps)
    n = len(gaps.log_ratio)
    kept = n - math.ceil(_DISCARDED * n)
    ratios = np.sort(gaps.log_ratio)[:kept].tolist()
    below = math.fsum(x * x for x in ratios)
    if refused or below <= kept * _EQUAL**2:
        return refused or Scalar(None, n, "the two nearest neighbours are equally far")
    heights = (-math.log1p(-(i + 1) / n) for i in range(kept))
    return Scalar(math.fsum(x * y for x, y in zip(ratios, heights, strict=True)) / below, n)


def _refused(gaps: Gaps) -> Scalar | None:
    n = len(gaps.log_ratio)
    if n < _FEWEST:
        return Scalar(None, n, "fewer than three distinct points with two neighbours each")
    return None if (gaps.log_ratio > _EQUAL).any() else Scalar(None, n, "the two nearest neighbours are equally far")
