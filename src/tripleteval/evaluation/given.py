"""Given triplets: anchors, positives and negatives in, an `Evaluation` out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tripleteval.arrays import Floats
from tripleteval.data.embeddings import Embeddings
from tripleteval.data.evaluation import Evaluation
from tripleteval.data.labels import Labels
from tripleteval.distance.formula import distance_for
from tripleteval.errors import ParameterError, counted
from tripleteval.evaluation.accounting import describe
from tripleteval.evaluation.door import environment
from tripleteval.evaluation.given_intake import PARTS, ROLES, Given, by_rows, by_vectors, checked_weights, sound
from tripleteval.evaluation.given_measure import measure_given, squared_distances
from tripleteval.evaluation.intervals import interval_notes, most_units
from tripleteval.evaluation.settings import Settings, check
from tripleteval.evaluation.tables import arrow_of
from tripleteval.metrics import number

if TYPE_CHECKING:
    import pyarrow as pa


def evaluate_triplets(
    anchors: Any,
    positives: Any,
    negatives: Any,
    *,
    embeddings: Any = None,
    margin: float | None = None,
    margins: Sequence[float] = (0.2,),
    distance: str = "euclidean",
    weights: Any = None,
    drop_degenerate: bool = False,
    confidence: float = 0.95,
    seed: int = 0,
) -> Evaluation:
    """Measure what share of the given triplets a space has in order.

    A triplet is satisfied where d(a,p) + margin < d(a,n): strictly, in float64, as written. The headline
    weighs every triplet alike, ``averages["query"]`` every anchor. Triplets given twice count twice. Equal
    distances get half credit in ``triplet_accuracy`` and are ``hard``.

    Args:
        anchors: (n, dim) vectors; or with ``embeddings`` (n,) row positions. If those carry ids, values of
            the type of the ids are ids: an integer is a position unless the ids are integers too.
        positives: As ``anchors``.
        negatives: As ``anchors``.
        embeddings: `Embeddings` or an (N, dim) array that the triplets point into. Its labels, if any,
            must agree: the positive shares a class with the anchor, the negative does not.
        margin: One margin, short for ``margins=(margin,)``.
        margins: Margins, >= 0, in the unit of the distance.
        distance: ``"euclidean"``, ``"sqeuclidean"`` or ``"cosine"``.
        weights: (n,) finite and >= 0; only their ratios matter. Means become weighted means, over the
            triplets of an anchor too; ``n`` then counts the triplets of positive weight.
        drop_degenerate: Drop and count triplets that name one row twice, instead of refusing them. Vectors
            do not tell one item from two alike: there, distances of 0 are counted and noted.
        confidence: Of the interval beside every number, in (0, 1). Its unit is the class of the anchor, or the
            anchor where no labels are known.
        seed: Of the resampling behind the intervals, >= 0.

    Returns:
        An `Evaluation` whose ``per_query`` table has one row per triplet. An anchor is a position or,
        where vectors are given, a distinct vector, so that both ways give the same numbers.

    Raises:
        DataError: Non-finite values (E201), zero vectors under cosine (E202), no triplets (E301), other
            than (n, dim) vectors (E203-E205, E303, E304), different dimensions (E306).
        LabelError: Not one of each per triplet (E401); positions that are missing or floats (E402, E403).
        ParameterError: ``margin`` beside ``margins`` (E101), a row or id that does not exist (E501), a
            degenerate triplet (E502), a triplet against the labels (E503), an impossible margin, weight or
            confidence (E505), an unknown distance (E510), an impossible seed (E511).

    Source:
        Schroff, Kalenichenko & Philbin 2015 (FaceNet), equations 1 and 2, there with squared distances.

    Example:
        >>> evaluate_triplets([[0.0], [0.0]], [[1.0], [3.0]], [[2.0], [2.0]])["triplet_accuracy"]
        0.5
    """
    started = time.monotonic()
    checked = _settings(margin, margins, distance, confidence=confidence, seed=seed)
    three = (anchors, positives, negatives)
    given = by_vectors(three, distance) if embeddings is None else by_rows(three, embeddings, distance)
    given = given._replace(weights=checked_weights(weights, len(given.rows)))
    inputs = _inputs(given)
    kept = sound(given, drop=drop_degenerate) if given.placed else given
    fitted = distance_for(distance, *(intake.embeddings.vectors for intake in kept.intakes))
    squared = squared_distances(kept, fitted)
    metrics, units, columns = measure_given(kept, squared, fitted, checked)
    accounting = _account(kept, squared, len(given.rows))
    settings: dict[str, Any] = {
        "triplets": "given",
        "average": "pooled",
        "distance": distance,
        "margins": list(checked.margins),
        "confidence": checked.confidence,
        "unit": units.noun,
        "seed": checked.seed,
    }
    settings |= {"weighted": weights is not None, "drop_degenerate": bool(drop_degenerate)}
    return Evaluation(
        metrics=metrics,
        accounting=accounting,
        settings=settings,
        inputs=inputs,
        notes=_notes(kept, accounting, settings, fitted.from_squared(squared))
        + interval_notes(metrics, {units.noun: most_units(metrics)}),
        environment=environment(time.monotonic() - started),
        per_query=_table(kept, fitted.from_squared(squared), columns),
    )


def _settings(
    margin: float | None, margins: Sequence[float], distance: str, *, confidence: float, seed: int
) -> Settings:
    if margin is not None and margins != (0.2,):
        raise ParameterError("E101", "both margin and margins", fix="margin=m is short for margins=(m,)")
    wanted = margins if margin is None else (margin,)
    rest = {"ks": (), "average": "pooled", "neighbors": 0}
    return check(distance=distance, margins=wanted, confidence=confidence, seed=seed, **rest)


def _account(given: Given, squared: Floats, asked: int) -> dict[str, Any]:
    at_zero = (squared == 0).sum(axis=1).tolist()
    return {
        "triplets": len(given.rows),
        "anchors": len(np.unique(given.items[:, 0])),
        "duplicates": len(given.rows) - len(np.unique(given.items, axis=0)),
        "degenerate_dropped": asked - len(given.rows),
        "zero_distance": dict(zip(("positive", "negative"), at_zero, strict=True)),
    }


def _notes(given: Given, counts: dict[str, Any], settings: dict[str, Any], distances: Floats) -> list[str]:
    found = []
    if counts["degenerate_dropped"]:
        found.append(f"Dropped {counted(counts['degenerate_dropped'], 'degenerate triplet')}, with a row named twice.")
    if counts["duplicates"]:
        found.append(
            f"Repeats of another triplet: {counts['duplicates']:,} of {counts['triplets']:,}; "
            "each counts as often as it is given."
        )
    if not distances.any():
        found.append("Collapsed: every positive and every negative is at distance 0 from its anchor.")
    elif counts["zero_distance"]["positive"]:
        found.append(
            f"{counted(counts['zero_distance']['positive'], 'positive')} at distance 0 from the anchor: "
            "where they are the same item, the triplet proves nothing."
        )
    farthest = float(distances[1].max())
    found.extend(
        f"No triplet can satisfy margin={number(margin)}: the farthest negative is at {farthest:.6g} from its anchor."
        for margin in settings["margins"]
        if margin >= farthest
    )
    unit = {role: intake.unit_norm for role, intake in zip(ROLES, given.intakes, strict=True)}
    if len(set(unit.values())) > 1 and settings["distance"] != "cosine":
        unit_roles = " and ".join(role for role, is_unit in unit.items() if is_unit)
        others = " and ".join(role for role, is_unit in unit.items() if not is_unit)
        found.append(f"E507: {unit_roles} have unit vectors, {others} have not; normalise all or none, or use cosine.")
    return found


def _inputs(given: Given) -> list[dict[str, Any]]:
    """Return what the numbers are made of: the vectors, and what tells which of them form triplets."""
    sets = [intake.embeddings for intake in (given.intakes[:1] if given.placed else given.intakes)]
    if given.placed:
        sets.append(Embeddings(given.rows, name="triplets"))
    if given.weights is not None:
        sets.append(Embeddings(given.weights[:, None], name="weights"))
    return [describe(each) for each in sets]


def _table(given: Given, distances: Floats, columns: dict[str, Floats]) -> pa.Table:
    """Return one row per triplet: what it is made of and its class, as far as known, its distances and its metrics.

    Of vectors only the anchor is known, by the first triplet that has the same one.
    """
    import pyarrow as pa

    table: dict[str, Any] = {"triplet": given.numbers}
    if given.placed:
        items = given.intakes[0].embeddings
        table |= dict(zip(PARTS, given.rows.T, strict=True))
        if items.ids is not None:
            table |= {f"{part}_id": arrow_of(items.ids.take(table[part])) for part in PARTS}
        if isinstance(items.labels, Labels):
            table["label"] = arrow_of(items.labels.take(given.rows[:, 0]))
    else:
        first, anchor = given.anchors
        table["anchor"] = first[anchor]
    if given.weights is not None:
        table["weight"] = given.weights
    return pa.table(table | dict(zip(("d_ap", "d_an"), distances, strict=True)) | columns)
