"""Whatever holds a model's inputs, as batches: arrays, PyDataset, tf.data, generators, folders of images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from tripleteval.arrays import AnyArray
from tripleteval.errors import DataError, ParameterError


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
        data: An (n, ...) array or tensor; a pair of one and its labels; an object with ``batches(batch_size)``
            and a length, as `ImageFolder` is; or a PyDataset, a tf.data.Dataset or any iterable, of batches
            that are inputs or (inputs, labels).
        labels: (n,) class of each item, for an array.
        batch_size: Items per batch, for an array or a folder.

    Raises:
        ParameterError: Labels beside data that bring their own (E101), or an impossible batch size (E308).
        DataError: What is no data at all (E203).
    """
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
        raise ParameterError("E308", f"batch_size={batch_size!r}", fix="give a whole number, 1 or more")
    if isinstance(data, tuple) and len(data) == 2 and _is_array(data[0]):
        data, labels = data[0], _only(labels, data[1])
    if _is_array(data):
        known = None if labels is None else np.asarray(labels)
        return Batches(_slices(data, known, batch_size), len(data))
    if labels is not None:
        raise ParameterError("E101", "labels beside data that come in batches", fix="let each batch bring its labels")
    if hasattr(data, "batches"):
        return Batches(data.batches(batch_size), len(data))
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


def _only(beside: Any, inside: Any) -> Any:
    if beside is not None:
        raise ParameterError("E101", "labels given twice", fix="pass (inputs, labels), or labels=")
    return inside


def _is_array(data: Any) -> bool:
    return hasattr(data, "shape") and hasattr(data, "dtype") and hasattr(data, "__getitem__")


def _slices(data: Any, labels: AnyArray | None, size: int) -> Iterator[Batch]:
    for start in range(0, len(data), size):
        rows = slice(start, start + size)
        yield Batch(data[rows], None if labels is None else labels[rows])


def _batch(given: Any) -> Batch:
    if not isinstance(given, (tuple, list)) or len(given) == 1:
        return Batch(_numpy(given[0] if isinstance(given, (tuple, list)) else given))
    labels = np.asarray(given[1])
    return Batch(_numpy(given[0]), labels.reshape(-1) if labels.shape[1:] == (1,) else labels)


def _numpy(inputs: Any) -> Any:
    """Return the same inputs as NumPy, which every backend takes; tf.data gives tensors of TensorFlow on JAX too."""
    if isinstance(inputs, dict):
        return {name: _numpy(part) for name, part in inputs.items()}
    if isinstance(inputs, (list, tuple)):
        return type(inputs)(_numpy(part) for part in inputs)
    return np.asarray(inputs)
