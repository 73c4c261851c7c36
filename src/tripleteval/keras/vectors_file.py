"""Embeddings written batch by batch, larger than memory, under their name only when all are there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from tripleteval.arrays import AnyArray
from tripleteval.disk import new_file, sync_folder, temporary, writing
from tripleteval.errors import FileError
from tripleteval.keras.batches import Batch


class Sink(Protocol):
    """Takes the vectors of one batch after the other."""

    def add(self, vectors: AnyArray, batch: Batch) -> None:
        """Take the (n, dim) float32 vectors of a batch."""


class Memory:
    """Keeps everything."""

    def __init__(self) -> None:
        self.vectors: list[AnyArray] = []
        self.labels: list[AnyArray] = []
        self.ids: list[str] = []

    def add(self, vectors: AnyArray, batch: Batch) -> None:
        """Keep the vectors, labels and ids of a batch."""
        self.vectors.append(vectors)
        if batch.labels is not None:
            self.labels.append(batch.labels)
        self.ids += batch.ids or []


@contextmanager
def vectors_file(path: Path, *, overwrite: bool) -> Iterator[Sink]:
    """Yield a sink that writes ``.parquet`` or ``.npy``; the file appears when the block ends well.

    Parquet holds the columns ``embedding``, ``label`` and ``id``, those that there are. A ``.npy`` file holds the
    vectors alone; labels go into ``NAME.labels.npy`` beside it.

    Raises:
        FileError: Another suffix (E602), something is there already, or the folder does not exist (E611).
        ResourceError: It cannot be written (E801).
    """
    require_writable(path, overwrite=overwrite)
    path = path.resolve()  # a link stays one
    kind = _parquet if path.suffix.lower() in {".parquet", ".pq"} else _npy
    with writing(path), temporary(path) as temp:
        with kind(temp, path) as sink:
            yield sink
        temp.replace(path)
        sync_folder(path.parent)


def require_writable(path: Path, *, overwrite: bool) -> None:
    """Refuse, before any work, what could not be written afterwards.

    Raises:
        FileError: Another suffix (E602), something is there already, or the folder does not exist (E611).
    """
    if path.suffix.lower() not in {".parquet", ".pq", ".npy"}:
        raise FileError("E602", f"the suffix {path.suffix!r}", where=str(path), fix="write .parquet or .npy")
    if path.is_dir():
        raise FileError("E611", "a folder, where a file is to be written", where=str(path), fix="name a file in it")
    if path.exists() and not path.is_file():
        raise FileError("E611", "no regular file, which is never replaced", where=str(path), fix="give a new name")
    if os.path.lexists(path) and not overwrite:
        raise FileError("E611", "something is there already", where=str(path), fix="give a new name, or overwrite=True")
    if not path.absolute().parent.is_dir():
        raise FileError("E611", "the folder to write into does not exist", where=str(path), fix="make it first")


class _Parquet:
    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self._writer: Any = None

    def add(self, vectors: AnyArray, batch: Batch) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        flat = pa.array(np.ascontiguousarray(vectors).reshape(-1))
        columns = {"embedding": pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])}
        if batch.labels is not None:
            columns["label"] = pa.array(batch.labels.tolist())
        if batch.ids is not None:
            columns["id"] = pa.array(batch.ids, pa.string())
        table = pa.table(columns)
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._raw, table.schema, write_page_checksum=True)
        self._writer.write_table(table.cast(self._writer.schema))

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


@contextmanager
def _parquet(temp: Path, _path: Path) -> Iterator[Sink]:
    with new_file(temp) as raw:
        sink = _Parquet(raw)
        try:
            yield sink
        finally:  # Arrow's writer complains if it is dropped open
            sink.close()
        raw.finish()


class _Npy:
    def __init__(self, file: Any) -> None:
        self._file, self.rows, self._dim = file, 0, 0
        self.labels: list[AnyArray] = []

    def add(self, vectors: AnyArray, batch: Batch) -> None:
        if not self.rows:
            self._dim = vectors.shape[1]
            self._header()
        self._file.write(np.ascontiguousarray(vectors, "<f4").tobytes())
        self.rows += len(vectors)
        if batch.labels is not None:
            self.labels.append(batch.labels)

    def close(self) -> None:
        # NumPy leaves room in the header for the first axis to grow, so the final one is as long as the first.
        self._file.seek(0)
        self._header()
        self._file.flush()
        os.fsync(self._file.fileno())

    def _header(self) -> None:
        shape = {"descr": "<f4", "fortran_order": False, "shape": (self.rows, self._dim)}
        np.lib.format.write_array_header_1_0(self._file, shape)


@contextmanager
def _npy(temp: Path, path: Path) -> Iterator[Sink]:
    with temp.open("xb") as file:
        sink = _Npy(file)
        yield sink
        sink.close()
    if sink.labels:
        from io import BytesIO

        from tripleteval.disk import atomic_write

        labels = BytesIO()
        np.save(labels, np.concatenate(sink.labels), allow_pickle=False)
        atomic_write(path.with_suffix(".labels.npy"), labels.getvalue())
