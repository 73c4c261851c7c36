"""Which column of a Parquet file means what."""

from __future__ import annotations

from typing import Any, NamedTuple

from tripleteval.errors import DataError, FileError, closest
from tripleteval.readers.arrow_table import described, is_scalar, is_vector
from tripleteval.readers.block import EMBEDDINGS, Request


class Layout(NamedTuple):
    """Which column means what, by name: the vectors, ``"labels"`` and the like, and the rest."""

    vectors: str
    columns: dict[str, str]
    meta: list[str]


def layout_of(schema: Any, request: Request, path: str) -> Layout:
    """Return which column means what.

    Raises:
        FileError: A column that was asked for, or one of vectors, is not there (E605).
        DataError: The column of vectors holds something else (E203).
    """
    columns = request.found(schema.names, described(schema), path)
    vectors = _vectors_name(schema, request.embedding, columns, path)
    taken = {vectors, *columns.values()}
    return Layout(vectors, columns, [f.name for f in schema if f.name not in taken and is_scalar(f.type)])


def _vectors_name(schema: Any, asked: str | None, columns: dict[str, str], path: str) -> str:
    if asked is None:
        lists = [field.name for field in schema if is_vector(field.type) and field.name not in columns.values()]
        known = [name for name in EMBEDDINGS if name in lists]
        if known or len(lists) == 1:
            return (known or lists)[0]
        for noun, name in columns.items():
            if not lists and is_vector(schema.field(name).type):
                found = f"column {name!r}, the only one of vectors, was named as that of {noun}"
                fix = f"name the column of {noun}; the columns are {described(schema)}"
                raise FileError("E605", found, where=path, fix=fix)
        found = "several columns are lists of numbers" if lists else "no column is a list of numbers"
        raise _no_column(found, schema, path, "" if lists else "write each vector as a list of float32 in one column")
    if asked not in schema.names:
        raise _no_column(f"no column {asked!r}", schema, path, closest(asked, schema.names))
    if not is_vector(schema.field(asked).type):
        found = f"column {asked!r} is of type {schema.field(asked).type}, not a list of numbers"
        raise DataError("E203", found, where=path, fix="store each vector as a list of float32")
    return asked


def _no_column(found: str, schema: Any, path: str, hint: str = "") -> FileError:
    fix = hint or "name one that is, with embedding_column= (--embedding-column)"
    return FileError("E605", f"{found}; the columns are {described(schema)}", where=path, fix=fix)
