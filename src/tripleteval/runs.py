"""Run folders: an evaluation on disk, readable by anything, whole or not there at all.

1. A run is ``run.json`` and Parquet tables. ``run.json`` lists the sha256 of every table and its own.
2. Everything is written to a temporary folder beside the target, synced, and renamed once.
3. An old run is replaced only by a complete new one, and removed only when that stands in its place.
4. What is read back is what was written, or an error that names the file.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import re
import secrets
import shutil
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tripleteval.data.evaluation import SCHEMA, Evaluation
from tripleteval.errors import FileError, ResourceError, nearest

if TYPE_CHECKING:
    import pyarrow as pa
    from _typeshed import ReadableBuffer

RUN = "run.json"
TABLES = {"queries.parquet": "per_query", "classes.parquet": "per_class", "neighbors.parquet": "neighbors"}

_FAMILY, _, _VERSION = SCHEMA.rpartition("/")
_MOST_JSON = 256 * 2**20
_STALE_SECONDS = 24 * 3600
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def save(evaluation: Evaluation, folder: str | Path, *, overwrite: bool = False) -> Path:
    """Write a run folder: ``run.json``, ``queries.parquet``, ``classes.parquet`` and ``neighbors.parquet``.

    Args:
        evaluation: What to keep; tables it does not have are not written.
        folder: A path where nothing is yet. Missing parents are made.
        overwrite: Replace a run folder (or an empty one) by the new run, in one step.

    Returns:
        The folder.

    Raises:
        ResourceError: Something is there already, or it cannot be written (E801).
    """
    target = Path(folder)
    document = evaluation.to_dict()
    tables = {n: t for n, attribute in TABLES.items() if (t := getattr(evaluation, attribute)) is not None}
    require_free(target, overwrite=overwrite)
    with _writing(target, needed=sum(table.nbytes for table in tables.values())):
        target.parent.mkdir(parents=True, exist_ok=True)
        _sweep(target)
        with _temporary(target) as temp:
            os.mkdir(temp)
            document["files"] = {name: _write_table(temp / name, table) for name, table in tables.items()}
            document["checksum"] = _checksum(document)
            _write(temp / RUN, (json.dumps(document, indent=1, allow_nan=False) + "\n").encode())
            _sync_folder(temp)
            _place(temp, target, overwrite=overwrite)
    return target


def load(folder: str | Path) -> Evaluation:
    """Return the evaluation that a run folder holds, tables included.

    Raises:
        FileError: It is not a run folder (E604).
        ResourceError: A file is missing or is not what was written (E804), or a newer tripleteval made it (E806).
    """
    path = Path(folder)
    document = _read_document(path)
    tables = {TABLES[name]: _read_table(path / name, entry) for name, entry in document["files"].items()}
    evaluation = Evaluation(
        metrics=document["values"],
        accounting=document["accounting"],
        settings=document["settings"],
        inputs=document["inputs"],
        notes=document["notes"],
        margin_curve=document["margin_curve"],
        environment=document["environment"],
        **tables,
    )
    if evaluation.result_hash != document["result_hash"]:
        raise _corrupt(path / RUN, "its numbers do not give its result_hash")
    return evaluation


def new_run_folder(root: str | Path, stem: str) -> Path:
    """Return ``root/stem``, or the first of ``root/stem-2``, ``root/stem-3`` … where nothing is yet."""
    # Names end at 255 bytes, and the temporary name beside the folder is longer than the folder's own.
    short = stem.encode()[:200].decode(errors="ignore") or "run"
    names = (short if number == 1 else f"{short}-{number}" for number in count(1))
    return next(path for name in names if not os.path.lexists(path := Path(root) / name))


def require_free(folder: str | Path, *, overwrite: bool = False) -> None:
    """Refuse, before anything is computed, a folder that `save` would refuse afterwards.

    Raises:
        ResourceError: Something is there that must not be replaced, or nothing can be written there (E801).
    """
    target = Path(folder)
    with _writing(target):
        if os.path.lexists(target):
            _require_replaceable(target, overwrite)
        with _temporary(_nearest_folder(target.parent) / "probe") as probe:
            os.mkdir(probe)  # the only honest test: permissions lie to root and on network disks


def atomic_write(path: str | Path, data: bytes) -> None:
    """Write one file completely or not at all; a file that was there stays until the new one is on disk.

    Raises:
        ResourceError: It cannot be written (E801).
    """
    target = Path(path)
    with _writing(target, needed=len(data)), _temporary(target) as temp:
        _write(temp, data)
        os.replace(temp, target)
        _sync_folder(target.parent)


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
def _sink(path: Path) -> Iterator[_Sink]:
    sink = _Sink(path)
    try:
        yield sink
    except BaseException:
        with suppress(OSError):
            sink.release()
        raise
    sink.release()


def _write(path: Path, data: bytes) -> None:
    with _sink(path) as sink:
        sink.write(data)
        sink.finish()


def _write_table(path: Path, table: pa.Table) -> dict[str, Any]:
    import pyarrow.parquet as pq

    with _sink(path) as sink:
        pq.write_table(table, sink)
        return sink.finish()


def _place(temp: Path, target: Path, *, overwrite: bool) -> None:
    """Give ``temp`` its name; if that cannot be forced to disk, everything is as it was before."""
    old = temp
    if not os.path.lexists(target):
        _rename(temp, target)
        undo = [(target, temp)]
    else:
        _require_replaceable(target, overwrite)
        undo = [] if _exchange(temp, target) else _put_aside(temp, target)
        old = undo[1][0] if undo else temp
    try:
        _sync_folder(target.parent)
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


def _sync_folder(folder: Path) -> None:
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
def _temporary(target: Path) -> Iterator[Path]:
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


def _sweep(target: Path) -> None:
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


def _nearest_folder(path: Path) -> Path:
    return path if path.exists() else _nearest_folder(path.parent)


def _require_replaceable(target: Path, overwrite: bool) -> None:
    where = str(target)
    if not overwrite:
        raise ResourceError("E801", "something is there already", where=where, fix="give a new name, or --overwrite it")
    if target.is_symlink() or not target.is_dir():
        raise ResourceError("E801", "not a run folder, so it is not replaced", where=where, fix="give a new name")
    names = {entry.name for entry in os.scandir(target)}
    foreign = sorted(names - {RUN, *TABLES})
    if foreign:
        found = f"a folder that holds more than a run: {', '.join(map(repr, foreign[:3]))}"
        raise ResourceError("E801", found, where=where, fix="move that away first, or give a new name")
    if names:
        try:
            _require_schema(_parse(target / RUN), target)
        except (FileError, ResourceError) as error:
            found = f"a folder that is not a readable run ({error.found})"
            raise ResourceError("E801", found, where=where, fix="remove it first, or give a new name") from error


@contextmanager
def _writing(target: Path, needed: int = 0) -> Iterator[None]:
    try:
        yield
    except (FileError, ResourceError):
        raise
    except OSError as error:
        found = f"it cannot be written: {error.strerror or error}"
        fix = "check the path, who may write there, and the disk"
        if error.errno in _FULL:
            free = shutil.disk_usage(_nearest_folder(target.parent)).free
            found = f"{found}; up to {needed:,} bytes are needed, {free:,} bytes are free"
            fix = "free some space, or write elsewhere"
        raise ResourceError("E801", found, where=str(target), fix=fix) from error


def _read_document(folder: Path) -> dict[str, Any]:
    document = _parse(folder / RUN)
    _require_schema(document, folder)
    _validate(document, folder / RUN)
    return document


def _parse(path: Path) -> dict[str, Any]:
    if not path.parent.is_dir() or not os.path.lexists(path):
        raise _not_a_run(path.parent)
    data = _read(path, most=_MOST_JSON)
    try:
        document = json.loads(data.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise _corrupt(path, f"not JSON: {error}") from None
    if not isinstance(document, dict):
        raise _corrupt(path, "not a JSON object")
    return document


def _require_schema(document: dict[str, Any], folder: Path) -> None:
    family, _, version = str(document.get("schema")).rpartition("/")
    if family != _FAMILY or not version.isdecimal():
        raise FileError("E604", f"{RUN} of another kind, not {_FAMILY}", where=str(folder), fix="give a run folder")
    if int(version) > int(_VERSION):
        raise ResourceError(
            "E806",
            f"a run of schema {version}, made by a newer tripleteval; this one reads up to {_VERSION}",
            where=str(folder),
            fix="upgrade: pip install -U tripleteval",
        )


def _validate(document: dict[str, Any], path: Path) -> None:
    import msgspec

    try:
        msgspec.convert(document, _shape())
    except msgspec.ValidationError as error:
        raise _corrupt(path, str(error)) from None
    if document["checksum"] != _checksum(document):
        raise _corrupt(path, "its content does not give its checksum")
    unknown = sorted(set(document["files"]) - set(TABLES))
    if unknown:
        raise _corrupt(path, f"it lists {unknown[0]!r}, which is not part of a run")


@cache
def _shape() -> Any:
    """Return what ``run.json`` must look like, as a type."""
    import msgspec

    number = msgspec.defstruct(
        "Number",
        [("value", float | None), ("n", int)]
        + [(name, float | None, None) for name in ("chance", "ceiling")]
        + [(name, str | None, None) for name in ("average", "better", "reason")],
    )
    file = msgspec.defstruct("File", [("sha256", str), ("bytes", int)], forbid_unknown_fields=True)
    given = msgspec.defstruct("Input", [("name", str), ("rows", int), ("dim", int), ("dtype", str), ("sha256", str)])
    fields: list[tuple[str, Any]] = [
        ("schema", str),
        ("values", dict[str, number]),  # type: ignore[valid-type]  # a type made two lines above
        ("margin_curve", dict[str, list[float]]),
        ("accounting", dict[str, int | dict[str, int] | None]),
        ("notes", list[str]),
        ("settings", dict[str, Any]),
        ("inputs", list[given]),  # type: ignore[valid-type]
        ("environment", dict[str, Any]),
        ("result_hash", str),
        ("files", dict[str, file]),  # type: ignore[valid-type]
        ("checksum", str),
    ]
    return msgspec.defstruct("Run", fields, forbid_unknown_fields=True)


def _read_table(path: Path, entry: dict[str, Any]) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    data = _read(path, most=entry["bytes"])
    if len(data) != entry["bytes"] or hashlib.sha256(data).hexdigest() != entry["sha256"]:
        raise _corrupt(path, "its content does not give its checksum")
    try:
        return pq.read_table(pa.BufferReader(data))
    except (pa.ArrowException, OSError) as error:
        raise _corrupt(path, str(error)) from None


def _read(path: Path, *, most: int) -> bytes:
    """Return the bytes of a regular file; a pipe in its place must not make us wait for ever."""
    try:
        with open(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)), "rb") as file:
            facts = os.fstat(file.fileno())
            if not stat.S_ISREG(facts.st_mode):
                raise _corrupt(path, "not a regular file")
            if facts.st_size > most:
                raise _corrupt(path, f"{facts.st_size:,} bytes where at most {most:,} were expected")
            return file.read()
    except FileNotFoundError:
        raise _corrupt(path, "missing") from None
    except OSError as error:
        raise _corrupt(path, f"it cannot be read: {error.strerror or error}") from error


def _checksum(document: dict[str, Any]) -> str:
    """Return the sha256 of everything in ``run.json`` but the checksum itself, environment and file list included."""
    rest = {name: value for name, value in document.items() if name != "checksum"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _corrupt(path: Path, found: str) -> ResourceError:
    return ResourceError(
        "E804", f"{path.name} is not what was saved: {found}", where=str(path), fix="evaluate again, or restore a copy"
    )


def _not_a_run(folder: Path) -> FileError:
    found = f"not a run folder: it has no {RUN}" if folder.exists() else "no such run folder"
    fix = "give a folder that tripleteval evaluate made"
    with suppress(OSError):
        beside = [entry.name for entry in os.scandir(folder.parent)]
        aside = [name for name in beside if name.startswith(f".{folder.name}.old-")]
        if aside:
            fix = f"an interrupted overwrite left it as {aside[0]!r}; rename that back"
        elif not folder.exists() and beside:
            fix = nearest(folder.name, [name for name in beside if not name.startswith(".")][:20])
    return FileError("E604", found, where=str(folder), fix=fix)
