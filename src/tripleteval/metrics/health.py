"""Norms and directions: is the space used all round, and does length carry information."""

from __future__ import annotations

import math

from tripleteval.bounds import Bounds
from tripleteval.evidence.vectors import BITS, Vectors
from tripleteval.metrics import Scalar, quantity


@quantity("anisotropy", of="vectors", better="lower", bounds=Bounds(-1.0, 1.0))
def anisotropy(vectors: Vectors) -> Scalar:
    """Mean cosine of all pairs of distinct items: (‖Σu‖² − n) / (n (n − 1)) with unit vectors u.

    Range [−1/(n − 1), 1]: 0 where the directions cancel out, 1 where all vectors point the same way. A zero
    vector has cosine 0 to everything.

    Source:
        Ethayarajh 2019; Mu & Viswanath 2018.
    """
    n = vectors.count
    if n < 2:
        return Scalar(None, n, "fewer than two vectors")
    return Scalar((vectors.resultant() - (n - vectors.zeros)) / (n * (n - 1)), n)


@quantity("norm_mean", of="vectors", better=None, bounds=Bounds(low=0.0))
def norm_mean(vectors: Vectors) -> Scalar:
    """Mean Euclidean norm of the vectors, as they are.

    Range [0, ∞).

    Source:
        The definition itself.
    """
    mean = vectors.norms / vectors.count / (1 << BITS)
    try:
        return Scalar(math.ldexp(mean, vectors.exponent), vectors.count)
    except OverflowError:
        return Scalar(None, vectors.count, "the norms leave the range of float64")


@quantity("norm_cv", of="vectors", better=None, bounds=Bounds(low=0.0))
def norm_cv(vectors: Vectors) -> Scalar:
    """Coefficient of variation of the norms: their standard deviation (division by n) over their mean.

    Range [0, ∞). 0 means normalised vectors. Where it is large, Euclidean distances mix length and angle.

    Source:
        The definition itself.
    """
    n, total = vectors.count, vectors.norms
    if not total:
        return Scalar(None, n, "all vectors are zero")
    # Exact up to the last line: the variance of integers is a ratio of integers.
    return Scalar(math.sqrt((n * vectors.squared_norms - total * total) / (total * total)), n)
