"""The sweep: every index is built and asked by a map, and what the shards of a gallery answer is put together.

A backend that fails is a line in the table that says so; the others go on.
"""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tripleteval.arrays import Floats
from tripleteval.engine.maps import Map
from tripleteval.errors import BackendError
from tripleteval.evaluation.search_grid import Params, Plan
from tripleteval.evaluation.search_index import BATCH, Answer, Indexing, Job
from tripleteval.search import Backend
from tripleteval.search.contract import Found, merged
from tripleteval.search.store import Asked, Store

_FEWEST_FOR_P99 = 1000


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
        answers: Those of the shards of one seed, until all are there.
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
    answers: list[Answer] = field(default_factory=list)
    error: BackendError | None = None
    store: dict[str, Any] = field(default_factory=dict)
    values: list[dict[str, Floats]] = field(default_factory=list)


@dataclass(frozen=True)
class Sweep:
    """What is asked of every index.

    Attributes:
        indexing: Builds and asks one index.
        seeds: How often a randomised index is built.
        shards: Into how many stretches the gallery is cut, each with an index of its own.
        mapping: Where indexes are built and asked.
        step: Called after every setting of every index.
        ids: Identity of every gallery row, as text; empty where there are none.
    """

    indexing: Indexing
    seeds: int
    shards: int
    mapping: Map
    step: Callable[[], None]
    ids: tuple[str, ...] = ()

    def steps(self, plans: Sequence[Plan]) -> int:
        """Return how often ``step`` will be called."""
        return sum(len(p.builds) * len(p.searches) * self._indexes(p) for p in plans)

    def run(self, plans: Sequence[Plan]) -> list[Outcome]:
        """Return what became of every setting of every backend."""
        of_plan = [
            [[Outcome(plan, build, search) for search in plan.searches] for build in plan.builds] for plan in plans
        ]
        given: deque[list[Outcome]] = deque()
        for answers in self.mapping(self.indexing, self._jobs(of_plan, given)):
            for outcome, answer in zip(given.popleft(), answers, strict=True):
                self._take(outcome, answer)
                self.step()
        for tried in of_plan:
            store = tried[0][0].plan.backend
            if isinstance(store, Store):
                self._ask(tried[0], store)
        return [outcome for tried in of_plan for build in tried for outcome in build]

    def _jobs(self, of_plan: list[list[list[Outcome]]], given: deque[list[Outcome]]) -> Iterator[Job]:
        """Yield index after index; a setting that has failed by then is not tried again."""
        for tried in (build for builds in of_plan for build in builds):
            plan = tried[0].plan
            if not isinstance(plan.backend, Backend):
                continue
            for index in range(self._indexes(plan)):
                seed, shard = divmod(index, self.shards)
                waiting = [outcome for outcome in tried if outcome.error is None]
                for _ in range(len(tried) - len(waiting)):
                    self.step()
                if waiting:
                    given.append(waiting)
                    searches = tuple(outcome.search for outcome in waiting)
                    rows = self._bounds[shard], self._bounds[shard + 1]
                    yield Job(plan.backend.name, tried[0].build, seed, searches, (shard + 1, self.shards), rows)

    @property
    def _bounds(self) -> list[int]:
        """Where the shards begin, and the last one ends."""
        gallery = len(self.indexing.question.gallery)
        return [gallery * part // self.shards for part in range(self.shards + 1)]

    def _indexes(self, plan: Plan) -> int:
        if not isinstance(plan.backend, Backend):
            return 1
        return self.shards * (self.seeds if plan.backend.randomised else 1)

    def _take(self, outcome: Outcome, answer: Answer) -> None:
        """Keep the answer of a shard, and put those of all shards together when the last one is there."""
        if outcome.error is None:
            outcome.error = answer.error
        if outcome.error is not None:
            return
        outcome.answers.append(answer)
        if len(outcome.answers) < self.shards:
            return
        outcome.found.append(self._together([a.found for a in outcome.answers if a.found is not None]))
        outcome.builds.append(_build([a.built for a in outcome.answers]))
        if len(outcome.found) == 1:
            batches, singles = (_slowest([a.seconds[n] for a in outcome.answers]) for n in ("batch", "single"))
            size = min(BATCH, len(self.indexing.question.queries))
            outcome.speed = _speed(batches, singles, size, threads=self.indexing.limits.threads)
        outcome.answers = []

    def _together(self, parts: list[Found]) -> Found:
        if len(parts) == 1:
            return parts[0]  # in the very order of the library
        return merged(parts, self._bounds[:-1], self.indexing.k)

    def _ask(self, outcomes: list[Outcome], store: Store) -> None:
        """Ask a live store with every setting, one query at a time on one connection."""
        asked, facts = Asked(self.indexing.question, self.ids), store.describe()
        compared, absent, stale = asked.stale(store)
        facts |= {"rows_compared": compared, "rows_absent": absent, "rows_stale": stale}
        size = sum(index["bytes"] or 0 for index in facts["indexes"])
        built = {"seconds": None, "grown": None, "peak": None, "file_bytes": size or None, "bytes_of_rows": None}
        for outcome in outcomes:
            outcome.builds, outcome.store = [built], facts
            try:
                found, seconds = asked.ask(store, self.indexing.k, outcome.search)
                outcome.found, outcome.speed = [found], _speed([sum(seconds)], seconds, len(seconds), threads=1)
            except BackendError as error:
                outcome.error = error
            self.step()


def _slowest(of_shards: Sequence[Sequence[float]]) -> list[float]:
    """Return how long each batch, or each query, took in the shard that took longest."""
    return [max(seconds) for seconds in zip(*of_shards, strict=False)]  # a slow shard may be timed less often


def _build(of_shards: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what building took: the seconds and the peak of the shard that took most, the bytes of all of them."""

    def of(name: str) -> list[Any]:
        there = [built.get(name) for built in of_shards]
        return [] if None in there else there

    return {
        "seconds": max(of("seconds")),
        "seconds_of_all": sum(of("seconds")),
        "peak": max(of("peak"), default=None),
        **{name: sum(of(name)) if of(name) else None for name in ("grown", "file_bytes", "bytes_of_rows")},
    }


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
