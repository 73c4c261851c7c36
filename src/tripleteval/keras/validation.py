"""What can be known to be wrong about data that are watched, before the first epoch has been trained."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import asdict, fields
from typing import Any

import numpy as np

from tripleteval.data.budget import parse_memory
from tripleteval.data.embeddings import Embeddings
from tripleteval.engine.maps import thread_count
from tripleteval.engine.run import choose_kernel
from tripleteval.errors import DataError, LabelError, ParameterError, nearest
from tripleteval.evaluation.door import evaluate, require_columns
from tripleteval.evaluation.intake import admit, require_one_size
from tripleteval.evaluation.relevance import compare
from tripleteval.evaluation.settings import Settings, check
from tripleteval.evaluation.split import split_of
from tripleteval.keras.batches import batches_of
from tripleteval.keras.embedding import embed

_NOT_HERE = {"queries", "labels", "gallery", "resume"}  # an epoch that is lost is trained again, not resumed
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
    return Embeddings(np.ones((batches.total, 1), np.float32), data[1], name=name)


def require_answerable(queries: Embeddings | None, gallery: Embeddings | None, *, alone: bool, **given: Any) -> None:
    """Refuse settings that ask for what these data do not have, or cannot give.

    Args:
        queries: As `require_watchable` returns them.
        gallery: Likewise.
        alone: Whether the queries are searched among themselves.
        **given: Settings of `tripleteval.evaluate`.

    Raises:
        ParameterError: Groups or a column that are not there (E101), or identities that cannot be split (E505, E520).
        LabelError: No query has anything relevant to find (E406), or labels of different kinds (E403).
        DataError: Embeddings that cannot be evaluated.
    """
    settings = check(**{field.name: given[field.name] for field in fields(Settings) if field.name in given})
    how = {name: asdict(settings)[name] for name in ("distance", "nonfinite", "zero_rows", "ignore_label")}
    asking, searched = (None if side is None else admit(side, **how).embeddings for side in (queries, gallery))
    # Batches bring vectors and labels, and nothing besides.
    require_columns(asking or Embeddings(np.ones((1, 1)), [0], name="validation data"), settings)
    if asking is None or (searched is None and not alone):
        return
    comparison = compare(asking, searched, ignore=given.get("ignore"), relevance=given.get("relevance"))
    if settings.calibrate_on is not None:
        split_of(comparison, given["calibrate_on"], settings)


def rehearse(model: Any, data: Any, name: str, batch_size: int) -> Embeddings | None:
    """Embed the first batch of data, since what cannot be embedded is better known before an epoch than after it.

    Returns:
        Its embeddings, or data that are embeddings; ``None`` where there are no data, or no vectors that are numbers.

    Raises:
        FileError: The model gives no vector per item (E613).
        DataError: No rows (E301), or items that are not in batches (E203).
        LabelError: No labels, or unusable ones (E401-E408).
    """
    if data is None or isinstance(data, Embeddings):
        return data
    batch = next(batches_of(data, None, batch_size).parts, None)
    if batch is None:
        raise DataError("E301", "no rows", where=name, fix="pass items and their labels")
    if batch.labels is None:
        raise LabelError("E401", "inputs without labels", where=name, fix="let each batch be (inputs, labels)")
    try:
        return embed(model, [(batch.inputs, batch.labels)], progress=False, name=name)
    except DataError as error:
        if error.code not in DIVERGED:
            raise
        return None


def require_one_space(queries: Embeddings | None, gallery: Embeddings | None) -> None:
    """Refuse, where both sides are known, vectors of different dimensions.

    Raises:
        DataError: They have (E306).
    """
    if queries is not None and gallery is not None:
        require_one_size(queries, gallery)


def require_settings(settings: dict[str, Any]) -> None:
    """Refuse what `tripleteval.evaluate` does not take.

    Raises:
        ParameterError: An unknown name (E510), or what `tripleteval.evaluate` says of an impossible value.
    """
    known = [name for name in inspect.signature(evaluate).parameters if name not in _NOT_HERE]
    for name in settings:
        if name not in known:
            raise ParameterError("E510", f"unknown setting {name!r}", where="settings", fix=nearest(name, known))
    check(**{field.name: settings[field.name] for field in fields(Settings) if field.name in settings})
    options = {name: settings[name] for name in ("nonfinite", "zero_rows") if name in settings}
    admit(Embeddings(np.ones((1, 1))), distance="euclidean", **options)
    parse_memory(settings.get("memory", "1GiB"))
    thread_count(settings.get("threads"))
    choose_kernel(settings.get("kernel", "auto"), 1)
