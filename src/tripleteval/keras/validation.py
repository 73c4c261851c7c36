"""What can be known to be wrong about data that are watched, before the first epoch has been trained."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np

from tripleteval.data.embeddings import Embeddings
from tripleteval.errors import DataError, LabelError, ParameterError, nearest
from tripleteval.evaluation.door import evaluate
from tripleteval.keras.batches import batches_of


def require_watchable(data: Any, name: str, batch_size: int) -> None:
    """Refuse data that could not be embedded and evaluated after an epoch.

    Args:
        data: As `EvaluateEmbeddings` takes them.
        name: What errors call them.
        batch_size: Items per step.

    Raises:
        DataError: Of no known kind (E203), or readable only once (E301).
        LabelError: No labels, not one per item, or unusable ones (E401-E408).
    """
    if data is None or isinstance(data, Embeddings):
        return
    if isinstance(data, Iterator):
        raise DataError(
            "E301",
            "an iterator, which can be read only once",
            where=name,
            fix="pass (inputs, labels), a PyDataset, a tf.data.Dataset or a list of batches",
        )
    batches = batches_of(data, None, batch_size)
    if batches.total is None or hasattr(data, "batches"):
        return  # what a batch holds is seen when it comes
    first = next(batches.parts, None)
    if first is None:
        raise DataError("E301", "no rows", where=name, fix="pass items and their labels")
    if first.labels is None:
        raise LabelError("E401", "inputs without labels", where=name, fix="pass (inputs, labels)")
    Embeddings(np.zeros((batches.total, 1), np.float32), data[1], name=name)


def require_settings(settings: dict[str, Any]) -> None:
    """Refuse what `tripleteval.evaluate` does not take.

    Raises:
        ParameterError: The first unknown name (E510).
    """
    known = [name for name in inspect.signature(evaluate).parameters if name not in {"queries", "labels", "gallery"}]
    for name in settings:
        if name not in known:
            raise ParameterError("E510", f"unknown setting {name!r}", where="settings", fix=nearest(name, known))
