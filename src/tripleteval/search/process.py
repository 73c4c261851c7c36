"""A library in a process of its own, watched: a crash, a hang or a refusal is an error that says which, and where.

The process is started fresh (nothing is forked, nothing pickled), with its threads limited by the environment
and its memory by the system. It works in a private folder that goes when it goes.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from tripleteval.arrays import AnyArray
from tripleteval.errors import BackendError
from tripleteval.search import Backend, How, Params

_LAST_WORDS, _START_SECONDS = 300, 120
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMBA_NUM_THREADS")


class Searcher:
    """One backend in one child process; a context manager.

    Args:
        backend: Which.
        how: How its index is built.
        timeout: Seconds that one request may take; starting the process and importing the library, which says
            nothing about an index, may always take two minutes.
        memory: Bytes the process may take beyond the library itself; ``None`` for no limit.

    Raises:
        BackendError: From every method: it died (E702), took too long (E703) or refused (E704).
    """

    def __init__(self, backend: Backend, how: How, *, timeout: float, memory: int | None) -> None:
        self.backend, self.how, self.timeout, self.memory = backend, how, timeout, memory
        self.folder = tempfile.TemporaryDirectory(prefix="tripleteval-search-", ignore_cleanup_errors=True)
        self._begin()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end()
        self.folder.cleanup()

    def build(self, gallery: AnyArray) -> dict[str, Any]:
        """Build the index of (n, dim) float32 rows; return its ``seconds``, and bytes ``grown`` and at the ``peak``."""
        return self._ask({}, do="build", gallery=self._put("gallery", gallery), how=self.how)

    def save(self, path: str) -> None:
        """Write the index to a file."""
        self._ask({}, do="save", path=path)

    def load(self, path: str) -> None:
        """Read an index from a file that `files.verified` has looked at."""
        self._ask({}, do="load", path=path, how=self.how)

    def search(self, queries: AnyArray, k: int, params: Params) -> tuple[AnyArray, AnyArray]:
        """Return what the backend claims: rows and squared distances, unchecked."""
        asked = self._put("queries", queries)
        rows, squared = self._path("rows.npy"), self._path("squared.npy")
        try:
            self._ask(params, do="search", queries=asked, k=k, params=dict(params), rows=rows, squared=squared)
        except BackendError as error:
            raise self._with_query(error, asked, k, params) from None
        return _answer(rows), _answer(squared)

    def time(self, queries: AnyArray, k: int, params: Params, *, repeats: int, singles: int) -> dict[str, list[float]]:
        """Return the seconds of ``repeats`` whole ``batch``es, and of each ``single`` query asked alone."""
        asked = self._put("queries", queries)
        said = self._ask(params, do="time", queries=asked, k=k, params=dict(params), repeats=repeats, singles=singles)
        return {name: [float(s) for s in said[name]] for name in ("batch", "single")}

    def _with_query(self, error: BackendError, asked: str, k: int, params: Params) -> BackendError:
        """Return the error with the row of the query that causes it, if one alone does; build again to find out."""
        if error.code == "E704":
            return error
        note = Path(self._path("note"))
        try:
            self._end()
            self._begin()
            self._ask({}, do="build", gallery=self._path("gallery.npy"), how=self.how)
            self._ask(params, do="search_singly", queries=asked, k=k, params=dict(params), note=str(note))
        except BackendError as again:
            if note.exists() and again.code == error.code:
                where = f"{error.where}, query row {int(note.read_text(encoding='ascii'))} (0-based)"
                return BackendError(error.code, error.found, where=where, fix=error.fix)
        return error

    def _begin(self) -> None:
        env = {**os.environ, **dict.fromkeys(_THREADS, str(self.how.threads))}
        env["OMP_WAIT_POLICY"] = "passive"  # threads that spin while they wait make a shared machine crawl
        env |= dict.fromkeys(("TMPDIR", "TEMP", "TMP"), self.folder.name)  # what a library leaves goes with the folder
        env["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        with open(self._path("stderr"), "wb") as stderr:  # noqa: PTH123  # a temporary file of our own
            self.process = subprocess.Popen(  # noqa: S603  # our own module
                [sys.executable, "-P", "-m", "tripleteval.search.child", self.folder.name],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=env,
                text=True,
                encoding="utf-8",
            )
        self._said: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=_listen, args=(self.process.stdout, self._said), daemon=True).start()
        name = self.backend.name
        try:
            waiting = max(self.timeout, _START_SECONDS)
            self._ask({}, do="start", backend=name, memory=self.memory, waiting=waiting)
        except BackendError:
            self._end()
            self.folder.cleanup()
            raise

    def _end(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # what was still to be said to a dead process
                    continue

    def _ask(self, about: Params, /, *, waiting: float | None = None, **request: Any) -> dict[str, Any]:
        patience = self.timeout if waiting is None else waiting
        where = place(self.backend.name, {**self.how.params, **about})
        try:
            print(json.dumps(request), file=self.process.stdin, flush=True)
            line = self._said.get(timeout=patience)
        except OSError:
            line = None
        except queue.Empty:
            raise BackendError(
                "E703",
                f"no answer within {patience:g} seconds",
                where=where,
                fix="give it more time, timeout= (--timeout), or less work",
            ) from None
        if line is None:
            raise BackendError(
                "E702",
                f"its process died of {self._death()}",
                where=where,
                fix="leave this backend or this setting out",
            )
        said: dict[str, Any] = json.loads(line)
        if "error" in said:
            raise BackendError(
                "E704",
                f"the library refused: {said['error']}",
                where=where,
                fix="change the parameters of this backend, or leave it out",
            )
        return said

    def _death(self) -> str:
        code = self.process.wait()
        how = f"signal {_signal(-code)}" if code < 0 else f"exit code {code}"
        last = Path(self._path("stderr")).read_bytes()[-_LAST_WORDS:].decode(errors="replace").strip()
        return f"{how}; its last words: {last.splitlines()[-1]}" if last else how

    def _put(self, name: str, rows: AnyArray) -> str:
        path = self._path(f"{name}.npy")
        np.save(path, rows, allow_pickle=False)
        return path

    def _path(self, name: str) -> str:
        return str(Path(self.folder.name) / name)


def place(name: str, params: Params) -> str:
    """Return how an error names a backend and its parameters."""
    listed = " ".join(f"{key}={value}" for key, value in params.items())
    return f"backend {name}" + (f" ({listed})" if listed else "")


def _listen(stream: Any, said: queue.Queue[str | None]) -> None:
    try:
        for line in stream:
            said.put(line)
    except ValueError:  # closed while we listened
        pass
    said.put(None)


def _answer(path: str) -> AnyArray:
    array: AnyArray = np.load(path, allow_pickle=False)
    return array


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)
