"""Who works on a run: one process at a time, and a process that died does not stand in anybody's way.

Locks are numbered. A stale lock is not removed but followed by the next number, which only one process can make; and
who made one looks again, and steps back if anybody else is there. Two may both be refused, never both let in.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from tripleteval.errors import ResourceError

_NAME = re.compile(r"lock-(\d+)")


class Lock:
    """A lock that this process holds."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def release(self) -> None:
        """Give the lock back; the older ones go first, so that ours counts to the end."""
        older: list[Path] = []
        with suppress(OSError):  # the folder may have been moved, or removed
            older = [old for old in _locks(self._path.parent) if _number(old) < _number(self._path)]
        for path in [*older, self._path]:
            with suppress(OSError):
                path.unlink()


def hold(folder: Path) -> Lock:
    """Return the lock of a folder.

    Raises:
        ResourceError: Another process holds it (E803).
        OSError: The folder cannot be written.
    """
    mine = folder / f".lock.tmp-{os.getpid()}-{secrets.token_hex(4)}"
    try:
        mine.write_text(json.dumps(_me()), encoding="utf-8")
        while True:
            last = max(_locks(folder), key=_number, default=None)
            if last is not None and (owner := _owner(last)) is not None:
                raise _held(last, owner)
            path = folder / f"lock-{1 if last is None else _number(last) + 1}"
            with suppress(FileExistsError):  # somebody was faster: look again
                os.link(mine, path)
                _require_alone(path)
                return Lock(path)
    finally:
        mine.unlink(missing_ok=True)


def _require_alone(path: Path) -> None:
    for other in _locks(path.parent):
        if other != path and (owner := _owner(other)) is not None:
            path.unlink(missing_ok=True)
            raise _held(other, owner)


def _locks(folder: Path) -> list[Path]:
    return sorted((path for path in folder.iterdir() if _NAME.fullmatch(path.name)), key=_number)


def _number(path: Path) -> int:
    return int(path.name.removeprefix("lock-"))


def _owner(path: Path) -> dict[str, Any] | None:
    """Return who holds a lock; ``None`` where that process is gone."""
    try:
        owner: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        here = (owner["host"], owner["boot"]) == (_me()["host"], _me()["boot"])
        alive = _started(int(owner["pid"])) == owner["started"] is not None
    except FileNotFoundError:  # released while we looked
        return None
    except (OSError, ValueError, TypeError, KeyError):
        return {"pid": "unknown", "host": "unknown", "since": "unknown"}
    if owner["host"] == _me()["host"] and not here:  # the machine was started again since
        return None
    return None if here and not alive else owner


def _me() -> dict[str, Any]:
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    pid = os.getpid()
    return {"pid": pid, "host": socket.gethostname(), "boot": _boot(), "started": _started(pid), "since": since}


def _boot() -> str:
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return ""


def _started(pid: int) -> str | None:
    """Return when a process started, so that a later one with its number is told apart; ``None`` if there is none."""
    try:
        facts = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        return None if facts[0] in {"Z", "X"} else facts[19]  # killed, and nobody has asked how it ended
    except OSError:
        if Path("/proc/self/stat").exists():
            return None
    try:  # a system without /proc: the number alone must do
        os.kill(pid, 0)
    except (OSError, OverflowError):
        return None
    return "running"


def _held(path: Path, owner: dict[str, Any]) -> ResourceError:
    return ResourceError(
        "E803",
        f"process {owner['pid']} on {owner['host']} is at work on this run since {owner['since']}",
        where=str(path.parent),
        fix=f"wait for it; if that process is gone, remove {path.name!r} there",
    )
