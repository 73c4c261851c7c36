"""NumPy ``.npz``: an array ``vectors`` (or ``embeddings``), and where wanted ``labels``, ``ids`` and ``groups``."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from typing import IO, cast

from tripleteval.arrays import AnyArray, as_column
from tripleteval.errors import EvalError, FileError
from tripleteval.readers import READERS
from tripleteval.readers.array_format import (
    Header,
    Stream,
    parse_header,
    require_size,
    require_vectors,
    row_blocks,
    whole_array,
)
from tripleteval.readers.block import Block, Column, Request, require_length, whole_rows
from tripleteval.readers.files import Source, require_content

_BOMB_RATIO, _BOMB_BYTES = 100, 64 * 2**20
Members = dict[str, zipfile.ZipInfo]

_HOW_TO_WRITE = "write it with: np.savez(path, vectors=..., labels=...)"


@READERS.add(".npz")
def read_npz(source: Source, request: Request) -> Iterator[Block]:
    """Yield the rows of the array of vectors; ``embedding_column`` and the like name other arrays."""
    if request.where:
        Request(where=request.where).require_no_columns(source.path)
    require_content(source, b"PK\x03\x04")
    with zipfile.ZipFile(source.file) as archive:
        found = members(archive, source)
        vectors = found[_vectors_name(archive, found, request.embedding, source.path)]
        columns = _columns(archive, found, request, source.path)
        if request.rows is not None:
            _require_lengths(archive, vectors, columns, source.path)
        seen = 0
        for part in _vector_blocks(archive, vectors, request.rows, source.path):
            rows = slice(seen, seen + len(part))
            # Read whole, a column of another length goes on as it is: `Embeddings` compares it with the vectors.
            yield whole_rows(seen, part, {n: c if request.rows is None else c[rows] for n, c in columns.items()})
            seen += len(part)


def members(archive: zipfile.ZipFile, source: Source) -> Members:
    """Return the arrays of an archive by name, without reading them.

    Raises:
        FileError: A name twice or outside the archive (E605), or far more bytes than the file is long (E606).
    """
    found: Members = {}
    path = source.path
    for member in archive.infolist():
        name = member.filename
        if ".." in name.replace("\\", "/").split("/") or name.startswith(("/", "\\")):
            raise FileError(
                "E605", f"a member that points outside the archive: {name!r}", where=path, fix=_HOW_TO_WRITE
            )
        if name in found:
            raise FileError("E605", f"two members named {name!r}", where=path, fix=_HOW_TO_WRITE)
        found[name] = member
    total = (source.size, sum(m.file_size for m in found.values()))
    for packed, unpacked in [total, *((m.compress_size, m.file_size) for m in found.values())]:
        if unpacked > _BOMB_BYTES and unpacked > _BOMB_RATIO * packed:
            raise FileError(
                "E606",
                f"{packed:,} bytes that unpack to {unpacked:,}: more than {_BOMB_RATIO} times as many",
                where=path,
                fix="if the data really are so repetitive, save them uncompressed, with np.savez",
            )
    return {name.removesuffix(".npy"): member for name, member in found.items() if name.endswith(".npy")}


def _vectors_name(archive: zipfile.ZipFile, members: Members, asked: str | None, path: str) -> str:
    if asked is None:
        named: list[str] = [name for name in ("vectors", "embeddings") if name in members]
        matrices = named or [name for name in members if _is_matrix(archive, members[name])]
        if named or len(matrices) == 1:
            return matrices[0]
    elif asked in members:
        return asked
    wanted = "named 'vectors' or 'embeddings'" if asked is None else f"named {asked!r}"
    raise _no_array(archive, members, wanted, path)


def _columns(archive: zipfile.ZipFile, members: Members, request: Request, path: str) -> dict[str, Column]:
    columns: dict[str, Column] = {}
    for noun, asked, _ in request.columns():
        name = asked or noun
        if name in members:
            columns[noun] = column(archive, members[name], path)
        elif asked:
            raise _no_array(archive, members, f"named {asked!r}", path)
    return columns


def _require_lengths(archive: zipfile.ZipFile, vectors: zipfile.ZipInfo, columns: dict[str, Column], path: str) -> None:
    with archive.open(vectors) as file:
        shape = _checked_header(file, vectors, path).shape
    for noun, column in columns.items():
        require_length(noun, len(column), shape[0] if shape else 0, path)


def column(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: str) -> AnyArray:
    """Return a one-dimensional array, as it is stored.

    Raises:
        FileError: It is cut (E601) or holds pickled objects (E603).
        DataError: It has not one dimension (E304).
    """
    with archive.open(member) as file:
        header = _checked_header(file, member, path)
        return as_column(whole_array(cast(Stream, file), header), f"{member.filename} in {path}")


def _vector_blocks(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, rows: int | None, path: str
) -> Iterator[AnyArray]:
    with archive.open(member) as file:
        header = _checked_header(file, member, path)
        require_vectors(header, path)
        stream = cast(Stream, file)
        if not header.fortran:
            yield from row_blocks(stream, header, rows)
        else:  # a compressed member cannot be read column by column in stretches
            vectors = whole_array(stream, header)
            step = rows or len(vectors)
            yield from (vectors[start : start + step] for start in range(0, len(vectors), step))


def _checked_header(file: IO[bytes], member: zipfile.ZipInfo, path: str) -> Header:
    header = parse_header(file, f"{member.filename} in {path}")
    require_size(header, member.file_size, f"{member.filename} in {path}")
    return header


def _is_matrix(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bool:
    with archive.open(member) as file:
        try:
            header = parse_header(file, member.filename)
        except EvalError:
            return False
    return len(header.shape) == 2 and header.dtype.kind == "f"


def _no_array(archive: zipfile.ZipFile, members: Members, wanted: str, path: str) -> FileError:
    listed = "; ".join(f"{name!r} ({_described(archive, member)})" for name, member in members.items())
    found = f"no array {wanted} to take; the archive has {listed or 'no arrays'}"
    return FileError("E605", found, where=path, fix=f"name one of them, or {_HOW_TO_WRITE}")


def _described(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> str:
    with archive.open(member) as file:
        try:
            return str(parse_header(file, member.filename))
        except EvalError as error:
            return error.found
