"""The bytes of a NumPy array: a header that is believed only as far as the file is long, then rows.

Rows are read with plain reads, never through a memory map: a file that another process cuts while we
read it is then an error with a row number, where a memory map would kill the process (SIGBUS).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import IO, Any, NamedTuple, Protocol

import numpy as np
from numpy.lib import format as numpy_format

from tripleteval.arrays import AnyArray, as_vectors
from tripleteval.errors import DataError, FileError

SIGNATURE = b"\x93NUMPY"


class Stream(Protocol):
    """Bytes in order: an open file, or a member of a zip archive."""

    def readinto(self, buffer: Any, /) -> int | None:
        """Fill as much of ``buffer`` as is at hand and return how many bytes that was."""
        ...


class Header(NamedTuple):
    """What an array claims to be.

    Attributes:
        shape: As stored, before anything was checked against it but its size.
        dtype: Of one element; never object.
        fortran: Whether columns, not rows, are stored together.
        offset: Bytes before the first element.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool
    offset: int

    @property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        return math.prod(self.shape[1:]) * self.dtype.itemsize

    @property
    def size(self) -> int:
        """Bytes of header and elements together, as Python counts: no claim is too large to be compared."""
        return self.offset + math.prod(self.shape) * self.dtype.itemsize

    def __str__(self) -> str:
        return f"{'text' if self.dtype.kind in 'SU' else self.dtype.name} of shape {self.shape}"


def parse_header(file: IO[bytes], where: str) -> Header:
    """Return what the array at the start of ``file`` claims to be.

    Raises:
        FileError: A negative shape (E601), or pickled objects (E603).
        DataError: A format that only records need (E203).
        ValueError, EOFError: The header itself is damaged.
    """
    version = numpy_format.read_magic(file)
    if version == (3, 0):
        raise DataError("E203", "records with named fields", where=where, fix="save the field of vectors by itself")
    read = numpy_format.read_array_header_1_0 if version == (1, 0) else numpy_format.read_array_header_2_0
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"npy format {version} is unknown")
    shape, fortran, dtype = read(file)
    if dtype.hasobject:
        raise FileError(
            "E603",
            "pickled Python objects, which can run any code",
            where=where,
            fix="save vectors as np.array(values, dtype='float32'), labels and ids as np.array(values, dtype=str), or "
            "int, or as a .txt",
        )
    if any(side < 0 for side in shape):
        raise FileError("E601", f"a header with the shape {shape}", where=where, fix="write the file again")
    if dtype.itemsize == 0:
        raise DataError(
            "E203",
            f"elements of type {dtype.str!r}, which hold nothing",
            where=where,
            fix="save numbers, such as float32",
        )
    return Header(shape, dtype, fortran, file.tell())


def require_size(header: Header, size: int, where: str) -> None:
    """Refuse an array that is cut or followed by something else, before any memory is asked for.

    Raises:
        FileError: E601, with the bytes expected and found.
    """
    if header.size == size:
        return
    found = f"{header.size:,} bytes expected for {header}, {size:,} found"
    fix = "write it again: one array per file; several arrays go into an .npz"
    if size < header.size:
        fix = "the file is cut: copy, download or write it again"
        if header.shape and not header.fortran:
            found += f"; {max(0, size - header.offset) // header.row_bytes:,} of {header.shape[0]:,} rows are whole"
    raise FileError("E601", found, where=where, fix=fix)


def require_vectors(header: Header, where: str, *, empty: bool = False) -> None:
    """Refuse, before reading it, an array that cannot be (n, dim) real numbers; see `as_vectors`.

    Args:
        header: What the file says of it.
        where: Named in errors.
        empty: Whether it may have no rows, as one file of several.
    """
    shape = header.shape
    if len(shape) == 2 and shape[1] and (shape[0] or empty):
        shape = (1, 1)  # as they are: however large a claim, one element shows its type
    as_vectors(np.broadcast_to(np.zeros((), header.dtype), shape), where)


def row_blocks(file: Stream, header: Header, rows: int | None) -> Iterator[AnyArray]:
    """Yield the rows after the header in blocks of at most ``rows``.

    Raises:
        EOFError: The stream ends early; the message names the row.
    """
    count, step = header.shape[0], rows or max(1, header.shape[0])
    for start in range(0, count, step):
        block = np.empty((min(step, count - start), *header.shape[1:]), dtype=header.dtype)
        fill(file, block, start, header.row_bytes)
        yield block


def column_blocks(file: IO[bytes], header: Header, rows: int | None) -> Iterator[AnyArray]:
    """Yield what `row_blocks` yields, of a matrix stored column by column (Fortran order)."""
    count, dim = header.shape
    step, itemsize = rows or max(1, count), header.dtype.itemsize
    for start in range(0, count, step):
        block = np.empty((dim, min(step, count - start)), dtype=header.dtype)
        for column in range(dim):
            file.seek(header.offset + (column * count + start) * itemsize)
            fill(file, block[column], start, itemsize)  # type: ignore[arg-type]  # every binary file has readinto
        yield block.T


def whole_array(file: Stream, header: Header) -> AnyArray:
    """Return every element after the header.

    Raises:
        EOFError: The stream ends early; the message names the row.
    """
    array = np.empty(header.shape[::-1] if header.fortran else header.shape, dtype=header.dtype)
    fill(file, array, 0, header.row_bytes)
    return array.T if header.fortran else array


def fill(file: Stream, array: AnyArray, first_row: int, row_bytes: int) -> None:
    """Fill a C-contiguous array with the next bytes.

    Raises:
        EOFError: The stream ends early; the message names the row, counted from ``first_row``.
    """
    # Through uint8, because a memoryview cannot be cast from text or half precision.
    wanted = array.reshape(-1).view(np.uint8).data if array.size else memoryview(b"")
    done = 0
    while done < len(wanted):
        got = file.readinto(wanted[done:])
        if not got:
            raise EOFError(f"it ends within row {first_row + done // max(1, row_bytes):,} (0-based)")
        done += got
