"""Blocks and the columns given beside them, made into Embeddings."""

from __future__ import annotations

import os
from typing import Any

from tripleteval.arrays import Ints, as_column
from tripleteval.data.embeddings import Embeddings
from tripleteval.data.labels import Labels, LabelSets, encode, encode_labels, require_unique
from tripleteval.data.origin import NO_FILES, Origin, remember
from tripleteval.errors import LabelError, ParameterError, counted, printable
from tripleteval.readers.block import Block, joined
from tripleteval.readers.column_file import COLUMN_FILES, read_column
from tripleteval.readers.shards import called, shards

_NOUNS = ("labels", "ids", "groups")
# Labels, ids and groups that do not come from the file of vectors, one value per row of that file.
Given = dict[str, Any]
# For those of them that come in files: each file, and how many values it holds.
Beside = dict[str, list[tuple[str, int]]]


def given_columns(values: tuple[Any, Any, Any], names: tuple[str | None, ...]) -> tuple[Given, Beside]:
    """Return labels, ids and groups that are arrays or files of their own.

    Args:
        values: Each an array, the path of a file, a list of `pathlib.Path`, or ``None``.
        names: For each the column of that file, if it has several.

    Raises:
        ParameterError: A column was named beside an array (E101); and whatever `read_column` raises.
    """
    given: Given = {}
    beside: Beside = {}
    for noun, value, name in zip(_NOUNS, values, names, strict=True):
        if isinstance(value, (str, os.PathLike)) or _are_paths(value):
            files = shards(value, COLUMN_FILES)
            columns = [read_column(file, noun, name) for file in files]
            given[noun] = columns[0] if len(columns) == 1 else joined(columns)
            beside[noun] = [(printable(str(file)), len(column)) for file, column in zip(files, columns, strict=True)]
        elif value is not None:
            if name is not None:
                found = f"an array of {noun} and also a column {name!r} of {noun}"
                raise ParameterError("E101", found, where=noun, fix="pass one of the two")
            kept = isinstance(value, (Labels, LabelSets, list, tuple))
            given[noun] = value if kept else as_column(value, noun)
    return given, beside


def _are_paths(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and bool(value) and all(isinstance(each, os.PathLike) for each in value)


def require_beside(beside: Beside, file: int, files: int, rows: int, path: str) -> None:
    """Refuse a file of labels that does not have one value per row of the file of vectors it belongs to.

    Args:
        beside: The files of labels; as many as of vectors belong to these one by one. Of one, `require_files` tells.
        file: Which file of vectors.
        files: How many there are.
        rows: That it has.
        path: Of it.

    Raises:
        LabelError: E401.
    """
    for noun, known in beside.items():
        if 1 < len(known) == files and known[file][1] != rows:
            raise LabelError(
                "E401",
                f"{counted(known[file][1], noun[:-1])} for the {counted(rows, 'row')} of {path}",
                where=known[file][0],
                fix="the files belong to each other in the order of their names; check that none is missing",
            )


def require_files(values: tuple[Any, Any, Any], given: Given, rows: int, dim: int, path: str) -> None:
    """Refuse a file of labels, ids or groups that does not have one value per row of the vectors.

    As many labels as coordinates are left to `Embeddings`, which says that the vectors look transposed.

    Args:
        values: What labels, ids and groups were given as.
        given: The columns that were read.
        rows: Of the vectors.
        dim: Coordinates of each.
        path: Of their file, or what stands for several.

    Raises:
        LabelError: E401.
    """
    for noun, value in zip(_NOUNS, values, strict=True):
        if not isinstance(value, (str, os.PathLike)) or len(given[noun]) in (rows, dim):
            continue
        count, fix = len(given[noun]), f"give one of the {noun} per row of the vectors, in the same order"
        table, text = (str(value).lower().endswith(ends) for ends in ((".csv", ".tsv"), ".txt"))
        if table and count == rows - 1:
            fix = f"the first line of a table is its header, not one of the {noun}: add one, or name the file .txt"
        elif text and count > rows and "" in given[noun]:
            fix = f"line {given[noun].index('') + 1:,} is empty: remove it, and others that are"
        elif text and count == rows + 1:
            fix = f"a .txt has no header, its first line is one of the {noun}: remove the header, or name the file .csv"
        found = f"{counted(count, noun[:-1])} for the {counted(rows, 'vector')} of {path}"
        raise LabelError("E401", found, where=str(value), fix=fix)


def assembled(block: Block, given: Given, beside: Beside, origin: Origin, name: str) -> Embeddings:
    """Return the rows of a block as Embeddings.

    Args:
        block: At least one row.
        given: Columns from elsewhere, which take the place of the block's own.
        beside: The files that these come from.
        origin: The files of the block, and which of their rows it has; where it has all, ``given`` goes on as it is,
            for `Embeddings` to compare.
        name: Of the set.

    Raises:
        DataError: See `Embeddings`.
        LabelError: See `Embeddings`.
    """
    rows = origin.chosen
    columns = block.columns | {noun: c if rows is None else _take(c, rows) for noun, c in given.items()}
    return named_set(block.vectors, columns, beside, origin, name, given=given, meta=block.meta)


def named_set(
    vectors: Any, columns: dict[str, Any], beside: Beside, origin: Origin, name: str, *, given: Given, meta: Any
) -> Embeddings:
    """Return Embeddings that know where their rows came from; so do errors about their columns.

    Args:
        vectors: As for `Embeddings`.
        columns: Labels, ids and groups of its rows.
        beside: The files of those of them that did not come with the vectors.
        origin: Of the vectors.
        name: Of the set.
        given: The columns that did not come with the vectors, by noun.
        meta: As for `Embeddings`.

    Raises:
        DataError: See `Embeddings`.
        LabelError: See `Embeddings`.
    """
    found: dict[str, Any] = dict.fromkeys(_NOUNS)
    for noun, column in columns.items():
        if len(column) != len(vectors):  # for `Embeddings` to refuse
            found[noun] = column
            continue
        apart = Origin.of(beside[noun]) if noun in beside else NO_FILES
        where, came = f"{noun} of {name}", apart.take(origin.chosen) if noun in given else origin
        found[noun] = (encode_labels if noun == "labels" else encode)(column, where, came)
        if noun == "ids":
            require_unique(found[noun], where, came)
    made = Embeddings(vectors, found["labels"], ids=found["ids"], groups=found["groups"], name=name, meta=meta)
    if origin.chosen is not None or len(origin.files) > 1 or called(origin.files[0]) != name:
        remember(made, origin)
    return made


def _take(column: Any, rows: Ints) -> Any:
    return [column[row] for row in rows.tolist()] if isinstance(column, (list, tuple)) else column.take(rows)
