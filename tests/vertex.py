"""The oracle of statistics of pairs of classes: units are the classes, and every pair of them is a term.

``part[c, d]`` and ``whole[c, d]`` are sums over pairs with one side in class c and the other in d (impostor
pairs and triplets have nothing on the diagonal). A replicate weighs each term by how often both classes were
drawn; copies of one class never meet as impostors, because the diagonal stays what it is.
"""

from __future__ import annotations

import math

import numpy as np

from tripleteval.arrays import Floats
from tripleteval.uncertainty.bootstrap import REPLICATES, weights
from tripleteval.uncertainty.sums import integers


def vertex_ratio(part: Floats, whole: Floats, drawn: Floats | None = None) -> Floats:
    """Return wᵀ part w / wᵀ whole w for each row w of ``drawn``, or once with every weight 1.

    Args:
        part: (classes, classes) float64.
        whole: (classes, classes) float64.
        drawn: (replicates, classes) how often each class was drawn.

    Returns:
        (replicates,) float64, NaN where a replicate has no pair at all.

    Source:
        Fogliato, Patil & Perona 2024, the vertex bootstrap.
    """
    w = np.ones((1, len(part))) if drawn is None else drawn
    # Σ w = classes, so wᵀ M w is at most classes² times the largest entry: whole numbers, exact in any order.
    halves = []
    for matrix in (part, whole):
        exact, scales = integers(matrix.reshape(-1, 1), len(matrix) ** 2)
        halves.append(np.ldexp(((w @ exact.reshape(matrix.shape)) * w).sum(axis=1), -scales[0]))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(halves[1] == 0, np.nan, halves[0] / halves[1]))


def vertex_bootstrap(part: Floats, whole: Floats, seed: int, purpose: str, count: int = REPLICATES) -> Floats:
    """Return the (count,) values of `vertex_ratio` over resampled classes."""
    return np.concatenate([vertex_ratio(part, whole, drawn) for drawn in weights(len(part), seed, purpose, count)])


def vertex_error(part: Floats, whole: Floats) -> float:
    """Return the linearised standard error of Σ part / Σ whole over pairs of classes.

    ψ_c = Σ over d of [part_cd + part_dc − θ (whole_cd + whole_dc)] / Σ whole; SE = √[C/(C−1) Σ ψ_c²].

    Source:
        Spec F.4; Hájek projection of a U-statistic.
    """
    classes = len(part)
    if classes < 2:
        return math.nan
    residual = part - part.sum() / whole.sum() * whole
    psi = (residual.sum(axis=0) + residual.sum(axis=1)) / whole.sum()
    return math.sqrt(classes / (classes - 1)) * math.hypot(*psi.tolist())
