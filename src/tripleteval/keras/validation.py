"""What can be known to be wrong about data that are watched, before the first epoch has been trained."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import numpy as np

from tripleteval.data.budget import parse_memory
from tripleteval.data.embeddings import Embeddings
from tripleteval.engine.maps import thread_count
from tripleteval.errors import DataError, LabelError, ParameterError, nearest
from tripleteval.evaluation.door import evaluate
from tripleteval.evaluation.intake import admit
from tripleteval.evaluation.settings import Settings, check
from tripleteval.keras.batches import batches_of
from tripleteval.keras.embedding import embed

DIVERGED = "E201", "E202", "E206"  # vectors that are not finite, without a direction, or beyond float64


def require_watchable(data: Any, name: str, batch_size: int) -> Embeddings | None:
    """Refuse data that could not be embedded and evaluated after an epoch.

    Args:
        data: As `EvaluateEmbeddings` takes them.
        name: What errors call them.
        batch_size: Items per step.

    Returns:
        Embeddings with the labels they will have, where those are known.

    Raises:
        DataError: Of no known kind (E203), readable only once, or without an end (E301).
        LabelError: No labels, not one per item, or unusable ones (E401-E408).
    """
    if data is None or isinstance(data, Embeddings):
        return data
    if isinstance(data, Iterator):
        raise DataError(
            "E301",
            "an iterator, which can be read only once",
            where=name,
            fix="pass (inputs, labels), a PyDataset, a tf.data.Dataset or a list of batches",
        )
    batches = batches_of(data, None, batch_size)
    if batches.total is None or hasattr(data, "batches"):
        return None  # what a batch holds is seen when it comes
    first = next(batches.parts, None)
    if first is None:
        raise DataError("E301", "no rows", where=name, fix="pass items and their labels")
    if first.labels is None:
        raise LabelError("E401", "inputs without labels", where=name, fix="pass (inputs, labels)")
    return Embeddings(np.zeros((batches.total, 1), np.float32), data[1], name=name)


def rehearse(model: Any, data: Any, name: str, batch_size: int) -> None:
    """Embed the first batch of data, since what cannot be embedded is better known before an epoch than after it.

    Raises:
        FileError: The model gives no vector per item (E613).
        DataError: No rows (E301), or items that are not in batches (E203).
        LabelError: No labels, or unusable ones (E401-E408).
    """
    if data is None or isinstance(data, Embeddings):
        return
    batch = next(batches_of(data, None, batch_size).parts, None)
    if batch is None:
        raise DataError("E301", "no rows", where=name, fix="pass items and their labels")
    if batch.labels is None:
        raise LabelError("E401", "inputs without labels", where=name, fix="let each batch be (inputs, labels)")
    try:
        embed(model, [(batch.inputs, batch.labels)], progress=False, name=name)
    except DataError as error:
        if error.code not in DIVERGED:
            raise


def require_settings(settings: dict[str, Any]) -> None:
    """Refuse what `tripleteval.evaluate` does not take.

    Raises:
        ParameterError: An unknown name (E510), or what `tripleteval.evaluate` says of an impossible value.
    """
    known = [name for name in inspect.signature(evaluate).parameters if name not in {"queries", "labels", "gallery"}]
    for name in settings:
        if name not in known:
            raise ParameterError("E510", f"unknown setting {name!r}", where="settings", fix=nearest(name, known))
    check(**{field.name: settings[field.name] for field in fields(Settings) if field.name in settings})
    options = {name: settings[name] for name in ("nonfinite", "zero_rows") if name in settings}
    admit(Embeddings(np.ones((1, 1))), distance="euclidean", **options)
    parse_memory(settings.get("memory", "1GiB"))
    thread_count(settings.get("threads"))
