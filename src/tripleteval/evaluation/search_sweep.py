"""The sweep: every index is built in a process of its own, searched with every setting, timed, and left behind.

A backend that fails is a line in the table that says so; the others go on.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tripleteval.errors import BackendError
from tripleteval.evaluation.search_grid import Params, Plan
from tripleteval.search import How
from tripleteval.search.answers import Question, neighbors
from tripleteval.search.contract import Found
from tripleteval.search.files import save
from tripleteval.search.process import Searcher

_BATCH, _FEWEST_FOR_P99 = 1000, 1000


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


class Told:
    """Counts queries that were answered, and tells whoever wants to know; each setting answers as many again."""

    def __init__(self, progress: Callable[[int, int], None] | None, queries: int) -> None:
        self.progress, self.queries, self.rounds, self.done = progress, queries, 0, 0

    def expect(self, rounds: int) -> None:
        """Say how often `step` will be called, after the exact answers."""
        self.rounds = rounds + 1

    def exact(self, done: int, whole: int) -> None:
        """Take note of exact answers."""
        self.done = self.queries * done // whole
        self._tell()

    def step(self) -> None:
        """Take note that one more setting has answered everyone."""
        self.done += self.queries
        self._tell()

    def _tell(self) -> None:
        if self.progress is not None:
            self.progress(self.done, self.queries * self.rounds)


@dataclass
class Outcome:
    """One setting over all seeds.

    Attributes:
        plan: Its backend.
        build: Its build parameters.
        search: Its search parameters.
        found: What each seed's index found.
        speed: Throughput and latency, of the first seed.
        builds: What each seed's build took.
        error: Why there is nothing.
    """

    plan: Plan
    build: Params
    search: Params
    found: list[Found] = field(default_factory=list)
    speed: dict[str, Any] = field(default_factory=dict)
    builds: list[dict[str, Any]] = field(default_factory=list)
    error: BackendError | None = None


@dataclass(frozen=True)
class Sweep:
    """What is asked of every index.

    Attributes:
        question: Who asks, who is searched.
        k: Neighbours per query.
        seeds: How often a randomised index is built.
        limits: What a library may take.
        step: Called after every setting of every index.
    """

    question: Question
    k: int
    seeds: int
    limits: Limits
    step: Callable[[], None]

    def steps(self, plans: Sequence[Plan]) -> int:
        """Return how often ``step`` will be called."""
        return sum(len(p.builds) * len(p.searches) * self._seeds(p) for p in plans)

    def run(self, plan: Plan) -> list[Outcome]:
        """Return what became of every setting of a backend."""
        outcomes = []
        for build in plan.builds:
            tried = [Outcome(plan, build, search) for search in plan.searches]
            for seed in range(self._seeds(plan)):
                self._try(tried, How(build, seed, self.limits.threads, self.question.asked.shape[1]))
            outcomes += tried
        return outcomes

    def _seeds(self, plan: Plan) -> int:
        return self.seeds if plan.backend.randomised else 1

    def _try(self, outcomes: list[Outcome], how: How) -> None:
        """Build one index and search it with every setting; one that fails costs the index, so build it again."""
        waiting = [outcome for outcome in outcomes if outcome.error is None]
        while waiting:
            at_work = waiting
            try:
                with Searcher(
                    waiting[0].plan.backend, how, timeout=self.limits.timeout, memory=self.limits.memory
                ) as searcher:
                    built = self._built(searcher, how)
                    while waiting:
                        at_work = waiting[:1]
                        self._measure(searcher, waiting[0], how, built)
                        waiting = waiting[1:]
                        self.step()
            except BackendError as error:
                for outcome in at_work:
                    outcome.error = error
                    self.step()
                waiting = waiting[len(at_work) :]

    def _built(self, searcher: Searcher, how: How) -> dict[str, Any]:
        built = searcher.build(self.question.searched)
        if how.seed == 0:
            built["file_bytes"] = save(searcher, Path(searcher.folder.name) / "index").bytes
        return built

    def _measure(self, searcher: Searcher, outcome: Outcome, how: How, built: dict[str, Any]) -> None:
        outcome.found.append(neighbors(searcher, self.question, self.k, outcome.search))
        outcome.builds.append(built)
        if how.seed == 0:
            outcome.speed = self._speed(searcher, outcome.search)

    def _speed(self, searcher: Searcher, params: Params) -> dict[str, Any]:
        batch = self.question.asked[:_BATCH]
        width = self.question.width(self.k)
        took = searcher.time(batch, width, params, repeats=self.limits.repeats, singles=len(batch))
        alone = 1000 * np.array(took["single"])
        p99 = float(np.percentile(alone, 99)) if len(alone) >= _FEWEST_FOR_P99 else None
        return {
            "queries_per_second": len(batch) / max(statistics.median(took["batch"]), 1e-9),
            "p50_ms": float(np.percentile(alone, 50)),
            "p95_ms": float(np.percentile(alone, 95)),
            "p99_ms": p99,
            "batch": len(batch),
            "repeats": len(took["batch"]),
            "singles": len(alone),
            "threads": self.limits.threads,
        }
