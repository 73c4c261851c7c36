"""Where the rows of a set came from, so that an error can name a file and the row in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from tripleteval.arrays import Ints

_LISTED = 5
_KEPT_AS = "_origin"  # an attribute of a set that is no field: it never tells two sets apart


@dataclass(frozen=True, eq=False)
class Origin:
    """The files that the rows of a set came from.

    Attributes:
        files: What errors call each, in the order of the rows; none where rows are those of an array.
        starts: The first row of each file, of all files together.
        chosen: Rows of all files together that the set has, in this order; ``None`` for all.
    """

    files: tuple[str, ...] = ()
    starts: tuple[int, ...] = ()
    chosen: Ints | None = None

    @classmethod
    def of(cls, counts: Iterable[tuple[str, int]]) -> Origin:
        """Return the origin of whole files, by name and number of rows."""
        files, rows = zip(*counts, strict=True)
        return cls(files, tuple(np.cumsum([0, *rows[:-1]]).tolist()))

    def take(self, rows: Ints | None) -> Origin:
        """Return the origin of some of the rows; ``None`` for all."""
        if rows is None:
            return self
        return replace(self, chosen=rows if self.chosen is None else self.chosen[rows])

    def listed(self, rows: Iterable[int]) -> str:
        """Return the first few of some rows as ``3, 17 of a.npy; 0 of b.npy``, 0-based."""
        wanted = np.array([*rows], dtype=np.int64)
        at = wanted[:_LISTED] if self.chosen is None else self.chosen[wanted[:_LISTED]]
        more = " …" if len(wanted) > _LISTED else ""
        if not self.files:
            return _joined(at) + more
        file = np.searchsorted(self.starts, at, side="right") - 1  # the last of those that begin there has a row
        within = at - np.array(self.starts)[file]
        of_each = (f"{_joined(within[file == f])} of {self.files[f]}" for f in dict.fromkeys(file.tolist()))
        return "; ".join(of_each) + more


NO_FILES = Origin()


def origin_of(held: object) -> Origin:
    """Return where the rows of a set came from, as far as it was told; else they are those of the set itself."""
    found: Origin = getattr(held, _KEPT_AS, NO_FILES)
    return found


def remember(held: object, origin: Origin) -> None:
    """Let a set know where its rows came from."""
    object.__setattr__(held, _KEPT_AS, origin)


def _joined(rows: Ints) -> str:
    return ", ".join(map(str, rows.tolist()))
