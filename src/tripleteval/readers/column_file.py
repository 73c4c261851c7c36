"""Labels, ids or groups from a file of their own: one value per row, in the order of the vectors."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tripleteval.arrays import AnyArray, as_column
from tripleteval.errors import FileError, ParameterError, closest
from tripleteval.readers.archive import column as array_of
from tripleteval.readers.archive import members
from tripleteval.readers.array_format import SIGNATURE, parse_header, require_size, whole_array
from tripleteval.readers.arrow_table import as_labels, described, open_parquet
from tripleteval.readers.block import GROUPS, IDS, LABELS, Column, joined
from tripleteval.readers.delimited import lines, rows
from tripleteval.readers.files import Name, Source, opened, require_content
from tripleteval.readers.json_objects import objects

_KNOWN = {"labels": LABELS, "ids": IDS, "groups": GROUPS}


def read_column(path: Name, noun: str, column: str | None) -> Column:
    """Return the values in a file, as they are: text stays text, integers stay integers.

    Args:
        path: ``.npy`` (one-dimensional), ``.txt`` (one UTF-8 value per line), or a table (``.npz`` and ``.jsonl`` among
            them) with one column or with the named one.
        noun: ``"labels"``, ``"ids"`` or ``"groups"``.
        column: Which column of a table; ``None`` for the only one, or the one called as usual.

    Raises:
        FileError: The file cannot be read (E601-E610), or has no such column (E605).
        ParameterError: A column was asked of a file that has none (E101).
        DataError: An array that is not one-dimensional (E304).
    """
    with opened(path) as source:
        suffix = Path(path).suffix.lower()
        if suffix not in _FORMATS:
            raise FileError(
                "E602",
                f"{noun} in a file that ends in {suffix!r}",
                where=source.path,
                fix=f"known: {', '.join(_FORMATS)}",
            )
        values: Column = _FORMATS[suffix](source, noun, column)
        source.require_unchanged(len(values))
    return values


def read_columns(path: Name, nouns: Mapping[str, str]) -> list[Column]:
    """Return several columns of one table.

    Args:
        path: As for `read_column`.
        nouns: What stands in each column, by its name: ``"labels"``, ``"ids"`` or ``"groups"``.

    Raises:
        FileError: The file cannot be read or is no table (E601-E610), or lacks one of the columns (E605).
    """
    if Path(path).suffix.lower() in (".npy", ".txt"):
        fix = f"known: {', '.join(suffix for suffix in _FORMATS if suffix not in ('.npy', '.txt'))}"
        found = f"a file without columns, where {', '.join(nouns)} are needed"
        raise FileError("E602", found, where=str(path), fix=fix)
    try:
        return [read_column(path, noun, name) for name, noun in nouns.items()]
    except FileError as error:
        if not error.found.startswith("no column "):
            raise
        fix = f"the columns must be called {', '.join(nouns)}"
        raise FileError("E605", error.found, where=error.where, fix=fix) from None


def _from_npy(source: Source, noun: str, column: str | None) -> AnyArray:
    _require_none(column, source.path)
    require_content(source, SIGNATURE)
    header = parse_header(source.file, source.path)
    require_size(header, source.size, source.path)
    return as_column(whole_array(source.file, header), f"{noun} in {source.path}")


def _from_txt(source: Source, _noun: str, column: str | None) -> list[str]:
    _require_none(column, source.path)
    # Only the line end goes: spaces are part of a name, and str.splitlines would also cut at U+2028.
    return [line.removesuffix("\n").removesuffix("\r") for line in lines(source)]


def _from_delimited(delimiter: str) -> Callable[[Source, str, str | None], Column]:
    def read(source: Source, noun: str, column: str | None) -> list[str]:
        names, body = rows(source, delimiter)
        at = names.index(_chosen(names, noun, column, ", ".join(map(repr, names)), source.path))
        return [row.cells[at] for row in body]

    return read


def _from_npz(source: Source, noun: str, column: str | None) -> AnyArray:
    require_content(source, b"PK\x03\x04")
    with zipfile.ZipFile(source.file) as archive:
        found = members(archive, source)
        name = _chosen(list(found), noun, column, ", ".join(map(repr, found)), source.path)
        return array_of(archive, found[name], source.path)


def _from_jsonl(source: Source, noun: str, column: str | None) -> list[Any]:
    found: list[Any] = []
    name = column
    for item in objects(source):
        if not found:
            name = _chosen(list(item.values), noun, column, ", ".join(map(repr, item.values)), source.path)
        found.append(item.values.get(name or ""))
    return found


def _from_parquet(source: Source, noun: str, column: str | None) -> Column:
    file = open_parquet(source)
    schema = file.schema_arrow
    name = _chosen(schema.names, noun, column, described(schema), source.path)
    parts = [as_labels(chunk, f"{noun} in {source.path}") for chunk in file.read(columns=[name]).column(name).chunks]
    values: Column = joined(parts) if parts else []
    return values


def _chosen(names: list[str], noun: str, asked: str | None, listed: str, path: str) -> str:
    known = [name for name in _KNOWN[noun] if name in names]
    if asked in names:
        return str(asked)
    if asked is None and (known or len(names) == 1):
        return (known or names)[0]
    found = f"no column {asked!r}" if asked else f"several columns, none of them called {' or '.join(_KNOWN[noun])}"
    fix = closest(asked or "", names) or f"name the column of {noun}"
    raise FileError("E605", f"{found}; the columns are {listed}", where=path, fix=fix)


def _require_none(column: str | None, path: str) -> None:
    if column is not None:
        raise ParameterError(
            "E101", f"column {column!r} of a file without columns", where=path, fix="leave the name out"
        )


_FORMATS: dict[str, Callable[[Source, str, str | None], Any]] = {
    ".npy": _from_npy,
    ".txt": _from_txt,
    ".csv": _from_delimited(","),
    ".tsv": _from_delimited("\t"),
    ".parquet": _from_parquet,
    ".pq": _from_parquet,
    ".npz": _from_npz,
    ".jsonl": _from_jsonl,
    ".ndjson": _from_jsonl,
}

COLUMN_FILES = tuple(_FORMATS)
