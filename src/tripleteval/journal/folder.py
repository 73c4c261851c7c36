"""The journal of a run: beside the run folder that it will become, until that is complete.

1. ``NAME.unfinished`` holds ``journal`` (frames, only ever added to), ``standing-N`` (what pass N has added up so far,
   replaced in one step now and then) and locks. The run folder itself appears complete, or not at all.
2. The first frame says what is evaluated and how; a resume must ask for the same (E805). It also says how the work was
   cut, and a resume cuts it alike.
3. Nothing is written in the first `AFTER` seconds, so that a short run is not slower and leaves nothing behind.
4. A disk that refuses ends the journal, never the run: `failure` says so.
5. What is damaged is not used. A torn or damaged end is cut off and computed again; without its first frame a journal
   is refused (E804).
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tripleteval.disk import new_file, sync_folder, temporary, writing
from tripleteval.errors import ResourceError
from tripleteval.journal.frames import Place, frames, heading, payload
from tripleteval.journal.lock import Lock, hold
from tripleteval.journal.records import Kinds, decode, described, encode
from tripleteval.journal.same import require_same

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

SCHEMA = "tripleteval/journal/2"
JOURNAL, SUFFIX = "journal", ".unfinished"
AFTER = 10.0  # seconds
_SHARE = 0.02  # of the time may go into writing down what stands
_SYNC = 1.0  # seconds of work that a power cut may cost

Order = tuple[int, ...]


def unfinished(run: str | Path) -> Path:
    """Return the folder that holds what is finished of a run while it is being made."""
    path = Path(run)
    return path.parent / (path.name + SUFFIX)  # also of a folder without a name, such as "."


def belongs(run: str | Path, settings: dict[str, Any], inputs: list[dict[str, Any]]) -> bool:
    """Return whether a run has a journal beside it that is its own, or what is left of one that was being removed."""
    folder = unfinished(run)
    if not (folder / JOURNAL).exists():
        return folder.is_dir()
    with suppress(OSError, ResourceError, ValueError, KeyError, TypeError, IndexError):
        head = _head(folder)
        return bool([head["settings"], head["inputs"]] == [_plain(settings), _plain(inputs)])
    return False


def finish(run: str | Path, settings: dict[str, Any], inputs: list[dict[str, Any]]) -> bool:
    """Remove the journal of a run that has been saved; that of another run of this name, or one at work, stays.

    Returns:
        Whether it was removed.
    """
    folder, its_own = unfinished(run), False
    with suppress(OSError, ResourceError):
        lock = hold(folder) if folder.is_dir() else None
        if lock is not None:
            try:
                its_own = belongs(run, settings, inputs)
                if its_own:
                    _remove(folder)
            finally:
                lock.release()
    return its_own


class Journal:
    """What is finished of one run.

    Args:
        run: The run folder that is being made.
        afresh: Whether to start again where something is there already; otherwise it is continued.
        elsewhere: Gives another run folder, should the name be taken by the time anything is written.

    Attributes:
        run: The run folder that is being made.
        kept: Whether anything is on disk, so that the run can be resumed.
        failure: Why nothing more is kept, where the disk refused, or another process was given the same name.
    """

    def __init__(self, run: str | Path, *, afresh: bool = False, elsewhere: Callable[[], Path] | None = None) -> None:
        self.run = Path(run)
        self.failure: ResourceError | None = None
        self._afresh, self._elsewhere = afresh, elsewhere
        self._started = self._next_standing = self._synced = time.monotonic()
        self._identity: Callable[[], dict[str, Any]] = dict
        self._plan: dict[str, Any] = {}
        self._kinds: Kinds = {}
        self._waiting: list[tuple[Any, ...]] = []
        self._known: dict[tuple[int, Order], Place] = {}
        self._written = 0
        self.kept = False
        self._descriptor: int | None = None
        self._lock: Lock | None = None

    @property
    def folder(self) -> Path:
        """Where it is kept."""
        return unfinished(self.run)

    def begin(self, identity: Callable[[], dict[str, Any]], plan: dict[str, Any], kinds: Kinds) -> dict[str, Any]:
        """Start, or continue what is there; return the plan that holds.

        Args:
            identity: Returns what is evaluated and how, as JSON; called when it is needed first.
            plan: How the work would be cut, as JSON.
            kinds: What may be kept.

        Raises:
            ResourceError: Another process is at work on it (E803), it is damaged from the start (E804), or was made
                from something else (E805).
        """
        self._identity, self._plan, self._kinds = identity, plan, kinds
        try:
            if os.path.lexists(self.folder):
                self._open()
        except BaseException:
            self.close()
            raise
        self._started = self._next_standing = time.monotonic()
        self._next_standing += AFTER
        return self._plan

    def known(self, page: int, order: Order) -> bool:
        """Return whether an order of a pass is finished."""
        return (page, order) in self._known

    def read(self, page: int, order: Order) -> Any:
        """Return the result of a finished order."""
        with self._naming():
            return decode(payload(self._open_file, self._known[page, order]), self._kinds)[1]

    def append(self, page: int, order: Order, result: Any) -> None:
        """Keep the result of an order."""
        if self.failure is not None:
            return
        self._waiting.append(([page, *order], result))
        with self._surviving():
            if self._due():
                self._flush()

    def standing(self, page: int) -> tuple[int, Any] | None:
        """Return how many orders of a pass are added up, and to what; ``None`` where nothing was left behind."""
        with suppress(OSError):
            descriptor = os.open(self._standing(page), os.O_RDONLY)
            try:
                found = frames(descriptor, 1)
                if found and self.kept:
                    with self._naming():
                        number, done, value = decode(payload(descriptor, found[0]), self._kinds)
                    return (done, value) if number == page else None
            finally:
                os.close(descriptor)
        return None

    def stand(self, page: int, done: int, value: Any, *, last: bool) -> None:
        """Keep what a pass has added up, unless that was done just now."""
        begun = time.monotonic()
        if self.failure is not None or not (begun >= self._next_standing or (last and self.kept)):
            return
        with self._surviving():
            if self._due():
                self._flush()
                self._replace(self._standing(page), encode((page, done, value), self._kinds))
        now = time.monotonic()
        self._next_standing = now + max(AFTER, (now - begun) / _SHARE)

    def close(self) -> None:
        """Leave what is there to whoever resumes."""
        if self._descriptor is not None:
            with suppress(OSError):
                os.close(self._descriptor)
        if self._lock is not None:
            self._lock.release()
        self._descriptor = self._lock = None

    def discard(self) -> None:
        """Remove everything: the run is complete, or starts again."""
        if self._lock is not None:
            self.close()
            self.kept = False
            _remove(self.folder)

    def _open(self) -> None:
        with writing(self.folder):
            self._hold()
            if self._afresh or not (self.folder / JOURNAL).exists():
                self.discard()
            else:
                self._continue()

    def _continue(self) -> None:
        self._descriptor = os.open(self.folder / JOURNAL, os.O_RDWR | getattr(os, "O_BINARY", 0))
        with self._naming():
            places = frames(self._descriptor)
            if not places:
                raise ResourceError(
                    "E804",
                    "a journal whose first frame is damaged",
                    fix="remove that folder, and start the run again",
                )
            head = json.loads(payload(self._descriptor, places[0]))
            require_same(head, {"schema": SCHEMA, **_plain(self._identity())})
            self._plan = head["plan"]
            for place in places[1:]:
                page, *order = described(payload(self._descriptor, place))["tuple"][0]
                self._known[page, tuple(order)] = place
        self._written, self.kept = len(places), True
        os.ftruncate(self._descriptor, places[-1].offset + places[-1].size)

    def _due(self) -> bool:
        return self.kept or time.monotonic() >= self._started + AFTER

    def _flush(self) -> None:
        if not self.kept:
            self._create()
        while self._waiting:
            self._write(encode(self._waiting[0], self._kinds))
            self._waiting.pop(0)

    def _create(self) -> None:
        head = {"schema": SCHEMA, **_plain(self._identity()), "plan": self._plan}
        self._claim()
        self._replace(self.folder / JOURNAL, [json.dumps(head).encode()])
        sync_folder(self.folder.parent)
        self._descriptor = os.open(self.folder / JOURNAL, os.O_RDWR | getattr(os, "O_BINARY", 0))
        self._written, self.kept = 1, True

    def _claim(self) -> None:
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        while self._lock is None:
            try:
                os.mkdir(self.folder)
            except FileExistsError:
                if self._elsewhere is not None:
                    self.run = self._elsewhere()
                    continue
            self._hold()

    def _hold(self) -> None:
        if self._lock is None:
            self._lock = hold(self.folder)

    def _write(self, parts: Sequence[Buffer]) -> None:
        before = os.lseek(self._open_file, 0, os.SEEK_END)
        try:
            for part in (heading(self._written, parts), *parts):
                rest = memoryview(part)
                while rest:
                    rest = rest[os.write(self._open_file, rest) :]
            if time.monotonic() >= self._synced + _SYNC:
                os.fsync(self._open_file)
                self._synced = time.monotonic()
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._open_file, before)
            raise
        self._written += 1

    def _replace(self, path: Path, parts: Sequence[Buffer]) -> None:
        with temporary(path) as temp:
            with new_file(temp) as sink:
                for part in (heading(0, parts), *parts):
                    sink.write(part)
                sink.finish()
            os.replace(temp, path)

    def _standing(self, page: int) -> Path:
        return self.folder / f"standing-{page}"

    @property
    def _open_file(self) -> int:
        if self._descriptor is None:
            raise RuntimeError("a journal that is not open")
        return self._descriptor

    @contextmanager
    def _naming(self) -> Iterator[None]:
        """Say which journal it was that could not be used."""
        try:
            yield
        except ResourceError as error:
            raise ResourceError(error.code, error.found, where=str(self.folder), fix=error.fix) from error

    @contextmanager
    def _surviving(self) -> Iterator[None]:
        """Go on without a journal where the disk refuses one."""
        try:
            with writing(self.folder):
                yield
        except ResourceError as error:
            self.failure, self._waiting = error, []
            if not self.kept and self._lock is not None:
                self.discard()


def _remove(folder: Path) -> None:
    with suppress(OSError):  # first, so that what is left, should we be killed here, is no journal
        os.unlink(folder / JOURNAL)
    shutil.rmtree(folder, ignore_errors=True)


def _head(folder: Path) -> dict[str, Any]:
    """Return the first frame of a journal."""
    descriptor = os.open(folder / JOURNAL, os.O_RDONLY)
    try:
        head: dict[str, Any] = json.loads(payload(descriptor, frames(descriptor, 1)[0]))
    finally:
        os.close(descriptor)
    return head


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value))
