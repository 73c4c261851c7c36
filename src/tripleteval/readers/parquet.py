"""Parquet: one list column of vectors; labels, ids, groups and anything else in columns beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tripleteval.readers import READERS
from tripleteval.readers.arrow_table import (
    as_labels,
    as_matrix,
    batches,
    open_parquet,
)
from tripleteval.readers.block import Block, Request
from tripleteval.readers.columns import Layout, layout_of
from tripleteval.readers.files import Source
from tripleteval.readers.where import Filter, kept, require_columns

_ROWS = 65536


@READERS.add(".parquet", ".pq")
def read_parquet(source: Source, request: Request) -> Iterator[Block]:
    """Yield the rows of a Parquet file, one record batch at a time."""
    file = open_parquet(source)
    schema = file.schema_arrow
    require_columns(request.where, schema.names, source.path)
    layout = layout_of(schema, request, source.path)
    needed = [layout.vectors, *layout.columns.values(), *layout.meta, *(test.column for test in request.where)]
    start, dim = 0, None
    for batch in batches(file, list(dict.fromkeys(needed)), request.rows or _ROWS):
        block = _block(batch, start, layout, dim, request.where, source.path)
        dim = block.vectors.shape[1] if len(block.rows) else dim
        yield block
        start = block.stop
    if start != file.metadata.num_rows:
        raise EOFError(f"{file.metadata.num_rows:,} rows announced, {start:,} found")


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
