"""Rows of a Parquet file that stays on disk: vectors batch by batch, other columns when they are wanted."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import numpy as np

from tripleteval.arrays import AnyArray, Ints, as_vectors
from tripleteval.errors import printable
from tripleteval.readers.arrow_table import as_matrix, open_parquet, settled
from tripleteval.readers.block import Request, joined
from tripleteval.readers.columns import Layout, layout_of
from tripleteval.readers.files import Name, Stamp, absolute, file_changed, opened, reopened

_ROWS = 4096
_BUFFER = 2**20  # bytes read ahead per column; without it Arrow reads a whole row group of a column at once
_MOST_OPEN = 4
_open = threading.local()


@dataclass(frozen=True)
class ParquetRows:
    """The column of vectors of one file; see `data.stored.Part`.

    Attributes:
        path: Of the file.
        stamp: What it looked like when its footer was read.
        layout: Which column means what.
        groups: (row groups + 1,) where each begins.
        dim: Number of coordinates.
        stored: dtype of the column.
    """

    path: Name
    stamp: Stamp
    layout: Layout
    groups: tuple[int, ...]
    dim: int
    stored: np.dtype[Any]

    @classmethod
    def of(cls, path: Name, request: Request) -> ParquetRows:
        """Return the rows of a file, of which the footer and the first row are read.

        Raises:
            FileError: It cannot be opened, is damaged, or lacks a column (E601-E605).
            DataError: Its vectors are no lists of numbers (E203), or the first is missing (E205).
        """
        with opened(path) as source:
            file = open_parquet(source, buffer_size=_BUFFER, pre_buffer=False)
            layout = layout_of(file.schema_arrow, request, source.path)
            counts = [file.metadata.row_group(g).num_rows for g in range(file.metadata.num_row_groups)]
            groups = tuple(np.concatenate([[0], np.cumsum(counts)]).astype(int).tolist())
            first = next(file.iter_batches(batch_size=1, columns=[layout.vectors]), None)
            if first is None or not len(first):
                return cls(path, source.stamp, layout, (0,), 1, np.dtype(np.float32))
            matrix = as_matrix(first.column(0), np.zeros(1, np.int64), None, f"column {layout.vectors!r} of {path}")
            return cls(path, source.stamp, layout, groups, matrix.shape[1], matrix.dtype)

    def __getstate__(self) -> dict[str, Any]:
        """Travel to another process, which may be in another folder."""
        return self.__dict__ | {"path": absolute(self.path)}

    @property
    def name(self) -> str:
        """What errors call the file."""
        return printable(str(self.path))

    @property
    def rows(self) -> int:
        """How many."""
        return self.groups[-1]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the array that is returned: what NumPy computes with."""
        return as_vectors(np.zeros((1, 1), self.stored), self.name).dtype

    def read(self, first: int, last: int) -> AnyArray:
        """Return rows ``first:last``; going on where the last reading of this thread ended costs no more than that."""
        if first == last:
            return np.empty((0, self.dim), self.dtype)
        found = np.empty((last - first, self.dim), self.stored)
        with _Cursor.of(self) as cursor:
            cursor.go_to(first)
            while cursor.at < last:
                start, block = cursor.batch()
                a, b = max(start, first), min(start + len(block), last)
                found[a - first : b - first] = block[a - start : b - start]
                cursor.leave(b)
        return as_vectors(found, self.name)

    def take(self, rows: Ints) -> AnyArray:
        """Return the given rows, which ascend; row groups without any of them are passed over."""
        found = np.empty((len(rows), self.dim), self.stored)
        done = 0
        with _Cursor.of(self) as cursor:
            while done < len(rows):
                cursor.go_to(int(rows[done]))
                start, block = cursor.batch()
                stop = start + len(block)
                upto = int(np.searchsorted(rows, stop))
                found[done:upto] = block[rows[done:upto] - start]
                cursor.leave(stop)
                done = upto
        return as_vectors(found, self.name)

    def key(self) -> tuple[Any, ...]:
        """Return what tells one column of one content of a file from all others."""
        return str(self.path), self.stamp, self.layout.vectors

    def require_unchanged(self) -> None:
        """Refuse a file that is not what it was; see `data.stored.Part`."""
        with reopened(self.path, self.stamp, "its last rows"):
            pass


class _Cursor:
    """An open file at some row of its column of vectors; each thread has its own few."""

    def __init__(self, part: ParquetRows) -> None:
        self.part, self.at, self.stack = part, -1, ExitStack()
        self.pending: tuple[int, AnyArray] | None = None
        self.batches: Iterator[Any] = iter(())
        self.where = f"column {part.layout.vectors!r} of {part.path}"
        source = self.stack.enter_context(opened(part.path))
        if source.stamp != part.stamp:
            raise file_changed(part.name, self.detail())
        self.file = open_parquet(source, buffer_size=_BUFFER, pre_buffer=False)

    @classmethod
    def of(cls, part: ParquetRows) -> _Cursor:
        """Return the cursor of this thread."""
        mine: dict[Any, _Cursor] = _open.__dict__.setdefault("cursors", {})
        key = part.key()
        if key not in mine:
            while len(mine) >= _MOST_OPEN:
                mine.pop(next(iter(mine))).stack.close()
            mine[key] = cls(part)
        return mine[key]

    def __enter__(self) -> Self:
        # Whoever replaced the file since, or writes to it now, is noticed before and after.
        with reopened(self.part.path, self.part.stamp, self.detail()):
            return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            with reopened(self.part.path, self.part.stamp, self.detail()):
                return
        _open.cursors.pop(self.part.key(), None)
        self.stack.__exit__(kind, error, trace)  # the error comes out in the words of whoever opened the file

    def detail(self) -> str:
        """Return where it is, for an error."""
        return f"at row {max(self.at, 0):,} (0-based)"

    def go_to(self, row: int) -> None:
        """Stand before the batch that holds a row."""
        group = int(np.searchsorted(self.part.groups, row, side="right")) - 1
        ahead = 0 <= self.at <= row and (row - self.at <= _ROWS or self.part.groups[group] <= self.at)
        if not ahead:
            groups = range(group, len(self.part.groups) - 1)
            self.batches = self.file.iter_batches(
                batch_size=_ROWS, row_groups=list(groups), columns=[self.part.layout.vectors]
            )
            self.at, self.pending = self.part.groups[group], None
        while row >= (block := self.batch())[0] + len(block[1]):
            self.leave(block[0] + len(block[1]))

    def batch(self) -> tuple[int, AnyArray]:
        """Return where the batch begins in which the cursor stands, and its vectors."""
        if self.pending is None:
            batch = next(self.batches, None)
            if batch is None:
                raise EOFError(f"it ends before row {self.part.rows:,}")
            column = batch.column(0)
            rows = np.arange(self.at, self.at + len(column))
            self.pending = self.at, as_matrix(column, rows, self.part.dim, self.where)
        return self.pending

    def leave(self, row: int) -> None:
        """Move on to a row of this batch, or past its end."""
        start, block = self.batch()
        self.at = row
        if row >= start + len(block):
            self.pending = None


class StoredColumns(Mapping[str, Any]):
    """Further columns of Parquet files, by name, each read when it is asked for.

    Args:
        parts: The files.
        names: The columns that all of them have.
        chosen: Rows of all files together that count, in this order; ``None`` for all.
    """

    def __init__(self, parts: tuple[ParquetRows, ...], names: tuple[str, ...], chosen: Ints | None = None) -> None:
        self._parts, self._names, self._chosen = parts, names, chosen

    def __getitem__(self, name: str) -> Any:
        if name not in self._names:
            raise KeyError(name)
        column = joined([_column(part, name) for part in self._parts])
        if self._chosen is None:
            return column
        if isinstance(column, list):  # of another type in each file
            return [column[row] for row in self._chosen.tolist()]
        import pyarrow as pa

        return column.take(pa.array(self._chosen))

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def take(self, rows: Ints) -> StoredColumns:
        """Return the same columns of some of the rows."""
        chosen = rows if self._chosen is None else self._chosen[rows]
        return StoredColumns(self._parts, self._names, chosen)


def _column(part: ParquetRows, name: str) -> Any:
    with reopened(part.path, part.stamp, f"column {name!r}") as source:
        return settled(open_parquet(source).read(columns=[name]).column(name))
