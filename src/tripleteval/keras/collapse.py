"""Has the embedding space collapsed? What the numbers of an evaluation, or the loss of an epoch, say about it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from tripleteval.metrics import spell

_NEAR = 0.05
_EASY = 0.01


class CollapseWarning(UserWarning):
    """All embeddings are nearly the same: the loss is the margin, and no triplet is easy."""


def collapsed(evaluation: Mapping[str, float], margins: list[float]) -> str:
    """Return why the space looks collapsed, in one sentence; nothing where it does not.

    All distances being nearly equal, d(a,p) − d(a,n) is nearly 0 for every triplet: hardly any is easy, and the
    mean loss is the margin, to five in a hundred.

    Args:
        evaluation: An evaluation at these margins.
        margins: The positive ones are looked at.

    Source:
        Hermans, Beyer & Leibe 2017 (a loss stuck at the margin).
    """
    for margin in margins:
        loss, easy = (evaluation.get(spell(f"{name}@margin", margin), math.nan) for name in ("triplet_loss", "easy"))
        if margin > 0 and easy < _EASY and abs(loss - margin) < _NEAR * margin:
            return (
                f"the embedding space has collapsed: at margin {margin:g} the mean triplet loss is {loss:.4g}, and "
                f"{easy:.1%} of all triplets are easy. Lower the learning rate, or begin with the semi-hard or the "
                f"batch-all loss instead of batch-hard"
            )
    return ""


def stuck(losses: list[float], margin: Any, *, epochs: int = 3) -> str:
    """Return why the training loss looks stuck at the margin; nothing where it does not.

    Args:
        losses: One per epoch.
        margin: Of the training loss, where it has one.
        epochs: How many epochs in a row it must have been there, to one in a hundred.
    """
    last = losses[-epochs:]
    number = isinstance(margin, (int, float)) and margin > 0
    if not number or len(last) < epochs or max(abs(loss - margin) for loss in last) > margin / 100:
        return ""
    return f"the training loss has been at its margin of {margin:g} for {epochs} epochs: the space is collapsing"
