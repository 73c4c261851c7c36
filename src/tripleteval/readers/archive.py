"""The arrays of an ``.npz``, an archive from somewhere: counted, weighed and checked before they are read."""

from __future__ import annotations

import zipfile
from typing import IO, cast

from tripleteval.arrays import AnyArray, as_column
from tripleteval.errors import FileError
from tripleteval.readers.array_format import Header, Stream, parse_header, require_size, whole_array
from tripleteval.readers.files import Source

_BOMB_RATIO, _BOMB_BYTES = 100, 64 * 2**20
Members = dict[str, zipfile.ZipInfo]

HOW_TO_WRITE = "write it with: np.savez(path, vectors=..., labels=...)"


def members(archive: zipfile.ZipFile, source: Source) -> Members:
    """Return the arrays of an archive by name, without reading them.

    Raises:
        FileError: A name twice or outside the archive (E605), or far more bytes than the file is long (E606).
    """
    found: Members = {}
    path = source.path
    for member in archive.infolist():
        name = member.filename
        if ".." in name.replace("\\", "/").split("/") or name.startswith(("/", "\\")):
            raise FileError("E605", f"a member that points outside the archive: {name!r}", where=path, fix=HOW_TO_WRITE)
        if name in found:
            raise FileError("E605", f"two members named {name!r}", where=path, fix=HOW_TO_WRITE)
        found[name] = member
    total = (source.size, sum(m.file_size for m in found.values()))
    for packed, unpacked in [total, *((m.compress_size, m.file_size) for m in found.values())]:
        if unpacked > _BOMB_BYTES and unpacked > _BOMB_RATIO * packed:
            raise FileError(
                "E606",
                f"{packed:,} bytes that unpack to {unpacked:,}: more than {_BOMB_RATIO} times as many",
                where=path,
                fix="if the data really are so repetitive, save them uncompressed, with np.savez",
            )
    return {name.removesuffix(".npy"): member for name, member in found.items() if name.endswith(".npy")}


def column(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: str) -> AnyArray:
    """Return a one-dimensional array, as it is stored.

    Raises:
        FileError: It is cut (E601) or holds pickled objects (E603).
        DataError: It has not one dimension (E304).
    """
    with archive.open(member) as file:
        header = checked_header(file, member, path)
        return as_column(whole_array(cast(Stream, file), header), f"{member.filename} in {path}")


def checked_header(file: IO[bytes], member: zipfile.ZipInfo, path: str) -> Header:
    """Return what the array in a member claims to be, if it has the bytes of that.

    Raises:
        FileError: It is cut, or holds more (E601), or pickled objects (E603).
    """
    header = parse_header(file, f"{member.filename} in {path}")
    require_size(header, member.file_size, f"{member.filename} in {path}")
    return header
