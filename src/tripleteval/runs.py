"""Run folders: an evaluation on disk, readable by anything, whole or not there at all.

1. A run is ``run.json`` and Parquet tables. ``run.json`` lists the sha256 of every table and its own.
2. Everything is written to a temporary folder beside the target, synced, and renamed once.
3. An old run is replaced only by a complete new one, and removed only when that stands in its place.
4. What is read back is what was written, or an error that names the file.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import cache, partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tripleteval.data.evaluation import SCHEMA, Evaluation
from tripleteval.disk import nearest_folder, new_file, place, sweep, sync_folder, temporary, write_file, writing
from tripleteval.errors import FileError, ResourceError, nearest
from tripleteval.journal.folder import belongs, finish, unfinished

if TYPE_CHECKING:
    import pyarrow as pa

RUN = "run.json"
TABLES = {
    "queries.parquet": "per_query",
    "classes.parquet": "per_class",
    "units.parquet": "per_unit",
    "neighbors.parquet": "neighbors",
}

# By the document in it, the command that made such a folder, and what to do with it.
_OTHER_FOLDERS = {
    "search.json": ("search", "show it with tripleteval report"),
    "compare.json": ("compare", "that document holds the verdict"),
}
_MOST_JSON = 256 * 2**20


class Contents(NamedTuple):
    """A kind of folder, called after its document: one is replaced only where it holds just these files."""

    document: str
    schema: str
    files: frozenset[str]


_OF_A_RUN = Contents(RUN, SCHEMA, frozenset({RUN, *TABLES}))


def save(evaluation: Evaluation, folder: str | Path, *, overwrite: bool = False) -> Path:
    """Write a run folder: ``run.json`` and its tables, ``queries.parquet`` and the like.

    Args:
        evaluation: What to keep; tables it does not have are not written.
        folder: A path where nothing is yet. Missing parents are made.
        overwrite: Replace a run folder (or an empty one) by the new run, in one step.

    Returns:
        The folder.

    Raises:
        ResourceError: Something is there already, or it cannot be written (E801). The same run, saved by a process
            that ended before it had removed its journal, is none: only the journal is removed.
    """
    target = Path(folder)
    before = None if overwrite else saved_before(target)
    if before is None or before.result_hash != evaluation.result_hash:
        document = evaluation.to_dict()
        tables = {n: t for n, attribute in TABLES.items() if (t := getattr(evaluation, attribute)) is not None}
        require_free(target, overwrite=overwrite)
        write_folder(target, RUN, document, tables, partial(_require_replaceable, target, overwrite=overwrite))
    finish(target, evaluation.settings, evaluation.inputs)
    return target


def saved_before(folder: str | Path) -> Evaluation | None:
    """Return a run that is complete, though its own journal is still beside it; ``None`` if that is not so."""
    with suppress(OSError, ResourceError):
        if unfinished(folder).is_dir():
            found = load(folder)
            return found if belongs(folder, found.settings, found.inputs) else None
    return None


def tidy(folder: str | Path) -> bool:
    """Remove what is left of the journal of a run that is complete; return whether there was something to remove."""
    found = saved_before(folder)
    return found is not None and finish(folder, found.settings, found.inputs)


def write_folder(
    target: Path,
    name: str,
    document: Mapping[str, Any],
    tables: Mapping[str, pa.Table],
    require: Callable[[], None],
    *,
    further: Mapping[str, bytes] | None = None,
) -> None:
    """Write a folder in one step: a JSON document that lists the checksums of its tables, these, and other files.

    Args:
        target: The folder.
        name: Of the document.
        document: What it says.
        tables: By file name.
        require: Refuses, just before the folder is put in its place, what must not be replaced.
        further: Other files by name, which are not read back.

    Raises:
        ResourceError: It cannot be written (E801), or what ``require`` raises.
    """
    with writing(target, needed=sum(table.nbytes for table in tables.values())):
        target.parent.mkdir(parents=True, exist_ok=True)
        sweep(target)
        with temporary(target) as temp:
            os.mkdir(temp)
            whole = {**document, "files": {file: _write_table(temp / file, table) for file, table in tables.items()}}
            whole["checksum"] = _checksum(whole)
            for file, data in (further or {}).items():
                write_file(temp / file, data)
            write_file(temp / name, (json.dumps(whole, indent=1, allow_nan=False) + "\n").encode())
            sync_folder(temp)
            place(temp, target, require)


def load(folder: str | Path, *, tables: bool = True) -> Evaluation:
    """Return the evaluation that a run folder holds.

    Args:
        folder: A run folder.
        tables: Whether to read its tables too; without, they are ``None`` and not checked.

    Raises:
        FileError: It is not a run folder (E604).
        ResourceError: A file is missing or is not what was written (E804), or a newer tripleteval made it (E806).
    """
    path = Path(folder)
    document = read_document(path / RUN, SCHEMA, _shape(), TABLES)
    read = {TABLES[name]: table for name, table in read_tables(path, document).items()} if tables else {}
    evaluation = Evaluation(
        metrics=document["values"],
        accounting=document["accounting"],
        settings=document["settings"],
        inputs=document["inputs"],
        notes=document["notes"],
        margin_curve=document["margin_curve"],
        space=document["space"],
        slices=document["slices"],
        verification=document["verification"],
        environment=document["environment"],
        **read,
    )
    if evaluation.result_hash != document["result_hash"]:
        raise _corrupt(path / RUN, "its numbers do not give its result_hash")
    return evaluation


def new_run_folder(root: str | Path, stem: str) -> Path:
    """Return ``root/stem``, or the first of ``root/stem-2``, ``root/stem-3`` … where nothing is, or is being made."""
    # Names end at 255 bytes, and the temporary name beside the folder is longer than the folder's own.
    short = stem.encode()[:200].decode(errors="ignore") or "run"
    names = (short if number == 1 else f"{short}-{number}" for number in count(1))
    paths = (Path(root) / name for name in names)
    return next(path for path in paths if not (os.path.lexists(path) or os.path.lexists(unfinished(path))))


def require_free(folder: str | Path, *, overwrite: bool = False, contents: Contents = _OF_A_RUN) -> None:
    """Refuse, before anything is computed, a folder that could not be written, or replaced, afterwards.

    Raises:
        ResourceError: Something is there that must not be replaced, or nothing can be written there (E801).
    """
    target = Path(folder)
    with writing(target):
        if os.path.lexists(target):
            _require_replaceable(target, overwrite=overwrite, contents=contents)
        with temporary(nearest_folder(target.parent) / "probe") as probe:
            os.mkdir(probe)  # the only honest test: permissions lie to root and on network disks


def _write_table(path: Path, table: pa.Table) -> dict[str, Any]:
    import pyarrow.parquet as pq

    with new_file(path) as sink:
        pq.write_table(table, sink)
        return sink.finish()


def _require_replaceable(target: Path, *, overwrite: bool, contents: Contents = _OF_A_RUN) -> None:
    where, kind = str(target), contents.document.removesuffix(".json")
    if not overwrite:
        fix = "give a new name, or overwrite=True (--overwrite)"
        raise ResourceError("E801", "something is there already", where=where, fix=fix)
    if target.is_symlink() or not target.is_dir():
        raise ResourceError("E801", f"not a {kind} folder, so it is not replaced", where=where, fix="give a new name")
    names = {entry.name for entry in os.scandir(target)}
    foreign = sorted(names - contents.files)
    if foreign:
        found = f"a folder that holds more than a {kind}: {', '.join(map(repr, foreign[:3]))}"
        raise ResourceError("E801", found, where=where, fix="move that away first, or give a new name")
    if names:
        try:
            _require_schema(_parse(target / contents.document), target / contents.document, contents.schema)
        except (FileError, ResourceError) as error:
            found = f"a folder that is not a readable {kind} ({error.found})"
            raise ResourceError("E801", found, where=where, fix="remove it first, or give a new name") from error


def read_document(path: Path, schema: str, shape: Any, tables: Iterable[str]) -> dict[str, Any]:
    """Return the JSON document of a folder.

    Args:
        path: Of the document.
        schema: What it must be: a family, a slash and the newest version that can be read.
        shape: Type of the whole document, for msgspec.
        tables: Names of the tables that it may list.

    Raises:
        FileError: It is not there, or of another family (E604).
        ResourceError: It is not what was written (E804), or of a newer version (E806).
    """
    document = _parse(path)
    _require_schema(document, path, schema)
    _validate(document, path, shape, tables)
    return document


def read_tables(folder: Path, document: Mapping[str, Any]) -> dict[str, pa.Table]:
    """Return the tables that the document of a folder lists.

    Raises:
        ResourceError: One is missing or is not what was written (E804).
    """
    return {name: _read_table(folder / name, entry) for name, entry in document["files"].items()}


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


def _require_schema(document: dict[str, Any], path: Path, schema: str) -> None:
    known, _, newest = schema.rpartition("/")
    family, _, version = str(document.get("schema")).rpartition("/")
    where = str(path.parent)
    if family != known or not version.isdecimal():
        raise FileError("E604", f"{path.name} of another kind, not {known}", where=where, fix="give a run folder")
    if int(version) > int(newest):
        raise ResourceError(
            "E806",
            f"a run of schema {version}, made by a newer tripleteval; this one reads up to {newest}",
            where=where,
            fix="upgrade: pip install -U tripleteval",
        )


def _validate(document: dict[str, Any], path: Path, shape: Any, tables: Iterable[str]) -> None:
    import msgspec

    try:
        msgspec.convert(document, shape)
    except msgspec.ValidationError as error:
        raise _corrupt(path, str(error)) from None
    if document["checksum"] != _checksum(document):
        raise _corrupt(path, "its content does not give its checksum")
    unknown = sorted(set(document["files"]) - set(tables))
    if unknown:
        raise _corrupt(path, f"it lists {unknown[0]!r}, which is not part of a run")


@cache
def _shape() -> Any:
    """Return what ``run.json`` must look like, as a type."""
    import msgspec

    number = msgspec.defstruct(
        "Number",
        [("value", float | None), ("n", int)]
        + [(name, float | None, None) for name in ("chance", "ceiling", "sd", "low", "high", "worst_tenth")]
        + [(name, str | None, None) for name in ("average", "better", "reason", "interval", "interval_reason")],
    )
    given = msgspec.defstruct("Input", [("name", str), ("rows", int), ("dim", int), ("dtype", str), ("sha256", str)])
    fields: list[tuple[str, Any]] = [
        ("schema", str),
        ("values", dict[str, number]),  # type: ignore[valid-type]  # a type made two lines above
        ("margin_curve", dict[str, list[float]]),
        ("space", dict[str, Any]),
        ("slices", list[dict[str, Any]]),
        ("verification", dict[str, Any]),
        ("accounting", dict[str, int | dict[str, int] | None]),
        ("notes", list[str]),
        ("settings", dict[str, Any]),
        ("inputs", list[given]),  # type: ignore[valid-type]
        ("environment", dict[str, Any]),
        ("result_hash", str),
        ("files", dict[str, file_shape()]),  # type: ignore[misc]
        ("checksum", str),
    ]
    return msgspec.defstruct("Run", fields, forbid_unknown_fields=True)


def file_shape() -> Any:
    """Return what a document says of each table, as a type."""
    import msgspec

    return msgspec.defstruct("File", [("sha256", str), ("bytes", int)], forbid_unknown_fields=True)


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
    for document, (made_by, shown_by) in _OTHER_FOLDERS.items():
        if (folder / document).exists():
            found = f"not a run folder, but what tripleteval {made_by} found ({document})"
            return FileError("E604", found, where=str(folder), fix=f"{shown_by}, or {fix}")
    with suppress(OSError):
        aside = [e.name for e in os.scandir(folder.parent) if e.name.startswith(f".{folder.name}.old-")]
        if aside:
            fix = f"an interrupted overwrite left it as {aside[0]!r}; rename that back"
        elif not folder.exists():
            known = _known_runs(folder.parent)
            fix = nearest(folder.name, known[:20]) if known else f"no run is there; {fix}"
        if unfinished(folder).exists():
            fix = "it is not finished yet; if it was interrupted, do the same again with resume= (--resume)"
    return FileError("E604", found, where=str(folder), fix=fix)


def _known_runs(folder: Path) -> list[str]:
    """Return the run folders in a folder and in ``runs/`` below it, as they are named from there."""
    names = []
    for below in (folder, folder / "runs"):
        with suppress(OSError):
            names += [os.path.relpath(e.path, folder) for e in os.scandir(below) if os.path.isfile(Path(e.path) / RUN)]
    return sorted(name for name in names if not os.path.basename(name).startswith("."))
