"""What travels from a reader to the caller: some rows of a file, and where in the file they were."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from tripleteval.arrays import AnyArray, Ints, python_values
from tripleteval.errors import FileError, LabelError, ParameterError, closest, counted
from tripleteval.readers.files import Source
from tripleteval.readers.where import Filter

# Labels, ids or groups as they come out of a file: integers or text as an array, or Python objects.
Column = AnyArray | Sequence[Any]

LABELS = ("label", "labels", "class")
IDS = ("id", "ids")
GROUPS = ("group", "groups", "camera", "session")
EMBEDDINGS = ("embedding", "embeddings", "vector", "vectors")


@dataclass(frozen=True)
class Request:
    """Which columns of a file are wanted, and which rows.

    Attributes:
        embedding: Name of the column or array of vectors; for CSV the prefix of the columns.
        label: Name of the column of labels; of no account, like the next two, where its noun is given.
        id: Name of the column of ids.
        group: Name of the column of groups.
        given: The nouns (``"labels"``, ``"ids"``, ``"groups"``) that come from elsewhere, not from this file.
        where: Which rows to keep.
        rows: Most rows in one block; ``None`` leaves it to the reader.
    """

    embedding: str | None = None
    label: str | None = None
    id: str | None = None
    group: str | None = None
    given: frozenset[str] = frozenset()
    where: Filter = ()
    rows: int | None = None

    def columns(self) -> list[tuple[str, str | None, tuple[str, ...]]]:
        """Return (noun, name asked for, names looked for) of each column to take from this file."""
        known = (("labels", self.label, LABELS), ("ids", self.id, IDS), ("groups", self.group, GROUPS))
        return [column for column in known if column[0] not in self.given]

    def found(self, names: list[str], listed: str, path: str) -> dict[str, str]:
        """Return the column of each noun that is there, by name.

        Args:
            names: Of all columns of the file.
            listed: The same, as an error shows them.
            path: Of the file.

        Raises:
            FileError: A column that was asked for is not there (E605).
        """
        columns: dict[str, str] = {}
        for noun, asked, known in self.columns():
            if asked is not None and asked not in names:
                found = f"no column {asked!r}; the columns are {listed}"
                raise FileError("E605", found, where=path, fix=closest(asked, names) or f"name the column of {noun}")
            present = [name for name in known if name in names] if asked is None else [asked]
            if present:
                columns[noun] = present[0]
        return columns

    def require_no_columns(self, path: str) -> None:
        """Refuse names of columns and a filter, for a file that holds one array and nothing else.

        Raises:
            ParameterError: A column or a filter was asked for (E101).
        """
        named = [n for n in (self.embedding, *(name for _, name, _ in self.columns())) if n is not None]
        if named or self.where:
            what = f"column {named[0]!r}" if named else "a filter"
            raise ParameterError(
                "E101",
                f"{what} was asked of a file without columns",
                where=path,
                fix="pass labels= (--labels) as a file or an array, or use .npz or .parquet, which hold all in one",
            )


class Block(NamedTuple):
    """Consecutive rows of a file, as far as the filter kept them.

    Attributes:
        rows: (n,) position in the file of each row that was kept, 0-based.
        stop: How many rows of the file were seen up to the end of this block.
        vectors: (n, dim), or whatever shape the file holds.
        columns: ``"labels"``, ``"ids"`` and ``"groups"``, those that the file has.
        meta: Further columns.
    """

    rows: Ints
    stop: int
    vectors: AnyArray
    columns: dict[str, Column]
    meta: dict[str, Any]


Reader = Callable[[Source, Request], Iterator[Block]]


def whole_rows(start: int, vectors: AnyArray, columns: dict[str, Column] | None = None) -> Block:
    """Return a block that holds every row from ``start`` on, for readers that do not filter."""
    stop = start + len(vectors)
    return Block(np.arange(start, stop), stop, vectors, columns or {}, {})


def require_length(noun: str, count: int, rows: int, path: str) -> None:
    """Refuse a column that does not have one value per row of the file.

    Raises:
        LabelError: E401.
    """
    if count != rows:
        raise LabelError(
            "E401",
            f"{counted(count, noun[:-1])} for the {counted(rows, 'row')} of the file",
            where=path,
            fix=f"give one of the {noun} per row of the file, in the same order, rows that a filter drops included",
        )


def merged(blocks: list[Block]) -> Block:
    """Return the rows of all blocks as one, emptying the list so that memory is never needed twice.

    Of further columns those stay that all blocks have.
    """
    if len(blocks) == 1:
        return blocks.pop()
    rows, stop = np.concatenate([b.rows for b in blocks]), blocks[-1].stop
    columns = {name: joined([b.columns[name] for b in blocks]) for name in blocks[0].columns}
    shared = [name for name in blocks[0].meta if all(name in b.meta for b in blocks)]
    meta = {name: joined([b.meta[name] for b in blocks]) for name in shared}
    return Block(rows, stop, _stacked(blocks), columns, meta)


def joined(parts: list[Any]) -> Any:
    """Return the parts of one column as one column: of the same kind, or a list of Python values where they differ."""
    if all(isinstance(part, np.ndarray) for part in parts):
        if len({part.dtype.kind for part in parts}) == 1:
            return np.concatenate(parts)
        # NumPy would make text of the integers of one file beside the text of another, and floats of int64 and uint64.
        return [value for part in parts for value in part.tolist()]
    if isinstance(parts[0], (list, np.ndarray)):  # a null makes one part a list where the others are arrays
        return [value for part in parts for value in (part if isinstance(part, list) else part.tolist())]
    if len({part.type for part in parts}) > 1:
        return [value for part in parts for value in python_values(part)]
    import pyarrow as pa

    return pa.chunked_array([chunk for part in parts for chunk in getattr(part, "chunks", [part])])


def _stacked(blocks: list[Block]) -> AnyArray:
    first = blocks[0].vectors
    whole = np.empty((sum(len(b.rows) for b in blocks), *first.shape[1:]), dtype=first.dtype)
    end = len(whole)
    while blocks:
        part = blocks.pop().vectors
        whole[end - len(part) : end] = part
        end -= len(part)
    return whole
