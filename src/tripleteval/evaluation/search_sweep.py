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

from tripleteval.arrays import Floats
from tripleteval.errors import BackendError
from tripleteval.evaluation.search_grid import Params, Plan
from tripleteval.search import Backend, How
from tripleteval.search.answers import Question, neighbors
from tripleteval.search.contract import Found
from tripleteval.search.files import save
from tripleteval.search.process import Searcher
from tripleteval.search.store import Asked, Store

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
        store: What a live store says about itself.
        values: Every metric, per query, of what each seed's index found; filled in when the lists are read.
    """

    plan: Plan
    build: Params
    search: Params
    found: list[Found] = field(default_factory=list)
    speed: dict[str, Any] = field(default_factory=dict)
    builds: list[dict[str, Any]] = field(default_factory=list)
    error: BackendError | None = None
    store: dict[str, Any] = field(default_factory=dict)
    values: list[dict[str, Floats]] = field(default_factory=list)


@dataclass(frozen=True)
class Sweep:
    """What is asked of every index.

    Attributes:
        question: Who asks, who is searched.
        k: Neighbours per query.
        seeds: How often a randomised index is built.
        limits: What a library may take.
        step: Called after every setting of every index.
        ids: Identity of every gallery row, as text; empty where there are none.
    """

    question: Question
    k: int
    seeds: int
    limits: Limits
    step: Callable[[], None]
    ids: tuple[str, ...] = ()

    def steps(self, plans: Sequence[Plan]) -> int:
        """Return how often ``step`` will be called."""
        return sum(len(p.builds) * len(p.searches) * self._seeds(p) for p in plans)

    def run(self, plan: Plan) -> list[Outcome]:
        """Return what became of every setting of a backend."""
        if not isinstance(plan.backend, Backend):
            return self._ask(plan, plan.backend)
        outcomes = []
        for build in plan.builds:
            tried = [Outcome(plan, build, search) for search in plan.searches]
            for seed in range(self._seeds(plan)):
                self._try(plan.backend, tried, How(build, seed, self.limits.threads, self.question.asked.shape[1]))
            outcomes += tried
        return outcomes

    def _seeds(self, plan: Plan) -> int:
        return self.seeds if isinstance(plan.backend, Backend) and plan.backend.randomised else 1

    def _ask(self, plan: Plan, store: Store) -> list[Outcome]:
        """Ask a live store with every setting, one query at a time on one connection."""
        asked, facts = Asked(self.question, self.ids), store.describe()
        compared, absent, stale = asked.stale(store)
        facts |= {"rows_compared": compared, "rows_absent": absent, "rows_stale": stale}
        size = sum(index["bytes"] or 0 for index in facts["indexes"])
        built = {"seconds": None, "grown": None, "peak": None, "file_bytes": size or None, "bytes_of_rows": None}
        outcomes = [Outcome(plan, {}, search, builds=[built], store=facts) for search in plan.searches]
        for outcome in outcomes:
            try:
                found, seconds = asked.ask(store, self.k, outcome.search)
                outcome.found, outcome.speed = [found], _speed([sum(seconds)], seconds, len(seconds), threads=1)
            except BackendError as error:
                outcome.error = error
            self.step()
        return outcomes

    def _try(self, backend: Backend, outcomes: list[Outcome], how: How) -> None:
        """Build one index and search it with every setting; one that fails costs the index, so build it again."""
        waiting = [outcome for outcome in outcomes if outcome.error is None]
        while waiting:
            at_work = waiting
            try:
                with Searcher(backend, how, timeout=self.limits.timeout, memory=self.limits.memory) as searcher:
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
        return _speed(took["batch"], took["single"], len(batch), threads=self.limits.threads)


def _speed(batches: list[float], singles: list[float], size: int, *, threads: int) -> dict[str, Any]:
    """Return throughput by the median batch, and percentiles of latency; p99 of too few queries is a guess."""
    alone = 1000 * np.array(singles)
    return {
        "queries_per_second": size / max(statistics.median(batches), 1e-9),
        "p50_ms": float(np.percentile(alone, 50)),
        "p95_ms": float(np.percentile(alone, 95)),
        "p99_ms": float(np.percentile(alone, 99)) if len(alone) >= _FEWEST_FOR_P99 else None,
        "batch": size,
        "repeats": len(batches),
        "singles": len(alone),
        "threads": threads,
    }
