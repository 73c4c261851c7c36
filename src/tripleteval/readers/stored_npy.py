"""Rows of an ``.npy`` file that stays on disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tripleteval.arrays import AnyArray, Ints, as_vectors
from tripleteval.errors import printable
from tripleteval.readers.array_format import SIGNATURE, Header, fill, parse_header, require_size, require_vectors
from tripleteval.readers.files import Name, Source, Stamp, absolute, opened, reopened, require_content

_GAP = 2**15  # bytes between two rows that are cheaper read than skipped
_AT_ONCE = 2**23  # bytes


@dataclass(frozen=True)
class NpyRows:
    """One array on disk; see `data.stored.Part`.

    Attributes:
        path: Of the file.
        stamp: What it looked like when its header was read.
        header: What it holds.
    """

    path: Name
    stamp: Stamp
    header: Header

    @classmethod
    def of(cls, path: Name) -> NpyRows:
        """Return the rows of a file, of which only the header is read.

        Raises:
            FileError: It cannot be opened or is not whole (E601-E604).
            DataError: It holds no (n, dim) array of real numbers (E203, E301-E304).
        """
        with opened(path) as source:
            require_content(source, SIGNATURE)
            header = parse_header(source.file, source.path)
            require_vectors(header, source.path, empty=True)
            require_size(header, source.size, source.path)
            return cls(path, source.stamp, header)

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
        return self.header.shape[0]

    @property
    def dim(self) -> int:
        """Number of coordinates."""
        return self.header.shape[1]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the array that is returned: what NumPy computes with."""
        return as_vectors(np.zeros((1, 1), self.header.dtype), self.name).dtype

    def read(self, first: int, last: int) -> AnyArray:
        """Return rows ``first:last``; see `data.stored.Part`."""
        with self._reopened(first, last) as source:
            return as_vectors(self._stretch(source, first, last), self.name)

    def take(self, rows: Ints) -> AnyArray:
        """Return the given rows, which ascend; what lies near together is read in one go."""
        row_bytes = self.header.row_bytes
        found = np.empty((len(rows), self.dim), self.header.dtype)
        apart = np.diff(rows) * row_bytes > _GAP
        at_once = np.diff((rows - rows[0]) * row_bytes // _AT_ONCE) > 0
        cuts = np.concatenate([[0], np.flatnonzero(apart | at_once) + 1, [len(rows)]])
        with self._reopened(int(rows[0]), int(rows[-1]) + 1) as source:
            for a, b in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
                first, last = int(rows[a]), int(rows[b - 1]) + 1
                found[a:b] = self._stretch(source, first, last)[rows[a:b] - first]
        return as_vectors(found, self.name)

    def require_unchanged(self) -> None:
        """Refuse a file that is not what it was; see `data.stored.Part`."""
        with self._reopened(0, self.rows):
            pass

    def _reopened(self, first: int, last: int) -> Any:
        return reopened(self.path, self.stamp, f"rows {first:,} to {last - 1:,} (0-based)")

    def _stretch(self, source: Source, first: int, last: int) -> AnyArray:
        header, count = self.header, last - first
        if not header.fortran:
            block = np.empty((count, self.dim), header.dtype)
            source.file.seek(header.offset + first * header.row_bytes)
            fill(source.file, block, first, header.row_bytes)
            return block
        columns = np.empty((self.dim, count), header.dtype)
        for column in range(self.dim):
            source.file.seek(header.offset + (column * self.rows + first) * header.dtype.itemsize)
            fill(source.file, columns[column], first, header.dtype.itemsize)
        return columns.T
