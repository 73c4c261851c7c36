"""Whole vectors in one cell of text: ``[0.1, 0.2]`` as JSON and NumPy write them, or ``0.1 0.2``."""

from __future__ import annotations

from tripleteval.errors import DataError, FileError, counted
from tripleteval.readers.delimited import Row, cell_error, looks_numeric, numbers


def looks_like_vector(cell: str) -> bool:
    """Return whether a cell was meant as several numbers, well-formed or not."""
    text = cell.strip()
    if text.startswith("["):
        return any(map(looks_numeric, _inside(text)))
    words = text.split()
    return len(words) > 1 and all(map(looks_numeric, words))


def vector_of(row: Row, column: int, name: str, dim: int | None, path: str) -> list[float]:
    """Return the numbers in a cell.

    Args:
        row: The row of the cell.
        column: Its place in the row.
        name: Of the column.
        dim: How many numbers there must be; ``None`` takes any.
        path: Of the file.

    Raises:
        FileError: It is no list of decimal numbers (E608).
        DataError: A number is not finite (E201), or there are more or fewer of them (E205).
    """
    text = row.cells[column].strip()
    if not text or text.startswith("[") is not text.endswith("]"):
        what = f"{text[:40]!r}, not a list of numbers," if text else "an empty cell"
        found = f"{what} at line {row.line}, column {name!r}"
        raise FileError("E608", found, where=path, fix="write every vector as [0.1, 0.2]")
    cells = _inside(text)
    values = numbers(cells)
    if values is None:
        raise cell_error(row, [name] * len(cells), cells, path)
    if len(values) != (dim or len(values)):
        found = f"line {row.line} has a vector of {counted(len(values), 'value')}, the rows before it have {dim}"
        raise DataError("E205", found, where=path, fix="every vector must have the same length")
    return values


def _inside(text: str) -> list[str]:
    # A comma separates wherever there is one, so that a decimal comma between spaces is an error, not two numbers.
    text = text.removeprefix("[").removesuffix("]").strip()
    return text.split(",") if "," in text else text.split()
