"""The command line run in this process, a small set in every format, and what a folder held before."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import PIPE

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

import tripleteval as te
from tripleteval.cli import main

VECTORS = np.array([[0, 1], [1, 0.5], [4, 4], [5, 4], [0.5, 2], [4, 5]], dtype=np.float32)
LABELS = [3, 3, 8, 8, 3, 8]
IDS = ["a", "b", "c", "d", "e", "f"]
GROUPS = ["left", "right", "left", "right", "left", "left"]
SPLITS = ["test", "test", "test", "test", "train", "train"]

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, which holds the small set as files."""
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TRIPLETEVAL_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    np.save("val.npy", VECTORS)
    Path("labels.txt").write_text("".join(f"{label}\n" for label in LABELS), encoding="utf-8")
    np.savez("val.npz", vectors=VECTORS, labels=LABELS, ids=IDS, groups=GROUPS)
    columns = {"embedding": VECTORS.tolist(), "label": LABELS, "id": IDS, "group": GROUPS, "split": SPLITS}
    pq.write_table(pa.table(columns), "val.parquet")
    lines = ["e0,e1,label,id", *(f"{x},{y},{c},{i}" for (x, y), c, i in zip(VECTORS, LABELS, IDS, strict=True))]
    Path("val.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    Path("val.tsv").write_text("\n".join(lines).replace(",", "\t") + "\n", encoding="utf-8")
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    Path("val.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    lists = ["embedding;label;id", *(f"{x} {y};{c};{i}" for (x, y), c, i in zip(VECTORS, LABELS, IDS, strict=True))]
    Path("lists.csv").write_text("\n".join(lists) + "\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def run() -> Run:
    """Return a function that runs one command line here, in this process."""
    return lambda *arguments: CliRunner().invoke(main, list(arguments), prog_name="tripleteval")


@pytest.fixture
def document(run: Run) -> Callable[..., dict]:
    """Return a function that runs one command and returns the JSON document it printed, and nothing else did."""

    def printed(*arguments) -> dict:
        result = run(*arguments, "--no-save", "--json", "-")
        assert (result.exit_code, result.stderr) == (0, "")
        return json.loads(result.stdout)

    return printed


@pytest.fixture
def refused(run: Run, kept: Path, contents: Callable) -> Callable[..., None]:
    """Return a function that checks one row of the catalogue of bad input.

    An error on purpose with all its fields, nothing on stdout, no traceback, nothing written, and the older run that
    the command was to replace untouched.
    """

    def check(arguments: list[str], code: str, exit_code: int, *words: str) -> None:
        before = contents()
        result = run(*arguments, "--output", kept.name, "--overwrite", "--json-errors")
        assert (result.exit_code, result.stdout) == (exit_code, ""), result.output
        said = json.loads(result.stderr)
        assert (said["code"], said["exit_code"]) == (code, exit_code), said
        assert said["found"]
        assert said["fix"]
        assert [word for word in words if word not in f"{said['found']} {said['where']} {said['fix']}"] == [], said
        assert contents() == before

    return check


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which ``tripleteval`` is a program."""
    folder = tmp_path_factory.mktemp("bin")
    path = folder / "tripleteval"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -W error -m tripleteval.cli "$@"\n', encoding="utf-8")
    path.chmod(0o755)
    return folder


@pytest.fixture
def program(programs: Path) -> Callable[..., subprocess.CompletedProcess]:
    """Return a function that runs a shell line here, in which ``tripleteval`` is the command."""

    def shell(line: str, stdout: int = PIPE, stderr: int = PIPE, **environment: str) -> subprocess.CompletedProcess:
        path = os.pathsep.join([str(programs), os.environ["PATH"]])
        environment = {**os.environ, "PATH": path, **environment}
        streams = {"stdout": stdout, "stderr": stderr}
        return subprocess.run(["bash", "-c", line], check=False, timeout=120, env=environment, **streams)

    return shell


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run folder; tests take copies."""
    return te.evaluate(VECTORS[::-1], LABELS[::-1]).save(tmp_path_factory.mktemp("saved") / "run")


@pytest.fixture
def kept(folder: Path, saved: Path) -> Path:
    """Return a run folder that was there before."""
    return Path(shutil.copytree(saved, folder / "kept"))


@pytest.fixture
def contents(folder: Path) -> Callable[[], dict[str, str]]:
    """Return a function that says what the current folder holds: every name, with the sha256 of every file."""

    def fingerprint(path: Path) -> str:
        regular = stat.S_ISREG(path.lstat().st_mode)
        return hashlib.sha256(path.read_bytes()).hexdigest() if regular else str(stat.S_IFMT(path.lstat().st_mode))

    return lambda: {os.fsdecode(path.relative_to(folder)): fingerprint(path) for path in folder.rglob("*")}
