"""All distances between two sets of vectors, in the framework, on the device and in the dtype they came in."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from tripleteval.arrays import AnyArray, Floats, as_vectors, row_blocks
from tripleteval.distance.formula import DISTANCES, distance_for, squared_block
from tripleteval.errors import DataError

# Where the class of a tensor is defined: a framework is recognised by name, never imported to find out.
_FRAMEWORKS = {"tensorflow": "tensorflow", "torch": "torch", "jax": "jax", "jaxlib": "jax"}
_CELLS = 2**17  # distances per step of the NumPy path: 1 MiB of float64, so that sums stay in cache


def pairwise_distances(x: Any, y: Any = None, *, distance: str = "euclidean") -> Any:
    """Return the distance of every row of ``x`` to every row of ``y``.

    Differences are squared and added coordinate by coordinate, so nothing cancels far from the origin,
    equal rows are at distance exactly 0, and nothing of size n × m × dim ever exists, forward or backward.

    Tensors (``tf.Tensor``, ``tf.Variable``, ``torch.Tensor``, ``jax.Array``) are differentiable, also
    inside ``tf.function`` and ``jax.jit``. The gradient is the exact one, and 0 where it does not exist:
    for ``euclidean`` at coincident rows, for ``cosine`` at zero vectors.

    Args:
        x: (n, dim) array of any real dtype, or a floating tensor.
        y: (m, dim), of the framework and dtype of ``x``; ``x`` itself by default.
        distance: ``"euclidean"``, ``"sqeuclidean"`` or ``"cosine"``. A zero vector is at cosine distance 1
            from everything, itself included.

    Returns:
        (n, m), >= 0. For NumPy arrays, lists and anything else that is no tensor: float64, the same bits
        that `evaluate` ranks by. For tensors: same framework, device and dtype. float16 and bfloat16 are
        computed in float32; float32 in float64, where there is one (JAX needs ``jax_enable_x64``). Values
        beyond the range of the dtype become inf.

    Raises:
        DataError: Non-finite values (E201; a tensor is not searched, there NaN gives NaN), values that
            are no real numbers (E203), two frameworks or dtypes (E203), no rows or no coordinates (E301,
            E303), no (n, dim) array (E304), different dimensions (E306), distances beyond float64 (E206).
        ParameterError: No distance has this name (E510).

    Example:
        >>> pairwise_distances([[0, 0]], [[3, 4], [0, 0]])
        array([[5., 0.]])
    """
    if distance not in DISTANCES:
        distance_for(distance)  # refuses the name, in the words used everywhere
    x = _value(x)
    y = x if y is None else _value(y)
    home = _framework(x)
    if home != _framework(y):
        raise DataError(
            "E203",
            f"x is of {home or 'NumPy'} and y of {_framework(y) or 'NumPy'}",
            where=f"{type(x).__name__} and {type(y).__name__}",
            fix="convert one of them, so that both are of one framework",
        )
    if home is None:
        return _exact(as_vectors(x, "x"), as_vectors(y, "y"), distance)
    _require_tensors(x, y)
    return import_module(f"tripleteval.distance.{home}_pairwise").pairwise(x, y, distance)


def _value(values: Any) -> Any:
    # A keras.Variable (the centres of a layer, say) holds a variable of its backend.
    return values.value if type(values).__module__.startswith("keras.") and hasattr(values, "value") else values


def _framework(values: Any) -> str | None:
    """Return the framework whose tensor this is, also for a subclass of it defined elsewhere."""
    roots = (kind.__module__.partition(".")[0] for kind in type(values).__mro__)
    return next((_FRAMEWORKS[root] for root in roots if root in _FRAMEWORKS), None)


def _exact(x: AnyArray, y: AnyArray, distance: str) -> Floats:
    _require_one_dim(x.shape, y.shape)
    for where, vectors in (("x", x), ("y", y)):
        _require_finite(vectors, where)
    fitted = distance_for(distance, x, y)
    gallery = fitted.prepare(y)
    distances = np.empty((len(x), len(y)))
    rows = max(1, _CELLS // len(y))
    with np.errstate(over="ignore"):
        for start in range(0, len(x), rows):
            block = squared_block(fitted.prepare(x[start : start + rows]), gallery)
            distances[start : start + rows] = fitted.from_squared(block)
    if np.isinf(distances).any():
        raise DataError("E206", "distances beyond the range of float64", where="x and y", fix="rescale the vectors")
    return distances


def _require_finite(vectors: AnyArray, where: str) -> None:
    done = 0
    for rows in row_blocks(vectors):
        bad = ~np.isfinite(rows)
        if bad.any():
            row, column = np.argwhere(bad)[0].tolist()
            raise DataError(
                "E201",
                f"{rows[row, column]} at row {done + row}, column {column} (first, 0-based)",
                where=f"{where} ({len(vectors):,} × {vectors.shape[1]} {vectors.dtype})",
                fix="remove these rows, or find out what made them",
            )
        done += len(rows)


def _require_tensors(x: Any, y: Any) -> None:
    shapes = [_shape(values, where) for where, values in (("x", x), ("y", y))]
    _require_one_dim(*shapes)
    names = [str(getattr(values.dtype, "name", values.dtype)).removeprefix("torch.") for values in (x, y)]
    for where, name in zip(("x", "y"), names, strict=True):
        if not name.startswith(("float", "bfloat")):
            raise DataError(
                "E203", f"a tensor of {name}", where=where, fix="distances are real numbers: cast it to float32 first"
            )
    if names[0] != names[1]:
        raise DataError("E203", f"x is {names[0]} and y is {names[1]}", where="x and y", fix="cast one of them")


def _shape(values: Any, where: str) -> tuple[int | None, ...]:
    try:
        shape = tuple(values.shape)
    except ValueError:  # TensorFlow, of a tensor without a known rank
        raise DataError("E304", "a tensor of unknown rank", where=where, fix="call set_shape([None, dim])") from None
    # Judged by the rules for arrays, on one that has this shape and holds a single number.
    as_vectors(np.broadcast_to(0.0, tuple(1 if size is None else size for size in shape)), where)
    if shape[1] is None:
        raise DataError(
            "E306",
            "a number of coordinates that is not known while the graph is built",
            where=where,
            fix="call set_shape([None, dim])",
        )
    return shape


def _require_one_dim(x: tuple[int | None, ...], y: tuple[int | None, ...]) -> None:
    if x[1] != y[1]:
        raise DataError(
            "E306",
            f"x has {x[1]} dimensions, y has {y[1]}",
            where=f"x of shape {x} and y of shape {y}",
            fix="both must come from the same model",
        )
