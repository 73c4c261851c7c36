"""The inside of the child process: one line of JSON asks, one line of JSON answers, arrays travel as files.

Started by ``process`` as ``python -m tripleteval.search.child``. Whatever a library prints goes to stderr.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np

from tripleteval.arrays import AnyArray
from tripleteval.search import Backend, How, Index, find_backend

_ENOUGH_SECONDS = 30


class Worker:
    """One index and what can be asked of it; every method is one request."""

    def __init__(self) -> None:
        self.backend: Backend
        self.index: Index
        self.memory: int | None = None

    def start(self, backend: str, memory: int | None) -> dict[str, Any]:
        """Import the library, so that what it costs is not counted as the index."""
        self.backend, self.memory = find_backend(backend), memory
        if self.backend.module and self.backend.module != "scann":  # which must be imported its own way
            import_module(self.backend.module)
        _limit_memory(memory)
        return {}

    def build(self, gallery: str, how: list[Any]) -> dict[str, Any]:
        """Build the index; return how long that took, by how much the process grew, and by how much at the peak."""
        rows = _read(gallery)
        before = _start_of_peak()
        started = time.perf_counter()
        self.index = self.backend.index.build(rows, How(*how))
        seconds = time.perf_counter() - started
        grown, peak = (_beyond(before, held) for held in (memory_held("VmRSS"), memory_held("VmHWM")))
        return {"seconds": seconds, "grown": grown, "peak": peak, "bytes_of_rows": rows.nbytes}

    def load(self, path: str, how: list[Any]) -> dict[str, Any]:
        """Load a saved index."""
        started = time.perf_counter()
        self.index = self.backend.index.load(path, How(*how))
        return {"seconds": time.perf_counter() - started}

    def save(self, path: str) -> dict[str, Any]:
        """Save the index."""
        self.index.save(path)
        return {}

    def search(self, queries: str, k: int, params: dict[str, Any], rows: str, squared: str) -> dict[str, Any]:
        """Search all queries and write the answer, whatever it is."""
        answer = self.index.search(_read(queries), k, params)
        for path, array in zip((rows, squared), answer, strict=True):
            np.save(path, np.asarray(array), allow_pickle=False)
        return {}

    def search_singly(self, queries: str, k: int, params: dict[str, Any], note: str) -> dict[str, Any]:
        """Search query by query, noting each before it is asked: the note survives what the process does not."""
        descriptor = os.open(note, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            for row, query in enumerate(_read(queries)):
                os.lseek(descriptor, 0, os.SEEK_SET)
                os.write(descriptor, b"%019d" % row)
                self.index.search(query[None, :], k, params)
        finally:
            os.close(descriptor)
        return {}

    def time(self, queries: str, k: int, params: dict[str, Any], repeats: int, singles: int) -> dict[str, Any]:
        """Return the seconds of whole batches, and of the first ``singles`` queries asked one by one.

        What takes longer than half a minute in all is not repeated further.
        """
        rows = _read(queries)
        search = self.index.search
        search(rows[:singles], k, params)  # warms the caches
        batch = _timed([partial(search, rows, k, params)] * repeats)
        alone = _timed([partial(search, rows[i : i + 1], k, params) for i in range(singles)])
        return {"batch": batch, "single": alone}


def memory_held(line: str) -> int | None:
    """Return the bytes that this process holds (``VmRSS``) or held at its peak (``VmHWM``), where the system tells.

    Not ``ru_maxrss``: that of a child begins with what its parent held.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    found = re.search(rf"^{line}:\s*(\d+) kB$", status, re.MULTILINE)
    return None if found is None else 1024 * int(found[1])


def _start_of_peak() -> int | None:
    """Let the peak begin anew, and return what is held now; where the system refuses, the peak is an upper bound."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return memory_held("VmRSS")


def _beyond(before: int | None, held: int | None) -> int | None:
    return None if before is None or held is None else held - before


def main() -> None:
    """Answer requests, in the folder that is given, for as long as there is somebody to ask."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    worker, requests = Worker(), SimpleQueue[str]()
    threading.Thread(target=_listen, args=(requests, sys.argv[1]), daemon=True).start()
    while True:
        request = json.loads(requests.get())
        try:
            said = getattr(worker, request.pop("do"))(**request)
        except Exception as error:  # noqa: BLE001  # whatever a library raises is an answer
            said = {"error": f"{type(error).__name__}: {error}"[:2000]}
        answers.write(json.dumps(said) + "\n")
        answers.flush()


def _listen(requests: SimpleQueue[str], folder: str) -> None:
    """Hand on what is asked; whoever asks kills us in the end, so that silence means that they are dead."""
    for line in sys.stdin:
        requests.put(line)
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)  # also in the middle of a build that would take hours


def _read(path: str) -> AnyArray:
    array: AnyArray = np.load(path, allow_pickle=False)
    return array


def _timed(runs: list[Callable[[], object]]) -> list[float]:
    took: list[float] = []
    for run in runs:
        started = time.perf_counter()
        run()
        took.append(time.perf_counter() - started)
        if sum(took) > _ENOUGH_SECONDS:
            break
    return took


def _limit_memory(memory: int | None) -> None:
    """Let the data of this process grow by ``memory`` bytes beyond what the library itself has taken."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    taken = Path("/proc/self/statm")
    if memory is not None and taken.exists():
        pages = int(taken.read_text(encoding="ascii").split()[5])
        limit = pages * resource.getpagesize() + memory
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


if __name__ == "__main__":
    main()
