"""Some of the queries instead of all: drawn with a seed, by class, and searched in the whole gallery."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from tripleteval.arrays import Ints
from tripleteval.data.comparison import Comparison
from tripleteval.engine.run import Pass
from tripleteval.evaluation.intervals import settled, units_of, with_intervals
from tripleteval.evaluation.means import Means
from tripleteval.evaluation.measure import Results, join
from tripleteval.evaluation.measure import need as need_to_measure
from tripleteval.evaluation.settings import Settings
from tripleteval.evaluation.standing import Need
from tripleteval.evaluation.summary import summarise
from tripleteval.evaluation.tables import class_codes
from tripleteval.uncertainty.stream import Stream

FIRST = 1000
# What `precision` is about: the numbers people decide by, as far as they are shares.
HEADLINE = ("map@r", "hit_rate", "recall", "mrr", "triplet_accuracy", "triplet_satisfied")

Measure = Callable[[Pass], Results]


def asked(engine: Pass, settings: Settings, measure: Measure) -> tuple[Pass, Results, list[str]]:
    """Measure all queries, or as many as the settings ask for; return what was run, and a note if not all were.

    With a precision, blocks of queries are added, each as large as all before it, until every headline interval
    is that tight or no query is left.
    """
    comparison = engine.comparison
    count = len(comparison.queries)
    most = count if settings.sample is None else min(settings.sample, count)
    if settings.precision is None:
        if most == count:
            return engine, measure(engine), []
        part = replace(engine, comparison=comparison.take(np.sort(draw(comparison, settings.seed)[:most])))
        return part, measure(part), [_note(part.comparison, comparison, settings)]
    order = draw(comparison, settings.seed)
    start, stop = 0, min(FIRST, most)
    results: list[Results] = []
    rows: list[Ints] = []
    while True:
        rows.append(np.sort(order[start:stop]))
        results.append(measure(replace(engine, comparison=comparison.take(rows[-1]))))
        part, found = replace(engine, comparison=comparison.take(np.concatenate(rows))), join(results)
        widest = widest_headline(part.comparison, found, settings)
        if stop == most or (widest is not None and widest <= settings.precision):
            said = [
                _note(part.comparison, comparison, settings),
                *_reached(widest, settings.precision, everyone=stop == count),
            ]
            return part, found, said
        start, stop = stop, min(2 * stop, most)


def need(engine: Pass, settings: Settings, means: Means) -> Need:
    """Return the memory that `asked` needs at least: of a sample, whoever is drawn; with a precision, at first."""
    queries = len(engine.comparison.queries)
    most = min(settings.sample or queries, queries if settings.precision is None else FIRST)
    part = engine.comparison if most >= queries else with_most(engine.comparison, most)
    return need_to_measure(replace(engine, comparison=part), settings, means)


def with_most(comparison: Comparison, count: int) -> Comparison:
    """Return the queries, so many of them, that the most may be relevant to."""
    return comparison.take(np.argsort(-comparison.rule.at_most(), kind="stable")[:count])


def draw(comparison: Comparison, seed: int) -> Ints:
    """Return every query once, in an order whose every beginning holds about the same share of each class."""
    queries = len(comparison.queries)
    stream = Stream(seed, "sample")
    luck, codes = stream.shares(queries), class_codes(comparison.queries)
    if codes is None:
        return np.argsort(luck, kind="stable")
    by_class = np.lexsort((luck, codes))
    sizes = np.bincount(codes)
    first = np.cumsum(sizes) - sizes
    offset = stream.shares(len(sizes))
    of_class = codes[by_class]
    place = (np.arange(queries) - first[of_class] + offset[of_class]) / sizes[of_class]
    return by_class[np.argsort(place, kind="stable")]


def widest_headline(comparison: Comparison, results: Results, settings: Settings) -> float | None:
    """Return half the width of the widest headline interval, or ``None`` where one cannot be told."""
    chosen = [m for m in results.measured if m.named.spelling in HEADLINE or m.named.spelling.split("@")[0] in HEADLINE]
    codes = class_codes(comparison.queries)
    entries = {m.named.spelling: summarise(m, codes, settings.average) for m in chosen}
    how = {"classes": codes, "confidence": settings.confidence, "seed": settings.seed}
    found = with_intervals(entries, chosen, units_of(comparison.queries, settings.unit), **how).values()
    ends = [(entry["low"], entry["high"]) for entry in found if not (entry["value"] is None or settled(entry))]
    if not ends or any(low is None for low, _ in ends):
        return None
    return float(max(high - low for low, high in ends) / 2)


def _note(part: Comparison, whole: Comparison, settings: Settings) -> str:
    if len(part.queries) == len(whole.queries):
        return f"All {len(whole.queries):,} queries were used, each searched in the whole gallery."
    classes = ", by class" if class_codes(whole.queries) is not None else ""
    return (
        f"Sampled: {len(part.queries):,} of {len(whole.queries):,} queries were drawn{classes} with seed "
        f"{settings.seed}, and searched in the whole gallery; the intervals cover that."
    )


def _reached(widest: float | None, precision: float, *, everyone: bool) -> list[str]:
    if widest is None:
        return ["The precision asked for cannot be judged: there are no intervals."]
    if widest > precision:
        more = ": only a larger set can narrow it" if everyone else ""
        return [f"The widest headline interval is ±{widest:.3g}, though ±{precision:g} was asked for{more}."]
    return [f"Every headline interval is within ±{precision:g}."]
