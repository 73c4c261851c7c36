"""Arrays as people hold them, made into NumPy at the door: exactly, or not at all.

A framework is never imported to find out whether an array is its own: the array is asked
(``__dlpack__``, ``__array__``, ``.numpy()``), so NumPy, TensorFlow, PyTorch, JAX, Arrow, pandas
and plain lists all pass, and nothing is copied that need not be.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from tripleteval.errors import DataError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]
AnyArray = npt.NDArray[Any]

HUGE = 1e18
_EXACT_INTEGER = 2**53
_MOST_NUMBERS = 2**20  # in a block of rows: 8 MiB as float64


def as_vectors(values: Any, where: str = "embeddings") -> AnyArray:
    """Return ``values`` as an (n, dim) NumPy array of real numbers, without losing a bit.

    Args:
        values: NumPy, TensorFlow, PyTorch or JAX array, an Arrow or pandas column set, or a list of
            equally long lists. Any float, integer or boolean dtype, any byte order and layout.
        where: What to call the array in an error.

    Returns:
        The array itself where possible; bfloat16 and float8 come back as float32, which holds them
        exactly. Never a copy that the caller could not tell from the original, never written to.

    Raises:
        DataError: Objects, strings, complex numbers, dates, records, masked or sparse arrays (E203,
            E204), rows of different lengths (E205), no rows (E301), no columns (E303), or an array that
            is not two-dimensional (E304).
    """
    _require_no_path(values, where)
    array = _as_numpy(values, where)
    if array.dtype == object or array.dtype.names:
        raise _not_numbers(array, where)
    _require_matrix(array, where)
    return _as_real(array, where)


def as_column(values: Any, where: str) -> AnyArray:
    """Return a one-dimensional column (labels, ids, groups) as NumPy, keeping integers and text as they are.

    An array (n, 1), which is how Keras holds labels, is one column too.

    Raises:
        DataError: The values do not form one column (E304) or are masked (E204).
    """
    if isinstance(values, (list, tuple)):
        column = np.empty(len(values), dtype=object)
        for row, value in enumerate(values):  # one by one: a slice would broadcast lists of equal length
            column[row] = value
        return column
    if hasattr(values, "to_pylist"):  # Arrow keeps 64-bit integers with nulls exact only as Python objects
        return as_column(python_values(values), where)
    array = _as_numpy(values, where)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise DataError(
            "E304",
            f"a column was expected, an array of shape {array.shape} was received",
            where=where,
            fix="pass one value per row; for several labels per item pass a list of sets",
        )
    return array


def python_values(column: Any) -> list[Any]:
    """Return an Arrow array as Python values; times finer than a microsecond, which Python cannot hold, as text."""
    try:
        found: list[Any] = column.to_pylist()
    except ValueError:
        if getattr(column.type, "unit", "") != "ns":
            raise
        found = column.cast("string").to_pylist()
    return found


def row_blocks(vectors: AnyArray, rows: int = 16_384) -> Iterator[AnyArray]:
    """Yield at most ``rows`` rows at a time (fewer where they are long), so that no conversion doubles the whole."""
    step = min(rows, max(256, _MOST_NUMBERS // max(1, vectors.shape[1])))
    for start in range(0, len(vectors), step):
        yield vectors[start : start + step]


def in_runs(lengths: Ints) -> tuple[Ints, Ints]:
    """Return, for each entry of runs of these lengths, which run it is in, and its place there from 0 on."""
    run = np.repeat(np.arange(len(lengths)), lengths)
    return run, np.arange(len(run)) - (np.cumsum(lengths) - lengths)[run]


def require_plausible(vectors: AnyArray, rows: Ints, where: str, most: float = HUGE) -> None:
    """Refuse magnitudes that no network produces, but swapped bytes and mistaken types do.

    Args:
        vectors: (n, dim) of any real dtype.
        rows: (n,) what an error calls each row.
        where: What it calls the set.
        most: What is refused is beyond this.

    Raises:
        DataError: A finite value beyond ``most`` (E206).
    """
    if vectors.dtype.kind != "f" or vectors.dtype.itemsize < 4 or most == np.inf:
        return
    start = 0
    for block in row_blocks(vectors):
        size = np.abs(block)
        huge = (size > most) & np.isfinite(size)  # NaN and infinity have an error, and an option, of their own
        if huge.any():
            row, column = (int(at[0]) for at in np.nonzero(huge))
            place = f"row {rows[start + row]}, column {column} (0-based)"
            raise DataError(
                "E206",
                f"an implausible magnitude: {block[row, column]!s} at {place}",
                where=where,
                fix="check the byte order and type it was written with; allow_huge=True (--allow-huge) if it is right",
            )
        start += len(block)


def _require_no_path(values: Any, where: str) -> None:
    several = isinstance(values, (list, tuple))
    given = values if several else [values]
    if given and all(isinstance(path, (str, os.PathLike)) for path in given):
        first = repr(os.fspath(given[0]))
        if several:
            fix = "if they are paths, read them first: te.read(paths)"
            raise DataError("E203", f"a list of paths or text, first {first}", where=where, fix=fix)
        raise DataError("E203", f"a path, {first}", where=where, fix=f"read it first: te.read({first})")


def _as_numpy(values: Any, where: str) -> AnyArray:
    if isinstance(values, np.ma.MaskedArray):
        raise DataError("E204", "a masked array", where=where, fix="fill it, or drop the masked rows, first")
    if isinstance(values, np.ndarray):
        return np.asarray(values)
    if hasattr(values, "tocsr") or hasattr(values, "todense"):
        raise DataError("E203", "a sparse matrix", where=where, fix="pass a dense array: x.toarray()")
    if isinstance(values, (list, tuple)):
        return _from_list(values, where)
    for convert in (_from_numpy_method, np.asarray):
        try:
            array = convert(values)
        except (TypeError, ValueError, RuntimeError, AttributeError):
            continue
        if array.dtype != object or array.ndim:
            return np.asarray(array)
    raise DataError("E203", f"an object of type {type(values).__name__}", where=where, fix="pass an array or a list")


def _from_numpy_method(values: Any) -> AnyArray:
    # PyTorch refuses __array__ on tensors that need gradients or live on a GPU; detach and move first.
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        if "bfloat16" in str(values.dtype) or "float8" in str(values.dtype):
            values = values.float()
    array = values.to_numpy() if hasattr(values, "to_numpy") else values.numpy()
    if not isinstance(array, np.ndarray):
        raise TypeError
    return array


def _from_list(values: Any, where: str) -> AnyArray:
    lengths = [len(row) if hasattr(row, "__len__") else -1 for row in values]
    for row, length in enumerate(lengths):
        if length != lengths[0]:
            raise DataError(
                "E205",
                f"row {row} (0-based) has {length} values, row 0 has {lengths[0]}",
                where=where,
                fix="every vector must have the same length",
            )
    return np.asarray(values)


def _require_matrix(array: AnyArray, where: str) -> None:
    shape = array.shape
    if array.ndim == 1:
        raise DataError("E304", f"a vector of shape {shape}", where=where, fix="one query is x[None, :]")
    if array.ndim != 2:
        raise DataError(
            "E304",
            f"an array of shape {shape}",
            where=where,
            fix="embeddings are (n, dim); pool feature maps first, for example x.mean(axis=(1, 2))",
        )
    if shape[0] == 0:
        raise DataError("E301", "no rows", where=where, fix="check the filter or the file that made this set")
    if shape[1] == 0:
        raise DataError("E303", f"vectors without a coordinate, shape {shape}", where=where, fix="check the model head")


def _as_real(array: AnyArray, where: str) -> AnyArray:
    kind = array.dtype.kind
    if "bfloat16" in array.dtype.name or "float8" in array.dtype.name:
        return array.astype(np.float32)
    if kind == "f" and array.dtype.itemsize <= 8:
        return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))
    if kind in "iu":
        _require_exact_integers(array, where)
        return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))
    if kind == "b":
        return array.view(np.uint8) if array.flags.c_contiguous else array.astype(np.uint8)
    raise _not_numbers(array, where)


def _not_numbers(array: AnyArray, where: str) -> DataError:
    names = f" with fields {list(array.dtype.names)}" if array.dtype.names else ""
    return DataError(
        "E203",
        f"values of type {array.dtype.name}{names}",
        where=where,
        fix="embeddings are real numbers: pass float16, float32, float64 or integers",
    )


def _require_exact_integers(array: AnyArray, where: str) -> None:
    if array.dtype.itemsize < 8:
        return
    worst = max(abs(int(array.max())), abs(int(array.min())))
    if worst > _EXACT_INTEGER:
        raise DataError(
            "E203",
            f"an integer of magnitude {worst}, beyond 2**53",
            where=where,
            fix="float64 cannot hold it exactly; rescale the vectors",
        )
