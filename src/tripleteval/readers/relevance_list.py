"""Lists of what is relevant to which query: a table of ids, or TREC's qrels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tripleteval.errors import FileError
from tripleteval.readers.arrow_table import open_parquet
from tripleteval.readers.delimited import cell_error, lines, numbers, rows
from tripleteval.readers.files import Name, Source, opened


def read_relevance(path: Name) -> Any:
    """Return an Arrow table of query id, gallery id and, if graded, grade.

    Args:
        path: A table (.parquet, .csv, .tsv) of these columns in this order, whatever they are called; or a ``.txt`` or
            ``.qrels`` as TREC writes it, a line ``query 0 item grade`` per judgement.

    Raises:
        FileError: The file cannot be read (E601-E610), or has too few columns (E605).
        DataError: A grade that is not finite, or a row of another length than the header (E201, E205).
    """
    suffix = Path(path).suffix.lower()
    with opened(path) as source:
        if suffix not in _FORMATS:
            found = f"relevance in a file that ends in {suffix!r}"
            raise FileError("E602", found, where=source.path, fix=f"known: {', '.join(_FORMATS)}")
        table = _FORMATS[suffix](source)
        source.require_unchanged(len(table))
    return table


def _from_parquet(source: Source) -> Any:
    table = open_parquet(source).read()
    _require_two(table.column_names, source.path)
    return table


def _from_delimited(source: Source, delimiter: str) -> Any:
    names, body = rows(source, delimiter)
    _require_two(names, source.path)
    table: list[tuple[Any, ...]] = []
    for row in body:
        query, item, *grade = row.cells[:3]
        values = numbers(grade)
        if values is None:
            raise cell_error(row, names[2:3], grade, source.path)
        table.append((query, item, *values))
    return _table(names[:3], table)


def _from_qrels(source: Source) -> Any:
    table: list[tuple[Any, ...]] = []
    for number, line in enumerate(lines(source), start=1):
        cells = line.split()
        grade = numbers(cells[3:]) if len(cells) == 4 else None
        if cells and grade is None:
            fix = "write 'query 0 item grade' on every line, or name a table .csv"
            raise FileError("E608", f"{line.strip()[:60]!r} on line {number}", where=source.path, fix=fix)
        if grade is not None:
            table.append((cells[0], cells[2], *grade))
    return _table(["query", "item", "grade"], table)


def _table(names: list[str], found: list[tuple[Any, ...]]) -> Any:
    import pyarrow as pa

    columns = zip(*found, strict=True) if found else [()] * len(names)
    return pa.table(dict(zip(names, map(list, columns), strict=True)))


def _require_two(names: list[str], path: str) -> None:
    if len(names) < 2:
        found = f"a single column, {names[0]!r}" if names else "no columns"
        raise FileError("E605", found, where=path, fix="write the columns query id, gallery id and, if graded, grade")


_FORMATS: dict[str, Callable[[Source], Any]] = {
    ".parquet": _from_parquet,
    ".pq": _from_parquet,
    ".csv": lambda source: _from_delimited(source, ","),
    ".tsv": lambda source: _from_delimited(source, "\t"),
    ".txt": _from_qrels,
    ".qrels": _from_qrels,
}
