"""Saved indexes: what a library says it wrote is read back, and hashed, before it is believed.

A library may report success on a full disk, and may die of a damaged file. So the hash stands in a small file
beside the index, the index is loaded only if it still has it, and only ever in the child process.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import NamedTuple

from tripleteval.disk import atomic_write, writing
from tripleteval.errors import BackendError, FileError
from tripleteval.search.process import Searcher

SEAL = ".sha256.json"
_AT_ONCE = 2**20


class Seal(NamedTuple):
    """What a saved index was when it was written: its bytes, and the sha256 of names and content."""

    bytes: int
    sha256: str


def save(searcher: Searcher, path: str | Path) -> Seal:
    """Write a backend's index, verify it by loading it again, and put its seal beside it.

    Raises:
        BackendError: Nothing was written, or what was written cannot be loaded (E702-E705).
        FileError: Something is there already (E611).
        ResourceError: The seal cannot be written (E801).
    """
    target = Path(path)
    if os.path.lexists(target):
        raise FileError("E611", "something is there already", where=str(path), fix="give a new name")
    searcher.save(str(target.resolve()))
    if not target.exists():
        raise BackendError(
            "E705", "the library saved its index, but there is no file", where=str(path), fix="try again"
        )
    with writing(target):
        sealed = seal_of(target)
    searcher.load(str(target.resolve()))  # a file cut by a full disk does not come through this
    atomic_write(f"{target}{SEAL}", json.dumps(sealed._asdict()).encode())
    return sealed


def load(searcher: Searcher, path: str | Path) -> Seal:
    """Load an index whose seal is intact.

    Raises:
        BackendError: It is not what was saved (E705), or the library cannot load it (E702-E704).
        FileError: There is no index or no seal (E604).
    """
    sealed = verified(path)
    searcher.load(str(Path(path).resolve()))
    return sealed


def verified(path: str | Path) -> Seal:
    """Return the seal of a saved index that still is what was saved.

    Raises:
        BackendError: It is not (E705).
        FileError: There is no index or no seal (E604).
    """
    try:
        with open(f"{path}{SEAL}", "rb") as file:  # noqa: PTH123
            said = json.loads(file.read(4096))
        sealed = Seal(int(said["bytes"]), str(said["sha256"]))
        found = seal_of(Path(path))
    except OSError as error:
        raise FileError(
            "E604",
            f"no saved index: {error.strerror}",
            where=str(path),
            fix="save it with tripleteval, beside its seal",
        ) from None
    except (ValueError, KeyError, TypeError):
        raise BackendError("E705", "a seal that cannot be read", where=str(path), fix="save the index again") from None
    if found != sealed:
        raise BackendError(
            "E705",
            f"an index of {found.bytes:,} bytes that is not the one of {sealed.bytes:,} bytes that was saved",
            where=str(path),
            fix="save it again, or restore a copy",
        )
    return sealed


def seal_of(path: Path) -> Seal:
    """Return size and hash of a file, or of a folder of files."""
    digest, size = hashlib.sha256(), 0
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    for each in files:
        digest.update(str(each.relative_to(path)).encode() + b"\0" if path.is_dir() else b"")
        with each.open("rb") as file:
            while piece := file.read(_AT_ONCE):
                digest.update(piece)
                size += len(piece)
    return Seal(size, digest.hexdigest())
