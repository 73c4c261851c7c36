"""Thresholds chosen on some identities and judged on others, with intervals whose unit is the identity."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from tripleteval.arrays import Bools, Ints
from tripleteval.data.comparison import Comparison, SharedClass
from tripleteval.data.embeddings import Embeddings
from tripleteval.distance.formula import Distance, distance_for
from tripleteval.engine.decisions import TILE, DecisionPass
from tripleteval.errors import ParameterError
from tripleteval.evaluation import verification
from tripleteval.evaluation.pair_units import joint_classes, single_labels
from tripleteval.evaluation.relevance import compare
from tripleteval.evaluation.settings import Settings
from tripleteval.evaluation.verification import (
    Entries,
    Means,
    Verification,
    all_pairs,
    in_orders,
    measure_verification,
)
from tripleteval.evidence.decisions import Decisions
from tripleteval.metrics.operating import allowed, within_budget
from tripleteval.metrics.transfer import Transferred
from tripleteval.uncertainty.proportion import rule_of_three, share_interval

FEWEST = 2  # identities on either side: one has no impostors


class Split(NamedTuple):
    """Who thresholds are chosen on, and who they are judged on; no identity is on both sides."""

    chosen_on: Comparison
    judged_on: Comparison


def split_of(comparison: Comparison, calibrate_on: Any, settings: Settings) -> Split:
    """Return the two sides.

    Args:
        comparison: What is evaluated.
        calibrate_on: `Embeddings` of other identities, or the share of the identities to choose thresholds on.
        settings: How pairs are ignored, and the seed that a share is drawn with.

    Raises:
        LabelError: An item without one label (E401).
        ParameterError: Relevance is explicit (E101), a share is outside (0, 1) or leaves a side fewer than two
            identities (E505), or a set shares identities with what is evaluated (E520).
    """
    queries, gallery = comparison.queries, comparison.gallery
    if not isinstance(comparison.rule, SharedClass):
        found = "calibrate_on with explicit relevance, which does not say who is who"
        raise ParameterError("E101", found, fix="give labels instead")
    if isinstance(calibrate_on, Embeddings):
        _require_strangers(calibrate_on, {*_present(queries), *_present(gallery)})
        return Split(compare(calibrate_on, None, ignore=settings.ignore, relevance=None), comparison)
    share = calibrate_on
    if isinstance(share, bool) or not isinstance(share, (int, float, np.number)) or not 0 < share < 1:
        raise ParameterError("E505", f"calibrate_on={share!r}", fix="give Embeddings, or a share between 0 and 1")
    known = sorted({*_present(queries), *_present(gallery)}, key=lambda label: (type(label).__name__, str(label)))
    count = round(float(share) * len(known))
    if not FEWEST <= count <= len(known) - FEWEST:
        found = f"calibrate_on={share!r} takes {count:,} of {len(known):,} identities"
        raise ParameterError("E505", found, fix=f"each side needs {FEWEST}, better 20 or more")
    drawn = np.random.Generator(np.random.PCG64(settings.seed)).permutation(len(known))[:count]
    taken = {known[place] for place in drawn.tolist()}
    return Split(*(_part(comparison, taken, settings, inside=inside) for inside in (True, False)))


class Judged(NamedTuple):
    """What the chosen thresholds decide about the others, and the counts of both sides."""

    rates: Transferred
    counts: dict[str, dict[str, int]]
    confidence: float

    def joined(self, found: Verification) -> Verification:
        """Return the numbers of all pairs with intervals beside the transferred rates, and with both counts."""
        return found._replace(
            metrics=with_intervals(found.metrics, self.rates, self.confidence), counts=found.counts | self.counts
        )


def require_room(comparison: Comparison, split: Split | None, settings: Settings, means: Means) -> None:
    """Refuse, before the long pass, what does not fit after it.

    Raises:
        ResourceError: The memory does not hold a single query (E802).
    """
    verification.require_room(comparison, settings, means)
    if split is not None:
        verification.require_room(split.chosen_on, replace(settings, sample=None), means)
        verification.orders_of(split.judged_on, means, _deciding(joint_classes(split.judged_on)[2], settings))


def measure_pairs(
    comparison: Comparison, split: Split | None, distance: Distance, settings: Settings, means: Means
) -> Verification:
    """Return the numbers of all pairs, and of thresholds chosen on one side of a split where there is one."""
    if split is None:
        return measure_verification(comparison, distance, settings, means)
    judged = measure_transfer(split, settings, means)
    return judged.joined(measure_verification(comparison, distance, settings, means, judged.rates))


def measure_transfer(split: Split, settings: Settings, means: Means) -> Judged:
    """Return what the thresholds chosen on one side decide about the other."""
    sides = (split.chosen_on, split.judged_on)
    vectors = [side.vectors for both in sides for side in (both.queries, both.gallery)]
    distance = distance_for(settings.distance, *vectors)
    fars = list(settings.fars)
    curve = all_pairs(split.chosen_on, distance, fars, means)
    if curve.undefined:
        raise ParameterError(
            "E520",
            f"no threshold can be chosen: {curve.undefined}",
            where="calibrate_on",
            fix="it takes pairs of one identity and of two",
        )
    points = [within_budget(curve, far) for far in fars]
    cuts = [
        point.threshold if point.threshold is not None else math.copysign(math.inf, 1 if point.impostor else -1)
        for point in points
    ]
    chosen = [
        {
            "threshold": point.threshold,
            "target_far": far,
            "chosen_far": point.impostor / curve.impostor_pairs,
            "chosen_tar": point.genuine / curve.genuine_pairs,
            "allowed_false_accepts": allowed(far, curve.impostor_pairs),
        }
        for far, point in zip(fars, points, strict=True)
    ]
    judged = split.judged_on
    asked, searched, classes = joint_classes(judged)
    engine = DecisionPass(judged, distance, np.array(cuts), asked, searched, classes, means.kernel)
    found = Decisions.empty(engine.thresholds, classes)
    for part in in_orders(engine, judged, means, _deciding(classes, settings)):
        found = found.merge(part)
    counts = {
        "calibration": _counts(split.chosen_on, curve.genuine_pairs, curve.impostor_pairs),
        "transfer": _counts(judged, int(found.genuine.sum()), int(found.impostor.sum()) // 2),
    }
    return Judged(Transferred(fars, chosen, found), counts, settings.confidence)


def _deciding(classes: int, settings: Settings) -> int:
    """Return the bytes of the decisions of one worker, and of its tile."""
    return 4 * 8 * classes * (2 * len(settings.fars) + 2) + 64 * TILE * TILE


def with_intervals(entries: Entries, judged: Transferred, confidence: float) -> Entries:
    """Return the entries of transferred rates with ``low``, ``high``, ``interval`` and ``units``."""
    found = judged.decisions
    added = {}
    for place, far in enumerate(judged.fars):
        for name, wrong, pairs, disjoint in (
            ("transfer_far", found.accepted[place], found.impostor, 2),
            ("transfer_frr", found.rejected[place], found.genuine, 1),
        ):
            spelling = next(
                (s for s in entries if s.startswith(f"{name}@far=") and entries[s]["target_far"] == far), None
            )
            if spelling is not None and entries[spelling]["value"] is not None:
                added[spelling] = interval(wrong, pairs, disjoint, confidence)
    return {name: entry | added.get(name, {}) for name, entry in entries.items()}


def interval(wrong: Ints, pairs: Ints, sides: int, confidence: float) -> dict[str, Any]:
    """Return the interval of a rate of pairs from sums per class: Wilson, with as many trials as classes are worth.

    Where nothing (or everything) went wrong, the spread of the classes says nothing: there the bound is 3 over
    the number of classes, or of disjoint pairs of classes.

    Args:
        wrong: (C,) pairs decided wrongly with a side in each class.
        pairs: (C,) pairs with a side in each class.
        sides: How many classes a pair counts for: 2 for impostors, 1 for genuine pairs.
        confidence: In (0, 1).

    Source:
        Spec F.4; Fogliato, Patil & Perona 2024 for the effective number; Hanley & Lippman-Hand 1983.
    """
    there = pairs > 0
    wrong, pairs = wrong[there], pairs[there]
    classes, total = len(pairs), float(pairs.sum())
    rate = float(wrong.sum()) / total
    if rate in (0.0, 1.0):
        bound = rule_of_three(max(classes // sides, 1), confidence)
        low, high = (0.0, bound) if rate == 0 else (1 - bound, 1.0)
        return {"low": low, "high": high, "interval": "rule of three", "units": classes}
    if classes < 5:
        reason = f"{classes} classes, and an interval needs 5"
        return {"low": None, "high": None, "interval": None, "units": classes, "interval_reason": reason}
    error = standard_error(wrong, pairs, sides)
    low, high = share_interval(rate, error, classes, confidence)
    return {"low": low, "high": high, "interval": "Wilson, effective n", "units": classes}


def standard_error(wrong: Ints, pairs: Ints, sides: int) -> float:
    """Return the linearised standard error of Σ wrong / Σ pairs, whose terms are pairs of classes; see `interval`."""
    classes, total = len(pairs), float(pairs.sum())
    # A pair stands in the sums of each of its classes, so the total over classes is ``sides`` times too large.
    psi = sides * (wrong - float(wrong.sum()) / total * pairs) / total
    return math.sqrt(classes / (classes - 1) * math.fsum(np.square(psi).tolist()))


def _part(comparison: Comparison, taken: set[Any], settings: Settings, *, inside: bool) -> Comparison:
    queries = comparison.queries.take(_of(comparison.queries, taken) == inside)
    gallery = None
    if not comparison.leave_one_out:
        gallery = comparison.gallery.take(_of(comparison.gallery, taken) == inside)
    return compare(queries, gallery, ignore=settings.ignore, relevance=None)


def _of(side: Embeddings, taken: set[Any]) -> Bools:
    labels = single_labels(side)
    return np.array([label in taken for label in labels.classes], dtype=bool)[labels.codes]


def _present(side: Embeddings) -> list[Any]:
    labels = single_labels(side)
    return [labels.classes[code] for code in np.unique(labels.codes).tolist()]


def _require_strangers(other: Embeddings, evaluated: set[Any]) -> None:
    shared = [label for label in _present(other) if label in evaluated]
    if shared:
        raise ParameterError(
            "E520",
            f"{len(shared):,} identities are both calibrated and judged on; first: {shared[0]!r}",
            where="calibrate_on",
            fix="give other identities, or a share such as 0.5",
        )


def _counts(comparison: Comparison, genuine: int, impostor: int) -> dict[str, int]:
    identities = {*_present(comparison.queries), *_present(comparison.gallery)}
    return {"identities": len(identities), "genuine_pairs": genuine, "impostor_pairs": impostor}
