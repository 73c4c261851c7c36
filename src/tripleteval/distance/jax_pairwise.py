"""Pairwise distances of JAX arrays; see `tripleteval.distance.pairwise`."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any


def pairwise(x: Any, y: Any, distance: str) -> Any:
    """Return (n, m) distances in the dtype of ``x``, also under ``jit``, ``grad`` and ``jvp``."""
    jax = import_module("jax")
    wide = jax.dtypes.canonicalize_dtype("float64" if x.dtype.itemsize >= 4 else "float32")
    a, b = x.astype(wide), y.astype(wide)
    return _distances(jax.numpy, jax.lax.stop_gradient, a, b, distance).astype(x.dtype)


def _distances(jnp: Any, stop: Any, x: Any, y: Any, distance: str) -> Any:
    if distance == "cosine":
        (x, far_x), (y, far_y) = _directions(jnp, stop, x), _directions(jnp, stop, y)
        half = _squared()(x, y) / 2
        return jnp.where((far_x | far_y.T) & ~jnp.isnan(half), 1.0, half)
    squared = _squared()(x, y)
    return squared if distance == "sqeuclidean" else _root(jnp, squared)


def _directions(jnp: Any, stop: Any, rows: Any) -> tuple[Any, Any]:
    """Return unit rows (zero rows stay zero), and (n, 1) which rows are zero."""
    far = jnp.all(rows == 0, axis=1, keepdims=True)
    # The direction does not depend on the scale, so the gradient need not know of it; squares stay in range.
    rows = rows / jnp.where(far, 1.0, stop(jnp.max(jnp.abs(rows), axis=1, keepdims=True)))
    squares = jnp.sum(rows * rows, axis=1, keepdims=True)
    return rows / jnp.sqrt(jnp.where(far, 1.0, squares)), far


def _root(jnp: Any, squared: Any) -> Any:
    # The derivative at 0 is infinite, and infinity times the 0 of equal rows is NaN: keep 0 out of the root.
    zero = squared == 0
    return jnp.where(zero, 0.0, jnp.sqrt(jnp.where(zero, 1.0, squared)))


@cache
def _squared() -> Any:
    jax = import_module("jax")
    jnp = jax.numpy

    def squared(x: Any, y: Any) -> Any:
        def add(total: Any, column: tuple[Any, Any]) -> tuple[Any, None]:
            difference = column[0][:, None] - column[1][None, :]
            return total + difference * difference, None

        return jax.lax.scan(add, jnp.zeros((len(x), len(y)), x.dtype), (x.T, y.T))[0]

    def tangent(primals: tuple[Any, Any], tangents: tuple[Any, Any]) -> tuple[Any, Any]:
        # 2 (x_i - y_j)·(dx_i - dy_j), multiplied out into matrix products that JAX can transpose for `grad`.
        # It depends on differences only, so a common centre is taken out: far away the products would cancel.
        (x, y), (dx, dy) = primals, tangents
        centre = jnp.mean(y, axis=0)
        p, q = x - centre, y - centre
        own = jnp.sum(p * dx, axis=1)[:, None] + jnp.sum(q * dy, axis=1)[None, :]
        cross = jnp.matmul(dx, q.T, precision="highest") + jnp.matmul(p, dy.T, precision="highest")
        return function(x, y), 2 * (own - cross)

    function = jax.custom_jvp(squared)
    function.defjvp(tangent)
    return function
