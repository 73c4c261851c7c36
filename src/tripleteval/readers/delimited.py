"""Lines of UTF-8 and the cells on them, with every place known: byte, line and column."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from tripleteval.errors import DataError, EvalError, FileError, counted
from tripleteval.readers.files import Source, require_content

if TYPE_CHECKING:
    from _csv import Reader

_LONGEST_LINE = 16 * 2**20
_BOM = b"\xef\xbb\xbf"
_DELIMITERS = ",;\t|"
_QUOTED = re.compile(r'"[^"]*"')
_BROKEN = {  # what csv says, and what to do
    "unexpected end of data": ("a quote that is never closed", "close it; a quote within text is written twice"),
    "new-line character seen": ("a carriage return outside quotes", "end every line alike, for example with: dos2unix"),
    "field limit": ("a cell of more than 131,072 letters", "close the quote, or save long vectors as .npy or Parquet"),
    "expected after": ("text behind a closing quote", "write a quote within text twice"),
}
_DECIMAL_COMMA = re.compile(r"\s*[+-]?[0-9]+,[0-9]+\s*")
# A set of characters rules out what float() takes and nobody meant: 1_000, digits of other scripts, nan, inf.
_OF_NUMBERS = frozenset("0123456789+-.eE ")


class Row(NamedTuple):
    """The cells of one row and the 1-based line of the file on which it ends."""

    line: int
    cells: list[str]


def lines(source: Source) -> Iterator[str]:
    """Yield the lines of a UTF-8 file with their ends; a byte order mark is dropped.

    Raises:
        FileError: Bytes that are not UTF-8, or a NUL (E609); a line longer than 16 MiB (E601).
    """
    require_content(source)
    buffered, offset = io.BufferedReader(source.file), 0
    try:
        while raw := buffered.readline(_LONGEST_LINE + 1):
            if len(raw) > _LONGEST_LINE:
                raise FileError(
                    "E601",
                    f"a line longer than 16 MiB, at byte {offset:,}",
                    where=source.path,
                    fix="write one item per line",
                )
            line = _decoded(raw, offset, source.path)
            if offset == 0:
                _require_line_feeds(line, source.path)
            yield line
            offset += len(raw)
    finally:
        if not source.file.closed:
            buffered.detach()  # or the buffer would close the file behind its owner's back


def rows(source: Source, delimiter: str) -> tuple[list[str], Iterator[Row]]:
    """Return the header of a delimited file and an iterator over the rows below it.

    Args:
        source: The file.
        delimiter: What usually separates the columns; where the header has none, but another one, it is that.

    Raises:
        FileError: No header, or one that looks like data (E608); a column twice or without a name (E605).
            While iterating: an unclosed quote or a line that cannot be (E601).
        DataError: While iterating: a row of another length than the header (E205).
    """
    text = lines(source)
    first = next(text, "")
    bare = _QUOTED.sub("", first)
    found = next((mark for mark in delimiter + _DELIMITERS if mark in bare), delimiter)
    reader = csv.reader(chain([first], text), delimiter=found, strict=True)
    cells = _read(reader, source.path)
    _, header = next(cells, Row(1, []))
    _require_header(header, source.path)
    return header, _rows(cells, len(header), source.path)


def looks_numeric(cell: str) -> bool:
    """Return whether a cell was meant as a number, well-formed or not."""
    try:
        float(cell)
    except ValueError:
        return bool(_DECIMAL_COMMA.fullmatch(cell)) or cell.strip()[:2].lower() == "0x"
    return True


def numbers(cells: list[str]) -> list[float] | None:
    """Return the cells as finite numbers, or nothing if `cell_error` has something to say about one of them."""
    if not _OF_NUMBERS.issuperset("".join(cells)):
        return None
    try:
        values = list(map(float, cells))
    except ValueError:
        return None
    return values if all(map(math.isfinite, values)) else None


def cell_error(row: Row, names: list[str], cells: list[str], path: str) -> EvalError:
    """Return what to raise about the first of ``cells`` that is not a finite decimal number."""
    name, cell = next((n, c) for n, c in zip(names, cells, strict=True) if numbers([c]) is None)
    place = f"line {row.line}, column {name!r}"
    if _DECIMAL_COMMA.fullmatch(cell):
        return FileError("E608", f"a decimal comma: {cell!r} at {place}", where=path, fix="write numbers as 1.5")
    if looks_numeric(cell) and "_" not in cell and not math.isfinite(_float(cell)):
        fix = "remove this row, or have the model write finite numbers"
        return DataError("E201", f"a value that is not finite: {cell!r} at {place}", where=path, fix=fix)
    what = f"{cell[:40]!r}, not a decimal number," if cell else "an empty cell"
    fix = f"correct the cell, or leave column {name!r} out of the vectors"
    return FileError("E608", f"{what} at {place}", where=path, fix=fix)


def _float(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return 0.0


def _require_line_feeds(first: str, path: str) -> None:
    if not first.endswith("\n") and "\r" in first.rstrip("\r"):
        fix = "end them with line feeds, for example with: mac2unix"
        raise FileError("E601", "lines that end in a carriage return only", where=path, fix=fix)


def _decoded(raw: bytes, offset: int, path: str) -> str:
    if offset == 0 and raw.startswith(_BOM):
        return _decoded(raw[len(_BOM) :], len(_BOM), path)
    wrong = raw.find(b"\0")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        wrong = error.start if wrong < 0 else min(error.start, wrong)
    if wrong < 0:
        return text
    wide = _wide(raw) if offset == 0 else ""
    found = wide or f"byte 0x{raw[wrong]:02x} at offset {offset + wrong:,}"
    fix = f"iconv -f {wide} -t utf-8" if wide else "iconv -f latin1 -t utf-8 (with the encoding it has)"
    fix = f"save it as UTF-8, for example: {fix}"
    raise FileError("E609", f"{found}, which is not UTF-8 text", where=path, fix=fix)


def _wide(start: bytes) -> str:
    """Return the encoding of a text of two or four bytes per letter, or nothing where it is none."""
    if start.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        return "UTF-32"
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16"
    zeros = start[0:8:2].count(0), start[1:8:2].count(0)  # of Latin letters one of two bytes is zero
    return {(0, 4): "UTF-16LE", (4, 0): "UTF-16BE"}.get(zeros, "")


def _require_header(header: list[str], path: str) -> None:
    # A number with a point cannot be a name; whole numbers can, but not for every column.
    if not header or all(map(looks_numeric, header)) or any(looks_numeric(n) and not n.isdecimal() for n in header):
        fix = "put the names of the columns on the first line, such as: e0,e1,label"
        raise FileError("E608", f"no header: the first line is {', '.join(header[:4])!r} …", where=path, fix=fix)
    if "" in header:
        found = f"column {header.index('') + 1} (1-based) has no name"
        raise FileError("E605", found, where=path, fix="name it; a data frame is written with index=False")
    if repeated := sorted({name for name in header if header.count(name) > 1}):
        raise FileError(
            "E605",
            f"columns that appear twice: {', '.join(map(repr, repeated))}",
            where=path,
            fix="rename or drop one of each",
        )


def _read(reader: Reader, path: str) -> Iterator[Row]:
    start = 1
    try:
        for cells in reader:
            yield Row(reader.line_num, cells)
            start = reader.line_num + 1
    except csv.Error as error:
        found, fix = next((said for known, said in _BROKEN.items() if known in str(error)), (str(error), "correct it"))
        raise FileError("E601", f"{found}, in the row that begins at line {start:,}", where=path, fix=fix) from None


def _rows(reader: Iterator[Row], width: int, path: str) -> Iterator[Row]:
    blank: list[int] = []  # lines; they may end a file, but not stand for a row in its middle
    for row in reader:
        if not row.cells:
            blank.append(row.line)
            continue
        if blank and width > 1:
            raise DataError(
                "E205", f"line {blank[0]} is empty", where=path, fix="remove it; only the last lines may be empty"
            )
        yield from (Row(line, [""]) for line in blank)
        blank.clear()
        if len(row.cells) != width:
            raise _ragged(row, width, path)
        yield row


def _ragged(row: Row, width: int, path: str) -> DataError:
    return DataError(
        "E205",
        f"line {row.line} has {counted(len(row.cells), 'cell')}, the header has {width}",
        where=path,
        fix="every row needs every column; text with a comma, or a decimal comma, needs quotes",
    )
