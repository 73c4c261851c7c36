"""Files that are written completely or not at all, and folders that appear under their name in one step."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import re
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tripleteval.errors import FileError, ResourceError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_STALE_SECONDS = 24 * 3600
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def atomic_write(path: str | Path, data: bytes) -> None:
    """Write one file completely or not at all; a file that was there stays until the new one is on disk.

    Raises:
        ResourceError: It cannot be written (E801).
    """
    target = Path(path)
    with writing(target, needed=len(data)), temporary(target) as temp:
        write_file(temp, data)
        os.replace(temp, target)
        sync_folder(target.parent)


class _Sink(io.RawIOBase):
    """A new file that knows the sha256 of what was written to it; every write and sync may fail, loudly."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        self._descriptor = os.open(path, flags, 0o666)
        self.size, self._digest = 0, hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        rest = memoryview(data).cast("B")
        written = len(rest)
        self._digest.update(rest)
        self.size += len(rest)
        while len(rest):
            rest = rest[os.write(self._descriptor, rest) :]
        return written

    def finish(self) -> dict[str, Any]:
        """Force everything to disk; return what ``run.json`` says about the file."""
        os.fsync(self._descriptor)
        if os.fstat(self._descriptor).st_size != self.size:
            raise OSError(errno.EIO, "the file is shorter than what was written to it")
        return {"sha256": self._digest.hexdigest(), "bytes": self.size}

    def release(self) -> None:
        """Close the descriptor. Not `close`: Arrow calls that itself, before we have synced."""
        os.close(self._descriptor)


@contextmanager
def new_file(path: Path) -> Iterator[_Sink]:
    """Open a file that must not exist yet, and close it whatever happens."""
    sink = _Sink(path)
    try:
        yield sink
    except BaseException:
        with suppress(OSError):
            sink.release()
        raise
    sink.release()


def write_file(path: Path, data: bytes) -> None:
    """Write a new file and force it to disk."""
    with new_file(path) as sink:
        sink.write(data)
        sink.finish()


def place(temp: Path, target: Path, require_replaceable: Callable[[], None]) -> None:
    """Give ``temp`` its name; if that cannot be forced to disk, everything is as it was before."""
    old = temp
    if not os.path.lexists(target):
        _rename(temp, target)
        undo = [(target, temp)]
    else:
        require_replaceable()
        undo = [] if _exchange(temp, target) else _put_aside(temp, target)
        old = undo[1][0] if undo else temp
    try:
        sync_folder(target.parent)
    except BaseException:
        for source, name in undo:
            _rename(source, name)
        if not undo:
            _exchange(temp, target)
        raise
    if old != temp:
        _remove(old)


def _put_aside(temp: Path, target: Path) -> list[tuple[Path, Path]]:
    """Rename twice, where names cannot be swapped; return what would undo it.

    For a moment nothing stands under the name; the old run is whole beside it, and `load` says where.
    """
    old = _beside(target, "old")
    _rename(target, old)
    try:
        _rename(temp, target)
    except BaseException:
        _rename(old, target)
        raise
    return [(target, temp), (old, target)]


def _rename(source: Path, target: Path) -> None:
    moved = os.stat(source)
    try:
        os.rename(source, target)  # onto a folder with something in it this fails: nothing is ever replaced
    except OSError:
        # On NFS a retried rename may report an error although it is done.
        if os.path.lexists(source) or not os.path.lexists(target) or not os.path.samestat(moved, os.stat(target)):
            raise


def _exchange(one: Path, two: Path) -> bool:
    """Swap two names in one step where the system can (Linux: renameat2); return whether it did."""
    if sys.platform != "linux":
        return False
    import ctypes

    call = getattr(ctypes.CDLL(None), "renameat2", None)
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    return call is not None and call(here, os.fsencode(one), here, os.fsencode(two), exchange) == 0


def sync_folder(folder: Path) -> None:
    """Force the names in a folder to disk."""
    if os.name == "nt":  # folders cannot be opened there
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _beside(target: Path, kind: str = "tmp") -> Path:
    return target.with_name(f".{target.name}.{kind}-{os.getpid()}-{secrets.token_hex(4)}")


@contextmanager
def temporary(target: Path) -> Iterator[Path]:
    """Give a free name beside ``target``; what stands under it in the end is removed."""
    temp = _beside(target)
    try:
        yield temp
    finally:
        if os.path.lexists(temp):
            _remove(temp)


def _remove(path: Path) -> None:
    try:
        _delete(path)
    finally:  # once more: after Ctrl-C, or a close that a network disk delayed
        _delete(path)


def _delete(path: Path) -> None:
    with suppress(OSError):
        shutil.rmtree(path) if path.is_dir() else os.unlink(path)


def sweep(target: Path) -> None:
    """Remove what killed processes left behind under this name: older than a day, and their process is gone."""
    mine = re.compile(re.escape(f".{target.name}.tmp-") + r"(\d+)-[0-9a-f]{8}")
    for entry in list(os.scandir(target.parent)):
        match = mine.fullmatch(entry.name)
        if match and not _alive(int(match[1])):
            with suppress(OSError):
                if entry.stat(follow_symlinks=False).st_mtime < time.time() - _STALE_SECONDS:
                    _remove(Path(entry.path))


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def nearest_folder(path: Path) -> Path:
    """Return the path, or the nearest of its parents that exists."""
    return path if path.exists() else nearest_folder(path.parent)


@contextmanager
def writing(target: Path, needed: int = 0) -> Iterator[None]:
    """Turn what the operating system refuses into an E801 that names ``target``, and the space it needs."""
    try:
        yield
    except (FileError, ResourceError):
        raise
    except OSError as error:
        found = f"it cannot be written: {error.strerror or error}"
        fix = "check the path, who may write there, and the disk"
        if error.errno in _FULL:
            free = shutil.disk_usage(nearest_folder(target.parent)).free
            found = f"{found}; up to {needed:,} bytes are needed, {free:,} bytes are free"
            fix = "free some space, or write elsewhere"
        raise ResourceError("E801", found, where=str(target), fix=fix) from error
