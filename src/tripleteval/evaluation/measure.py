"""The pass: orders through a map, evidence into columns inside the worker, columns joined in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple, TypeVar

import numpy as np

from tripleteval.arrays import Ints
from tripleteval.engine.frame import window
from tripleteval.engine.maps import Map, shares_memory
from tripleteval.engine.mutual import Standing, possible, sweep
from tripleteval.engine.plan import MOST_QUERIES, Costs, Order, most_mutual, plan_mutual
from tripleteval.engine.room import BYTES_PER_PAIR, BYTES_PER_PAIR_TURNED, flat
from tripleteval.engine.run import Evidence, Pass, width_for
from tripleteval.engine.second_pass import SecondPass, second_pass
from tripleteval.evaluation.means import Means
from tripleteval.evaluation.progress import Journey
from tripleteval.evaluation.settings import Settings
from tripleteval.evaluation.standing import Need
from tripleteval.evaluation.summary import Measured
from tripleteval.evaluation.sweep_map import SweepMap
from tripleteval.evaluation.watching import Seen, bytes_to_watch, may_watch, watching
from tripleteval.evidence.neighbors import Neighbors
from tripleteval.journal.page import Page
from tripleteval.metrics import Column, Named, nobody
from tripleteval.metrics.separation import Separation
from tripleteval.metrics.sphere import OnSphere
from tripleteval.metrics.ties import chance_groups, perfect_groups, tie_groups
from tripleteval.metrics.triplets import curve

Record = TypeVar("Record", Separation, OnSphere)
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
    settled: int  # pairs that took float64; the only number here that depends on kernel, tiles and threads
    separation: Separation | None = None
    sphere: OnSphere | None = None
    seen: Seen | None = None


@dataclass(frozen=True)
class Reading:
    """How evidence is read: the metrics, and the tie mode they see."""

    engine: Pass
    named: tuple[Named, ...]
    ties: str
    second: SecondPass

    def __call__(self, order: Order) -> Results | Evidence:
        """Measure one order and, if it saw the whole gallery, read its evidence; runs inside the worker."""
        evidence = self.engine.measure(order)
        return self.read(evidence, order) if order == self.whole(order) else evidence

    def whole(self, order: Order) -> Order:
        """Return the order of the same queries against the whole gallery."""
        return order._replace(first=0, last=len(self.engine.comparison.gallery))

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
        return Results(measured, facts, evidence.neighbors, evidence.settled, apart, sphere)


def measure(engine: Pass, settings: Settings, means: Means) -> Results:
    """Return the columns of every query, in order, whatever the map, the tiles and the memory were."""
    per_query, second = _asked(engine, settings)
    reading = Reading(engine, per_query, settings.ties, second)
    costs = _costs(engine, settings, metrics=len(per_query), beside=second.bytes)
    whole = len(engine.comparison.queries) * len(engine.comparison.gallery)
    told = _Told(whole, means.progress)
    page = means.pages.next()
    if possible(engine, means.mapping):
        orders, watched = _meetings(engine, settings, costs, means)
        if orders is not None:
            if not watched or page.has(orders) or page.standing() is not None:  # all pairs are seen, or none
                return join(_mutually(reading, orders, means.mapping, page, told))
            seen, onlookers = watching(engine, settings)
            reading = replace(reading, engine=replace(engine, onlookers=onlookers))
            told = _Told(whole, means.progress, passes=1 if onlookers is None else 2)
            found = join(_mutually(reading, orders, means.mapping, page, told))
            if onlookers is not None and seen.genuine is not None:
                seen = seen._replace(pairs=onlookers.evidence(seen.genuine))
            return found._replace(seen=seen)
    orders, hold = means.cut(engine.comparison, costs, along=not second.wanted)
    reading = replace(reading, engine=replace(engine, hold=hold))
    if shares_memory(means.mapping):  # elsewhere each worker makes its own: it would not travel well
        reading.engine.ready()
    results: list[Results] = []
    waiting: list[Evidence] = []
    for order, found in zip(orders, page.each(reading, orders, means.mapping), strict=True):
        if isinstance(found, Results):
            results.append(found)
        else:
            waiting = [waiting[0].merge(found) if waiting else found]
            if order.last == len(engine.comparison.gallery):
                results.append(reading.read(waiting.pop(), reading.whole(order)))
        told((order.stop - order.start) * (order.last - order.first), resumed=page.has([order]))
    return join(results)


def need(engine: Pass, settings: Settings, means: Means) -> Need:
    """Return the memory without which `measure` refuses."""
    named, second = _asked(engine, settings)
    return means.need(engine.comparison, _costs(engine, settings, metrics=len(named), beside=second.bytes))


def _asked(engine: Pass, settings: Settings) -> tuple[tuple[Named, ...], SecondPass]:
    """Return the metrics that are read query by query, and the second pass that some call for."""
    named = settings.named()
    second = second_pass(engine.comparison, engine.distance, engine.kernel, {name.metric.of for name in named})
    return tuple(name for name in named if name.metric.of_queries), second


def _meetings(engine: Pass, settings: Settings, costs: Costs, means: Means) -> tuple[list[Order] | None, bool]:
    """Return the blocks of a set that meet in pairs, and whether there is room to watch them."""
    how = {"memory": means.memory, "workers": means.workers}
    if may_watch(engine, settings):
        more = costs._replace(fixed=costs.fixed + bytes_to_watch(engine, settings))
        orders = plan_mutual(engine.comparison, more, **how)
        if orders is not None:
            return orders, True
    return plan_mutual(engine.comparison, costs, **how), False


def _mutually(reading: Reading, orders: list[Order], mapping: Map, page: Page[Any], told: _Told) -> list[Results]:
    if page.has(orders):
        told(told.whole, resumed=True)
        return list(page.each(reading, orders, mapping))

    def read(standing: Standing) -> Results:
        order = standing.order
        return reading.read(reading.engine.evidence(standing.block, standing.tally, order.first, order.last), order)

    kept = SweepMap(mapping, page, lambda: reading.engine.shelf.frame, partial(told, resumed=True))
    results = []
    for order, result in zip(orders, mapping(read, sweep(reading.engine, orders, kept, told)), strict=True):
        page.keep(order, result)
        results.append(result)
    return results


class _Told:
    """Adds up the pairs done and tells whoever wants to know; so many passes see them at once."""

    def __init__(self, whole: int, progress: Journey | None, passes: int = 1) -> None:
        self.done, self.whole, self.passes, self.progress = 0, whole, passes, progress

    def __call__(self, pairs: int, *, resumed: bool = False) -> None:
        self.done += pairs
        if self.progress is not None:
            if resumed:
                self.progress.resumed(self.passes * pairs)
            self.progress(self.passes * self.done, self.passes * self.whole)


def _costs(engine: Pass, settings: Settings, *, metrics: int, beside: int) -> Costs:
    comparison = engine.comparison
    sizes = (comparison.queries.dim, len(comparison.gallery), len(comparison.queries))
    costs = pass_costs(*sizes, settings, k=engine.k, kernel=engine.kernel, metrics=metrics)
    return costs._replace(fixed=costs.fixed + beside)


def pass_costs(
    dim: int,
    gallery: int,
    queries: int,
    settings: Settings,
    *,
    k: int = 11,
    kernel: str = "cpu",
    metrics: int = 40,
) -> Costs:
    """Return what a pass takes.

    Args:
        dim: Number of coordinates.
        gallery: Who is searched.
        queries: Who asks.
        settings: What is measured.
        k: Neighbours kept.
        kernel: What counts.
        metrics: How many are read.
    """
    margins, points = len(settings.margins), len(settings.margin_curve)
    edges = 4 + 2 * margins + points
    compiled, width = kernel == "cpu", width_for(kernel)
    high, wide = flat(width) if compiled else (MOST_QUERIES, width)
    high, wide = min(high, queries), min(wide, gallery)
    tile = BYTES_PER_PAIR[kernel] * high * wide + (20 * dim * high + 8 * dim * wide if compiled else 24 * dim * wide)
    kept = 8 * (dim + 2) * min(most_mutual(dim), queries)  # a block, ready for products in float64
    return Costs(
        # Per edge: itself (16 B), its tally (16 B) and its place (8 B); and per level what leads to it and its tally.
        per_positive=40 * edges + 42 * (1 + margins + points) + 24,
        # And while edges are made, or read: the sort that puts them there (about 5 × 8 B), and the evidence.
        at_work_per_positive=48 * edges + 72 + 8 * (5 * margins + 2 * points),
        per_query=8 * (3 * metrics + 2 * points + 12) + 40 * max(k, 1),
        at_work_per_query=20 * dim + 40 * max(k, 1),
        # Rows of a window as read, in both precisions and what it takes to make them; and a tile.
        fixed=52 * dim * min(window(dim), gallery) + tile + 2**20,
        turned=BYTES_PER_PAIR_TURNED * min(width, gallery) * min(width, queries) + kept if compiled else 0,
        held=12 * dim * gallery if compiled else 0,
    )


def join(results: list[Results]) -> Results:
    """Return the results of consecutive blocks of queries as one."""
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
        sum(result.settled for result in results),
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
