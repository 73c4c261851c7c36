"""The door: two evaluations in, `Differences` out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tripleteval.data.embeddings import Embeddings
from tripleteval.data.evaluation import Evaluation
from tripleteval.differences.backward import crossed, with_gain
from tripleteval.differences.changes import changed_classes
from tripleteval.differences.estimands import by_unit, codes_of
from tripleteval.differences.identities import (
    UNIT,
    headline_of_identities,
    identity_differences,
    of_identities,
    require_alike,
    with_hits,
)
from tripleteval.differences.measure import Entry, paired_differences, unpaired_differences
from tripleteval.differences.result import Differences
from tripleteval.differences.verdict import judge
from tripleteval.errors import ParameterError, nearest
from tripleteval.evaluation.settings import check
from tripleteval.report.families import headline, headline_of_pairs
from tripleteval.report.findings.changes import changed_queries
from tripleteval.report.findings.pairing import paired as paired_rows
from tripleteval.report.findings.pairing import query_table

_RULES = ("distance", "identification", "ties", "average", "ignore", "ignore_label", "nonfinite", "zero_rows")
_TASK = ("gallery", "classes", "identities", "templates")


def compare(
    a: Evaluation,
    b: Evaluation,
    *,
    metrics: Sequence[str] | None = None,
    primary: str | None = None,
    paired: bool = True,
    confidence: float = 0.95,
    unit: str = "class",
    seed: int = 0,
    names: tuple[str, str] = ("a", "b"),
    new_queries: Embeddings | None = None,
    old_gallery: Embeddings | None = None,
) -> Differences:
    """Say whether ``b`` is better than ``a`` on the same queries, by how much, and how sure that is.

    Queries are matched by id, or by row where a run has no ids; labels must agree. Each metric is compared over
    the queries that have a value in both. The interval resamples the same classes for both runs; p is that of
    flipping the signs of whole classes: exact up to 20 classes, 10,000 draws beyond. Two runs of identification are
    compared by ``cmc@k`` and ``tpir@fpir``: identities of probes and strangers are drawn, and thresholds with them.

    Args:
        a: The run to beat, from `evaluate`, `evaluate_identification` or `load`.
        b: The other run.
        metrics: Spellings to compare; by default the headline of ``a`` as far as ``b`` has it, then TAR at each
            FAR, EER, AUC and d prime where both runs keep what each class makes of them.
        primary: The one metric that decides, declared beforehand; by default ``map@r``, or the first.
        paired: ``False`` compares runs on different queries: wider intervals, no p, no table of changes.
        confidence: Of the intervals, and 1 − the level of the test.
        unit: ``"class"``, ``"group"`` or ``"query"``; of identification it is the identity.
        seed: Of everything that is drawn, >= 0.
        names: What the runs are called in sentences.
        new_queries: With ``old_gallery``, the queries as the model of ``b`` embeds them.
        old_gallery: The gallery as the model of ``a`` embeds it (all of its embeddings, where every item was
            searched among the others). Then `Differences.backward` compares new queries in the old gallery with
            ``a``: may the model be replaced before the gallery is embedded again?

    Returns:
        `Differences`: second minus first. Only the primary metric is judged; Holm's p says what the others
        would be worth if all had been.

    Raises:
        DataError: Two models of different dimensions (E306), for backward compatibility.
        ParameterError: Runs with different queries, or probes enrolled in one gallery only (E512), a run without
            queries or of another kind, identification unpaired or by another unit (E101), an unknown metric
            (E510), an impossible setting (E505, E511).

    Source:
        Spec F.5, F.6; Shen, Xiong, Xia & Soatto 2020 for backward compatibility.
    """
    if new_queries is not None or old_gallery is not None:
        across = crossed(a, new_queries, old_gallery)
        rest: dict[str, Any] = {"metrics": metrics, "primary": primary, "confidence": confidence, "unit": unit}
        beside = names[0], f"{names[1]} in the gallery of {names[0]}"
        found = compare(a, b, paired=paired, seed=seed, names=names, **rest)
        kept = compare(a, across, seed=seed, names=beside, **rest)
        return replace(found, backward=with_gain(kept, b))
    if of_identities(a) or of_identities(b):
        _require_searches_alone(unit, paired=paired)
        return _identities(a, b, metrics, primary, names, confidence=confidence, seed=seed)
    settings = check(confidence=confidence, unit=unit, seed=seed)
    tables = query_table(a, names[0]), query_table(b, names[1])
    listed = _by_default(a, b, unit) if metrics is None else list(metrics)
    chosen, decisive = _chosen([name for name in a if name in b], listed, primary)
    how = {"confidence": settings.confidence, "seed": settings.seed}
    matched = queries = None
    entries: dict[str, Entry]
    if paired:
        rows, matched = paired_rows(*tables)
        tables = tables[0], tables[1].take(rows)
        entries = paired_differences((a, b), tables, codes_of(tables[0], unit), chosen, **how)
        queries = changed_queries(*tables, decisive) if decisive in tables[0].column_names else None
    else:
        both = codes_of(tables[0], unit), codes_of(tables[1], unit)
        entries = unpaired_differences((a, b), tables, both, chosen, **how)
    return _judged(
        a, b, entries, decisive, names, matched, queries, {**how, "unit": codes_of(tables[0], unit).units.noun}
    )


def _identities(
    a: Evaluation,
    b: Evaluation,
    metrics: Sequence[str] | None,
    primary: str | None,
    names: tuple[str, str],
    **given: Any,
) -> Differences:
    """Compare two runs of identification."""
    settings = check(**given)
    how = {"confidence": settings.confidence, "seed": settings.seed}
    tables = query_table(a, names[0]), query_table(b, names[1])
    rows, matched = paired_rows(*tables)
    tables = tables[0], tables[1].take(rows)
    require_alike(a, b, tables)
    listed = headline_of_identities(a) if metrics is None else list(metrics)
    shared = [name for name in a if name in b]
    chosen, decisive = _chosen(shared, [name for name in listed if metrics or name in shared], primary)
    entries = identity_differences((a, b), tables, chosen, **how)
    rates = [name for name in chosen if name in headline_of_identities(a)]
    hits = with_hits(tables[0], a, rates), with_hits(tables[1], b, rates)
    queries = changed_queries(*hits, decisive) if decisive in rates else None
    return _judged(a, b, entries, decisive, names, matched, queries, {**how, "unit": UNIT})


def _require_searches_alone(unit: str, *, paired: bool) -> None:
    if not paired or unit not in {"class", UNIT}:
        found = f"unit={unit!r} for runs of identification" if paired else "runs of identification, unpaired"
        raise ParameterError("E101", found, fix="compare searches of the same probes; their unit is the identity")


def _judged(
    a: Evaluation,
    b: Evaluation,
    entries: dict[str, Entry],
    decisive: str,
    names: tuple[str, str],
    matched: str | None,
    queries: Any,
    settings: dict[str, Any],
) -> Differences:
    outcome, verdict = judge(
        entries[decisive], decisive, names, confidence=settings["confidence"], noun=settings["unit"]
    )
    return Differences(
        metrics=entries,
        outcome=outcome,
        verdict=verdict,
        primary=decisive,
        paired=matched,
        names=names,
        settings=settings,
        notes=_notes(a, b, matched),
        queries=queries,
        classes=None if queries is None else changed_classes(queries),
    )


def _by_default(a: Evaluation, b: Evaluation, unit: str) -> list[str]:
    of_pairs = [name for name in headline_of_pairs(a) if all(by_unit(run, name, unit) is not None for run in (a, b))]
    return [name for name in [*headline(a), *of_pairs] if name in b]


def _chosen(shared: list[str], listed: list[str], primary: str | None) -> tuple[list[str], str]:
    for name in [*listed, *([] if primary is None else [primary])]:
        if name not in shared:
            raise ParameterError("E510", f"no metric {name!r} in both runs", fix=nearest(name, shared))
    if not listed and primary is None:
        raise ParameterError("E510", "no metric that both runs have", fix="evaluate both with the same ks and margins")
    decisive = primary or ("map@r" if "map@r" in listed else listed[0])
    return list(dict.fromkeys([decisive, *listed])), decisive


def _notes(a: Evaluation, b: Evaluation, matched: str | None) -> list[str]:
    differing = [
        f"{name} ({a.settings.get(name)} and {b.settings.get(name)})" for name in _RULES if _differs(a, b, name)
    ]
    counts = [f"{name} ({a.accounting.get(name)} and {b.accounting.get(name)})" for name in _TASK]
    differing += [
        text for name, text in zip(_TASK, counts, strict=True) if a.accounting.get(name) != b.accounting.get(name)
    ]
    notes = []
    if differing:
        notes.append(f"The runs differ in {', '.join(differing)}, and the numbers depend on it.")
    if matched == "row":
        notes.append("Queries were matched by row, because a run has no ids; their labels agree.")
    if matched is None:
        notes.append("The runs were compared as if on different queries: each difference is less certain than paired.")
    return notes


def _differs(a: Evaluation, b: Evaluation, name: str) -> bool:
    return bool(a.settings.get(name) != b.settings.get(name))
