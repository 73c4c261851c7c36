"""Distances and label masks of one batch in keras.ops: differentiable, compilable, on every backend."""

from __future__ import annotations

from typing import Any

from keras import backend, ops

from tripleteval.distance.formula import DISTANCES
from tripleteval.errors import DataError, LabelError, ParameterError, nearest

_ELSEWHERE = {  # how TensorFlow Addons and TensorFlow Similarity spell ours
    "L2": "euclidean",
    "l2": "euclidean",
    "squared-L2": "sqeuclidean",
    "squared_euclidean": "sqeuclidean",
    "sql2": "sqeuclidean",
    "angular": "cosine",
}


def require_distance(distance: str) -> str:
    """Return ``distance`` if it is one we know.

    Raises:
        ParameterError: It is not (E510).
    """
    if distance not in DISTANCES:
        ours = _ELSEWHERE.get(str(distance))
        fix = f"write {ours!r}" if ours else nearest(str(distance), DISTANCES)
        raise ParameterError("E510", f"distance={distance!r}", fix=fix)
    return distance


def between(x: Any, y: Any, distance: str) -> Any:
    """Return the distance of each vector of ``x`` to its counterpart in ``y``; shapes broadcast.

    Computed from differences, in float32 or better. The gradient at distance 0, where the Euclidean distance
    has none, is 0. Under cosine a zero vector has distance 1 to everything, and gradient 0.

    Args:
        x: (..., dim) vectors of any float dtype.
        y: (..., dim) vectors.
        distance: ``"euclidean"``, ``"sqeuclidean"`` or ``"cosine"``.
    """
    x, y = precise(x), precise(y)
    if distance == "cosine":
        return _cosine(x, y)
    squared = ops.sum(ops.square(x - y), axis=-1)
    return _root(squared) if distance == "euclidean" else squared


def pairwise(vectors: Any, distance: str) -> Any:
    """Return the (n, n) distances between the (n, dim) vectors of a batch."""
    return between(ops.expand_dims(vectors, 1), ops.expand_dims(vectors, 0), distance)


def precise(values: Any) -> Any:
    """Return a tensor in float32, or in float64 where it came so: float16 overflows at 256²."""
    values = ops.convert_to_tensor(values)
    return values if backend.standardize_dtype(values.dtype) == "float64" else ops.cast(values, "float32")


def pairs(labels: Any, vectors: Any) -> tuple[Any, Any]:
    """Return two (n, n) masks: which pairs of different rows are genuine, and which are impostors.

    Args:
        labels: (n,) as `classes` returns them; a row whose label is NaN is in no pair.
        vectors: (n, dim) embeddings of the same rows.

    Raises:
        DataError: The embeddings are not a matrix (E304).
        LabelError: Not one label per row (E401).
    """
    require_matrix(vectors)
    rows, items = labels.shape[0], vectors.shape[0]
    if rows != items and None not in {rows, items}:
        raise LabelError("E401", f"{rows} labels for {items} embeddings", fix="give one per row")
    same, counted = same_label(labels), ops.equal(labels, labels)
    both = ops.logical_and(ops.expand_dims(counted, 1), ops.expand_dims(counted, 0))
    itself = ops.eye(ops.shape(vectors)[0], dtype="bool")
    return ops.logical_and(same, ops.logical_not(itself)), ops.logical_and(both, ops.logical_not(same))


def classes(labels: Any, vectors: Any) -> Any:
    """Return (n,) float32 labels: for each row the first that has its label, and NaN where a mask leaves it out.

    Keras turns what a loss receives into float32, where large labels collide; numbers of rows do not.

    Args:
        labels: (n,) or (n, 1) integers, floats or text; compared as they are.
        vectors: (n, dim) embeddings, with the (n,) mask of a layer such as `keras.layers.Masking`, where they have one.

    Raises:
        DataError: Labels are not one column (E304).
    """
    same = same_label(labels)
    count = ops.shape(same)[0]
    first = ops.cast(ops.min(ops.where(same, ops.arange(count), count), axis=1, initial=count), "float32")
    mask = getattr(vectors, "_keras_mask", None)
    if mask is None or len(mask.shape) != 1:
        return first
    return ops.where(mask, first, float("nan"))


def poison(labels: Any, vectors: Any) -> Any:
    """Return 0 in float32, or NaN where a label is NaN, or a squared distance could be beyond float32.

    Added to what is told about a batch, because comparisons and maxima lose a NaN on the way, and a network that
    has diverged would look like one that has not.
    """
    labels = ops.convert_to_tensor(labels)
    farthest = ops.sum(ops.square(2.0 * precise(vectors)), axis=-1)  # of two vectors as long, in opposite directions
    sound = ops.logical_and(ops.all(ops.equal(labels, labels)), ops.all(ops.isfinite(farthest)))
    return ops.cast(ops.where(sound, 0.0, float("nan")), "float32")


def same_label(labels: Any) -> Any:
    """Return the (n, n) mask of rows that share a label.

    Raises:
        DataError: Labels are not one column (E304).
    """
    labels = ops.convert_to_tensor(labels)
    if len(labels.shape) > 1 and tuple(labels.shape[1:]) != (1,):
        raise DataError(
            "E304",
            f"labels of shape {tuple(labels.shape)}",
            fix="give one class number per row; of one-hot rows take the argmax",
        )
    labels = ops.reshape(labels, (-1,))
    return ops.equal(ops.expand_dims(labels, 1), ops.expand_dims(labels, 0))


def require_matrix(vectors: Any) -> None:
    """Refuse embeddings that are not (n, dim).

    Raises:
        DataError: They are not (E304).
    """
    if len(vectors.shape) != 2:
        raise DataError(
            "E304",
            f"embeddings of shape {tuple(vectors.shape)}",
            fix="end the tower with one vector per item, for example after a pooling layer",
        )


def _root(squared: Any) -> Any:
    # The inner `where` keeps the gradient of the branch that is not taken finite.
    apart = squared != 0  # true of NaN, which is to stay one
    return ops.where(apart, ops.sqrt(ops.where(apart, squared, 1.0)), 0.0)


def _cosine(x: Any, y: Any) -> Any:
    # 1 − x·y of unit vectors is half their squared distance, which resolves near neighbours that 1 − x·y cannot.
    (x, x_known), (y, y_known) = _unit(x), _unit(y)
    return (ops.sum(ops.square(x - y), axis=-1) + (1.0 - x_known) + (1.0 - y_known)) / 2


def _unit(x: Any) -> tuple[Any, Any]:
    """Return vectors of length 1, and (...) 1 where there is a direction and 0 where there is none."""
    squared = ops.sum(ops.square(x), axis=-1, keepdims=True)
    known = squared > 0
    unit = x * ops.where(known, 1.0 / ops.sqrt(ops.where(known, squared, 1.0)), 0.0)
    return unit, ops.cast(ops.squeeze(known, -1), x.dtype)
