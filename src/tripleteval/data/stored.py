"""Vectors that stay on disk: rows are read when they are asked for, and nobody holds them all.

It stands where an (n, dim) array stands, and answers ``vectors[a:b]`` and ``vectors[rows]`` with arrays. It travels
to another process as names of files and numbers of rows. A file that is not what it was when it was first opened
is an error with every reading.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from tripleteval.arrays import AnyArray, Ints, require_plausible, row_blocks
from tripleteval.data.facts import Facts
from tripleteval.errors import ResourceError

SMALL = 2**26  # bytes: a selection of fewer is read at once and held
_IN_FLIGHT = 4


class Part(Protocol):
    """Rows in one file."""

    @property
    def name(self) -> str:
        """What errors call the file."""
        ...

    @property
    def rows(self) -> int:
        """How many."""
        ...

    def read(self, first: int, last: int) -> AnyArray:
        """Return rows ``first:last``.

        Raises:
            FileError: The file is not what it was (E610).
        """
        ...

    def take(self, rows: Ints) -> AnyArray:
        """Return the given rows, which ascend; raises as `read`."""
        ...

    def require_unchanged(self) -> None:
        """Raise as `read` does."""
        ...


@dataclass(frozen=True, eq=False)
class StoredVectors:
    """Vectors in files, as one (n, dim) array on disk.

    Attributes:
        parts: The files, in the order of their rows.
        dim: Number of coordinates.
        dtype: Of what is read.
        chosen: Rows of all parts together that count, in this order; ``None`` for all.
        most: A finite magnitude beyond this is refused (E206), infinity to allow any.
    """

    parts: tuple[Part, ...]
    dim: int
    dtype: np.dtype[Any]
    chosen: Ints | None = None
    most: float = np.inf
    ndim: int = field(default=2, init=False)

    @property
    def name(self) -> str:
        """What errors call it: its first file, and how many more there are."""
        more = f" and {len(self.parts) - 1:,} more files" if len(self.parts) > 1 else ""
        return self.parts[0].name + more

    @property
    def shape(self) -> tuple[int, int]:
        """(n, dim)."""
        return int(self._starts[-1]) if self.chosen is None else len(self.chosen), self.dim

    @property
    def nbytes(self) -> int:
        """What it would take to hold all rows."""
        return len(self) * self.dim * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> AnyArray:
        """Return one row, a slice of rows, or the rows at given positions, as an array.

        Raises:
            FileError: A file changed since it was first opened (E610).
        """
        if isinstance(key, slice):
            first, last, step = key.indices(len(self))
            if step == 1:
                return self._stretch(first, max(first, last))
            key = np.arange(first, last, step)
        rows = np.asarray(key)
        if rows.ndim == 0:
            row: AnyArray = self[rows[None]][0]
            return row
        rows = (
            np.flatnonzero(rows) if rows.dtype == bool else np.where(rows < 0, rows + len(self), rows).astype(np.int64)
        )
        return self._gathered(rows if self.chosen is None else self.chosen[rows])

    def __array__(self, *_args: Any, **_kwargs: Any) -> AnyArray:
        """Refuse to become an array: whoever asks needs all rows at once.

        Raises:
            ResourceError: E802.
        """
        raise ResourceError(
            "E802",
            f"{self.nbytes / 2**20:,.0f} MiB of vectors on disk, for something that needs them all in memory at once",
            where=self.name,
            fix=f"give memory= (--memory) {2 * self.nbytes / 2**20 + 1:.0f}MiB or more, to hold them, or fewer rows",
        )

    def take(self, rows: Ints) -> AnyArray | StoredVectors:
        """Return the rows at given positions: few as an array, many still on disk."""
        if len(rows) * self.dim * self.dtype.itemsize <= SMALL:
            return self[rows]
        chosen = rows if self.chosen is None else self.chosen[rows]
        return StoredVectors(self.parts, self.dim, self.dtype, chosen, self.most)

    def facts(self) -> Facts:
        """Return what one reading of all rows shows; the first call reads them."""
        return self._seen[0]

    def digest(self) -> Any:
        """Return the sha256 of the bytes of all rows, little-endian, to be continued."""
        return self._seen[1].copy()

    def require_unchanged(self) -> None:
        """Refuse what was read if a file is no longer what it was.

        Raises:
            FileError: E610.
        """
        for part in self.parts:
            part.require_unchanged()

    def __getstate__(self) -> dict[str, Any]:
        # A hash under way does not travel, nor do facts of single rows; those of the whole save others a reading.
        state = {name: value for name, value in self.__dict__.items() if name != "_starts"}
        if "_seen" in state:
            none = np.zeros(0, dtype=bool)
            state["_seen"] = self._seen[0]._replace(finite=none, zero=none, unit=none), None
        return state

    @cached_property
    def _starts(self) -> Ints:
        return np.concatenate([[0], np.cumsum([part.rows for part in self.parts])]).astype(np.int64)

    @cached_property
    def _seen(self) -> tuple[Facts, Any]:
        digest = hashlib.sha256()
        found: list[Facts] = []
        flying: list[Future[Facts]] = []
        with ThreadPoolExecutor(_IN_FLIGHT) as pool:
            first = 0
            for rows in row_blocks(self):  # type: ignore[arg-type]  # it stands where an array stands
                flying.append(pool.submit(self._plausible, rows, first))
                first += len(rows)
                digest.update(np.ascontiguousarray(rows, rows.dtype.newbyteorder("<")).view(np.uint8).data)
                if len(flying) == _IN_FLIGHT:
                    found.append(flying.pop(0).result())
            found += [each.result() for each in flying]
        return Facts.joined(found), digest

    def _plausible(self, rows: AnyArray, first: int) -> Facts:
        facts = Facts.of(rows)
        if not max(-facts.lowest.min(), facts.highest.max()) <= self.most:  # also where one is no number
            at = np.arange(first, first + len(rows)) if self.chosen is None else self.chosen[first : first + len(rows)]
            of = np.searchsorted(self._starts, at, side="right") - 1
            for part in np.unique(of).tolist():
                mine = of == part
                require_plausible(rows[mine], at[mine] - self._starts[part], self.parts[part].name, self.most)
        return facts

    def _stretch(self, first: int, last: int) -> AnyArray:
        if self.chosen is not None:
            return self._gathered(self.chosen[first:last])
        found = []
        for part, start in zip(self.parts, self._starts.tolist(), strict=False):
            a, b = max(first - start, 0), min(last - start, part.rows)
            if a < b:
                found.append(part.read(a, b))
        return found[0] if len(found) == 1 else np.concatenate([np.empty((0, self.dim), self.dtype), *found])

    def _gathered(self, rows: Ints) -> AnyArray:
        """Return the rows in any order; each is read once, and files from their beginning to their end."""
        wanted, place = np.unique(rows, return_inverse=True)
        bounds = np.searchsorted(wanted, self._starts)
        found = [
            part.take(wanted[a:b] - start)
            for part, start, a, b in zip(self.parts, self._starts.tolist(), bounds[:-1], bounds[1:], strict=False)
            if a < b
        ]
        return np.concatenate([np.empty((0, self.dim), self.dtype), *found])[place.reshape(-1)]
