"""Inputs of a model in a ``.npy`` file, read batch by batch: never a pickle, never a memory map."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tripleteval.arrays import AnyArray
from tripleteval.errors import DataError, LabelError
from tripleteval.keras.batches import Batch
from tripleteval.readers.array_format import SIGNATURE, Header, parse_header, require_size, row_blocks
from tripleteval.readers.column_file import read_column
from tripleteval.readers.files import Source, opened, require_content


class ArrayFile:
    """The rows of an (n, ...) array of real numbers, as it is stored.

    Args:
        path: ``.npy`` file, larger than memory or not.
        labels: File with one label per row, as ``tripleteval evaluate --labels`` takes it; ``None`` for none.
        scale: What every value is multiplied by; 1 hands out the array's own type.

    Raises:
        FileError: A file that cannot be read (E601-E610), or holds pickled objects (E603).
        DataError: No values (E301), no axis besides the rows (E304), not numbers, or stored column by column (E203).
        LabelError: Not one label per row (E401).
    """

    def __init__(self, path: str | Path, labels: str | Path | None = None, *, scale: float = 1.0) -> None:
        self.path, self._scale = Path(path), scale
        with opened(self.path) as source:
            self.shape = _header(source).shape
        self._labels = None if labels is None else np.asarray(read_column(labels, "labels", None))
        if self._labels is not None and len(self._labels) != len(self):
            found = f"{len(self._labels):,} labels for {len(self):,} inputs"
            raise LabelError("E401", found, where=str(labels), fix="give one per item")

    def __len__(self) -> int:
        return self.shape[0]

    def batches(self, size: int) -> Iterator[Batch]:
        """Yield the rows, ``size`` at a time.

        Raises:
            FileError: The file is cut, or changed while it was read (E601, E610).
        """
        with opened(self.path) as source:
            header, start = _header(source), 0
            for block in row_blocks(source.file, header, size):
                source.require_unchanged(start)
                rows = slice(start, start + len(block))
                yield Batch(self._scaled(block), None if self._labels is None else self._labels[rows])
                start = rows.stop

    def counts(self) -> dict[str, int]:
        """Return what was met on the way: nothing, since nothing is left out."""
        return {}

    def _scaled(self, block: AnyArray) -> AnyArray:
        return block if self._scale == 1 else block.astype(np.float32) * np.float32(self._scale)


def _header(source: Source) -> Header:
    """Return what a file of inputs claims to be, with its position after the header."""
    require_content(source, SIGNATURE)
    header = parse_header(source.file, source.path)
    where = source.path
    if len(header.shape) < 2:
        raise DataError("E304", f"an array of shape {header.shape}", where=where, fix="save inputs of shape (n, ...)")
    if header.dtype.kind not in "biuf":
        raise DataError("E203", f"values of type {header.dtype}", where=where, fix="save real numbers")
    if header.fortran:
        found = "an array stored column by column (Fortran order), whose rows lie scattered"
        raise DataError("E203", found, where=where, fix="save np.ascontiguousarray(inputs)")
    if 0 in header.shape:
        raise DataError("E301", f"no values, shape {header.shape}", where=where, fix="check what wrote the file")
    require_size(header, source.size, where)
    return header
