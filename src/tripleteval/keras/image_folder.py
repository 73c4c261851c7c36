"""A folder of pictures, whose class is the folder they stand in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tripleteval.errors import DataError, FileError, LabelError, ParameterError, nearest, printable
from tripleteval.keras.batches import Batch
from tripleteval.keras.pictures import Pictures
from tripleteval.readers.pair_list import PICTURES

_ON_BAD = ("refuse", "skip")
_MOST_FILES = 10_000_000


class ImageFolder:
    """Pictures under a folder, in the order of their names; hidden files and what is no picture are left out.

    The label of a picture is the path of its folder below ``root``, its id its own path, with bytes that are not
    UTF-8 percent-escaped. Pictures that stand in ``root`` itself have no label, so either all do, or none.

    Args:
        root: The folder.
        pictures: How pictures become arrays.
        on_bad: ``"refuse"`` a picture that cannot be read, or ``"skip"`` and count it.

    Attributes:
        ids: Path of each picture below ``root``.
        labels: Folder of each, or ``None``.
        ignored: How many other files there are.
        skipped: Paths of pictures that could not be read.

    Raises:
        FileError: ``root`` is no folder (E604).
        DataError: It holds no picture (E301).
        LabelError: Some pictures stand in class folders and some do not (E402).
        ParameterError: An unknown ``on_bad`` (E510).
    """

    def __init__(self, root: str | Path, pictures: Pictures, *, on_bad: str = "refuse") -> None:
        if on_bad not in _ON_BAD:
            raise ParameterError("E510", f"on_bad={on_bad!r}", fix=nearest(on_bad, _ON_BAD))
        self.root, self.pictures, self.on_bad = Path(root), pictures, on_bad
        self._names, self.ignored = _found(self.root)
        self.ids = [printable(name) for name in self._names]
        self.skipped: list[str] = []
        folders = [name.rpartition("/")[0] for name in self.ids]
        loose = folders.count("")
        if 0 < loose < len(folders):
            raise LabelError(
                "E402",
                f"{loose:,} pictures outside the class folders; first: {self.ids[folders.index('')]!r}",
                where=str(root),
                fix="move them into the folder of their class",
            )
        self.labels = None if loose else folders

    def __len__(self) -> int:
        return len(self.ids)

    def batches(self, size: int) -> Iterator[Batch]:
        """Yield the pictures, ``size`` at a time.

        Raises:
            FileError: A picture cannot be used (E606, E614, E615), unless those are skipped.
        """
        for start in range(0, len(self), size):
            rows = range(start, min(start + size, len(self)))
            loaded = [(row, picture) for row in rows if (picture := self._load(row)) is not None]
            if loaded:
                kept = [row for row, _ in loaded]
                labels = None if self.labels is None else np.array([self.labels[row] for row in kept])
                yield Batch(np.stack([picture for _, picture in loaded]), labels, [self.ids[row] for row in kept])

    def counts(self) -> dict[str, int]:
        """Return what was met on the way, for the user to know."""
        counts = {
            **self.pictures.counts,
            "other files ignored": self.ignored,
            "bad pictures skipped": len(self.skipped),
        }
        return {what: number for what, number in counts.items() if number}

    def _load(self, row: int) -> np.ndarray | None:
        try:
            return self.pictures.load(self.root / self._names[row])
        except FileError:
            if self.on_bad == "refuse":
                raise
            self.skipped.append(self.ids[row])
            return None


def _found(root: Path) -> tuple[list[str], int]:
    """Return the sorted paths of all pictures below ``root``, and how many other files there are."""
    if not root.is_dir():
        raise FileError("E604", "no folder", where=str(root), fix="name a folder of pictures, one folder per class")
    names, ignored = [], 0
    for folder, below, files in os.walk(root):
        below[:] = sorted(name for name in below if not name.startswith("."))
        for name in files:
            if name.startswith(".") or not name.lower().endswith(PICTURES):
                ignored += 1
            else:
                names.append((Path(folder) / name).relative_to(root).as_posix())
        if len(names) + ignored > _MOST_FILES:
            raise FileError("E606", f"more than {_MOST_FILES:,} files", where=str(root), fix="embed it in parts")
    if not names:
        raise DataError(
            "E301", f"no pictures among {ignored:,} files", where=str(root), fix=f"known: {' '.join(PICTURES)}"
        )
    return sorted(names), ignored
