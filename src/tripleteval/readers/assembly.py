"""Blocks and the columns given beside them, made into Embeddings."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from tripleteval.arrays import Ints, as_column
from tripleteval.data.embeddings import Embeddings
from tripleteval.data.labels import Labels, LabelSets
from tripleteval.errors import DataError, LabelError, ParameterError, printable
from tripleteval.readers.block import Block
from tripleteval.readers.column_file import read_column
from tripleteval.readers.files import Name

# Labels, ids and groups that do not come from the file of vectors, one value per row of that file.
Given = dict[str, Any]

_HUGE = 1e18
_ROWS_CHECKED = 8192


def given_columns(values: tuple[Any, Any, Any], names: tuple[str | None, ...]) -> Given:
    """Return labels, ids and groups that are arrays or files of their own.

    Args:
        values: Each an array, the path of a file, or ``None``.
        names: For each the column of that file, if it has several.

    Raises:
        ParameterError: A column was named beside an array (E101); and whatever `read_column` raises.
    """
    given: Given = {}
    for noun, value, name in zip(("labels", "ids", "groups"), values, names, strict=True):
        if isinstance(value, (str, os.PathLike)):
            given[noun] = read_column(value, noun, name)
        elif value is not None:
            if name is not None:
                found = f"an array of {noun} and also a column {name!r} of {noun}"
                raise ParameterError("E101", found, where=noun, fix="pass one of the two")
            kept = isinstance(value, (Labels, LabelSets, list, tuple))
            given[noun] = value if kept else as_column(value, noun)
    return given


def require_plausible(block: Block, path: str) -> None:
    """Refuse magnitudes that no network produces, but swapped bytes and mistaken types do.

    Raises:
        DataError: A finite value beyond 1e18 (E206).
    """
    vectors = block.vectors
    if vectors.dtype.kind != "f" or vectors.dtype.itemsize < 4:
        return
    for start in range(0, len(vectors), _ROWS_CHECKED):
        size = np.abs(vectors[start : start + _ROWS_CHECKED])
        huge = (size > _HUGE) & np.isfinite(size)  # NaN and infinity have an error, and an option, of their own
        if huge.any():
            row, column = (int(at[0]) for at in np.nonzero(huge))
            raise DataError(
                "E206",
                f"an implausible magnitude: {vectors[start + row, column]!s} at row {block.rows[start + row]}, "
                f"column {column} (0-based)",
                where=path,
                fix="check the byte order and type it was written with; --allow-huge if the values are right",
            )


def assembled(block: Block, given: Given, path: Name, name: str | None, *, whole: bool) -> Embeddings:
    """Return the rows of a block as Embeddings.

    Args:
        block: At least one row.
        given: Columns from elsewhere, which take the place of the block's own.
        path: Of the file.
        name: Of the set; ``None`` for that of the file.
        whole: The block is the whole file: ``given`` goes on as it is, for `Embeddings` to compare.

    Raises:
        DataError: See `Embeddings`.
        LabelError: See `Embeddings`.
    """
    columns = dict(block.columns) | {noun: c if whole else _take(c, block.rows) for noun, c in given.items()}
    for noun, column in columns.items():
        if len(column) == len(block.rows):
            _require_values(noun, column, block.rows, str(path))
    return Embeddings(
        block.vectors,
        columns.get("labels"),
        ids=columns.get("ids"),
        groups=columns.get("groups"),
        name=printable(Path(path).name) if name is None else name,
        meta=block.meta,
    )


def _take(column: Any, rows: Ints) -> Any:
    return [column[row] for row in rows.tolist()] if isinstance(column, (list, tuple)) else column.take(rows)


def _require_values(noun: str, column: Any, rows: Ints, path: str) -> None:
    values = column.tolist() if isinstance(column, np.ndarray) and column.dtype == object else column
    if not isinstance(values, (list, tuple)):
        return
    missing = [row for row, value in zip(rows.tolist(), values, strict=True) if _is_missing(value)]
    if missing:
        shown = ", ".join(map(str, missing[:5])) + (" …" if len(missing) > 5 else "")
        raise LabelError(
            "E402",
            f"{len(missing):,} rows without a value among the {noun}; first rows: {shown} (0-based)",
            where=path,
            fix="give them a value, or drop these rows from the file",
        )


def _is_missing(value: Any) -> bool:
    if isinstance(value, (set, frozenset, list)):
        return not value or None in value or "" in value
    return value is None or (isinstance(value, str) and not value)
