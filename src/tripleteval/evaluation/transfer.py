"""Thresholds chosen on some identities and judged on others, with intervals whose unit is the identity."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from tripleteval.data.comparison import Comparison
from tripleteval.distance.formula import Distance, distance_for
from tripleteval.engine.decisions import DecisionPass
from tripleteval.errors import ParameterError
from tripleteval.evaluation import verification
from tripleteval.evaluation.decided import decided, need_to_decide
from tripleteval.evaluation.means import Means
from tripleteval.evaluation.pair_units import joint_classes
from tripleteval.evaluation.progress import FIRST_LOOK
from tripleteval.evaluation.rate_interval import rate_interval
from tripleteval.evaluation.settings import Settings
from tripleteval.evaluation.split import Split, present
from tripleteval.evaluation.standing import Need
from tripleteval.evaluation.verification import (
    Entries,
    Verification,
    all_pairs,
    measure_verification,
)
from tripleteval.evaluation.watching import Seen, first_look
from tripleteval.metrics.operating import allowed, within_budget
from tripleteval.metrics.transfer import Transferred


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


def needs(comparison: Comparison, split: Split | None, settings: Settings, means: Means) -> Iterator[Need]:
    """Yield the memory without which something would be refused after the long pass."""
    yield from verification.needs(comparison, settings, means)
    if split is not None:
        yield from verification.needs(split.chosen_on, replace(settings, sample=None, by=()), means)
        yield need_to_decide(split.judged_on, means, len(joint_classes(split.judged_on)[2]), 1, len(settings.fars))


def measure_pairs(
    comparison: Comparison,
    split: Split | None,
    distance: Distance,
    settings: Settings,
    means: Means,
    seen: Seen | None = None,
) -> Verification:
    """Return the numbers of all pairs, and of thresholds chosen on one side of a split where there is one.

    See `measure_verification` for ``seen``.
    """
    if split is None:
        return measure_verification(comparison, distance, settings, means, seen=seen)
    judged = measure_transfer(split, settings, means)
    return judged.joined(measure_verification(comparison, distance, settings, means, judged.rates, seen))


def measure_transfer(split: Split, settings: Settings, means: Means) -> Judged:
    """Return what the thresholds chosen on one side decide about the other."""
    sides = (split.chosen_on, split.judged_on)
    vectors = [side.vectors for both in sides for side in (both.queries, both.gallery)]
    distance = distance_for(settings.distance, *vectors)
    fars = list(settings.fars)
    means.stage(FIRST_LOOK)
    curve = all_pairs(split.chosen_on, distance, fars, means, first_look(split.chosen_on, distance, fars, means.kernel))
    if curve.undefined:
        raise ParameterError(
            "E520",
            f"no threshold can be chosen: {curve.undefined}",
            where="calibrate_on",
            fix="it takes pairs of one identity and of two",
        )
    points = [within_budget(curve, far) for far in fars]
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
    cuts = np.array([point.cut for point in points])
    found = decided(DecisionPass(judged, distance, cuts, asked, searched, len(classes), means.kernel), means)
    counts = {
        "calibration": _counts(split.chosen_on, curve.genuine_pairs, curve.impostor_pairs),
        "transfer": _counts(judged, int(found.genuine.sum()), int(found.impostor.sum()) // 2),
    }
    return Judged(Transferred(fars, chosen, found), counts, settings.confidence)


def with_intervals(entries: Entries, judged: Transferred, confidence: float) -> Entries:
    """Return the entries of transferred rates with ``low``, ``high``, ``interval`` and ``units``."""
    found = judged.decisions
    added = {}
    for place, far in enumerate(judged.fars):
        for name, wrong, pairs, disjoint in (
            ("transfer_far", found.accepted[place, 0], found.impostor[0], 2),
            ("transfer_frr", found.rejected[place, 0], found.genuine[0], 1),
        ):
            spelling = next(
                (s for s in entries if s.startswith(f"{name}@far=") and entries[s]["target_far"] == far), None
            )
            if spelling is not None and entries[spelling]["value"] is not None:
                added[spelling] = rate_interval(wrong, pairs, disjoint, confidence)
    return {name: entry | added.get(name, {}) for name, entry in entries.items()}


def _counts(comparison: Comparison, genuine: int, impostor: int) -> dict[str, int]:
    identities = {*present(comparison.queries), *present(comparison.gallery)}
    return {"identities": len(identities), "genuine_pairs": genuine, "impostor_pairs": impostor}
