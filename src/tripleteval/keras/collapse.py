"""Has the embedding space collapsed? What an evaluation remarks, or the losses of the last epochs, say about it."""

from __future__ import annotations

from typing import Any

from tripleteval.data.evaluation import Evaluation

_ADVICE = "Lower the learning rate, or begin with the semi-hard or the batch-all loss instead of batch-hard."


class CollapseWarning(UserWarning):
    """All embeddings are nearly the same, or lie on hardly any dimensions."""


def collapsed(evaluation: Evaluation) -> str:
    """Return what the evaluation itself remarks about collapse, with advice; nothing where it remarks nothing."""
    remark = next((note for note in evaluation.notes if "collapse" in note.lower()), "")
    return f"{remark} {_ADVICE}" if remark else ""


def stuck(losses: list[float], margin: Any, *, epochs: int = 3) -> str:
    """Return why the training loss looks stuck at the margin; nothing where it does not.

    Args:
        losses: One per epoch.
        margin: Of the training loss, where it has one.
        epochs: How many epochs in a row it must have been there, to one in a hundred.

    Source:
        Hermans, Beyer & Leibe 2017 (a loss that stays at the margin as the mark of collapse).
    """
    last = losses[-epochs:]
    number = isinstance(margin, (int, float)) and margin > 0
    if not number or len(last) < epochs or not all(abs(loss - margin) <= margin / 100 for loss in last):
        return ""
    return f"The training loss has been at its margin of {margin:g} for {epochs} epochs. {_ADVICE}"
