"""The pass: orders through a map, evidence into columns inside the worker, columns joined in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, TypeVar

import numpy as np

from tripleteval.arrays import Ints
from tripleteval.engine.maps import Map
from tripleteval.engine.plan import Order, plan
from tripleteval.engine.run import Evidence, Pass
from tripleteval.engine.second_pass import SecondPass, second_pass
from tripleteval.evaluation.settings import Settings
from tripleteval.evaluation.summary import Measured
from tripleteval.evidence.neighbors import Neighbors
from tripleteval.metrics import Column, Named, nobody
from tripleteval.metrics.separation import Separation
from tripleteval.metrics.sphere import OnSphere
from tripleteval.metrics.ties import chance_groups, perfect_groups, tie_groups
from tripleteval.metrics.triplets import curve

Record = TypeVar("Record", Separation, OnSphere)
Progress = Callable[[int, int], None]

CEILINGS = ("recall@k", "precision@k")


class Facts(NamedTuple):
    """Integers per query that the accounting is made of."""

    positives: Ints
    negatives: Ints
    removed: Ints
    coincident_same: Ints
    coincident_different: Ints
    curve: Ints


class Results(NamedTuple):
    """What is left of a block of queries once its evidence has been read."""

    measured: list[Measured]
    facts: Facts
    neighbors: Neighbors
    separation: Separation | None = None
    sphere: OnSphere | None = None


@dataclass(frozen=True)
class Reading:
    """How evidence is read: the metrics, and the tie mode they see."""

    engine: Pass
    named: tuple[Named, ...]
    ties: str
    second: SecondPass

    def __call__(self, order: Order) -> Results:
        """Measure one order and read its evidence; runs inside the worker."""
        return self.read(self.engine.measure(order), order)

    def read(self, evidence: Evidence, order: Order) -> Results:
        """Return the columns of a block that has seen the whole gallery."""
        ranks, triplets = evidence.ranks, evidence.triplets
        apart, sphere = self.second.separation(order), self.second.sphere(order)
        seen = {
            "groups": tie_groups(ranks, self.ties),
            "ranks": ranks,
            "triplets": triplets,
            "distances": triplets,
            "spread": apart,
            "sphere": sphere,
        }
        chance, perfect = chance_groups(ranks), perfect_groups(ranks)
        measured = []
        for name in self.named:
            known = seen[name.metric.of]
            column = nobody(order.stop - order.start) if known is None else name.measure(known)
            if name.metric.of == "groups":
                best = name.measure(perfect) if name.metric.pattern in CEILINGS else None
                measured.append(Measured(name, column, name.measure(chance), best))
            else:
                measured.append(Measured(name, column))
        same = np.bincount(
            np.repeat(np.arange(ranks.positives.queries), ranks.positives.per_query)[ranks.positives.squared == 0],
            minlength=ranks.positives.queries,
        )
        removed = np.diff(self.engine.comparison.removed(order.start, order.stop).indptr)
        per_query = ranks.positives.per_query
        facts = Facts(per_query, ranks.negatives, removed, same, ranks.coincident, curve(triplets))
        return Results(measured, facts, evidence.neighbors, apart, sphere)


def measure(
    engine: Pass, settings: Settings, *, mapping: Map, workers: int, memory: int, progress: Progress | None
) -> Results:
    """Return the columns of every query, in order, whatever the map, the tiles and the memory were."""
    named = settings.named()
    per_query = tuple(name for name in named if not name.metric.of_space)
    second = second_pass(engine.comparison, engine.distance, engine.kernel, {name.metric.of for name in named})
    reading = Reading(engine, per_query, settings.ties, second)
    orders = _orders(engine, settings, workers=workers, memory=memory, metrics=len(per_query), beside=second.bytes)
    pairs = [(order.stop - order.start) * (order.last - order.first) for order in orders]
    done, results = 0, []
    for count, result in zip(pairs, mapping(reading, orders), strict=True):
        results.append(result)
        done += count
        if progress is not None:
            progress(done, sum(pairs))
    return _join(results)


def _orders(engine: Pass, settings: Settings, *, workers: int, memory: int, metrics: int, beside: int) -> list[Order]:
    comparison = engine.comparison
    margins, points = len(settings.margins), len(settings.margin_curve)
    edges = 4 + 2 * margins + points
    # Per edge: itself (16 B), its tally (24 B), its place (8 B) and the sort that put it there (about 5 × 8 B).
    per_positive = 88 * edges + 96 + 8 * (6 * margins + 2 * points)
    dim = comparison.queries.dim
    per_query = 8 * (3 * dim + 3 * metrics + 2 * points + 12) + 40 * max(engine.k, 1)
    fixed = 4 * 8 * dim * 4096 + 2**20 + beside
    return plan(
        comparison,
        memory=memory,
        workers=workers,
        bytes_per_positive=per_positive,
        bytes_per_query=per_query,
        fixed=fixed,
    )


def _join(results: list[Results]) -> Results:
    together = partial(_concatenate, tuple)
    measured = [
        Measured(
            parts[0].named,
            Column(*together(part.column for part in parts)),
            *(_optional([getattr(part, what) for part in parts]) for what in ("chance", "ceiling")),
        )
        for parts in zip(*(result.measured for result in results), strict=True)
    ]
    neighbors = [result.neighbors for result in results]
    return Results(
        measured,
        Facts(*together(result.facts for result in results)),
        Neighbors(
            np.concatenate([n.squared for n in neighbors]),
            np.concatenate([n.rows for n in neighbors]),
            np.concatenate([n.relevant for n in neighbors]),
        ),
        _record(Separation, [result.separation for result in results]),
        _record(OnSphere, [result.sphere for result in results]),
    )


def _record(kind: type[Record], records: list[Record | None]) -> Record | None:
    there = [record for record in records if record is not None]
    return kind(*_concatenate(tuple, there)) if there else None


def _optional(columns: list[Column | None]) -> Column | None:
    there = [column for column in columns if column is not None]
    return Column(*_concatenate(tuple, there)) if there else None


def _concatenate(make: Callable[..., Any], records: Iterable[Any]) -> Any:
    return make(np.concatenate(columns) for columns in zip(*records, strict=True))
