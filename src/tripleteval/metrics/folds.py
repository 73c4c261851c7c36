"""A threshold chosen on some pairs and judged on others: the protocol of LFW."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from tripleteval.arrays import Bools, Floats, Ints
from tripleteval.bounds import SHARE
from tripleteval.metrics import Scalar, quantity
from tripleteval.metrics.operating import best_cut, operating_of


class Folded(NamedTuple):
    """Pairs in folds.

    Attributes:
        distances: (pairs,) float64.
        same: (pairs,) bool, whether each is genuine.
        folds: (pairs,) int64, 0 to F − 1.
        names: (F,) what each fold is called.
    """

    distances: Floats
    same: Bools
    folds: Ints
    names: list[Any]


@quantity("cv_accuracy", of="folds", better="higher", headline="pairs", default=False, bounds=SHARE)
def cv_accuracy(folded: Folded) -> Scalar:
    """Share of pairs decided rightly by a threshold chosen on the other folds: mean over folds.

    Range [0, 1]. Reported with it are each fold's accuracy and threshold, and the standard error
    σ / √folds, with σ over the folds (ddof = 1). Folds share what their thresholds are chosen on, so that the
    standard error is itself approximate.

    Source:
        Huang et al. 2007 (Labeled Faces in the Wild), View 2.
    """
    scores: list[dict[str, Any]] = []
    for fold, name in enumerate(folded.names):
        held = folded.folds == fold
        cut = _chosen(folded, ~held)
        if cut is None:
            return Scalar(None, len(folded.same), f"without fold {name!r} there is one kind of pair only")
        right = int(((folded.distances[held] <= cut) == folded.same[held]).sum())
        known = cut if math.isfinite(cut) else None
        scores.append(
            {"fold": str(name), "accuracy": right / int(held.sum()), "threshold": known, "n": int(held.sum())}
        )
    accuracies = [score["accuracy"] for score in scores]
    mean = math.fsum(accuracies) / len(scores)
    sd = math.sqrt(math.fsum((a - mean) ** 2 for a in accuracies) / (len(scores) - 1))
    return Scalar(mean, len(folded.same), sd=sd, details={"se": sd / math.sqrt(len(scores)), "folds": scores})


def _chosen(folded: Folded, training: Bools) -> float | None:
    same = folded.same[training]
    if same.all() or not same.any():
        return None
    distances = folded.distances[training]
    return best_cut(operating_of(distances[same], distances[~same], np.zeros(0)))
