"""Given pairs: two sides and who is the same in, an `Evaluation` out."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tripleteval.arrays import Floats
from tripleteval.data.embeddings import Embeddings
from tripleteval.data.evaluation import Evaluation
from tripleteval.engine.pair_ruler import grid_upto
from tripleteval.errors import counted
from tripleteval.evaluation.accounting import describe
from tripleteval.evaluation.door import environment
from tripleteval.evaluation.folds import Folds, connected, folds_of, with_fold_interval
from tripleteval.evaluation.intervals import interval_notes, most_units, without_interval
from tripleteval.evaluation.pair_intervals import Sure, cuts_for, pseudo_values, readings, with_pair_intervals
from tripleteval.evaluation.pair_units import MOST_UNITS, Grouped, digest, grouped_units, places_of
from tripleteval.evaluation.pairs_intake import GivenPairs, pair_distances, pairs_by_rows, pairs_by_vectors, repeated
from tripleteval.evaluation.settings import QUANTILES, Settings, check
from tripleteval.evaluation.tables import per_unit_table
from tripleteval.evaluation.verification import described
from tripleteval.evidence.unit_counts import UnitCounts
from tripleteval.metrics import METRICS, Named, parse, spell
from tripleteval.metrics.folds import Folded
from tripleteval.metrics.operating import Operating, operating_of

if TYPE_CHECKING:
    import pyarrow as pa


def evaluate_pairs(
    a: Any,
    b: Any,
    same: Any = None,
    *,
    embeddings: Any = None,
    folds: Any = None,
    fars: Sequence[float] = (0.1, 0.01, 0.001),
    distance: str = "euclidean",
    confidence: float = 0.95,
    seed: int = 0,
) -> Evaluation:
    """Measure how well a threshold on the distance tells given pairs of one identity from pairs of two.

    Args:
        a: (n, dim) vectors; or with ``embeddings`` (n,) row positions, or values of the type of its ids.
        b: As ``a``.
        same: (n,) booleans, or 1 and 0; with labelled ``embeddings`` it may be left out.
        embeddings: `Embeddings` or an (N, dim) array that the pairs point into. Its labels, if any, must agree.
        folds: (n,) a name each; or a number of folds to make, so that none shares an identity with another.
            Then ``cv_accuracy`` is measured: the threshold is chosen on the other folds.
        fars: False accept rates, above 0 and at most 1.
        distance: ``"euclidean"``, ``"sqeuclidean"`` or ``"cosine"``; thresholds are in its unit.
        confidence: Of the interval beside every number, in (0, 1). Its unit is the identity.
        seed: Of the resampling behind the intervals, >= 0.

    Returns:
        An `Evaluation` whose ``per_query`` table has one row per pair. An identity is a label where items
        have one each, else an item, and for the intervals all items that pairs of the same connect; where vectors are
        given, equal vectors are one item.

    Raises:
        DataError: Non-finite values (E201), zero vectors under cosine (E202), no pairs (E301), other than
            (n, dim) vectors (E203-E205, E303, E304), different dimensions (E306).
        LabelError: Not one of each per pair (E401), missing or unknown truths (E402, E403).
        ParameterError: A row or id that does not exist (E501), an item with itself (E502), a pair against the
            labels (E503), or given as same and as different (E504), an impossible rate or confidence (E505), an
            unknown distance (E510), an impossible seed (E511), folds that share an identity (E520).

    Source:
        Huang et al. 2007 (LFW) for the protocol of folds; spec C.

    Example:
        >>> evaluate_pairs([[0.0], [0.0]], [[1.0], [3.0]], [True, False])["auc"]
        1.0
    """
    started = time.monotonic()
    checked = check(distance=distance, fars=fars, confidence=confidence, seed=seed)
    budgets = checked.fars
    given = (
        pairs_by_vectors((a, b), same, distance)
        if embeddings is None
        else pairs_by_rows((a, b), same, embeddings, distance)
    )
    made = None if folds is None else folds_of(folds, given.who, given.named)
    distances = pair_distances(given, distance)
    curve = operating_of(distances[given.same], distances[~given.same], grid_upto(float(distances.max())))
    named = _named(budgets, folded=made is not None)
    folded = None if made is None else Folded(distances, given.same, made.codes, made.names)
    found = described(curve, named, folded)
    metrics, by_unit = found.metrics, None
    if not curve.undefined:
        sure, grouped = _sure(given, distances, curve, checked)
        read = readings(curve, sure)
        metrics = with_pair_intervals(metrics, named, sure, read)
        by_unit = per_unit_table(grouped, pseudo_values(metrics, named, sure, read))
    identities = {name: entry for name, entry in metrics.items() if "units" in entry}
    metrics = without_interval(with_fold_interval(metrics, checked.confidence))
    accounting = _account(given, distances, found.counts, made)
    settings: dict[str, Any] = {"pairs": "given", "distance": distance, "fars": list(budgets)}
    settings |= {"confidence": checked.confidence, "unit": "identity", "seed": checked.seed}
    settings["folds"] = None if made is None else "grouped" if made.grouped else "given"
    return Evaluation(
        metrics=metrics,
        accounting=accounting,
        settings=settings,
        inputs=_inputs(given, made),
        notes=_notes(accounting, metrics) + interval_notes(metrics, {"identity": most_units(identities)}),
        verification=found.curves,
        environment=environment(time.monotonic() - started),
        per_query=_table(given, distances, made),
        per_unit=by_unit,
    )


def _sure(given: GivenPairs, distances: Floats, curve: Operating, settings: Settings) -> tuple[Sure, Grouped]:
    """Return the pairs by identity, and what tells identities apart: the pairs that they are in."""
    # What a pair calls the same is one identity, and so is what a chain of such pairs connects.
    found = connected(given.who, given.who[given.same])
    units = int(found.max()) + 1
    cuts, grouped = cuts_for(curve, settings.fars), grouped_units(found, units, settings.seed)
    groups = min(units, MOST_UNITS)
    sides = [(distances[which], grouped[which]) for which in (given.same, ~given.same)]
    counts = UnitCounts.of(cuts, groups, *sides)
    sure = Sure(counts, units, "identity", alone=True, confidence=settings.confidence, seed=settings.seed)
    members = np.bincount(grouped_units(np.arange(units), units, settings.seed), minlength=groups)
    names = (digest(np.unique(places // 2).tolist()) for places in places_of(grouped.ravel(), groups))
    return sure, Grouped("identity", tuple(names), members)


def _named(fars: tuple[float, ...], *, folded: bool) -> list[Named]:
    found = []
    for pattern, metric in METRICS.items():
        if metric.of_pairs and (metric.default or (folded and metric.of == "folds")):
            values: dict[str | None, Sequence[float | None]] = {"far": fars, "share": QUANTILES, None: (None,)}
            found += [parse(spell(pattern, value)) for value in values[metric.parameter]]
    return found


def _account(given: GivenPairs, distances: Floats, counts: dict[str, int], folds: Folds | None) -> dict[str, Any]:
    at_zero = distances == 0
    return {
        "pairs": len(given.rows),
        **counts,
        "identities": len(np.unique(given.who)),
        "duplicates": repeated(given),
        "zero_distance_pairs": {
            "same": int((at_zero & given.same).sum()),
            "different": int((at_zero & ~given.same).sum()),
        },
        **({} if folds is None else {"folds": len(folds.names)}),
    }


def _notes(counts: dict[str, Any], metrics: dict[str, dict[str, Any]]) -> list[str]:
    found = []
    if counts["duplicates"]:
        found.append(
            f"Repeats of another pair: {counts['duplicates']:,} of {counts['pairs']:,}; each counts as often as given."
        )
    same, different = counts["zero_distance_pairs"].values()
    if same + different == counts["pairs"]:
        found.append("Collapsed: every pair is at distance 0.")
    elif same + different:
        found.append(
            f"{counted(same + different, 'pair')} at distance 0, {different:,} given as different: "
            "where both are the same item, they prove nothing."
        )
    value, n, m = metrics["auc"]["value"], counts["genuine_pairs"], counts["impostor_pairs"]
    if value is not None and value < 0.5 - 3 * math.sqrt((n + m + 1) / (12 * n * m)):
        found.append("Pairs given as same are farther apart than the others: is the truth the wrong way round?")
    return found


def _inputs(given: GivenPairs, folds: Folds | None) -> list[dict[str, Any]]:
    """Return what the numbers are made of: the vectors, which of them are paired, and in which folds."""
    sets = [intake.embeddings for intake in (given.intakes[:1] if given.placed else given.intakes)]
    columns = [*given.rows.T, given.same.astype(np.int64), *([] if folds is None else [folds.codes])]
    return [describe(each) for each in (*sets, Embeddings(np.stack(columns, axis=1), name="pairs"))]


def _table(given: GivenPairs, distances: Floats, folds: Folds | None) -> pa.Table:
    import pyarrow as pa

    columns: dict[str, Any] = {"pair": pa.array(np.arange(len(distances)))}
    if given.placed:
        columns |= {name: pa.array(np.ascontiguousarray(side)) for name, side in zip("ab", given.rows.T, strict=True)}
    columns |= {"same": pa.array(given.same), "distance": pa.array(distances)}
    if folds is not None:
        columns["fold"] = pa.array([str(folds.names[code]) for code in folds.codes.tolist()])
    return pa.table(columns)
