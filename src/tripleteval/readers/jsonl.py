"""JSON lines, ``.jsonl`` and ``.ndjson``: one object per line, with its vector as a list of numbers."""

from __future__ import annotations

import reprlib
import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from tripleteval.arrays import AnyArray, Bools
from tripleteval.errors import DataError, FileError, ParameterError, closest, counted
from tripleteval.readers import READERS
from tripleteval.readers.block import EMBEDDINGS, Block, Request
from tripleteval.readers.files import Source
from tripleteval.readers.json_objects import Item, objects
from tripleteval.readers.where import Condition, Filter, kept, require_columns

_ROWS = 8192  # objects are large until their block is full


class Layout(NamedTuple):
    """Which key means what: the vectors, ``"labels"`` and the like, and the rest."""

    vectors: str
    columns: dict[str, str]
    meta: list[str]


@READERS.add(".jsonl", ".ndjson")
def read_jsonl(source: Source, request: Request) -> Iterator[Block]:
    """Yield the rows of a file of JSON lines; the first of them say which keys there are."""
    items = objects(source)
    layout, start, dim = None, 0, None
    first: dict[str, Any] = {}
    while taken := list(islice(items, request.rows or _ROWS)):
        first = first or _examples(taken)
        require_columns(request.where, first, source.path)
        layout = layout or _layout(first, request, source.path)
        keep = np.flatnonzero(_passed(taken, request.where, source.path))
        chosen = [taken[row] for row in keep.tolist()]
        vectors = _vectors(chosen, layout.vectors, dim, source.path)
        dim = vectors.shape[1] if chosen else dim
        columns: dict[str, Any] = {n: [item.values.get(key) for item in chosen] for n, key in layout.columns.items()}
        meta = {key: [item.values.get(key) for item in chosen] for key in layout.meta}
        yield Block(start + keep, start + len(taken), vectors, columns, meta)
        start += len(taken)


def _examples(taken: list[Item]) -> dict[str, Any]:
    """Return every key of some objects with its first value; a key may be left out where it has none."""
    first: dict[str, Any] = {}
    for item in taken:
        first |= {key: value for key, value in item.values.items() if first.get(key) is None}
    return first


def _layout(first: dict[str, Any], request: Request, path: str) -> Layout:
    listed = ", ".join(map(repr, list(first)[:20]))
    columns = request.found(list(first), listed, path)
    lists = [key for key, value in first.items() if _is_vector(value) and key not in columns.values()]
    wanted = EMBEDDINGS if request.embedding is None else (request.embedding,)
    known = [key for key in wanted if key in first] or (lists if request.embedding is None else [])
    if not known or (len(lists) > 1 and known is lists):
        found = "several lists of numbers" if known else f"no list of numbers{_called(request.embedding)}"
        fix = closest(request.embedding or "", first) or "name one with embedding_column= (--embedding-column)"
        raise FileError("E605", f"{found}; the keys are {listed}", where=path, fix=fix)
    taken = {known[0], *columns.values()}
    plain = [key for key, value in first.items() if not isinstance(value, (list, dict))]
    return Layout(known[0], columns, [key for key in plain if key not in taken])


def _called(name: str | None) -> str:
    return "" if name is None else f" called {name!r}"


def _is_vector(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(type(each) in (int, float) for each in value)


def _vectors(chosen: list[Item], key: str, dim: int | None, path: str) -> AnyArray:
    vectors: list[list[float]] = []
    for item in chosen:
        value: Any = item.values.get(key)
        if not _is_vector(value):
            missing = value is None or (isinstance(value, list) and None in value)
            found = f"{'null' if missing else reprlib.repr(value)} at line {item.line}, {key!r}: no list of numbers"
            fix = "remove the line, or compute its vector again"
            raise DataError("E201" if missing else "E203", found, where=path, fix=fix)
        dim = dim or len(value)
        if len(value) != dim:
            found = f"line {item.line} has a vector of {counted(len(value), 'value')}, the rows before it have {dim}"
            raise DataError("E205", found, where=path, fix="every vector must have the same length")
        vectors.append(value)
    try:
        return np.array(vectors, dtype=np.float64).reshape(len(chosen), dim or 1)
    except OverflowError:  # Python reads whole numbers of any length
        line = next(item.line for item in chosen if max(map(abs, item.values[key])) > sys.float_info.max)
    found = f"a number at line {line}, {key!r}, that float64 cannot hold"
    raise DataError("E201", found, where=path, fix="remove the line, or compute its vector again")


def _passed(taken: list[Item], where: Filter, path: str) -> Bools:
    passed = np.ones(len(taken), dtype=bool)
    for test in where:
        passed &= kept((test,), {test.column: _tested(taken, test, path)}, len(taken), path)
    return passed


def _tested(taken: list[Item], test: Condition, path: str) -> Any:
    import pyarrow as pa

    values = [item.values.get(test.column) for item in taken]
    if all(value is None for value in values):  # of which Arrow knows no type
        return pa.array(values, pa.array([test.value]).type)
    try:
        return pa.array(values)
    except (pa.ArrowException, pa.ArrowInvalid, OverflowError):
        found = f"{test.spelled()}, but values of {test.column!r} are of several types"
        raise ParameterError("E101", found, where=path, fix="write all of them as numbers, or as text") from None
