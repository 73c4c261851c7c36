"""Parquet: one list column of vectors; labels, ids, groups and anything else in columns beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from tripleteval.errors import DataError, FileError
from tripleteval.readers import READERS
from tripleteval.readers.arrow_table import (
    as_labels,
    as_matrix,
    batches,
    described,
    is_scalar,
    is_vector,
    open_parquet,
)
from tripleteval.readers.block import EMBEDDINGS, Block, Request
from tripleteval.readers.files import Source
from tripleteval.readers.where import Filter, kept, require_columns

_ROWS = 65536


class Layout(NamedTuple):
    """Which column means what, by name: the vectors, ``"labels"`` and the like, and the rest."""

    vectors: str
    columns: dict[str, str]
    meta: list[str]


@READERS.add(".parquet", ".pq")
def read_parquet(source: Source, request: Request) -> Iterator[Block]:
    """Yield the rows of a Parquet file, one record batch at a time."""
    file = open_parquet(source)
    schema = file.schema_arrow
    require_columns(request.where, schema.names, source.path)
    layout = _layout(schema, request, source.path)
    needed = [layout.vectors, *layout.columns.values(), *layout.meta, *(test.column for test in request.where)]
    start, dim = 0, None
    for batch in batches(file, list(dict.fromkeys(needed)), request.rows or _ROWS):
        block = _block(batch, start, layout, dim, request.where, source.path)
        dim = block.vectors.shape[1] if len(block.rows) else dim
        yield block
        start = block.stop
    if start != file.metadata.num_rows:
        raise EOFError(f"{file.metadata.num_rows:,} rows announced, {start:,} found")


def _layout(schema: Any, request: Request, path: str) -> Layout:
    columns = request.found(schema.names, described(schema), path)
    vectors = _vectors_name(schema, request.embedding, set(columns.values()), path)
    taken = {vectors, *columns.values()}
    return Layout(vectors, columns, [f.name for f in schema if f.name not in taken and is_scalar(f.type)])


def _vectors_name(schema: Any, asked: str | None, taken: set[str], path: str) -> str:
    if asked is None:
        lists = [field.name for field in schema if is_vector(field.type) and field.name not in taken]
        known = [name for name in EMBEDDINGS if name in lists]
        if known or len(lists) == 1:
            return (known or lists)[0]
        found = "several columns are lists of numbers" if lists else "no column is a list of numbers"
        raise _no_column(found, schema, path)
    if asked not in schema.names:
        raise _no_column(f"no column {asked!r}", schema, path)
    if not is_vector(schema.field(asked).type):
        found = f"column {asked!r} is of type {schema.field(asked).type}, not a list of numbers"
        raise DataError("E203", found, where=path, fix="store each vector as a list of float32")
    return asked


def _block(batch: Any, start: int, layout: Layout, dim: int | None, where: Filter, path: str) -> Block:
    rows = np.arange(start, start + len(batch))
    if where:
        mask = kept(where, {test.column: batch.column(test.column) for test in where}, len(batch), path)
        rows, batch = rows[mask], batch.take(np.flatnonzero(mask))
    stop = start + len(mask) if where else start + len(batch)
    vectors = np.empty((0, dim or 1))
    if len(rows):
        vectors = as_matrix(batch.column(layout.vectors), rows, dim, f"column {layout.vectors!r} of {path}")
    columns = {
        noun: as_labels(batch.column(name), f"column {name!r} of {path}") for noun, name in layout.columns.items()
    }
    return Block(rows, stop, vectors, columns, {name: batch.column(name) for name in layout.meta})


def _no_column(found: str, schema: Any, path: str) -> FileError:
    fix = "name one of them, for example with --embedding-column, --label-column"
    return FileError("E605", f"{found}; the columns are {described(schema)}", where=path, fix=fix)
