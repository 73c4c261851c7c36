"""Delimited text, ``.csv`` and ``.tsv``: a header, then one item per row.

Vectors stand in one column, as lists, or in one column per coordinate: then numbers are coordinates unless named.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from tripleteval.arrays import AnyArray, Bools
from tripleteval.errors import FileError, closest
from tripleteval.readers import READERS
from tripleteval.readers.block import EMBEDDINGS, GROUPS, IDS, LABELS, Block, Request
from tripleteval.readers.delimited import Row, cell_error, looks_numeric, numbers, rows
from tripleteval.readers.files import Source
from tripleteval.readers.vector_cells import looks_like_vector, vector_of
from tripleteval.readers.where import Condition, Filter, kept, require_columns

# Cells are Python objects until their block is full; few rows at a time keep that small.
_ROWS = 8192


class Layout(NamedTuple):
    """Which column means what, by position.

    Attributes:
        names: The header.
        vectors: The coordinates; or the one column of ``lists``.
        lists: Whether a cell holds a whole vector.
        columns: ``"labels"``, ``"ids"`` and ``"groups"``, those that are there.
        meta: The rest.
    """

    names: list[str]
    vectors: list[int]
    lists: bool
    columns: dict[str, int]
    meta: list[int]


@READERS.add(".csv")
def read_csv(source: Source, request: Request) -> Iterator[Block]:
    """Yield the rows of a comma-separated file; labels stay text, so that ``007`` is not ``7``.

    A header without a comma may be separated by semicolons or tabs instead, and the rows with it.
    """
    return _read(source, request, ",")


@READERS.add(".tsv")
def read_tsv(source: Source, request: Request) -> Iterator[Block]:
    """Yield the rows of a tab-separated file."""
    return _read(source, request, "\t")


def _read(source: Source, request: Request, delimiter: str) -> Iterator[Block]:
    names, body = rows(source, delimiter)
    require_columns(request.where, names, source.path)
    layout, start, dim = None, 0, None
    while taken := list(islice(body, request.rows or _ROWS)):
        layout = layout or _layout(names, taken[0], request, source.path)
        block = _block(taken, start, layout, dim, request.where, source.path)
        dim = block.vectors.shape[1] if len(block.rows) else dim
        yield block
        start += len(taken)


def _block(taken: list[Row], start: int, layout: Layout, dim: int | None, where: Filter, path: str) -> Block:
    keep = np.flatnonzero(_kept(taken, layout.names, where, path))
    chosen = [taken[row] for row in keep.tolist()]
    vectors = (_lists if layout.lists else _numbers)(chosen, layout, dim, path)
    columns: dict[str, Any] = {noun: [row.cells[column] for row in chosen] for noun, column in layout.columns.items()}
    meta = {layout.names[column]: [row.cells[column] for row in chosen] for column in layout.meta}
    return Block(start + keep, start + len(taken), vectors, columns, meta)


def _lists(chosen: list[Row], layout: Layout, dim: int | None, path: str) -> AnyArray:
    (column,) = layout.vectors
    vectors: list[list[float]] = []
    for row in chosen:
        vectors.append(vector_of(row, column, layout.names[column], len(vectors[0]) if vectors else dim, path))
    return np.array(vectors, dtype=np.float64).reshape(len(chosen), len(vectors[0]) if vectors else dim or 1)


def _numbers(chosen: list[Row], layout: Layout, _dim: int | None, path: str) -> AnyArray:
    vectors = np.empty((len(chosen), len(layout.vectors)), dtype=np.float64)
    for position, row in enumerate(chosen):
        cells = [row.cells[column] for column in layout.vectors]
        values = numbers(cells)
        if values is None:
            raise cell_error(row, [layout.names[column] for column in layout.vectors], cells, path)
        vectors[position] = values
    return vectors


def _layout(names: list[str], first: Row, request: Request, path: str) -> Layout:
    present = request.found(names, _listed(names), path)
    columns = {noun: names.index(name) for noun, name in present.items()}
    # A label stays a label when another file gives the labels; as a coordinate it would give the answer away.
    spoken_for = {*present.values(), *LABELS, *IDS, *GROUPS, *(condition.column for condition in request.where)}
    free = [column for column, name in enumerate(names) if name not in spoken_for]
    listed = _list_column(names, free, first, request.embedding, path)
    vectors = _coordinates(names, free, first, request.embedding, path) if listed is None else [listed]
    taken = {*vectors, *columns.values()}
    meta = [column for column in range(len(names)) if column not in taken]
    return Layout(names, vectors, listed is not None, columns, meta)


def _list_column(names: list[str], free: list[int], first: Row, asked: str | None, path: str) -> int | None:
    """Return the column of whole vectors: the one asked for, the one called so, or the only one beside no numbers."""
    numeric = [column for column in free if looks_numeric(first.cells[column])]
    lists = [column for column in free if looks_like_vector(first.cells[column])]
    wanted = EMBEDDINGS if asked is None else (asked,)
    known = [column for name in wanted for column in lists if names[column] == name]
    if known or asked is not None:
        return known[0] if known else None
    if numeric and any(first.cells[column].lstrip().startswith("[") for column in lists):
        found = f"lists of numbers in column {names[lists[0]]!r} beside numbers in column {names[numeric[0]]!r}"
        fix = f"say which are the vectors: embedding_column={names[lists[0]]!r} (--embedding-column {names[lists[0]]})"
        raise FileError("E605", found, where=path, fix=fix)
    return lists[0] if len(lists) == 1 and not numeric else None


def _coordinates(names: list[str], free: list[int], first: Row, prefix: str | None, path: str) -> list[int]:
    eligible = [column for column in free if names[column].startswith(prefix or "")]
    numeric = [column for column in eligible if looks_numeric(first.cells[column])]
    # One broken cell in the first row must not turn e17 into a remark: its siblings speak for it.
    families = _families([names[column] for column in eligible]) & {_family(names[column]) for column in numeric}
    if prefix in families:
        return [column for column in eligible if _family(names[column]) == prefix]
    chosen = [column for column in eligible if column in numeric or _family(names[column]) in families]
    if not chosen:
        what = "no column of numbers" if prefix is None else f"no column of numbers named {prefix!r}…"
        raise _no_column(what, names, path, closest(prefix or "", names))
    strangers = [names[column] for column in chosen if _family(names[column]) not in families]
    if prefix is None and families and (strangers or len(families) > 1):
        if spaced := [name for name in names if name != name.strip()]:
            found = f"names with a space around them, such as {spaced[0]!r}"
            raise FileError("E605", found, where=path, fix="write commas without a space, also between the cells")
        raise FileError(
            "E605",
            f"numbers of several kinds: columns {', '.join(sorted(f'{f}…' for f in families))}"
            + (f" beside {', '.join(map(repr, strangers[:5]))}" if strangers else ""),
            where=path,
            fix="say what those of coordinates start with, '' for all: embedding_column='e' (--embedding-column e)",
        )
    return chosen


def _families(names: list[str]) -> set[str | None]:
    stems = [stem for name in names if (stem := _family(name)) is not None]
    return {stem for stem in stems if stems.count(stem) > 1}


def _family(name: str) -> str | None:
    """Return what a numbered column such as ``e17`` has in common with its siblings."""
    stem = name.rstrip("0123456789")
    return None if stem == name else stem


def _kept(taken: list[Row], names: list[str], where: Filter, path: str) -> Bools:
    passed = np.ones(len(taken), dtype=bool)
    for condition in where:
        cells = _tested_cells(taken, names.index(condition.column), condition, path)
        passed &= kept((condition,), {condition.column: cells}, len(taken), path)
    return passed


def _tested_cells(taken: list[Row], column: int, condition: Condition, path: str) -> Any:
    """Return a column as Arrow, of the type of the value it is compared with; empty cells are null."""
    import pyarrow as pa

    if isinstance(condition.value, str):
        return pa.array([row.cells[column] or None for row in taken], pa.string())
    read = _truth if isinstance(condition.value, bool) else _number
    values = [read(row, column, condition.column, path) if row.cells[column] else None for row in taken]
    if all(value is None or (isinstance(value, int) and abs(value) < 2**63) for value in values):
        return pa.array(values, pa.bool_() if isinstance(condition.value, bool) else pa.int64())
    return pa.array(values, pa.float64())


def _number(row: Row, column: int, name: str, path: str) -> int | float:
    cell = row.cells[column]
    if numbers([cell]) is None:
        raise cell_error(row, [name], [cell], path)
    return int(cell) if cell.strip().lstrip("+-").isdecimal() else float(cell)


def _truth(row: Row, column: int, name: str, path: str) -> bool:
    cell = row.cells[column].lower()
    if cell not in ("true", "false"):
        found = f"{cell[:40]!r}, neither true nor false, at line {row.line}, column {name!r}"
        raise FileError(
            "E608", found, where=path, fix="write true or false, or compare the column with a number or text"
        )
    return cell == "true"


def _no_column(found: str, names: list[str], path: str, hint: str) -> FileError:
    fix = (
        hint or "write vectors as lists in a column, such as embedding, or as a column per coordinate, such as e0,e1,…"
    )
    return FileError("E605", f"{found}; the columns are {_listed(names)}", where=path, fix=fix)


def _listed(names: list[str]) -> str:
    return ", ".join(map(repr, names[:20])) + (" …" if len(names) > 20 else "")
