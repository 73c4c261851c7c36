"""Is it learning: what share of all valid triplets the space has in order, counted exactly.

A valid triplet (a, p, n) is an anchor, one of its positives and one of its negatives; anchor ``a`` has
T = R · K of them (R positives, K negatives). Nothing is enumerated: the evidence holds, for each
positive and margin, how many negatives lie inside ``t = d(a,p) + margin``. The headline is weighted by
triplet; anchors without a positive or a negative contribute nothing.
"""

from __future__ import annotations

import numpy as np

from tripleteval.arrays import AnyArray, Bools, Floats, Ints
from tripleteval.bounds import SHARE, Bounds
from tripleteval.evidence.ranks import Ranks
from tripleteval.evidence.triplets import Triplets
from tripleteval.metrics import Column, metric


@metric("triplet_accuracy", of="ranks", better="higher", headline="pooled", pools=True, bounds=SHARE)
def triplet_accuracy(ranks: Ranks) -> Column:
    """Share of triplets whose positive is nearer than the negative, half credit for equal distances.

    Range [0, 1], chance ½. Per anchor it is the ROC-AUC of the distance for telling its positives from
    its negatives; it is not the pooled AUC of all pairs.

    Source:
        Schroff et al. 2015 with margin 0.
    """
    positives = ranks.positives
    each = 2 * np.repeat(ranks.negatives, positives.per_query) - 2 * ranks.closer - ranks.tied
    return Column(_per_anchor(positives.indptr, each) / 2, positives.per_query * ranks.negatives)


@metric("triplet_satisfied@margin", of="triplets", better="higher", headline="pooled", pools=True, bounds=SHARE)
def satisfied(triplets: Triplets, margin: float) -> Column:
    """Share of triplets with d(a,p) + margin < d(a,n), strictly, evaluated in float64 as written.

    Range [0, 1]. A triplet exactly at the margin is not satisfied, though its hinge loss is 0.

    Source:
        Schroff, Kalenichenko & Philbin 2015 (FaceNet), equation 1, there with squared distances.
    """
    return Column(_count(triplets) - _at(triplets, triplets.upto, margin), _count(triplets))


@metric("at_margin@margin", of="triplets", better=None, headline="pooled", pools=True, bounds=SHARE)
def at_margin(triplets: Triplets, margin: float) -> Column:
    """Share of triplets with d(a,p) + margin = d(a,n) exactly: no loss, and not satisfied either.

    Range [0, 1].

    Source:
        The definition itself.
    """
    at = _at(triplets, triplets.upto, margin) - _at(triplets, triplets.below, margin)
    return Column(at, _count(triplets))


@metric("easy@margin", of="triplets", better="higher", headline="pooled", pools=True, bounds=SHARE)
def easy(triplets: Triplets, margin: float) -> Column:
    """Share of triplets with d(a,p) + margin < d(a,n): nothing left to learn from them.

    Range [0, 1]; easy, semi-hard and hard add up to 1.

    Source:
        Schroff et al. 2015, section 3.2.
    """
    return satisfied(triplets, margin)


@metric("semi_hard@margin", of="triplets", better=None, headline="pooled", pools=True, bounds=SHARE)
def semi_hard(triplets: Triplets, margin: float) -> Column:
    """Share of triplets with d(a,p) < d(a,n) <= d(a,p) + margin: in order, but inside the margin.

    Range [0, 1].

    Source:
        Schroff et al. 2015, equation 4; the boundaries are those of pytorch-metric-learning's miner.
    """
    return Column(_at(triplets, triplets.upto, margin) - _hard(triplets), _count(triplets))


@metric("hard@margin", of="triplets", better="lower", headline="pooled", pools=True, bounds=SHARE)
def hard(triplets: Triplets, margin: float) -> Column:
    """Share of triplets with d(a,n) <= d(a,p): in the wrong order, whatever the margin.

    Range [0, 1]. All hard and a mean loss equal to the margin is the signature of a collapsed network.

    Source:
        Schroff et al. 2015, section 3.2.
    """
    _position(triplets, margin)
    return Column(_hard(triplets), _count(triplets))


@metric("triplet_loss@margin", of="triplets", better="lower", headline="pooled", pools=True, bounds=Bounds(low=0.0))
def loss(triplets: Triplets, margin: float) -> Column:
    """Mean hinge loss over all triplets: max(0, d(a,p) − d(a,n) + margin).

    Range [0, ∞), in the unit of the distance. Not comparable between distances or margins. From 2**25 pairs of query
    and item on, each d(a,n) is rounded to a four thousandth of a typical distance or less.

    Source:
        Schroff et al. 2015, equation 2 ("batch all" of Hermans et al. 2017).
    """
    return Column(_hinge(triplets, margin), _count(triplets))


@metric(
    "triplet_loss_nonzero@margin",
    of="triplets",
    better=None,
    headline="pooled",
    pools=True,
    default=False,
    bounds=Bounds(low=0.0),
)
def loss_of_active(triplets: Triplets, margin: float) -> Column:
    """Mean hinge loss over the triplets whose loss is positive.

    Range [0, ∞), in the unit of the distance. It rises as training succeeds; read it with the share of
    active triplets. Undefined for an anchor without an active triplet.

    Source:
        `AvgNonZeroReducer` of pytorch-metric-learning, its default.
    """
    return Column(_hinge(triplets, margin), _at(triplets, triplets.below, margin))


@metric("batch_hard@margin", of="triplets", better="higher", bounds=SHARE)
def batch_hard(triplets: Triplets, margin: float) -> Column:
    """Share of anchors whose farthest positive, plus the margin, is nearer than their nearest negative.

    Range [0, 1]. A worst-case number: it falls as the set grows, and one wrong label spoils an anchor.

    Source:
        Hermans, Beyer & Leibe 2017, section 2, with the whole set as the batch.
    """
    has, farthest, nearest = _extremes(triplets)
    return Column(((farthest + margin < nearest) & has).astype(np.int64), has.astype(np.int64))


@metric("batch_hard_loss@margin", of="triplets", better="lower", bounds=Bounds(low=0.0))
def batch_hard_loss(triplets: Triplets, margin: float) -> Column:
    """Mean over anchors of max(0, farthest positive − nearest negative + margin).

    Range [0, ∞), in the unit of the distance.

    Source:
        Hermans, Beyer & Leibe 2017, equation 5.
    """
    has, farthest, nearest = _extremes(triplets)
    gap = np.where(has, farthest, 0.0) - np.where(has, nearest, 0.0) + margin
    return Column(np.where(has, np.maximum(gap, 0.0), 0.0), has.astype(np.int64))


def curve(triplets: Triplets) -> Ints:
    """Return (anchors, points) int64: satisfied triplets at each margin of the curve."""
    every = np.repeat(triplets.negatives, np.diff(triplets.indptr))
    points = [_per_anchor(triplets.indptr, every - upto) for upto in triplets.curve_upto.T]
    return np.stack(points, axis=1) if points else np.zeros((len(triplets.negatives), 0), np.int64)


def _position(triplets: Triplets, margin: float) -> int:
    return list(triplets.margins.tolist()).index(margin)


def _per_anchor(indptr: Ints, each: AnyArray) -> AnyArray:
    """Return, per anchor, the sum over its positives: exact for integers, first to last for floats."""
    if each.dtype.kind == "f":
        owner = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
        return np.bincount(owner, weights=each, minlength=len(indptr) - 1)
    return np.diff(np.concatenate([[0], np.cumsum(each)])[indptr])


def _at(triplets: Triplets, counts: Ints, margin: float) -> AnyArray:
    return _per_anchor(triplets.indptr, counts[:, _position(triplets, margin)])


def _hard(triplets: Triplets) -> AnyArray:
    return _per_anchor(triplets.indptr, triplets.hard)


def _count(triplets: Triplets) -> Ints:
    return np.diff(triplets.indptr) * triplets.negatives


def _hinge(triplets: Triplets, margin: float) -> Floats:
    """Return per anchor Σ over p of below · t − Σ of the distances below t."""
    m = _position(triplets, margin)
    below, t = triplets.below[:, m], triplets.distance + margin
    return _per_anchor(triplets.indptr, np.maximum(below * t - triplets.lengths[:, m] * triplets.unit, 0.0))


def _extremes(triplets: Triplets) -> tuple[Bools, Floats, Floats]:
    counts = np.diff(triplets.indptr)
    has = (counts > 0) & (triplets.negatives > 0)
    farthest = np.full(len(counts), np.nan)
    farthest[counts > 0] = triplets.distance[triplets.indptr[1:][counts > 0] - 1]
    return has, farthest, triplets.nearest_negative
