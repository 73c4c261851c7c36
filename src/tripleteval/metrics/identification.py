"""Who is it: probes searched among the identities of a gallery, those that are enrolled and those that are not."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tripleteval.arrays import Floats
from tripleteval.bounds import SHARE, Bounds
from tripleteval.metrics import Scalar, quantity
from tripleteval.metrics.operating import RELIABLE, Operating, Point, allowed, operating_of, within_budget


class Searches(NamedTuple):
    """What each search found.

    Attributes:
        mate: (mated,) float64, distance of each mated probe to its own identity.
        rank: (mated,) float64, 1 + identities strictly closer + half of those as close.
        stranger: (non-mated,) float64, distance of each non-mated probe to the closest identity.
        identities: How many identities are enrolled.
        templates: How many items they are enrolled with.
        ks: Ranks that rates are broken down by.
    """

    mate: Floats
    rank: Floats
    stranger: Floats
    identities: int
    templates: int
    ks: tuple[int, ...]


@quantity("cmc@k", of="searches", better="higher", headline="pairs", default=False, bounds=SHARE)
def cmc(searches: Searches, k: int) -> Scalar:
    """Share of mated probes whose own identity is among the k closest identities.

    Range [0, 1]. An identity is as close as its closest template (or as the mean of its templates, as asked).
    Ties count half. It falls as the gallery grows, so that its size is reported with it.

    Source:
        Grother & Phillips 2004; ISO/IEC 19795-1 (rank-k identification rate).
    """
    if not len(searches.mate):
        return Scalar(None, 0, "no probe has an identity in the gallery")
    return Scalar(float((searches.rank <= k).mean()), len(searches.mate), details=_gallery(searches))


@quantity("tpir@fpir", of="searches", better="higher", headline="pairs", default=False, bounds=SHARE)
def tpir(searches: Searches, fpir: float) -> Scalar:
    """Share of mated probes whose own identity is the closest one and within the threshold.

    Range [0, 1]. The threshold accepts at most ``fpir`` of the searches of strangers: a search counts once,
    by its closest identity. Reported with it: the rate within the first k ranks, the rate of false positives
    achieved, how many are allowed, and whether so few searches can tell.

    Source:
        Grother & Phillips 2004 (DIR at FAR); NIST FRTE 1:N (1 − FNIR at FPIR).
    """
    if not len(searches.mate) or not len(searches.stranger):
        return Scalar(None, len(searches.mate), _missing(searches))
    point = _point(searches, fpir)
    accepted = searches.mate <= _cut(point)
    rates = {str(k): float((accepted & (searches.rank <= k)).mean()) for k in searches.ks}
    details = _budget(searches, fpir) | {"threshold": point.threshold, "by_rank": rates}
    return Scalar(float((accepted & (searches.rank <= 1)).mean()), len(searches.mate), details=details)


@quantity("threshold@fpir", of="searches", better=None, headline="pairs", default=False, bounds=Bounds(low=0.0))
def threshold(searches: Searches, fpir: float) -> Scalar:
    """The distance up to which the closest identity is accepted, so that at most ``fpir`` of strangers are.

    Range [0, ∞), in the unit of the distance. Strangers alone can tell it. Undefined where no search, or every
    search, is accepted.

    Source:
        As ``tpir@fpir``, with the rule of ``threshold@far``.
    """
    if not len(searches.stranger):
        return Scalar(None, 0, _missing(searches))
    point = _point(searches, fpir)
    reason = "" if point.threshold is not None else "no search can be accepted, or every one is"
    return Scalar(point.threshold, len(searches.stranger), reason, details=_budget(searches, fpir))


def _curve(searches: Searches) -> Operating:
    return operating_of(searches.mate, searches.stranger, np.zeros(0))


def _point(searches: Searches, fpir: float) -> Point:
    return within_budget(_curve(searches), fpir)


def _cut(point: Point) -> float:
    if point.threshold is not None:
        return point.threshold
    return np.inf if point.genuine or point.impostor else -np.inf


def _missing(searches: Searches) -> str:
    return "no probe is a stranger to the gallery" if len(searches.mate) else "no probe has an identity in the gallery"


def _gallery(searches: Searches) -> dict[str, Any]:
    return {"identities": searches.identities, "templates": searches.templates}


def _budget(searches: Searches, fpir: float) -> dict[str, Any]:
    strangers, kappa = len(searches.stranger), allowed(fpir, len(searches.stranger))
    found = _point(searches, fpir).impostor
    return _gallery(searches) | {
        "non_mated": strangers,
        "target_fpir": fpir,
        "achieved_fpir": found / strangers,
        "allowed_false_positives": kappa,
        "false_positives": found,
        "below_resolution": kappa == 0,
        "unreliable": kappa < RELIABLE,
    }
