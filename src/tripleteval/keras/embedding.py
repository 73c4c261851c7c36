"""From a model and its inputs to embeddings, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tripleteval.arrays import AnyArray
from tripleteval.data.embeddings import Embeddings
from tripleteval.errors import DataError, FileError, counted
from tripleteval.keras.batches import Batch, batches_of, rows_of
from tripleteval.keras.progress import Progress, shown
from tripleteval.keras.vectors_file import Memory, Sink, vectors_file


def embed(
    model: Any,
    data: Any,
    labels: Any = None,
    *,
    batch_size: int = 256,
    progress: Progress | bool = True,
    name: str = "embeddings",
) -> Embeddings:
    """Return the embeddings that a model gives its inputs.

    Nothing is trained or shuffled: the model runs as in ``predict``, and its outputs, in whatever precision it
    computes, are kept as float32.

    Args:
        model: A Keras model from one input to one (n, dim) output, such as `embedding_tower` returns; or a
            function from a batch to an (n, dim) array.
        data: An (n, ...) array or tensor, or a dictionary of them by the name of an input; a pair (inputs, labels),
            whose inputs may be a list of arrays too; an `ImageFolder`, a PyDataset, a tf.data.Dataset, or any
            iterable of batches; a batch is its inputs or (inputs, labels).
        labels: (n,) or (n, 1) class of each item, if ``data`` is an array, or a dictionary or list of arrays.
        batch_size: Items per step, for arrays and folders.
        progress: Whether to show a bar in a terminal; or a function of items done and items in all.
        name: What errors and reports call the set.

    Raises:
        FileError: Several outputs, or one that is no (n, dim) matrix (E613).
        DataError: An output that is not finite (E201), nothing to embed (E301), or ``data`` is of no known kind (E203).
        LabelError: Labels that cannot be used (E401-E408).
    """
    parts, total = batches_of(data, labels, batch_size)
    kept = Memory()
    with shown("embedding", progress=progress) as tell:
        _run(parts, total, model, kept, tell)
    found = np.concatenate(kept.labels) if kept.labels else None
    return Embeddings(np.concatenate(kept.vectors), found, ids=kept.ids or None, name=name)


def embed_to_file(
    model: Any,
    data: Any,
    path: str | Path,
    labels: Any = None,
    *,
    batch_size: int = 256,
    overwrite: bool = False,
    progress: Progress | bool = True,
) -> Path:
    """Write the embeddings that a model gives its inputs to a file, batch by batch, however many there are.

    Takes what `embed` takes, and does the same.

    Args:
        model: A Keras model, or a function.
        data: Its inputs.
        path: ``.parquet`` (columns ``embedding``, ``label`` and ``id``, those that there are), or ``.npy`` (the
            vectors; labels go into ``NAME.labels.npy`` beside it). It appears when it is complete.
        labels: (n,) class of each item, if ``data`` is an array.
        batch_size: Items per step, for arrays and folders.
        overwrite: Whether a file that is there may be replaced.
        progress: Whether to show a bar in a terminal; or a function of items done and items in all.

    Returns:
        The path.

    Raises:
        FileError: As `embed`, and where the file cannot be written (E602, E611).
        ResourceError: The disk is full, or refuses (E801).
    """
    parts, total = batches_of(data, labels, batch_size)
    with vectors_file(Path(path), overwrite=overwrite) as sink, shown("embedding", progress=progress) as tell:
        _run(parts, total, model, sink, tell)
    return Path(path)


def _run(parts: Iterator[Batch], total: int | None, model: Any, sink: Sink, tell: Progress) -> None:
    done, full = 0, 0
    for batch in parts:
        rows = rows_of(batch.inputs)
        if not rows:  # some generators end with one
            continue
        full = full or rows
        vectors = _vectors(_predicted(model, _padded(batch.inputs, rows, full)), max(rows, full), done)[:rows]
        _require_finite(vectors, done, batch)
        sink.add(vectors, batch)
        done += rows
        tell(done, total)
    if not done:
        raise DataError("E301", "no rows", where="data", fix="check what gives the batches; some can be read only once")


def _predicted(model: Any, inputs: Any) -> Any:
    if not hasattr(model, "predict_on_batch"):
        return model(inputs)
    strategy = getattr(model, "distribute_strategy", None)
    if strategy is not None and strategy.num_replicas_in_sync > 1:  # each replica would predict the whole batch
        return model.predict(inputs, batch_size=rows_of(inputs), verbose=0)
    return model.predict_on_batch(inputs)


def _padded(inputs: Any, rows: int, full: int) -> Any:
    """Return a shorter last batch as long as the first, so that the model is compiled once."""
    if rows >= full or not rows:
        return inputs
    if isinstance(inputs, dict):
        return {name: _padded(part, rows, full) for name, part in inputs.items()}
    if isinstance(inputs, (list, tuple)):
        return type(inputs)(_padded(part, rows, full) for part in inputs)
    array = np.asarray(inputs)
    return np.concatenate([array, np.repeat(array[-1:], full - rows, axis=0)])


def _vectors(output: Any, rows: int, start: int) -> AnyArray:
    if isinstance(output, dict) and len(output) == 1:
        (output,) = output.values()
    if isinstance(output, (list, tuple, dict)):
        fix = "keras.Model(model.inputs, model.get_layer(NAME).output), or embedding_tower(model)"
        raise FileError(
            "E613",
            f"a model with {counted(len(output), 'output')}",
            where="model",
            fix=f"embed with one (EvaluateEmbeddings: tower=): {fix}",
        )
    vectors: AnyArray = np.asarray(output)
    if vectors.ndim != 2 or len(vectors) != rows or not vectors.shape[1]:
        raise FileError(
            "E613",
            f"an output of shape {vectors.shape} for {rows:,} items from item {start:,}",
            where="model",
            fix="end the tower with one vector per item, for example after a pooling layer",
        )
    return vectors.astype(np.float32, copy=False)


def _require_finite(vectors: AnyArray, start: int, batch: Batch) -> None:
    bad = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(bad):
        first = int(bad[0])
        named = "" if batch.ids is None else f", {batch.ids[first]!r}"
        raise DataError(
            "E201",
            f"an output that is not finite, for {len(bad):,} of {len(vectors):,} items; first: item {start + first:,} "
            f"(0-based){named}",
            where="model",
            fix="check the inputs for NaN, and the training for divergence",
        )
