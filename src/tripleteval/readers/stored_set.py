"""Embeddings whose vectors stay in their files; labels, ids and groups are read once and held."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np

from tripleteval.arrays import HUGE, Ints
from tripleteval.data.embeddings import Embeddings
from tripleteval.data.labels import Labels, encode
from tripleteval.data.origin import Origin
from tripleteval.data.stored import StoredVectors
from tripleteval.errors import DataError, FileError, LabelError
from tripleteval.readers.arrow_table import as_labels, batches, is_scalar, open_parquet, require_labels
from tripleteval.readers.assembly import Beside, Given, named_set, require_beside
from tripleteval.readers.block import Column, Request, joined, require_length
from tripleteval.readers.files import Name, reopened
from tripleteval.readers.shards import size_of
from tripleteval.readers.stored_npy import NpyRows
from tripleteval.readers.stored_parquet import ParquetRows, StoredColumns
from tripleteval.readers.where import kept

STORED = (".npy", ".parquet", ".pq")
SHARE = 0.5  # of the memory budget: vectors that take more stay on disk
_ROWS = 65536
_MOST_PACKED = 64  # times that Parquet may hold more than it weighs; beyond, the first reading tells

Parts = tuple[NpyRows, ...] | tuple[ParquetRows, ...]


class Index(NamedTuple):
    """What is held of Parquet files besides their vectors.

    Attributes:
        columns: ``"labels"``, ``"ids"`` and ``"groups"``, those that the files have, of the rows kept.
        chosen: Rows that pass the filter; ``None`` for all.
    """

    columns: dict[str, Any]
    chosen: Ints | None


def parts_on_disk(files: Sequence[Name], request: Request, beside: Beside, memory: int) -> Parts | None:
    """Return the files as parts of a set on disk, or ``None`` where it is small enough to be read whole.

    Raises:
        FileError: A file cannot be opened, is damaged, or lacks a column (E601-E605).
        DataError: Vectors that are none (E2xx, E3xx), or of other size or type than those of another file (E306).
    """
    suffixes = {str(file).lower().rpartition(".")[2] for file in files}
    if not {f".{suffix}" for suffix in suffixes} <= set(STORED):
        return None
    if sum(map(size_of, files)) * (1 if suffixes == {"npy"} else _MOST_PACKED) <= memory * SHARE:
        return None
    if suffixes == {"npy"}:
        request.require_no_columns(str(files[0]))
        parts: Parts = tuple(NpyRows.of(file) for file in files)
    elif "npy" in suffixes:
        found = "files of several kinds: .npy beside Parquet"
        raise FileError("E602", found, where=str(files[0]), fix="keep one kind in a set")
    else:
        parts = tuple(ParquetRows.of(file, request) for file in files)
    for place, part in enumerate[NpyRows | ParquetRows](parts):
        require_beside(beside, place, len(parts), part.rows, part.name)
    parts = _with_rows(parts)
    for part in parts:
        require_alike((part.dim, part.dtype), part.name, (parts[0].dim, parts[0].dtype), parts[0].name)
    size = sum(part.rows for part in parts) * parts[0].dim * parts[0].dtype.itemsize
    return parts if size > memory * SHARE else None


def _with_rows(parts: Any) -> Any:
    return tuple(part for part in parts if part.rows) or parts[:1]


def require_alike(
    mine: tuple[int, np.dtype[Any]], name: str, first: tuple[int, np.dtype[Any]], first_name: str
) -> None:
    """Refuse a file whose vectors are of another length or type than those of the first.

    Raises:
        DataError: E306.
    """
    if mine != first:
        here, there = (f"vectors of {dim} dimensions, {dtype.name}" for dim, dtype in (mine, first))
        raise DataError(
            "E306",
            f"{here}, beside {there}",
            where=f"{name} and {first_name}",
            fix="files of one set hold vectors of one model, written in one type",
        )


def embeddings_on_disk(
    parts: Parts, given: Given, beside: Beside, request: Request, name: str, *, allow_huge: bool
) -> Embeddings:
    """Return the set in these files; of the vectors nothing is read yet.

    Raises:
        FileError: A file changed since it was opened (E610), or lacks a column that others have (E605).
        DataError: No row passes the filter (E301).
        LabelError: Labels, ids or groups are unusable (E401-E408).
    """
    rows = sum(part.rows for part in parts)
    found = Index({}, None)
    meta: Any = None
    if isinstance(parts[0], ParquetRows):
        tables: tuple[ParquetRows, ...] = parts
        found = _index(tables, request)
        shared = tuple(n for n in tables[0].layout.meta if all(n in part.layout.meta for part in tables))
        meta = StoredColumns(tables, shared, found.chosen)
    if request.where and found.chosen is not None:
        for noun, column in given.items():
            require_length(noun, len(column), rows, name)
        given = {noun: _taken(column, found.chosen) for noun, column in given.items()}
        if not len(found.chosen):
            raise DataError("E301", "no row passes the filter", where=name, fix="check its spelling")
    vectors = StoredVectors(parts, parts[0].dim, parts[0].dtype, found.chosen, np.inf if allow_huge else HUGE)
    columns = {**found.columns, **given}
    origin = Origin.of((part.name, part.rows) for part in parts).take(found.chosen)
    return named_set(vectors, columns, beside, origin, name, given=given, meta=meta)


def _index(parts: tuple[ParquetRows, ...], request: Request) -> Index:
    """Read everything but vectors, file by file."""
    first = parts[0]
    chunks: dict[str, list[Any]] = {noun: [] for noun in first.layout.columns}
    chosen: list[Ints] = []
    start = 0
    for part in parts:
        if part.layout.columns.keys() != chunks.keys():
            found = f"columns of {_listed(part)} here, of {_listed(first)} in {first.name}"
            raise FileError("E605", found, where=part.name, fix="files of one set have the same columns")
        needed = [*part.layout.columns.values(), *(test.column for test in request.where)]
        with reopened(part.path, part.stamp, "its labels") as source:
            at, file = start, open_parquet(source)
            for name in part.layout.columns.values():
                require_labels(file.schema_arrow.field(name).type, f"column {name!r} of {part.name}")
            for batch in batches(file, list(dict.fromkeys(needed)), _ROWS) if needed else ():
                if request.where:
                    tested = {test.column: batch.column(test.column) for test in request.where}
                    passed = np.flatnonzero(kept(request.where, tested, len(batch), part.name))
                    chosen.append(at + passed)
                    at += len(batch)
                    batch = batch.take(passed)  # noqa: PLW2901  # of this batch, these rows
                for noun, name in part.layout.columns.items():
                    if not is_scalar(batch.column(name).type):  # text in lists, that an error can only name here
                        batch.column(name).validate(full=True)
                    chunks[noun].append(batch.column(name))
        start += part.rows
    columns = {noun: encoded(several, f"{noun} of {first.name}") for noun, several in chunks.items()}
    return Index(columns, np.concatenate(chosen) if request.where else None)


def encoded(chunks: list[Any], where: str) -> Labels | Column:
    """Return a column as `Labels` where it is plain text or integers, without a Python object per row; or as it is."""
    import pyarrow as pa

    chunks = [chunk.dictionary_decode() if pa.types.is_dictionary(chunk.type) else chunk for chunk in chunks]
    kinds = {str(chunk.type) for chunk in chunks}
    plain = {"string", "large_string", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))}
    if len(kinds) == 1 and kinds <= plain and not any(chunk.null_count for chunk in chunks):
        whole = pa.chunked_array(chunks).dictionary_encode().combine_chunks()
        whole = whole if isinstance(whole, pa.DictionaryArray) else whole.chunk(0)
        with suppress(LabelError):  # the column as it is says in which rows
            known = encode(as_labels(whole.dictionary, where), where)
            return Labels(known.codes[whole.indices.to_numpy(zero_copy_only=False)], known.classes)
    column: Column = joined([as_labels(chunk, where) for chunk in chunks])
    return column


def _taken(column: Any, rows: Ints) -> Any:
    return [column[row] for row in rows.tolist()] if isinstance(column, (list, tuple)) else column.take(rows)


def _listed(part: ParquetRows) -> str:
    return ", ".join(part.layout.columns) or "vectors only"
