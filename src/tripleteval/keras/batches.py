"""Whatever holds a model's inputs, as batches: arrays, PyDataset, tf.data, generators, folders of images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from tripleteval.arrays import AnyArray
from tripleteval.errors import DataError, LabelError, ParameterError

_INFINITE = -1  # tf.data.INFINITE_CARDINALITY


class Batch(NamedTuple):
    """Some inputs of a model, and what is known about each.

    Attributes:
        inputs: (n, ...) array or tensor; or a list, tuple or dictionary of them.
        labels: (n,) array, or ``None``.
        ids: n names, or ``None``.
    """

    inputs: Any
    labels: AnyArray | None = None
    ids: list[str] | None = None


class Batches(NamedTuple):
    """An iterator over batches, and how many items it will give; ``None`` where nobody knows."""

    parts: Iterator[Batch]
    total: int | None


def batches_of(data: Any, labels: Any, batch_size: int) -> Batches:
    """Return the batches of ``data``.

    Args:
        data: An (n, ...) array or tensor, or a dictionary of them for a model of several inputs; a pair of either,
            or of a list of arrays, and its labels (weights after them, as in Keras, are not read); an object with
            ``batches(batch_size)`` and a length, as `ImageFolder` is; or a PyDataset, a tf.data.Dataset or any
            iterable, of batches that are inputs or (inputs, labels).
        labels: (n,) class of each item, beside an array, or a dictionary or list of arrays.
        batch_size: Items per batch, for arrays or a folder.

    Raises:
        ParameterError: Labels beside data that bring their own (E101), or an impossible batch size (E308).
        LabelError: Not one label per item (E401).
        DataError: What is no data at all (E203), or has no end (E301).
    """
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
        raise ParameterError("E308", f"batch_size={batch_size!r}", fix="give a whole number, 1 or more")
    if isinstance(data, tuple) and len(data) in (2, 3) and _is_whole(data[0], data[1]):
        data, labels = data[0], _only(labels, data[1])
    if _is_whole(data, labels):
        return _whole(data, labels, batch_size)
    if labels is not None:
        raise ParameterError("E101", "labels beside data that come in batches", fix="let each batch bring its labels")
    if hasattr(data, "batches"):
        return Batches(data.batches(batch_size), len(data))
    if _endless(data):
        fix = "leave out .repeat(), or end it: dataset.take(batches)"
        raise DataError("E301", "a data set without an end", where="data", fix=fix)
    if hasattr(data, "num_batches") and hasattr(data, "__getitem__"):
        return Batches((_batch(data[i]) for i in range(data.num_batches)), None)
    if isinstance(data, Iterable) and not isinstance(data, (str, bytes, dict)):
        return Batches(map(_batch, data), None)
    raise DataError(
        "E203",
        f"an object of type {type(data).__name__}",
        where="data",
        fix="pass an array, (inputs, labels), a PyDataset, a tf.data.Dataset or an ImageFolder",
    )


def rows_of(inputs: Any) -> int:
    """Return how many items there are in an array, or in each of several."""
    while isinstance(inputs, (list, tuple, dict)):
        inputs = next(iter(inputs.values() if isinstance(inputs, dict) else inputs))
    return len(inputs) if np.ndim(inputs) else 0


def taken(inputs: Any, rows: Any) -> Any:
    """Return some rows of an array, or of each of several, as NumPy, which every backend takes."""
    if isinstance(inputs, dict):
        return {name: taken(part, rows) for name, part in inputs.items()}
    if isinstance(inputs, (list, tuple)):
        return type(inputs)(taken(part, rows) for part in inputs)
    return np.asarray(inputs[rows])


def held(inputs: Any, count: int | None) -> Any:
    """Return inputs such that rows can be taken: one array, or several in a dictionary or tuple.

    A list as long as there are labels holds items, another one holds the inputs of a model.
    """
    if isinstance(inputs, dict):
        return {name: held(part, None) for name, part in inputs.items()}
    if isinstance(inputs, (list, tuple)) and len(inputs) != count and all(map(_is_array, inputs)):
        return tuple(held(part, None) for part in inputs)
    plain = _is_array(inputs) and not hasattr(inputs, "numpy")  # tensors do not take lists of rows
    return inputs if plain else np.asarray(inputs)


def _whole(inputs: Any, labels: Any, size: int) -> Batches:
    known = None if labels is None else _column(labels)
    inputs = held(inputs, None if known is None else len(known))
    count = rows_of(inputs)
    if known is not None and len(known) != count:
        raise LabelError("E401", f"{len(known):,} labels for {count:,} inputs", where="data", fix="give one per item")
    return Batches(_slices(inputs, known, count, size), count)


def _is_whole(data: Any, labels: Any) -> bool:
    """Return whether these are all inputs: one array, or several, which beside labels may stand in a list."""
    if isinstance(data, dict):
        return bool(data) and all(map(_is_array, data.values()))
    if isinstance(data, (list, tuple)) and len(data):
        return _is_column(labels) and (len(data) == len(labels) or all(map(_is_array, data)))
    return _is_array(data)


def _is_column(labels: Any) -> bool:
    """Return whether these may be labels of all items, rather than a batch."""
    return _is_array(labels) or (isinstance(labels, (list, tuple)) and len(labels) > 0 and not np.ndim(labels[0]))


def _only(beside: Any, inside: Any) -> Any:
    if beside is not None:
        raise ParameterError("E101", "labels given twice", fix="pass (inputs, labels), or labels=")
    return inside


def _is_array(data: Any) -> bool:
    return hasattr(data, "shape") and hasattr(data, "dtype") and hasattr(data, "__getitem__")


def _endless(data: Any) -> bool:
    """Return whether a tf.data.Dataset or a PyDataset says of itself that it goes on for ever."""
    cardinality = getattr(data, "cardinality", None)
    return (callable(cardinality) and int(cardinality()) == _INFINITE) or getattr(data, "num_batches", 0) is None


def _slices(data: Any, labels: AnyArray | None, count: int, size: int) -> Iterator[Batch]:
    for start in range(0, count, size):
        rows = slice(start, start + size)
        yield Batch(taken(data, rows), None if labels is None else labels[rows])


def _batch(given: Any) -> Batch:
    if not isinstance(given, (tuple, list)) or len(given) == 1:
        batch = Batch(taken(given[0] if isinstance(given, (tuple, list)) else given, ...))
    else:
        batch = Batch(taken(given[0], ...), _column(given[1]))
    items = rows_of(batch.inputs)
    if batch.labels is not None and len(batch.labels) != items:
        raise LabelError(
            "E401", f"{len(batch.labels):,} labels for {items:,} inputs", where="a batch", fix="give one per item"
        )
    return batch


def _column(labels: Any) -> AnyArray:
    column = np.asarray(labels)
    if not column.ndim:
        raise DataError("E203", "single items instead of batches", where="data", fix="call .batch(256) on the dataset")
    return column.reshape(-1) if column.shape[1:] == (1,) else column
