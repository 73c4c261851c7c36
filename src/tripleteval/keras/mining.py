"""Which triplets of a batch count, and what they cost: batch-all, batch-hard and semi-hard.

Each function takes the (n, n) distances of a batch and the masks of its genuine and impostor pairs, and returns
one number; 0 where the batch has no valid triplet, or no row: an extremum of nothing needs its ``initial``.
"""

from __future__ import annotations

from typing import Any, Literal

from keras import ops

Margin = float | Literal["soft"]


def hinge(gap: Any, margin: Margin) -> Any:
    """Return max(0, margin − gap), or log(1 + exp(−gap)) for the soft margin; gap is d(a,n) − d(a,p).

    Source:
        Hermans, Beyer & Leibe 2017, section 2 (soft margin).
    """
    return ops.softplus(-gap) if margin == "soft" else ops.relu(margin - gap)


def batch_all(distance: Any, positive: Any, negative: Any, margin: Margin, *, nonzero: bool) -> Any:
    """Return the mean cost of all valid triplets, or of those alone that cost something.

    With a soft margin every triplet costs something, even where float32 makes that 0. Takes (n, n, n) memory.

    Source:
        Hermans, Beyer & Leibe 2017, section 2 ("batch all").
    """
    gap = ops.expand_dims(distance, 1) - ops.expand_dims(distance, 2)  # anchor, positive, negative
    valid = ops.logical_and(ops.expand_dims(positive, 2), ops.expand_dims(negative, 1))
    cost = hinge(gap, margin)
    return _mean(cost, ops.logical_and(valid, cost > 0) if nonzero and margin != "soft" else valid)


def batch_hard(distance: Any, positive: Any, negative: Any, margin: Margin) -> Any:
    """Return the mean over anchors of the cost of their farthest positive with their nearest negative.

    Anchors without a positive or without a negative do not count.

    Source:
        Hermans, Beyer & Leibe 2017, section 2 ("batch hard").
    """
    farthest = ops.max(ops.where(positive, distance, 0.0), axis=1, initial=0.0)
    nearest = ops.min(ops.where(negative, distance, float("inf")), axis=1, initial=float("inf"))
    valid = ops.logical_and(ops.any(positive, axis=1), ops.any(negative, axis=1))
    return _mean(hinge(ops.where(valid, nearest - farthest, 0.0), margin), valid)


def semi_hard(distance: Any, positive: Any, negative: Any, margin: Margin) -> Any:
    """Return the mean over genuine pairs (a, p) of their cost with the semi-hard negative.

    That is the nearest negative farther from the anchor than the positive is; where there is none, the farthest
    negative of all. So each pair has one triplet, and a batch without semi-hard triplets still teaches.
    Takes (n, n, n) memory.

    Source:
        Schroff, Kalenichenko & Philbin 2015 (FaceNet), section 3.2, equation 4; the fall-back is that of
        TensorFlow Addons' ``TripletSemiHardLoss``, whose value this is.
    """
    candidates = ops.expand_dims(distance, 1)
    beyond = ops.logical_and(ops.expand_dims(negative, 1), candidates > ops.expand_dims(distance, 2))
    nearest = ops.min(ops.where(beyond, candidates, float("inf")), axis=2, initial=float("inf"))
    farthest = ops.max(ops.where(negative, distance, 0.0), axis=1, keepdims=True, initial=0.0)
    chosen = ops.where(ops.any(beyond, axis=2), nearest, farthest)
    valid = ops.logical_and(positive, ops.any(negative, axis=1, keepdims=True))
    return _mean(hinge(chosen - distance, margin), valid)


def _mean(values: Any, counted: Any) -> Any:
    number = ops.sum(ops.cast(counted, values.dtype))
    return ops.sum(ops.where(counted, values, 0.0)) / ops.maximum(number, 1.0)
