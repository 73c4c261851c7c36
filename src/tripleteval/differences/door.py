"""The door: two evaluations in, `Differences` out."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from tripleteval.data.embeddings import Embeddings
from tripleteval.data.evaluation import Evaluation
from tripleteval.differences.backward import crossed, with_gain
from tripleteval.differences.changes import changed_classes
from tripleteval.differences.compared import IDENTITY, Compared, Runs, Wish
from tripleteval.differences.given_pairs import compare_given_pairs, of_given_pairs
from tripleteval.differences.given_triplets import compare_given_triplets, of_given_triplets
from tripleteval.differences.identities import compare_identities, of_identities
from tripleteval.differences.rankings import compare_rankings
from tripleteval.differences.result import Differences
from tripleteval.differences.verdict import judge
from tripleteval.errors import ParameterError, counted, nearest
from tripleteval.evaluation.settings import UNITS, check
from tripleteval.metrics.operating import RELIABLE
from tripleteval.report.wording import listed, number

_RULES = ("distance", "identification", "ties", "average", "ignore", "ignore_label", "nonfinite", "zero_rows")
_SAME = 1e-9  # how far sums that were added up in another order may lie apart
_TASK = ("gallery", "classes", "identities", "templates")


def compare(
    a: Evaluation,
    b: Evaluation,
    *,
    metrics: Sequence[str] | None = None,
    primary: str | None = None,
    paired: bool = True,
    confidence: float | None = None,
    unit: str | None = None,
    seed: int | None = None,
    names: tuple[str, str] = ("a", "b"),
    new_queries: Embeddings | None = None,
    old_gallery: Embeddings | None = None,
) -> Differences:
    """Say whether ``b`` is better than ``a`` on the same queries, by how much, and how sure that is.

    Queries are matched by id, or by row where a run has no ids; labels must agree. Each metric is compared over
    the queries that have a value in both. The interval resamples the same classes for both runs; p is that of
    flipping the signs of whole classes: exact up to 20 classes, 10,000 draws beyond. Two runs of identification are
    compared by ``cmc@k`` and ``tpir@fpir``: identities of probes and strangers are drawn, and thresholds with them;
    two runs of given pairs by ``cv_accuracy``, fold by fold, and by the numbers of pairs, identity by identity;
    two runs of given triplets by every number they have, matched by ids or rows of anchor, positive and negative
    (by place where vectors were given), class by class of the anchors.

    Args:
        a: The run to beat, from `evaluate`, `evaluate_identification`, `evaluate_pairs`, `evaluate_triplets` or
            `load`.
        b: The other run.
        metrics: Spellings to compare; by default the headline of ``a`` as far as ``b`` has it, then TAR at each
            FAR, EER, AUC and d prime where both runs keep what each class makes of them.
        primary: The one metric that decides, declared beforehand; by default ``map@r``, or the first
            (``triplet_accuracy`` of given triplets).
        paired: ``False`` compares runs on different queries: wider intervals, no p, no table of changes.
        confidence: Of the intervals, and 1 − the level of the test; by default the one that both runs were evaluated
            with, or 0.95 where they differ.
        unit: ``"class"``, ``"group"`` or ``"query"``; by default the one that both runs were evaluated with, or the
            class where they differ. Of identification and pairs it is the identity; of given triplets the class
            of the anchor, or the anchor where neither run knows classes.
        seed: Of everything that is drawn, >= 0; by default that of both runs, or 0 where they differ.
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
        ParameterError: What is no run (E101), runs with different queries, pairs or triplets, or probes enrolled in
            one gallery only (E512), a run without queries, without the groups that are the unit, or of another kind,
            identification or pairs unpaired, or they or triplets by another unit (E101), an unknown metric (E510), an
            impossible setting (E505, E511).

    Source:
        Spec F.5, F.6; Shen, Xiong, Xia & Soatto 2020 for backward compatibility.
    """
    _require_runs(a, b)
    unit = _shared_unit(a, b) if unit is None else unit
    confidence = _shared(a, b, "confidence", 0.95) if confidence is None else confidence
    seed = _shared(a, b, "seed", 0) if seed is None else seed
    if new_queries is not None or old_gallery is not None:
        across = crossed(a, new_queries, old_gallery)
        rest: dict[str, Any] = {"metrics": metrics, "primary": primary, "confidence": confidence, "unit": unit}
        beside = names[0], f"{names[1]} in the gallery of {names[0]}"
        found = compare(a, b, paired=paired, seed=seed, names=names, **rest)
        kept = compare(a, across, seed=seed, names=beside, **rest)
        return replace(found, backward=with_gain(kept, b))
    own = {kind.unit for kind in _KINDS}
    settings = check(confidence=confidence, unit="class" if unit in own else unit, seed=seed)
    wish = Wish(metrics, primary, paired, settings.confidence, unit, settings.seed, names)
    compared = _way(a, b, wish)((a, b), wish)
    decisive = compared.entries[compared.primary]
    noun = decisive.get("noun", compared.noun)
    outcome, verdict = judge(decisive, compared.primary, names, confidence=settings.confidence, noun=noun)
    return Differences(
        metrics=compared.entries,
        outcome=outcome,
        verdict=verdict,
        primary=compared.primary,
        paired=compared.matched,
        names=names,
        settings={"confidence": settings.confidence, "seed": settings.seed, "unit": compared.noun},
        notes=[
            *_notes(a, b, compared.matched, settings.confidence),
            *_of_both((a, b), compared),
            *_unsure((a, b), compared),
        ],
        queries=compared.queries,
        classes=None if compared.queries is None else changed_classes(compared.queries, decisive["better"]),
    )


def _require_runs(*runs: Any) -> None:
    for run in runs:
        if isinstance(run, Evaluation):
            continue
        if isinstance(run, (str, os.PathLike)):
            path = repr(os.fspath(run))
            raise ParameterError("E101", f"a path, {path}, where a run is expected", fix=f"load it: te.load({path})")
        raise ParameterError(
            "E101",
            f"an object of type {type(run).__name__}, where a run is expected",
            fix="pass what te.evaluate or te.load returns",
        )


def _shared_unit(a: Evaluation, b: Evaluation) -> str:
    """Return the unit that both runs were evaluated with; the class where they differ, or have one of their own."""
    unit = _shared(a, b, "unit", "class")
    return str(unit) if unit in UNITS else "class"


def _shared(a: Evaluation, b: Evaluation, name: str, usual: Any) -> Any:
    """Return the setting that both runs have; the usual one where they differ, or do not say."""
    one, two = (run.settings.get(name) for run in (a, b))
    return one if one is not None and one == two else usual


def _way(a: Evaluation, b: Evaluation, wish: Wish) -> Callable[[Runs, Wish], Compared]:
    """Return how runs of their kind are compared."""
    for kind in _KINDS:
        if kind.holds(a) != kind.holds(b):
            found = f"one run of {kind.what} and one of another kind"
            raise ParameterError("E101", found, fix="compare two runs of one kind")
        if kind.holds(a):
            if not (wish.paired or kind.unpaired):
                raise ParameterError("E101", f"runs of {kind.what}, unpaired", fix="compare the same ones")
            if wish.unit not in {"class", kind.unit}:
                found = f"unit={wish.unit!r} for runs of {kind.what}"
                raise ParameterError("E101", found, fix=f"leave it out: {kind.said}")
            return kind.compare
    if wish.unit not in UNITS:
        raise ParameterError("E510", f"unit={wish.unit!r} for runs of queries", fix=nearest(wish.unit, UNITS))
    return compare_rankings


class _Kind(NamedTuple):
    """Runs that are compared in a way of their own."""

    holds: Callable[[Evaluation], bool]
    compare: Callable[[Runs, Wish], Compared]
    what: str
    unit: str
    said: str = "their unit is the identity"
    unpaired: bool = False


_ANCHOR = "their unit is the class of the anchor, or the anchor itself where no class is known"
_KINDS = (
    _Kind(of_identities, compare_identities, "identification", IDENTITY),
    _Kind(of_given_pairs, compare_given_pairs, "given pairs", IDENTITY),
    _Kind(of_given_triplets, compare_given_triplets, "given triplets", "anchor", _ANCHOR, unpaired=True),
)


def _notes(a: Evaluation, b: Evaluation, matched: str | None, confidence: float) -> list[str]:
    differing = [
        f"{name} ({a.settings.get(name)} and {b.settings.get(name)})" for name in _RULES if _differs(a, b, name)
    ]
    counts = [f"{name} ({a.accounting.get(name)} and {b.accounting.get(name)})" for name in _TASK]
    differing += [
        text for name, text in zip(_TASK, counts, strict=True) if a.accounting.get(name) != b.accounting.get(name)
    ]
    what = "triplets" if of_given_triplets(a) else "queries"
    notes = []
    if differing:
        notes.append(f"The runs differ in {', '.join(differing)}, and the numbers depend on it.")
    own = [run.settings.get("confidence", confidence) for run in (a, b)]
    if own[0] != own[1]:
        said = " and ".join(f"{100 * each:g} %" for each in own)
        notes.append(f"The runs have intervals at {said}, this comparison at {100 * confidence:g} %.")
    if matched == "row":
        notes.append(f"{what.capitalize()} were matched by row, because a run has no ids; no label differs.")
    if matched is None:
        notes.append(f"The runs were compared as if on different {what}: each difference is less certain than paired.")
    return notes


def _differs(a: Evaluation, b: Evaluation, name: str) -> bool:
    return bool(a.settings.get(name) != b.settings.get(name))


def _of_both(runs: Runs, compared: Compared) -> list[str]:
    """Return why a number is not the one that the runs themselves have, where that is so."""
    notes = []
    for name, entry in compared.entries.items():
        own, shown = [run.metrics[name]["value"] for run in runs], [entry["a"], entry["b"]]
        if None in own or None in shown or np.allclose(own, shown, rtol=_SAME, atol=_SAME):
            continue
        who = counted(entry["units"], compared.noun)
        notes.append(
            f"{name} is over the {who} where both runs have it; over all that each has, it is {number(own[0])} in the "
            f"first and {number(own[1])} in the second."
        )
    return notes


def _unsure(runs: Runs, compared: Compared) -> list[str]:
    """Return which numbers are rates that are not reliable in one of the runs."""
    names = [name for name in compared.entries if any(run.metrics[name].get("unreliable") for run in runs)]
    return [f"Not reliable, since fewer than {RELIABLE} errors are allowed: {listed(names)}."] if names else []
