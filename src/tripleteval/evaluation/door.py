"""The door: vectors and labels in, an `Evaluation` out."""

from __future__ import annotations

import platform
import time
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from tripleteval.data.budget import parse_memory
from tripleteval.data.comparison import Comparison
from tripleteval.data.embeddings import Embeddings
from tripleteval.data.evaluation import Evaluation
from tripleteval.distance.formula import distance_for
from tripleteval.engine import maps
from tripleteval.engine.rounding import rounded
from tripleteval.engine.run import Pass, choose_kernel
from tripleteval.errors import ParameterError
from tripleteval.evaluation import sampling, space, transfer
from tripleteval.evaluation.accounting import account, describe, notes
from tripleteval.evaluation.findings import findings
from tripleteval.evaluation.intake import Intake, admit, require_comparable
from tripleteval.evaluation.intervals import interval_notes, most_units, units_of, with_intervals, without_interval
from tripleteval.evaluation.keeping import explicit, identity, journal_of, planned, require_unsaved
from tripleteval.evaluation.means import Means
from tripleteval.evaluation.measure import Results, measure
from tripleteval.evaluation.progress import INTERVALS, SPACE, Journey, Progress, pairs_ahead
from tripleteval.evaluation.rates import shrunken_rates, with_worst_tenth
from tripleteval.evaluation.relevance import compare
from tripleteval.evaluation.sampling import asked
from tripleteval.evaluation.settings import Settings, check
from tripleteval.evaluation.slices import column_values, slices
from tripleteval.evaluation.space import Space, measure_space
from tripleteval.evaluation.split import Split, split_of
from tripleteval.evaluation.standing import require_enough, taken_by
from tripleteval.evaluation.summary import summarise, total
from tripleteval.evaluation.tables import class_codes, neighbor_table, per_class_table, per_query_table
from tripleteval.evaluation.transfer import measure_pairs
from tripleteval.evaluation.verification import Verification
from tripleteval.journal.folder import Journal
from tripleteval.journal.page import Pages


def evaluate(
    queries: Any,
    labels: Any = None,
    *,
    gallery: Any = None,
    distance: str = "euclidean",
    ks: Sequence[int] = (1, 5, 10),
    margins: Sequence[float] = (0.2,),
    margin_curve: Sequence[float] = (),
    fars: Sequence[float] = (0.1, 0.01, 0.001),
    verification: bool = True,
    calibrate_on: Any = None,
    metrics: Sequence[str] = (),
    ties: str = "expected",
    average: str = "query",
    ignore: str | None = None,
    ignore_label: Any = None,
    relevance: Any = None,
    nonfinite: str = "refuse",
    zero_rows: str = "refuse",
    neighbors: int = 10,
    confidence: float = 0.95,
    unit: str = "class",
    seed: int = 0,
    sample: int | None = None,
    precision: float | None = None,
    by: str | Sequence[str] = (),
    memory: str | int = "1GiB",
    threads: int | None = None,
    map: maps.Map | None = None,  # noqa: A002  # an engine is a map
    kernel: str = "auto",
    resume: str | Path | Journal | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Measure how good an embedding space is, exactly.

    Args:
        queries: `Embeddings`, or an (n, dim) array of any framework and real dtype.
        labels: (n,) class of each row, if ``queries`` is an array: integers, text, hashables of one
            type, or one set of classes per row.
        gallery: Who is searched (`Embeddings`); by default every query is searched among the others.
            Items whose ids stand on both sides are the same item, and never found.
        distance: ``"euclidean"``, ``"sqeuclidean"`` or ``"cosine"``; margins are in its unit.
        ks: Cut-offs of recall@k and its kin; larger than what can be found is clipped and noted.
        margins: Margins, >= 0, at which triplets are counted.
        margin_curve: Further margins, of any sign, at which only the share of satisfied triplets is kept.
        fars: False accept rates, above 0 and at most 1, at which TAR and its threshold are measured.
        verification: Whether to measure what a threshold on the distance decides, over all pairs (AUC, EER, TAR
            at each FAR, d prime); it takes half to twice as long again.
        calibrate_on: `Embeddings` of other identities, or a share of the identities of ``queries``, drawn at
            random. The threshold of each FAR is chosen on them, and its FAR and FRR among the rest are measured.
        metrics: Further metrics by spelling, such as ``"recall@20"``, ``"map@100"`` or ``"silhouette"``.
        ties: ``"expected"`` (exact expectation over random order), ``"index"`` (lower row first),
            ``"optimistic"`` or ``"pessimistic"``.
        average: ``"query"`` weighs every query alike, ``"class"`` every class, ``"pooled"`` every pair;
            triplet numbers weigh every triplet alike unless ``"class"`` is asked for.
        ignore: ``"group"`` removes gallery items of the query's label and group before ranking.
        ignore_label: Rows with this label are dropped from both sides, and counted.
        relevance: Explicit relevance instead of labels: a (queries, gallery) matrix, dense or sparse, or
            ``{query id: {gallery id: grade}}``, ``{query id: [gallery id, …]}``, or an Arrow table of both ids and a
            grade >= 1.
        nonfinite: ``"refuse"`` or ``"drop"`` rows with NaN or infinite values.
        zero_rows: Under cosine, ``"refuse"``, ``"exclude"``, or treat as ``"far"`` (distance 1 to everything).
        neighbors: How many nearest items to keep per query.
        confidence: Of the interval beside every number, in (0, 1).
        unit: What is drawn again for the intervals: ``"class"`` (what would other classes give?), ``"group"``
            or ``"query"`` (what would other queries of the same classes give?).
        seed: Of everything that is drawn, >= 0.
        sample: At most so many queries, drawn by class, each searched in the whole gallery; ``None`` for all.
        precision: Add queries until every headline interval is at most this much to either side, or all are used.
        by: Columns of ``queries.meta`` (or ``"group"``) by whose values the headline numbers are repeated.
        memory: What may be used beyond the input; on a cluster, by each worker.
        threads: Worker threads; one per core by default. Ignored with ``map``.
        map: Where orders run: `ray_map` on a cluster; the built-in ``map`` runs them one by one.
        kernel: ``"auto"``, ``"cpu"``, ``"numpy"``, or ``"reference"`` to audit; the numbers are the same.
        resume: The run folder that will be saved. What is finished is kept beside it, in ``….unfinished``, so that
            the same call after a crash goes on from there; saving the run removes that folder.
        progress: Called with pairs done and pairs in all, over every pass. Its method ``resumed``, where it has one,
            is called first with how many pairs of the next report were compared before the run was interrupted; its
            method ``stage``, where it has one, with the name of what is done from then on.

    Returns:
        An `Evaluation`; undefined numbers are NaN, with the reason in ``to_dict()``. Every number has an
        interval (`Evaluation.interval`), with fewer than 5 classes none.

    Raises:
        DataError: Vectors that cannot be evaluated (E2xx, E3xx).
        FileError: The run to be resumed is complete (E604).
        LabelError: Labels that cannot be matched, or nothing relevant for any query (E4xx).
        ParameterError: An impossible setting (E1xx, E308, E5xx), scikit-learn missing for ami and its kin (E103).
        ResourceError: ``memory`` does not hold a single query, or the second moments (E802); what is to be resumed
            is at work elsewhere (E803), damaged (E804), or was made from something else (E805).

    Example:
        >>> points, classes = [[0.0], [1.0], [3.0], [7.0], [8.0], [12.0]], [0, 0, 1, 0, 1, 1]
        >>> round(evaluate(points, classes, margins=[1])["hit_rate@1"], 4)
        0.5
    """
    started = time.monotonic()
    require_unsaved(resume)
    settings = check(
        distance=distance,
        ks=ks,
        margins=margins,
        margin_curve=margin_curve,
        fars=fars,
        verification=verification,
        calibrate_on=calibrate_on,
        metrics=metrics,
        ties=ties,
        average=average,
        ignore=ignore,
        ignore_label=ignore_label,
        nonfinite=nonfinite,
        zero_rows=zero_rows,
        neighbors=neighbors,
        confidence=confidence,
        unit=unit,
        seed=seed,
        sample=sample,
        precision=precision,
        by=by,
    )
    workers = getattr(map, "workers", 1) if map is not None else maps.thread_count(threads)
    means = Means(kernel, map or maps.threads(workers), workers, parse_memory(memory), Pages())
    taken = _admit(_embeddings(queries, labels, "queries"), gallery, settings)
    searched = taken.get("gallery")
    comparison = compare(
        taken["queries"].embeddings,
        None if searched is None else searched.embeddings,
        ignore=ignore,
        relevance=relevance,
    )
    require_columns(comparison.queries, settings)
    other = None if calibrate_on is None else _other(calibrate_on, taken, settings)
    split = None if calibrate_on is None else split_of(comparison, other, settings)
    standing = taken_by(comparison)
    engine = _pass(comparison, settings, kernel)
    _require_room(engine, split, settings, means, standing)
    means = means._replace(memory=means.memory - standing, standing=standing)
    journey = None if progress is None else Journey(progress, pairs_ahead(comparison, split or (), settings))
    inputs = cache(lambda: [describe(intake.embeddings) for intake in taken.values()])
    with journal_of(resume) as journal:
        same = partial(identity, settings, inputs, explicit(comparison.rule), other)
        engine, means = planned(journal, same, engine, means._replace(progress=journey))
        del comparison  # of a sample, what all queries took in memory is not needed any more
        engine, results, said = asked(engine, settings, partial(measure, settings=settings, means=means))
        means.stage(SPACE)
        whole = measure_space(engine.comparison, results, settings, engine.distance, means)
        pairs = measure_pairs(engine.comparison, split, engine.distance, settings, means, results.seen)
    means.stage(INTERVALS)
    evaluation = _evaluation(engine, results, whole, pairs, settings, taken, inputs(), said, time.monotonic() - started)
    if journey is not None:
        journey.end()
    return evaluation


def _embeddings(values: Any, labels: Any, name: str) -> Embeddings:
    if not isinstance(values, Embeddings):
        return Embeddings(values, labels, name=name)
    if labels is not None:
        raise ParameterError("E101", "labels beside Embeddings, which carry their own", fix="pass one or the other")
    return values


def _admit(queries: Embeddings, gallery: Any, settings: Settings) -> dict[str, Intake]:
    taken = {"queries": _repaired(queries, settings)}
    if gallery is not None:
        taken["gallery"] = _repaired(_embeddings(gallery, None, "gallery"), settings)
        require_comparable(taken["queries"], taken["gallery"], settings.distance)
    return taken


def _repaired(embeddings: Embeddings, settings: Settings) -> Intake:
    return admit(
        embeddings,
        distance=settings.distance,
        nonfinite=settings.nonfinite,
        zero_rows=settings.zero_rows,
        ignore_label=settings.ignore_label,
    )


def _other(calibrate_on: Any, taken: dict[str, Intake], settings: Settings) -> Any:
    if not isinstance(calibrate_on, Embeddings):
        return calibrate_on
    other = _repaired(calibrate_on, settings)
    require_comparable(taken["queries"], other, settings.distance)
    return other.embeddings


def _pass(comparison: Comparison, settings: Settings, kernel: str) -> Pass:
    queries, gallery = comparison.queries, comparison.gallery
    return Pass(
        comparison,
        rounded(distance_for(settings.distance, queries.vectors, gallery.vectors), comparison),
        np.array(settings.margins, dtype=np.float64),
        np.array(settings.margin_curve, dtype=np.float64),
        settings.kept_neighbors(),
        choose_kernel(kernel, len(queries) * len(gallery)),
    )


def _evaluation(
    engine: Pass,
    results: Results,
    space: Space,
    pairs: Verification,
    settings: Settings,
    taken: dict[str, Intake],
    inputs: list[dict[str, Any]],
    said: list[str],
    seconds: float,
) -> Evaluation:
    comparison, facts = engine.comparison, results.facts
    codes = class_codes(comparison.queries)
    units = units_of(comparison.queries, settings.unit)
    entries = {m.named.spelling: summarise(m, codes, settings.average) for m in results.measured}
    how = {"classes": codes, "confidence": settings.confidence, "seed": settings.seed}
    rates = {} if codes is None else shrunken_rates(results.measured, codes)
    entries = with_worst_tenth(with_intervals(entries, results.measured, units, **how), rates)
    accounting = account(comparison, facts, settings, taken) | pairs.counts
    triplets = total(facts.positives * facts.negatives)
    satisfied = [total(point) / triplets for point in facts.curve.T] if triplets else []
    metrics = entries | without_interval(space.metrics | pairs.metrics)
    return Evaluation(
        metrics=metrics,
        accounting=accounting,
        settings=_json(asdict(settings)),
        inputs=inputs,
        notes=[
            *said,
            *notes(comparison, facts, settings, accounting, taken),
            *findings(metrics, space.facts, accounting, settings),
            *interval_notes(metrics, {units.noun: most_units(entries)}, settings.unit),
        ],
        space=space.facts,
        slices=slices(comparison.queries, results.measured, units, settings),
        margin_curve={"margins": list(settings.margin_curve), "satisfied": satisfied} if satisfied else {},
        verification=pairs.curves,
        environment={**environment(seconds), "pairs_in_float64": results.settled},
        per_query=per_query_table(comparison, results),
        per_class=per_class_table(comparison, results, codes, rates),
        per_unit=pairs.by_unit,
        neighbors=neighbor_table(comparison, results, engine.distance, settings.neighbors),
    )


def require_columns(queries: Embeddings, settings: Settings) -> None:
    """Miss groups and columns that are not there before hours of work, not after.

    Raises:
        ParameterError: There are none, or a column has too many values to slice by (E101).
    """
    units_of(queries, settings.unit)
    for name in settings.by:
        column_values(queries, name)


def _require_room(engine: Pass, split: Split | None, settings: Settings, means: Means, standing: int) -> None:
    """Refuse before hours of work what does not fit, or is not there, after it."""
    means, gallery = means._replace(kernel=engine.kernel), engine.comparison.gallery
    needs = [
        sampling.need(engine, settings, means),
        *space.needs(settings, gallery),
        *transfer.needs(engine.comparison, split, settings, means),
    ]
    require_enough(means.memory, standing, gallery, needs)
    space.require_possible(settings, gallery)


def environment(seconds: float) -> dict[str, Any]:
    """Return what may differ between two runs with one hash: versions, machine, time taken."""
    return {
        "tripleteval": version("tripleteval"),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "platform": platform.platform(),
        "cores": maps.available_cores(),
        "seconds": round(seconds, 3),
    }


def _json(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in settings.items()}
