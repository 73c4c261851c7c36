"""A file of frames: each says how long it is and carries its checksum, so that a torn end is told from the rest.

A frame is a line of 53 bytes (``frame``, its length, the first half of a sha256) and its payload. The checksum covers
the number of the frame too: a frame that was lost, doubled or moved is not taken for another.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from tripleteval.errors import ResourceError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

_MARK = b"\nframe "
_DIGITS, _DIGEST = 12, 32
HEAD = len(_MARK) + _DIGITS + 1 + _DIGEST + 1
_AT_ONCE = 2**20


class Place(NamedTuple):
    """Where the payload of a frame lies in its file."""

    offset: int
    size: int


def heading(number: int, parts: Iterable[Buffer]) -> bytes:
    """Return what is written before the parts of a payload."""
    digest, size = _numbered(number), 0
    for part in parts:
        digest.update(part)
        size += memoryview(part).nbytes
    return b"%s%0*d %s\n" % (_MARK, _DIGITS, size, digest.hexdigest()[:_DIGEST].encode())


def frames(descriptor: int, most: int | None = None) -> list[Place]:
    """Return the frames of a file up to the first that is torn or damaged; nothing after that is trusted."""
    whole = os.fstat(descriptor).st_size
    found: list[Place] = []
    end = 0
    while len(found) != most and (place := _next(descriptor, len(found), end, whole)) is not None:
        found.append(place)
        end = place.offset + place.size
    return found


def payload(descriptor: int, place: Place) -> bytearray:
    """Return what a frame holds.

    Raises:
        ResourceError: The file has become shorter since its frames were listed (E804).
    """
    data, done = bytearray(place.size), 0
    while done < place.size:
        part = _read(descriptor, place.size - done, place.offset + done)
        if not part:
            raise ResourceError("E804", "a journal that became shorter while it was read", fix="start the run again")
        data[done : done + len(part)] = part
        done += len(part)
    return data


def _next(descriptor: int, number: int, end: int, whole: int) -> Place | None:
    head = _read(descriptor, HEAD, end)
    length = head[len(_MARK) : len(_MARK) + _DIGITS]
    if len(head) < HEAD or not length.isdigit():
        return None
    place = Place(end + HEAD, int(length))
    if place.offset + place.size > whole:
        return None
    digest = _numbered(number)
    for offset in range(place.offset, place.offset + place.size, _AT_ONCE):
        digest.update(_read(descriptor, place.offset + place.size - offset, offset))
    said = b"%s%s %s\n" % (_MARK, length, digest.hexdigest()[:_DIGEST].encode())
    return place if head == said else None


def _read(descriptor: int, size: int, offset: int) -> bytes:
    os.lseek(descriptor, offset, os.SEEK_SET)
    return os.read(descriptor, min(size, _AT_ONCE))


def _numbered(number: int) -> hashlib._Hash:
    return hashlib.sha256(number.to_bytes(8, "little"))
