"""NumPy ``.npz``: an array ``vectors`` (or ``embeddings``), and beside it ``labels``, ``ids``, ``groups`` and more."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from typing import cast

import numpy as np

from tripleteval.arrays import AnyArray, Bools
from tripleteval.errors import EvalError, FileError, closest
from tripleteval.readers import READERS
from tripleteval.readers.archive import HOW_TO_WRITE, Members, checked_header, column, members
from tripleteval.readers.array_format import Header, Stream, parse_header, require_vectors, row_blocks, whole_array
from tripleteval.readers.block import EMBEDDINGS, Block, Request, require_length
from tripleteval.readers.files import Source, require_content
from tripleteval.readers.where import Filter, kept, require_columns


@READERS.add(".npz")
def read_npz(source: Source, request: Request) -> Iterator[Block]:
    """Yield the rows of the array of vectors; ``embedding_column`` and the like name other arrays.

    Further arrays with one value per row are carried along, and a filter may test them.
    """
    require_content(source, b"PK\x03\x04")
    with zipfile.ZipFile(source.file) as archive:
        found = members(archive, source)
        name = _vectors_name(archive, found, request.embedding, source.path)
        vectors, names = found[name], _names(archive, found, request, source.path)
        columns = {noun: column(archive, found[array], source.path) for noun, array in names.items()}
        height = _height(archive, vectors, source.path)
        beside = {n: m for n, m in found.items() if n not in {name, *names.values()} and _is_meta(archive, m, height)}
        meta: dict[str, AnyArray] = {n: _text(column(archive, m, source.path)) for n, m in beside.items()}
        if request.rows is not None or request.where:
            for noun, values in columns.items():
                require_length(noun, len(values), height, source.path)
        tested = meta | {names[noun]: values for noun, values in columns.items()}
        passed = _passed(request.where, tested, height, source.path)
        whole = bool(passed.all())
        seen = 0
        for part in _vector_blocks(archive, vectors, request.rows, source.path):
            rows = seen + np.flatnonzero(passed[seen : seen + len(part)])
            # Read whole, a column of another length goes on as it is: `Embeddings` compares it with the vectors.
            yield Block(
                rows,
                seen + len(part),
                part if whole else part[rows - seen],
                {n: c if request.rows is None and whole else c[rows] for n, c in columns.items()},
                {n: c[rows] for n, c in meta.items()},
            )
            seen += len(part)


def _vectors_name(archive: zipfile.ZipFile, members: Members, asked: str | None, path: str) -> str:
    if asked is None:
        named: list[str] = [name for name in ("vectors", "embeddings", *EMBEDDINGS) if name in members]
        matrices = named or [name for name in members if _is_matrix(archive, members[name])]
        if named or len(matrices) == 1:
            return matrices[0]
    elif asked in members:
        return asked
    raise _no_array(archive, members, asked, path)


def _names(archive: zipfile.ZipFile, members: Members, request: Request, path: str) -> dict[str, str]:
    """Return which array holds each noun, where one does."""
    names: dict[str, str] = {}
    for noun, asked, known in request.columns():
        present = [name for name in ((noun, *known) if asked is None else (asked,)) if name in members]
        if present:
            names[noun] = present[0]
        elif asked:
            raise _no_array(archive, members, asked, path)
    return names


def _height(archive: zipfile.ZipFile, vectors: zipfile.ZipInfo, path: str) -> int:
    with archive.open(vectors) as file:
        shape = checked_header(file, vectors, path).shape
    return shape[0] if shape else 0


def _is_meta(archive: zipfile.ZipFile, member: zipfile.ZipInfo, rows: int) -> bool:
    """Return whether an array that nobody asked for may be carried along: one plain value per row."""
    header = _header(archive, member)
    return header is not None and header.shape == (rows,) and header.dtype.kind in "biufSU"


def _passed(where: Filter, columns: dict[str, AnyArray], rows: int, path: str) -> Bools:
    if not where:
        return np.ones(rows, dtype=bool)
    import pyarrow as pa

    require_columns(where, columns, path)
    return kept(where, {test.column: pa.array(_text(columns[test.column])) for test in where}, rows, path)


def _text(values: AnyArray) -> AnyArray:
    return np.char.decode(values, "utf-8", "backslashreplace") if values.dtype.kind == "S" else values


def _vector_blocks(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, rows: int | None, path: str
) -> Iterator[AnyArray]:
    with archive.open(member) as file:
        header = checked_header(file, member, path)
        require_vectors(header, path)
        stream = cast(Stream, file)
        if not header.fortran:
            yield from row_blocks(stream, header, rows)
        else:  # a compressed member cannot be read column by column in stretches
            vectors = whole_array(stream, header)
            step = rows or len(vectors)
            yield from (vectors[start : start + step] for start in range(0, len(vectors), step))


def _is_matrix(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bool:
    header = _header(archive, member)
    return header is not None and len(header.shape) == 2 and header.dtype.kind == "f"


def _header(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Header | None:
    with archive.open(member) as file:
        try:
            return parse_header(file, member.filename)
        except EvalError:
            return None


def _no_array(archive: zipfile.ZipFile, members: Members, asked: str | None, path: str) -> FileError:
    wanted = "named 'vectors' or 'embeddings'" if asked is None else f"named {asked!r}"
    listed = "; ".join(f"{name!r} ({_described(archive, member)})" for name, member in members.items())
    found = f"no array {wanted} to take; the archive has {listed or 'no arrays'}"
    fix = f"name one with embedding_column= (--embedding-column), or {HOW_TO_WRITE}"
    return FileError("E605", found, where=path, fix=fix if asked is None else closest(asked, members) or "name another")


def _described(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> str:
    with archive.open(member) as file:
        try:
            return str(parse_header(file, member.filename))
        except EvalError as error:
            return error.found
