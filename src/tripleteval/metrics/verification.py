"""Same or different: what a threshold on the distance of two items decides, over all genuine and impostor pairs.

A genuine pair shares a label, an impostor pair does not. A pair is accepted if and only if its distance is
<= the threshold. Every unordered pair counts once; between queries and a gallery, every pair of the two does.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from tripleteval.arrays import Floats, Ints
from tripleteval.bounds import SHARE, Bounds
from tripleteval.metrics import Scalar, quantity
from tripleteval.metrics.operating import RELIABLE, Operating, allowed, crossing, cut_after, upto, within_budget

_ROUNDED = 1e-13  # of the distance: the spread that rounding alone makes of equal distances


@quantity("auc", of="pairs", better="higher", headline="pairs", bounds=SHARE)
def auc(curve: Operating) -> Scalar:
    """Probability that a genuine pair is closer than an impostor pair, half credit for equal distances.

    Range [0, 1], chance ½. It is the area under the ROC curve over all pairs, and is ruled by false accept
    rates far beyond those at which anything is decided.

    Source:
        Mann & Whitney 1947; equal to scikit-learn's `roc_auc_score`.
    """
    if curve.undefined:
        return _undefined(curve)
    n, m = curve.genuine_pairs, curve.impostor_pairs
    twice = _dot(curve.genuine, 2 * (m - np.cumsum(curve.impostor)) + curve.impostor)
    gaps = curve.blurred()
    doubt = _dot(curve.genuine[2 * gaps], curve.impostor[2 * gaps])
    details = _support(curve) | _bounds((twice - doubt) / (2 * n * m), (twice + doubt) / (2 * n * m), exact=not doubt)
    return Scalar(twice / (2 * n * m), n + m, details=details)


@quantity("eer", of="pairs", better="lower", headline="pairs", bounds=SHARE)
def eer(curve: Operating) -> Scalar:
    """The rate at which as many impostors are accepted as genuine pairs are rejected, in shares of each.

    Range [0, 1], chance ½. Where no threshold makes the two equal, it is where the ROC polyline crosses; the
    two thresholds on either side, and their rates, are reported with it.

    Source:
        Maio et al. 2002 (FVC2000), who report both sides.
    """
    if curve.undefined:
        return _undefined(curve)
    genuine, impostor = curve.accepted()
    n, m = curve.genuine_pairs, curve.impostor_pairs
    after = crossing(curve)
    before = after - 1
    while before and genuine[before] == genuine[before - 1] and impostor[before] == impostor[before - 1]:
        before -= 1
    sides = [(Fraction(int(impostor[b]), m), Fraction(n - int(genuine[b]), n)) for b in (before, after)]
    (far, frr), (far_after, frr_after) = sides
    share = (frr - far) / ((frr - far) - (frr_after - far_after))
    value = float(far + share * (far_after - far))
    bracket = [
        {"threshold": upto(curve, b), "far": float(f), "frr": float(r)}
        for b, (f, r) in zip((before, after), sides, strict=True)
    ]
    crossed = after - 1
    blurred = crossed % 2 == 0 and curve.genuine[crossed] > 0 and curve.impostor[crossed] > 0
    bounds = _bounds(float(max(far, frr_after)), float(min(far_after, frr)), exact=not blurred)
    return Scalar(value, n + m, details=_support(curve) | {"bracket": bracket} | bounds)


@quantity("tar@far", of="pairs", better="higher", headline="pairs", bounds=SHARE)
def tar(curve: Operating, far: float) -> Scalar:
    """Share of genuine pairs accepted by a threshold that accepts at most ``far`` of the impostor pairs.

    Range [0, 1]. κ = ⌊far · impostor pairs⌋ impostors may be accepted; the threshold lies below the next one,
    so that the rate is never exceeded, also where distances are equal. Reported with it: κ, the rate achieved,
    whether it is below what so many impostors can resolve (κ = 0), and whether it is unreliable (κ < 30).

    Source:
        Schroff et al. 2015, section 4 (VAL at FAR); NIST FRTE 1:1 (1 − FNMR at FMR).
    """
    if curve.undefined:
        return _undefined(curve)
    point = within_budget(curve, far)
    n = curve.genuine_pairs
    bounds = _bounds(point.genuine / n, point.possible / n, exact=point.genuine == point.possible)
    return Scalar(point.genuine / n, n, details=_budget(curve, far) | {"threshold": point.threshold} | bounds)


@quantity("threshold@far", of="pairs", better=None, headline="pairs", bounds=Bounds(low=0.0))
def threshold(curve: Operating, far: float) -> Scalar:
    """The distance up to which pairs are accepted so that at most ``far`` of the impostors are.

    Range [0, ∞), in the unit of the distance. It lies midway between the largest distance that is accepted
    and the smallest that is not; undefined where nothing, or everything, is accepted. Where impostors are too
    many to be kept, ``midway`` is false: the same rates hold, and the threshold is the largest known one.
    Chosen and judged on the same pairs, it says nothing about other identities.

    Source:
        As ``tar@far``.
    """
    if curve.undefined:
        return _undefined(curve)
    point, details = within_budget(curve, far), _budget(curve, far)
    if point.threshold is None:
        reason = "every pair is accepted" if point.impostor == curve.impostor_pairs else "no pair can be accepted"
        return Scalar(None, curve.impostor_pairs, reason, details=details)
    return Scalar(point.threshold, curve.impostor_pairs, details=details | {"midway": point.midway})


@quantity("best_accuracy", of="pairs", better="higher", headline="pairs", bounds=SHARE)
def best_accuracy(curve: Operating) -> Scalar:
    """Share of pairs decided rightly by the best of all thresholds, chosen on these very pairs.

    Range [0, 1]. It is optimistic, and depends on how many impostor pairs there are for each genuine one:
    among all pairs of many classes, rejecting everything is nearly right. Meant for fixed lists of pairs; use
    folds there, so that the threshold is chosen on other pairs.

    Source:
        Huang et al. 2007 (LFW), there with folds.
    """
    if curve.undefined:
        return _undefined(curve)
    genuine, impostor = curve.accepted()
    right = genuine + (curve.impostor_pairs - impostor)
    best = int(np.argmax(right))
    n = curve.genuine_pairs + curve.impostor_pairs
    cut, midway = cut_after(curve, best)
    possible = int((right[:-1] + curve.genuine * (np.arange(len(curve.genuine)) % 2 == 0)).max())
    bounds = _bounds(int(right[best]) / n, possible / n, exact=possible <= right[best])
    details = _support(curve) | {"in_sample": True, "threshold": cut, "midway": midway} | bounds
    return Scalar(int(right[best]) / n, n, details=details)


@quantity("d_prime", of="pairs", better="higher", headline="pairs")
def d_prime(curve: Operating) -> Scalar:
    """Distance of the two means in units of their pooled standard deviation; positive where impostors are farther.

    Range (−∞, ∞). (μ_impostor − μ_genuine) / √(½ (σ²_genuine + σ²_impostor)), with sample variances. It takes
    distances for nearly normal, and differs between a distance and its square. From 2**27 pairs on, among each other,
    impostor distances are rounded to about a thousandth of the longest first, and what that adds to their variance is
    taken out again.

    Source:
        Daugman 2000, "Biometric decision landscapes".
    """
    if curve.undefined:
        return _undefined(curve)
    (mean, sd), (mean_apart, sd_apart) = curve.genuine_moments, curve.impostor_moments
    n = curve.genuine_pairs + curve.impostor_pairs
    if mean is None or mean_apart is None or sd is None or sd_apart is None:
        return Scalar(None, n, "it takes two genuine and two impostor pairs")
    pooled = math.hypot(sd, sd_apart) / math.sqrt(2)
    if pooled <= _ROUNDED * max(mean, mean_apart):
        return Scalar(None, n, "all distances of a kind are equal")
    details = _support(curve) | {"mean_genuine": mean, "mean_impostor": mean_apart}
    return Scalar((mean_apart - mean) / pooled, n, details=details)


@quantity("overlap", of="pairs", better="lower", headline="pairs", bounds=SHARE)
def overlap(curve: Operating) -> Scalar:
    """What the best threshold leaves undecided: 1 − max (TAR − FAR).

    Range [0, 1]; 1 for equal distributions. It needs no bins.

    Source:
        1 − Youden's J; 1 − the two-sample statistic of Kolmogorov & Smirnov.
    """
    if curve.undefined:
        return _undefined(curve)
    genuine, impostor = curve.accepted()
    apart = _apart(curve, genuine, impostor).max()
    gaps = 2 * curve.blurred()
    possible = max(apart, _apart(curve, genuine[gaps + 1], impostor[gaps]).max(initial=-1.0))
    bounds = _bounds(float(1 - possible), float(1 - apart), exact=bool(possible <= apart))
    return Scalar(float(1 - apart), curve.genuine_pairs + curve.impostor_pairs, details=_support(curve) | bounds)


@quantity("intra_quantile@share", of="pairs", better=None, headline="pairs", bounds=Bounds(low=0.0))
def intra_quantile(curve: Operating, share: float) -> Scalar:
    """The smallest distance up to which ``share`` of the genuine pairs lie: 0.5 for their median.

    Range [0, ∞), in the unit of the distance. No value is made up between two distances that occur. Where there
    are more pairs than can be listed, it lies between ``at_least`` and ``at_most``.

    Source:
        The inverse of the empirical distribution (Hyndman & Fan 1996, type 1).
    """
    return _quantile(curve, curve.genuine, share, "no genuine pair")


@quantity("inter_quantile@share", of="pairs", better=None, headline="pairs", bounds=Bounds(low=0.0))
def inter_quantile(curve: Operating, share: float) -> Scalar:
    """The smallest distance up to which ``share`` of the impostor pairs lie: 0.5 for their median.

    Range [0, ∞), in the unit of the distance. Between two known distances, of which there are thousands, it lies
    between ``at_least`` and ``at_most``.

    Source:
        The inverse of the empirical distribution (Hyndman & Fan 1996, type 1).
    """
    return _quantile(curve, curve.impostor, share, "no impostor pair: one class only")


def _quantile(curve: Operating, counts: Ints, share: float, reason: str) -> Scalar:
    accepted = np.cumsum(counts)
    pairs = 0 if curve.reason else int(accepted[-1])
    if not pairs:
        return Scalar(None, 0, curve.reason or reason)
    place = int(np.searchsorted(accepted, max(math.ceil(share * pairs - 1e-9), 1)))
    if place % 2:
        return Scalar(float(curve.at[place // 2]), pairs)
    low, high = (float(curve.at[min(max(edge, 0), len(curve.at) - 1)]) for edge in (place // 2 - 1, place // 2))
    return Scalar(low + (high - low) / 2, pairs, details=_bounds(low, high, exact=False))


def _apart(curve: Operating, genuine: Ints, impostor: Ints) -> Floats:
    return genuine / curve.genuine_pairs - impostor / curve.impostor_pairs


def _undefined(curve: Operating) -> Scalar:
    return Scalar(None, curve.genuine_pairs + curve.impostor_pairs, curve.undefined)


def _support(curve: Operating) -> dict[str, Any]:
    return {"genuine": curve.genuine_pairs, "impostor": curve.impostor_pairs}


def _budget(curve: Operating, far: float) -> dict[str, Any]:
    point, kappa = within_budget(curve, far), allowed(far, curve.impostor_pairs)
    return _support(curve) | {
        "target_far": far,
        "achieved_far": point.impostor / curve.impostor_pairs,
        "allowed_false_accepts": kappa,
        "false_accepts": point.impostor,
        "below_resolution": kappa == 0,
        "unreliable": kappa < RELIABLE,
    }


def _bounds(at_least: float, at_most: float, *, exact: bool) -> dict[str, Any]:
    """Return nothing about an exact number, and where it lies otherwise."""
    return {} if exact else {"at_least": at_least, "at_most": at_most}


def _dot(counts: Ints, others: Ints) -> int:
    """Return the exact Σ counts · others, whose terms may leave 64 bits."""
    high, low = others >> 31, others & (2**31 - 1)
    return (int((counts * high).sum()) << 31) + int((counts * low).sum())
