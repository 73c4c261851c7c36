"""NumPy ``.npy``: one array of vectors; labels, ids and groups come from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from tripleteval.readers import READERS
from tripleteval.readers.array_format import (
    SIGNATURE,
    column_blocks,
    parse_header,
    require_size,
    require_vectors,
    row_blocks,
)
from tripleteval.readers.block import Block, Request, whole_rows
from tripleteval.readers.files import Source, require_content


@READERS.add(".npy")
def read_npy(source: Source, request: Request) -> Iterator[Block]:
    """Yield the rows of the array; any real dtype, byte order and memory order, never a pickle."""
    request.require_no_columns(source.path)
    require_content(source, SIGNATURE)
    header = parse_header(source.file, source.path)
    require_vectors(header, source.path, empty=True)
    require_size(header, source.size, source.path)
    seen = 0
    parts = column_blocks if header.fortran else row_blocks
    for vectors in parts(source.file, header, request.rows):
        yield whole_rows(seen, vectors)
        seen += len(vectors)
