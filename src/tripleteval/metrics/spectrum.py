"""How many dimensions the space really uses, from the singular values of its vectors.

They come from the exact second moments. A direction whose variance is below 1e-12 of the largest is dead and
counts as zero: below that an eigenvalue solver sees its own rounding.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from tripleteval.arrays import Floats
from tripleteval.bounds import Bounds
from tripleteval.evidence.vectors import Vectors
from tripleteval.metrics import Scalar, quantity

DEAD = 1e-12
_RANKME = 1e-7


class Spectrum(NamedTuple):
    """What the singular values say; all in units of ``2**exponent`` of the vectors.

    Attributes:
        vectors: Number of vectors.
        singular: (min(n, dim),) singular values of the vectors as they are, descending.
        variances: (dim,) variance along each principal direction (division by n), descending.
        coordinates: (dim,) variance of each coordinate.
    """

    vectors: int
    singular: Floats
    variances: Floats
    coordinates: Floats


def spectrum(vectors: Vectors) -> Spectrum:
    """Return the spectrum that belongs to the moments."""
    centred, plain = vectors.second_moments(centred=True), vectors.second_moments(centred=False)
    few = min(vectors.count, len(plain))
    singular = np.sqrt(vectors.count * _eigenvalues(plain))[:few]
    return Spectrum(vectors.count, singular, _eigenvalues(centred), np.diag(centred).copy())


def entropy_rank(weights: Floats, epsilon: float = 0.0) -> float:
    """Return exp of the Shannon entropy of ``weights``, made to sum to 1 and raised by ``epsilon``."""
    shares = weights / math.fsum(weights.tolist()) + epsilon
    return math.exp(-math.fsum(p * math.log(p) for p in shares.tolist() if p > 0))


def dims_for(variances: Floats, share: float) -> int:
    """Return how many principal directions hold at least ``share`` of the variance."""
    return int(np.searchsorted(np.cumsum(variances), share * (1 - 1e-9) * variances.sum())) + 1


@quantity("effective_rank", of="spectrum", better="higher", bounds=Bounds(low=1.0))
def effective_rank(of: Spectrum) -> Scalar:
    """Effective number of dimensions, exp of the entropy of the singular values σ/Σσ of the vectors as they are.

    Range [1, min(n, dim)]. 1 means that all vectors lie on one line through the origin: a collapsed network.
    Higher is less collapsed, but not better beyond that: C classes can live in C − 1 dimensions.

    Source:
        Roy & Vetterli 2007.
    """
    if not of.singular.any():
        return Scalar(None, of.vectors, "all vectors are zero")
    return Scalar(entropy_rank(of.singular), of.vectors)


@quantity("rankme", of="spectrum", better="higher", bounds=Bounds(low=1.0))
def rankme(of: Spectrum) -> Scalar:
    """The same with 1e-7 added to each share, as published for choosing self-supervised models without labels.

    Range [1, min(n, dim)], up to the added share.

    Source:
        Garrido, Balestriero, Najman & LeCun 2023 (RankMe).
    """
    if not of.singular.any():
        return Scalar(None, of.vectors, "all vectors are zero")
    return Scalar(entropy_rank(of.singular, _RANKME), of.vectors)


@quantity("effective_rank_centred", of="spectrum", better="higher", bounds=Bounds(low=1.0))
def effective_rank_centred(of: Spectrum) -> Scalar:
    """Effective rank about the mean: the standard deviations of the principal directions, as shares of their sum.

    Range [1, min(n − 1, dim)]. A common direction of all vectors inflates the first singular value and hides
    what the others do; here it is taken out first.

    Source:
        Roy & Vetterli 2007, on the covariance.
    """
    if not of.variances.any():
        return Scalar(None, of.vectors, "all vectors are identical")
    return Scalar(entropy_rank(np.sqrt(of.variances)), of.vectors)


@quantity("participation_ratio", of="spectrum", better="higher", bounds=Bounds(low=1.0))
def participation_ratio(of: Spectrum) -> Scalar:
    """Number of dimensions that share the variance, (Σλ)² / Σλ² of the covariance.

    Range [1, min(n − 1, dim)]. It weighs the large directions more than effective_rank_centred does.

    Source:
        Gao et al. 2017.
    """
    if not of.variances.any():
        return Scalar(None, of.vectors, "all vectors are identical")
    scaled = of.variances / of.variances[0]
    return Scalar(math.fsum(scaled.tolist()) ** 2 / math.fsum(np.square(scaled).tolist()), of.vectors)


def _eigenvalues(symmetric: Floats) -> Floats:
    """Return the eigenvalues, descending, dead ones as 0."""
    largest = float(np.abs(symmetric).max())
    if largest == 0:
        return np.zeros(len(symmetric))
    values = np.linalg.eigvalsh(symmetric / largest)[::-1]
    return np.where(values < DEAD * values[0], 0.0, values) * largest
