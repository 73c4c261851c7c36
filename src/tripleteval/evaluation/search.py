"""The door of approximate search: embeddings and backends in, what each setting costs out."""

from __future__ import annotations

import builtins
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from tripleteval.arrays import Ints
from tripleteval.data.budget import parse_memory
from tripleteval.data.comparison import Comparison
from tripleteval.data.embeddings import Embeddings
from tripleteval.data.search_evaluation import SearchEvaluation
from tripleteval.distance.formula import distance_for
from tripleteval.engine.maps import Map, thread_count
from tripleteval.errors import ParameterError, counted
from tripleteval.evaluation.accounting import describe
from tripleteval.evaluation.door import environment
from tripleteval.evaluation.intake import Intake, admit, require_comparable
from tripleteval.evaluation.relevance import compare
from tripleteval.evaluation.search_entries import Lists, entries, verdict
from tripleteval.evaluation.search_grid import Plan, plans
from tripleteval.evaluation.search_index import Indexing, Limits
from tripleteval.evaluation.search_metrics import asked_for, usual
from tripleteval.evaluation.search_sweep import Sweep, Told
from tripleteval.evaluation.search_tables import identical_in_float32, per_class_table, unreached_table
from tripleteval.evaluation.search_truth import Progress, judge, true_neighbors
from tripleteval.evaluation.settings import Settings, check
from tripleteval.search.answers import Question
from tripleteval.search.rows import Frame
from tripleteval.search.store import Asked, Store

_LEAST_MEMORY = 2**31
_LONGEST = 1e9  # seconds: more than any clock here can wait
_COPIES = 8  # of the gallery, that a library may need while it builds


def evaluate_search(
    queries: Any,
    labels: Any = None,
    *,
    backends: Sequence[str | Store],
    k: int = 10,
    gallery: Any = None,
    shards: int = 1,
    distance: str = "euclidean",
    params: Mapping[str, Sequence[Any]] | None = None,
    metrics: Sequence[str] = (),
    relevance: Any = None,
    seeds: int = 3,
    exact_sample: int | None = None,
    judge_by: str | None = None,
    tolerance: float = 0.005,
    confidence: float = 0.95,
    repeats: int = 5,
    timeout: float = 600.0,
    memory: str | int | None = None,
    threads: int | None = 1,
    map: Map | None = None,  # noqa: A002  # an engine is a map
    nonfinite: str = "refuse",
    zero_rows: str = "refuse",
    progress: Progress | None = None,
) -> SearchEvaluation:
    """Measure what approximate search loses, in the task's own metrics, and what it saves.

    Every list an index returns is compared with the certified exact one, at the same k, the query itself left
    out of both. Distances are measured again in float64 from the vectors; an index's own are not believed.

    Args:
        queries: `Embeddings`, or an (n, dim) array of any framework and real dtype.
        labels: (n,) class of each row, if ``queries`` is an array.
        backends: ``annoy``, ``faiss-flat``, ``faiss-ivf``, ``faiss-ivfpq``, ``faiss-hnsw``, ``hnswlib``,
            ``usearch``, ``scann``, ``lancedb``, ``exact``; the compressions ``float16``, ``int8``, ``pca``,
            ``truncate``, ``binary``; ``package.module:NAME`` of a `tripleteval.search.Backend` of your own; or a
            live store that holds the gallery, such as a `tripleteval.search.pgvector.Pgvector`.
        k: Length of the lists.
        gallery: Who is searched (`Embeddings`); by default every query is searched among the others.
        shards: Into how many stretches of rows the gallery is cut. Each has an index of its own, and their answers
            are merged. Times are then those of the slowest shard, sizes those of all.
        distance: ``"euclidean"``, ``"sqeuclidean"`` or ``"cosine"``.
        params: Values of a parameter in place of its usual ones, as ``{"efSearch": [16, 64]}``, or for one
            backend ``{"faiss-hnsw:M": [16, 32]}``; every combination is tried.
        metrics: Further metrics at some k' <= k, such as ``"precision@5"``.
        relevance: Explicit relevance instead of labels; see `evaluate`.
        seeds: How often a randomised index is built; its numbers are means over the builds.
        exact_sample: Compare with the truth for so many queries only, drawn evenly from all classes; the
            approximate search runs for all of them, and both numbers are given.
        judge_by: The metric that settings are judged by; recall@k by default.
        tolerance: How much of it the setting named in the verdict may cost, by the upper end of its interval.
        confidence: Of the intervals, which resample whole classes; in (0, 1).
        repeats: How often a batch is timed; its median counts.
        timeout: Seconds that building an index, or one search of all queries, may take.
        memory: What a library may take beyond itself; by default 8 times its rows and at least 2 GiB.
        threads: Threads for building and for batches; all cores with ``None``. Latency is one query at a time.
        map: Where exact lists are made, and indexes are built and asked: by default here, one index after the
            other; or what `ray_map` returns, with ``cpus`` of as many threads.
        nonfinite: ``"refuse"`` or ``"drop"`` rows with NaN or infinite values; no index ever sees one.
        zero_rows: Under cosine, ``"refuse"`` or ``"exclude"`` zero vectors.
        progress: Called with queries answered, exactly or by an index, and how many there will be.

    Returns:
        A `SearchEvaluation`: one entry per setting. A library that died, hung or lied has an entry that says so.

    Raises:
        DataError: Vectors that cannot be evaluated (E2xx, E3xx).
        LabelError: Labels that cannot be matched, or nothing relevant for any query (E4xx).
        ParameterError: An impossible setting, an unknown backend or parameter (E1xx, E308, E510).
        MissingExtra: The library of a backend is not installed (E103).
    """
    started = time.monotonic()
    tried = plans(backends, params or {})
    rules = {"ks": k, "distance": distance, "confidence": confidence, "nonfinite": nonfinite, "zero_rows": zero_rows}
    chosen = check(**{**asdict(Settings(neighbors=0, margins=())), **rules})
    _require(seeds=seeds, repeats=repeats, shards=shards, exact_sample=1 if exact_sample is None else exact_sample)
    _require_number("timeout", timeout, most=_LONGEST, fix="give a number of seconds above 0, such as 600")
    if tolerance != 0:
        _require_number("tolerance", tolerance, most=1.0, fix="give a share from 0 to 1: 0.005 is half a point")
    workers = thread_count(threads)
    if zero_rows == "far":
        raise ParameterError("E510", "zero_rows='far'", fix="no library knows this rule: use refuse or exclude")
    taken = _admitted(queries, labels, gallery, distance, nonfinite=nonfinite, zero_rows=zero_rows)
    comparison = compare(
        taken[0].embeddings, taken[1].embeddings if len(taken) > 1 else None, ignore=None, relevance=relevance
    )
    fitted = distance_for(distance, comparison.queries.vectors, comparison.gallery.vectors)
    k = min(chosen.ks[0], len(comparison.gallery) - int((comparison.own_row >= 0).any()))
    asked = _sampled(comparison, exact_sample)
    told = Told(progress, len(asked))
    most = int(judge(comparison, np.zeros((len(comparison.queries), 0), np.int64)).relevant.max())
    by = f"recall@{k}" if judge_by is None else judge_by
    names = list({n.spelling: n for n in [*usual(k, most), *asked_for([*metrics, by], k, most)]}.values())
    vectors = comparison.queries.vectors, comparison.gallery.vectors
    question = Question(*vectors, comparison.own_row, Frame.around(fitted, *vectors))
    limits = Limits(timeout, _memory(memory, comparison.gallery, shards), workers, repeats)
    ids = _identities(question, comparison.gallery, tried, distance)
    sweep = Sweep(Indexing(question, k, limits), seeds, shards, map or builtins.map, told.step, ids)
    told.expect(sweep.steps(tried))
    some = _of(comparison, asked)
    truth = true_neighbors(some, fitted, k, threads=workers, mapping=map, progress=told.exact)
    outcomes = sweep.run(tried)
    lists = Lists(comparison, truth, asked, fitted, tuple(names), k, by, confidence)
    found = entries(lists, outcomes)
    return SearchEvaluation(
        entries=found,
        verdict=verdict(found, by, tolerance),
        facts=lists.facts(),
        settings={
            "k": k,
            "distance": distance,
            "judge_by": by,
            "tolerance": tolerance,
            "confidence": confidence,
            "seeds": seeds,
            "exact_sample": exact_sample,
            "shards": shards,
        },
        inputs=[describe(intake.embeddings) for intake in taken],
        notes=[*_clipped(chosen.ks[0], k), *_notes(lists, taken, shards, getattr(map, "workers", 1))],
        environment={**environment(time.monotonic() - started), "threads": workers},
        per_class=per_class_table(lists, outcomes),
        unreached=unreached_table(lists, outcomes),
    )


def _require(**counts: Any) -> None:
    for name, value in counts.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ParameterError("E101", f"{name}={value!r}", fix="give a whole number, 1 or more")


def _require_number(name: str, value: Any, *, most: float, fix: str) -> None:
    number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    if not (number and 0 < value <= most):
        raise ParameterError("E101", f"{name}={value!r}", fix=fix)


def _admitted(queries: Any, labels: Any, gallery: Any, distance: str, **repairs: str) -> list[Intake]:
    if isinstance(queries, Embeddings) and labels is not None:
        raise ParameterError("E101", "labels beside Embeddings, which carry their own", fix="pass one or the other")
    asked = queries if isinstance(queries, Embeddings) else Embeddings(queries, labels, name="queries")
    taken = [admit(asked, distance=distance, **repairs)]
    if gallery is not None:
        searched = gallery if isinstance(gallery, Embeddings) else Embeddings(gallery, name="gallery")
        taken.append(admit(searched, distance=distance, **repairs))
        require_comparable(taken[0], taken[1], distance)
    return taken


def _sampled(comparison: Comparison, count: int | None) -> Ints:
    """Return the queries that are compared with the truth: all of them, or some of every class."""
    everyone = np.arange(len(comparison.queries))
    if count is None or count >= len(everyone):
        return everyone
    order = np.random.default_rng(0).permutation(len(everyone))
    codes = getattr(comparison.queries.labels, "codes", order)
    if len(codes) != len(everyone):
        return np.sort(order[:count])
    # The n-th of every class comes before the n+1-th of any: classes are drawn as evenly as they can be.
    by_class = order[np.argsort(codes[order], kind="stable")]
    starts = np.concatenate([[0], np.cumsum(np.bincount(codes))])[:-1]
    nth = np.arange(len(everyone)) - starts[codes[by_class]]
    return np.sort(by_class[np.argsort(nth, kind="stable")][:count])


def _of(comparison: Comparison, rows: Ints) -> Comparison:
    if len(rows) == len(comparison.queries):
        return comparison
    return Comparison(
        comparison.queries.take(rows), comparison.gallery, comparison.rule, comparison.own_row[rows], comparison.ignored
    )


def _memory(memory: str | int | None, gallery: Embeddings, shards: int) -> int:
    rows = -(-len(gallery) // shards)
    if shards > len(gallery):
        raise ParameterError(
            "E101",
            f"shards={shards} of a gallery of {counted(len(gallery), 'row')}",
            fix=f"give at most {len(gallery):,}, one row in each",
        )
    return max(_LEAST_MEMORY, _COPIES * 4 * gallery.dim * rows) if memory is None else parse_memory(memory)


def _identities(question: Question, gallery: Embeddings, tried: list[Plan], distance: str) -> tuple[str, ...]:
    """Return the id of every gallery row as text, which stores answer with; empty where there are none."""
    ids = () if gallery.ids is None else tuple(map(str, gallery.ids.values()))
    for plan in tried:
        if isinstance(plan.backend, Store):
            Asked(question, ids).require_ids(plan.backend, distance)
    return ids


def _clipped(asked: int, k: int) -> list[str]:
    shorter = f"Lists of {asked:,} were asked for; no query can find more than {counted(k, 'item')}, so they end there."
    return [shorter] if k < asked else []


def _notes(lists: Lists, taken: list[Intake], shards: int, workers: int) -> list[str]:
    same = identical_in_float32(lists.comparison.gallery)
    return [*lists.notes(), *_sharded(shards, workers), *same, *_dropped(taken)]


def _sharded(shards: int, workers: int) -> list[str]:
    """Return what times and sizes mean where there is more than one index, or more than one machine."""
    found = []
    if shards > 1:
        found.append(
            f"The gallery is cut into {shards} shards with an index each, and their answers are merged. Times of "
            "building and searching are those of the slowest shard, without network and merging; sizes are of all."
        )
    if workers > 1:
        found.append(f"Indexes were built and timed by {workers} workers, which slow each other down on one machine.")
    return found


def _dropped(taken: list[Intake]) -> list[str]:
    return [
        f"Dropped {counted(count, 'row')} of {intake.embeddings.name}: {why.replace('_', ' ')}."
        for intake in taken
        for why, count in intake.dropped.items()
    ]
