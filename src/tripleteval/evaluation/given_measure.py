"""Given triplets as evidence: each has one positive and one negative, read by the metrics of `metrics.triplets`.

So every definition stands once. Triplets of one anchor are put together before anchors are averaged.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from tripleteval.arrays import AnyArray, Floats, Ints
from tripleteval.data.labels import Labels
from tripleteval.distance.formula import Distance, squared_pairs
from tripleteval.evaluation.given_intake import Given
from tripleteval.evaluation.intervals import with_intervals
from tripleteval.evaluation.settings import Settings
from tripleteval.evaluation.summary import Measured, summarise
from tripleteval.evidence.ranks import Positives, Ranks
from tripleteval.evidence.triplets import Triplets
from tripleteval.metrics import Column, Named, parse, spell
from tripleteval.uncertainty.sums import Units

_AT_MARGIN = ("triplet_satisfied", "at_margin", "easy", "semi_hard", "hard", "triplet_loss", "triplet_loss_nonzero")
_PER_TRIPLET = ("triplet_accuracy", "triplet_satisfied", "triplet_loss")
_COORDINATES = 2**21  # per set and step: 16 MiB in float64
_STEP_BITS = 60


def squared_distances(given: Given, fitted: Distance) -> Floats:
    """Return (2, triplets) ``squared`` of anchor and positive, and of anchor and negative, block by block."""
    squared = np.empty((2, len(given.rows)))
    step = max(1, _COORDINATES // given.intakes[0].embeddings.dim)
    for start in range(0, len(given.rows), step):
        cut = slice(start, start + step)
        vectors = [i.embeddings.vectors[rows] for i, rows in zip(given.intakes, given.rows[cut].T, strict=True)]
        anchor, positive, negative = map(fitted.prepare, vectors)
        each = np.arange(len(vectors[0]))
        squared[0, cut] = squared_pairs(anchor, each, positive)
        squared[1, cut] = squared_pairs(anchor, each, negative)
    return squared


def measure_given(
    given: Given, squared: Floats, fitted: Distance, settings: Settings
) -> tuple[dict[str, Any], Units, dict[str, Floats]]:
    """Return the entry of each metric, the units of its interval, and of some metrics the value of each triplet.

    The unit is the class of the anchor, or the anchor where nothing says what class it has.
    """
    first, anchor = given.anchors
    labels = given.intakes[0].embeddings.labels if given.placed else None
    classes = labels.codes[given.rows[first, 0]] if isinstance(labels, Labels) else None
    weights = None if given.weights is None else near_one(given.weights)
    units = Units(np.arange(len(first)), "anchor") if classes is None else Units(classes)
    metrics, columns, measured = {}, {}, []
    for named, column in _columns(squared, fitted, settings.margins):
        each = _per_anchor(named, column, weights, anchor)
        metrics[named.spelling] = _summary(each, column, weights, classes)
        measured.append(each)
        if named.metric.pattern.removesuffix("@margin") in _PER_TRIPLET:
            columns[named.spelling] = column.values()
    how = {"classes": classes, "confidence": settings.confidence, "seed": settings.seed}
    return with_intervals(metrics, measured, units, **how), units, columns


def _columns(squared: Floats, fitted: Distance, margins: tuple[float, ...]) -> Iterator[tuple[Named, Column]]:
    named = parse("triplet_accuracy")
    yield named, named.measure(_ranks(squared))
    for margin in margins:
        triplets = at_margin(fitted.from_squared(squared), margin)
        for metric in _AT_MARGIN:
            named = parse(spell(f"{metric}@margin", margin))
            yield named, named.measure(triplets)


def _ranks(squared: Floats) -> Ranks:
    """Return the evidence of triplets that each have an anchor of their own."""
    (to_positive, to_negative), count = squared, squared.shape[1]
    none, one = np.zeros(count, np.int64), np.ones(count, np.int64)
    return Ranks(
        Positives(np.arange(count + 1), none, to_positive, np.ones(count)),
        closer=_counts(to_negative < to_positive)[:, 0],
        tied=_counts(to_negative == to_positive)[:, 0],
        tied_before=none,
        negatives=one,
        coincident=_counts(to_negative == 0)[:, 0],
    )


def near_one(weights: Floats) -> Floats:
    """Return weights over the power of two that makes the largest about 1, so that no sum of them overflows."""
    return np.ldexp(weights, -int(np.frexp(weights.max())[1]))


def at_margin(distances: Floats, margin: float) -> Triplets:
    """Return the evidence about a margin, of triplets that each have an anchor of their own.

    Args:
        distances: (2, triplets) float64, of anchor and positive, and of anchor and negative.
        margin: >= 0.
    """
    to_positive, to_negative = distances
    t, count = to_positive + margin, len(to_positive)
    below = to_negative < t
    # As fine as int64 holds, since nothing is added up; no finer than the smallest float.
    unit = math.ldexp(1.0, max(math.frexp(to_negative.max())[1] - _STEP_BITS, -1074))
    return Triplets(
        np.arange(count + 1),
        to_positive,
        np.array([margin]),
        below=_counts(below),
        upto=_counts(to_negative <= t),
        hard=_counts(to_negative <= to_positive)[:, 0],
        lengths=_counts(np.rint(to_negative / unit) * below),
        unit=unit,
        curve_margins=np.zeros(0),
        curve_upto=np.zeros((count, 0), np.int64),
        negatives=np.ones(count, np.int64),
        nearest_negative=to_negative,
    )


def _counts(values: AnyArray) -> Ints:
    return values[:, None].astype(np.int64)


def _per_anchor(named: Named, column: Column, weights: Floats | None, anchor: Ints) -> Measured:
    weighted = column if weights is None else Column(column.part * weights, column.whole * weights)
    sums = [np.bincount(anchor, weights=half).astype(half.dtype) for half in weighted]  # integers below 2**53: exact
    return Measured(named, Column(*sums))


def _summary(each: Measured, column: Column, weights: Floats | None, classes: Ints | None) -> dict[str, Any]:
    entry = summarise(each, classes, "pooled")
    if weights is not None:
        entry["n"] = int(column.whole[weights > 0].sum())
    return entry
