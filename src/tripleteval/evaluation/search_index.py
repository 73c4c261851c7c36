"""One index of one stretch of a gallery: built in a process of its own, asked with every setting, timed, left behind.

This is what a map is given, here or on a cluster: a function without effect, so that one that was lost runs again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from tripleteval.errors import BackendError
from tripleteval.evaluation.search_grid import Params
from tripleteval.search import How, find_backend
from tripleteval.search.answers import Question, neighbors
from tripleteval.search.contract import Found
from tripleteval.search.files import save
from tripleteval.search.process import Searcher, place

BATCH = 1000


class Limits(NamedTuple):
    """What a library may take.

    Attributes:
        timeout: Seconds per request.
        memory: Bytes beyond the library itself.
        threads: Threads for building and for batches.
        repeats: How often a batch is timed.
    """

    timeout: float
    memory: int
    threads: int
    repeats: int


class Job(NamedTuple):
    """An index to build, and the settings to ask it with.

    Attributes:
        backend: The name of its backend.
        build: Its build parameters.
        seed: What a randomised build draws from; the first one is saved and timed.
        searches: Search parameters, one after the other.
        shard: Which stretch of the gallery it is, from 1, and of how many.
        rows: The gallery rows ``first:last`` it holds.
    """

    backend: str
    build: Params
    seed: int
    searches: tuple[Params, ...]
    shard: tuple[int, int]
    rows: tuple[int, int]

    def __str__(self) -> str:
        return f"of {place(self.backend, self.build)}, {self.stretch}"

    @property
    def stretch(self) -> str:
        """How errors name what it holds."""
        return f"shard {self.shard[0]} of {self.shard[1]} (gallery rows {self.rows[0]}:{self.rows[1]})"


@dataclass(frozen=True)
class Answer:
    """What became of one setting of one index.

    Attributes:
        found: What it found, in rows of its own stretch.
        built: What its build took.
        seconds: Of each whole ``batch``, and of each ``single`` query asked alone; of the first seed.
        error: Why there is nothing.
    """

    found: Found | None = None
    built: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    error: BackendError | None = None


@dataclass(frozen=True)
class Indexing:
    """The same for every index.

    Attributes:
        question: Who asks, who is searched.
        k: Neighbours per query.
        limits: What a library may take.
    """

    question: Question
    k: int
    limits: Limits

    def __call__(self, job: Job) -> list[Answer]:
        """Return the answer to every setting; one that fails costs the index, so it is built again for the rest."""
        backend, part = find_backend(job.backend), self.question.stretch(*job.rows)
        how = How(job.build, job.seed, self.limits.threads, part.asked.shape[1])
        answers: list[Answer] = []
        while len(answers) < len(job.searches):
            failing = len(job.searches) - len(answers)  # without an index, all that are left
            try:
                with Searcher(backend, how, timeout=self.limits.timeout, memory=self.limits.memory) as searcher:
                    built = _built(searcher, part)
                    failing = 1
                    for params in job.searches[len(answers) :]:
                        found = neighbors(searcher, part, self.k, params)
                        answers.append(Answer(found, built, self._seconds(searcher, part, params)))
            except BackendError as error:
                answers += [Answer(error=_in_shard(error, job))] * failing
        return answers

    def _seconds(self, searcher: Searcher, part: Question, params: Params) -> dict[str, list[float]]:
        if searcher.how.seed != 0:
            return {}
        batch = part.asked[:BATCH]
        return searcher.time(batch, part.width(self.k), params, repeats=self.limits.repeats, singles=len(batch))


def _built(searcher: Searcher, part: Question) -> dict[str, Any]:
    built = searcher.build(part.searched)
    if searcher.how.seed == 0:
        built["file_bytes"] = save(searcher, Path(searcher.folder.name) / "index").bytes
    return built


def _in_shard(error: BackendError, job: Job) -> BackendError:
    if job.shard[1] == 1:
        return error
    return BackendError(error.code, error.found, where=f"{error.where}, {job.stretch}", fix=error.fix)
