"""The numbers of all pairs read off many curves at once, one per replicate: what resampled units would give.

Curves are known at a few cuts, and straight between them. A number read off them is good for how it varies, not
for what it is: that is counted exactly (`tripleteval.metrics.verification`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tripleteval.arrays import Floats

_AROUND = 1.5  # a rate, where the slope of a curve is taken


class Curves(NamedTuple):
    """Shares of pairs up to each distance.

    Attributes:
        at: (K,) float64, distances, ascending.
        far: (replicates, K) of the impostor pairs, from 0 to 1, never falling.
        tar: (replicates, K) of the genuine pairs.
    """

    at: Floats
    far: Floats
    tar: Floats


def auc(curves: Curves) -> Floats:
    """Return (replicates,) the area under each ROC curve."""
    return _total(np.diff(curves.far, axis=1) * (curves.tar[:, 1:] + curves.tar[:, :-1]) / 2)


def eer(curves: Curves) -> Floats:
    """Return (replicates,) where as many impostors are accepted as genuine pairs are rejected."""
    gap = 1 - curves.tar - curves.far
    after = np.argmax(gap <= 0, axis=1)[:, None]  # the first of them is 1, the last −1
    left, right = (np.take_along_axis(gap, place, axis=1) for place in (after - 1, after))
    far, far_after = (np.take_along_axis(curves.far, place, axis=1) for place in (after - 1, after))
    return np.asarray((far + left / (left - right) * (far_after - far))[:, 0])


def tar(curves: Curves, far: float) -> Floats:
    """Return (replicates,) the share of genuine pairs accepted where ``far`` of the impostors are."""
    return _where(curves.far, far, curves.tar)


def threshold(curves: Curves, far: float) -> Floats:
    """Return (replicates,) the distance up to which ``far`` of the impostors are accepted."""
    return _where(curves.far, far, np.broadcast_to(curves.at, curves.far.shape))


def overlap(curves: Curves) -> Floats:
    """Return (replicates,) 1 − max (TAR − FAR)."""
    return np.asarray(1 - (curves.tar - curves.far).max(axis=1))


def d_prime(curves: Curves) -> Floats:
    """Return (replicates,) the distance of the two means in pooled standard deviations; infinite without any."""
    at = np.ldexp(curves.at, -int(np.frexp(curves.at.max())[1]))  # the same at any scale, also where squares overflow
    middle = (at[1:] + at[:-1]) / 2
    moments = []
    for shares in (curves.tar, curves.far):
        weights = np.diff(shares, axis=1)
        mean = _total(weights * middle)
        moments.append((mean, _total(weights * (middle - mean[:, None]) ** 2)))
    (near, narrow), (apart, wide) = moments
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((apart - near) / np.sqrt((narrow + wide) / 2))


def intra_quantile(curves: Curves, share: float) -> Floats:
    """Return (replicates,) the distance up to which ``share`` of the genuine pairs lie."""
    return _where(curves.tar, share, np.broadcast_to(curves.at, curves.tar.shape))


READ: dict[str, Callable[..., Floats]] = {
    "auc": auc,
    "eer": eer,
    "tar@far": tar,
    "threshold@far": threshold,
    "overlap": overlap,
    "d_prime": d_prime,
    "intra_quantile@share": intra_quantile,
    "inter_quantile@share": threshold,  # the same distance, asked for by another name
}


def changes_of_tar(whole: Curves, moved: Curves, far: float) -> Floats:
    """Return (replicates,) how much TAR at ``far`` changes from one curve to others close by, to first order.

    At the threshold of the one, so many more genuine pairs are accepted; and impostors, who are paid for along the
    slope of the curve. Read off the others, it would be the slope between two neighbouring pairs, which says nothing.
    """
    place, slope = _along(whole, far)
    return np.asarray((moved.tar - whole.tar)[:, place] - slope * (moved.far - whole.far)[:, place])


def changes_of_eer(whole: Curves, moved: Curves) -> Floats:
    """Return (replicates,) how much the EER changes from one curve to others close by, to first order."""
    place, slope = _along(whole, float(eer(whole)[0]))
    near, apart = (moved.tar - whole.tar)[:, place], (moved.far - whole.far)[:, place]
    return np.asarray((slope * apart - near) / (1 + slope))


CHANGES: dict[str, Callable[..., Floats]] = {"tar@far": changes_of_tar, "eer": changes_of_eer}


def _along(curves: Curves, far: float) -> tuple[int, float]:
    """Return the known point next to ``far`` on a single curve, and the slope of the curve around it."""
    place = 1 + int(np.abs(curves.far[0, 1:-1] - far).argmin())
    low, high = far / _AROUND, min(far * _AROUND, 1.0)
    rise = float(tar(curves, high)[0] - tar(curves, low)[0])
    return place, rise / (high - low) if high > low else 0.0


def _where(shares: Floats, share: float, values: Floats) -> Floats:
    """Return (replicates,) the value at which a curve reaches a share, straight between two known points."""
    last = shares.shape[1] - 1
    before = np.minimum((shares <= share).sum(axis=1) - 1, last - 1)[:, None]
    low, high = (np.take_along_axis(shares, place, axis=1) for place in (before, before + 1))
    one, two = (np.take_along_axis(values, place, axis=1) for place in (before, before + 1))
    part = np.clip((share - low) / np.where(high > low, high - low, 1), 0, 1)
    return np.asarray((one + part * (two - one))[:, 0])


def _total(terms: Floats) -> Floats:
    """Return the sum of each row, added up in order: the same bits everywhere."""
    return np.cumsum(terms, axis=1)[:, -1]
