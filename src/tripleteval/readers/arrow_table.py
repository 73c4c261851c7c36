"""Arrow columns made into vectors and labels, row by row as written: nothing shifted, filled or rounded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tripleteval.arrays import AnyArray, Ints, python_values
from tripleteval.errors import DataError, FileError, LabelError, counted
from tripleteval.readers.block import Column
from tripleteval.readers.files import Source, require_content


def open_parquet(source: Source, **how: Any) -> Any:
    """Return a ``pyarrow.parquet.ParquetFile`` that verifies checksums wherever the file has them."""
    import pyarrow.parquet as pq

    require_content(source, b"PAR1")
    file = pq.ParquetFile(source.file, page_checksum_verification=True, **how)
    names = file.schema_arrow.names
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise FileError(
            "E605",
            f"columns that appear twice: {', '.join(map(repr, repeated))}",
            where=source.path,
            fix="rename or drop one of each",
        )
    return file


def batches(file: Any, columns: list[str], rows: int) -> Iterator[Any]:
    """Yield the named columns of a Parquet file as Arrow record batches."""
    import pyarrow as pa

    for batch in file.iter_batches(batch_size=rows, columns=columns):
        yield pa.record_batch([settled(column) for column in batch.columns], names=batch.schema.names)


def settled(column: Any) -> Any:
    """Return text that Arrow holds as views, of which it can neither take rows nor compare any, as plain text."""
    import pyarrow as pa

    return column.cast(pa.large_string()) if pa.types.is_string_view(column.type) else column


def described(schema: Any) -> str:
    """Return the columns of a schema with their types, for an error."""
    listed = [f"{field.name!r} ({field.type})" for field in schema]
    return ", ".join(listed[:40]) + (" …" if len(listed) > 40 else "")


def is_vector(kind: Any) -> bool:
    """Return whether an Arrow type is a list of numbers."""
    import pyarrow as pa

    if len(getattr(kind, "shape", ())) > 1:  # a tensor; flattening it would be a guess
        return False
    kind = getattr(kind, "storage_type", kind)
    return _is_list(kind) and (pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type))


def is_scalar(kind: Any) -> bool:
    """Return whether an Arrow type holds one plain value per row."""
    import pyarrow as pa

    return not pa.types.is_nested(getattr(kind, "storage_type", kind))


def as_matrix(array: Any, rows: Ints, dim: int | None, where: str) -> AnyArray:
    """Return an Arrow array of lists of numbers as (n, dim) NumPy, without a copy.

    Args:
        array: Of a list type that `is_vector` accepts; may be a slice of a longer array.
        rows: (n,) position in the file of each list, for errors.
        dim: Length that every list must have; ``None`` takes that of the first.
        where: What to call the array in an error.

    Raises:
        DataError: A list is missing or of another length (E205), or a value within it is missing (E201).
    """
    array = getattr(array, "storage", array)
    if array.null_count:
        found = f"{counted(array.null_count, 'null vector')}; first: row {rows[_first_null(array)]} (0-based)"
        raise DataError("E205", found, where=where, fix="drop these rows, or compute their vectors")
    dim = _common_length(array, rows, dim, where)
    values = array.flatten()  # honours the offsets of a slice, as .values does not
    if values.null_count:
        row, column = divmod(_first_null(values), dim)
        found = f"{counted(values.null_count, 'null value')}; first: row {rows[row]}, column {column} (0-based)"
        raise DataError("E201", found, where=where, fix="null is not a number; drop these rows, or compute them again")
    matrix: AnyArray = values.to_numpy(zero_copy_only=False).reshape(len(array), dim)
    return matrix


def as_labels(array: Any, where: str) -> Column:
    """Return an Arrow array of labels, ids or groups as NumPy or Python values; nulls come out as ``None``.

    Text that is not UTF-8 comes out as bytes, which are refused where the row and its file are known.

    Raises:
        LabelError: Lists of something that is itself nested (E408).
    """
    import pyarrow as pa

    require_labels(array.type, where)
    if getattr(array.type, "extension_name", "") == "arrow.uuid":
        return [None if value is None else str(value) for value in array.to_pylist()]
    array = getattr(array, "storage", array)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if _is_list(array.type):
        return [None if row is None else set(row) for row in array.to_pylist()]
    if _is_text(array.type):
        try:
            array.validate(full=True)
        except pa.ArrowInvalid:
            return python_values(array.cast(pa.large_binary()))
    if array.null_count == 0 and (pa.types.is_integer(array.type) or _is_text(array.type)):
        column: AnyArray = array.to_numpy(zero_copy_only=False)
        return column
    # NumPy would turn integers beside a null into floats, and merge those beyond 2**53.
    return python_values(array)


def require_labels(kind: Any, where: str) -> None:
    """Refuse an Arrow type that cannot hold labels: lists of something that is itself nested.

    Raises:
        LabelError: E408.
    """
    import pyarrow as pa

    kind = getattr(kind, "storage_type", kind)
    if _is_list(kind) and pa.types.is_nested(kind.value_type):
        fix = "give every row an integer or text; labels alone may be several, in one list per row"
        raise LabelError("E408", f"values of type {kind}", where=where, fix=fix)


def _common_length(array: Any, rows: Ints, dim: int | None, where: str) -> int:
    import pyarrow.compute as pc

    lengths = pc.list_value_length(array).to_numpy(zero_copy_only=False)
    wanted = int(lengths[0]) if dim is None else dim
    if (other := lengths != wanted).any():
        at = int(np.argmax(other))
        found = f"row {rows[at]} (0-based) has {lengths[at]} values, the rows before it {wanted}"
        raise DataError("E205", found, where=where, fix="every vector must have the same length")
    return wanted


def _first_null(array: Any) -> int:
    return int(np.argmax(array.is_null().to_numpy(zero_copy_only=False)))


def _is_list(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
