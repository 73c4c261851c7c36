"""Pairwise distances of TensorFlow tensors; see `tripleteval.distance.pairwise`."""

from __future__ import annotations

from contextlib import nullcontext
from functools import cache
from importlib import import_module
from typing import Any

from tripleteval.errors import DataError


def pairwise(x: Any, y: Any, distance: str) -> Any:
    """Return (n, m) distances on the device and in the dtype of ``x``, also inside a graph or under XLA."""
    tf = import_module("tensorflow")
    _require_dense(tf, x, y)
    wide = tf.float64 if x.dtype.size >= tf.float32.size else tf.float32
    with tf.device(x.device) if x.device else nullcontext():
        a = tf.cast(tf.convert_to_tensor(x), wide)
        b = a if y is x else tf.cast(tf.convert_to_tensor(y), wide)
        return tf.cast(_distances(tf, a, b, distance), x.dtype)


def _require_dense(tf: Any, *tensors: Any) -> None:
    for tensor in tensors:
        if not isinstance(tensor, (tf.Tensor, tf.Variable)):
            raise DataError("E203", f"a {type(tensor).__name__}", where="x or y", fix="pass a dense tf.Tensor")


def _distances(tf: Any, x: Any, y: Any, distance: str) -> Any:
    if distance == "cosine":
        (x, far_x), (y, far_y) = _directions(tf, x), _directions(tf, y)
        half = _squared()(x, y) / 2
        far = tf.logical_or(far_x, tf.transpose(far_y))
        return tf.where(far & ~tf.math.is_nan(half), tf.ones_like(half), half)
    squared = _squared()(x, y)
    return squared if distance == "sqeuclidean" else _root(tf, squared)


def _directions(tf: Any, rows: Any) -> tuple[Any, Any]:
    """Return unit rows (zero rows stay zero), and (n, 1) which rows are zero."""
    far = tf.reduce_all(rows == 0, axis=1, keepdims=True)
    # The direction does not depend on the scale, so the gradient need not know of it; squares stay in range.
    scale = tf.stop_gradient(tf.reduce_max(tf.abs(rows), axis=1, keepdims=True))
    rows = rows / tf.where(far, tf.ones_like(scale), scale)
    squares = tf.reduce_sum(rows * rows, axis=1, keepdims=True)
    return rows / tf.sqrt(tf.where(far, tf.ones_like(squares), squares)), far


def _root(tf: Any, squared: Any) -> Any:
    # The derivative at 0 is infinite, and infinity times the 0 of equal rows is NaN: keep 0 out of the root.
    zero = squared == 0
    return tf.where(zero, tf.zeros_like(squared), tf.sqrt(tf.where(zero, tf.ones_like(squared), squared)))


@cache
def _squared() -> Any:
    tf = import_module("tensorflow")

    def squared(x: Any, y: Any) -> tuple[Any, Any]:
        def gradient(upstream: Any) -> tuple[Any, Any]:
            # 2 Σ_j G_ij (x_i - y_j) as matrix products. It depends on differences only, so a common centre
            # is taken out first: far from the origin the products would cancel.
            centre = tf.reduce_mean(y, axis=0)
            p, q = x - centre, y - centre
            rows, columns = tf.reduce_sum(upstream, axis=1), tf.reduce_sum(upstream, axis=0)
            of_x = 2 * (p * rows[:, None] - tf.matmul(upstream, q))
            of_y = 2 * (q * columns[:, None] - tf.matmul(upstream, p, transpose_a=True))
            return of_x, of_y

        # Without stop_gradient the eager tape would keep an (n, m) intermediate per coordinate.
        return _sum_of_squares(tf, tf.stop_gradient(x), tf.stop_gradient(y)), gradient

    return tf.custom_gradient(squared)


def _sum_of_squares(tf: Any, x: Any, y: Any) -> Any:
    columns_x, columns_y = tf.transpose(x), tf.transpose(y)

    def add(d: Any, total: Any) -> tuple[Any, Any]:
        return d + 1, total + tf.math.squared_difference(columns_x[d][:, None], columns_y[d][None, :])

    total = tf.zeros([tf.shape(x)[0], tf.shape(y)[0]], x.dtype)
    return tf.while_loop(lambda d, _: d < x.shape[1], add, (tf.constant(0), total))[1]
