"""A threshold chosen on some identities, judged on others: what it will cost where it is used."""

from __future__ import annotations

from typing import Any, NamedTuple

from tripleteval.bounds import SHARE
from tripleteval.evidence.decisions import Decisions
from tripleteval.metrics import Scalar, quantity


class Transferred(NamedTuple):
    """Thresholds by the false accept rate they were chosen for, and what they decide about other identities.

    Attributes:
        fars: The rates, in the order of the thresholds of ``decisions``.
        chosen: Per rate, what was true of the pairs it was chosen on.
        decisions: About the pairs of other identities.
    """

    fars: list[float]
    chosen: list[dict[str, Any]]
    decisions: Decisions


@quantity("transfer_far@far", of="transfer", better="lower", headline="pairs", default=False, bounds=SHARE)
def transfer_far(judged: Transferred, far: float) -> Scalar:
    """Share of impostor pairs accepted by the threshold that was chosen for ``far`` on other identities.

    Range [0, 1]. Unlike the rate on the pairs that a threshold is chosen on, it may exceed ``far``.

    Source:
        ISO/IEC 19795-1 (FMR at a threshold fixed before the test).
    """
    place = judged.fars.index(far)
    pairs = int(judged.decisions.impostor.sum()) // 2
    wrong = int(judged.decisions.accepted[place].sum()) // 2
    return _rate(wrong, pairs, judged.chosen[place], "no impostor pair among the other identities")


@quantity("transfer_frr@far", of="transfer", better="lower", headline="pairs", default=False, bounds=SHARE)
def transfer_frr(judged: Transferred, far: float) -> Scalar:
    """Share of genuine pairs rejected by the threshold that was chosen for ``far`` on other identities.

    Range [0, 1].

    Source:
        ISO/IEC 19795-1 (FNMR at a threshold fixed before the test).
    """
    place = judged.fars.index(far)
    pairs, wrong = int(judged.decisions.genuine.sum()), int(judged.decisions.rejected[place].sum())
    return _rate(wrong, pairs, judged.chosen[place], "no genuine pair among the other identities")


def _rate(wrong: int, pairs: int, chosen: dict[str, Any], reason: str) -> Scalar:
    if not pairs:
        return Scalar(None, 0, reason, details=chosen)
    return Scalar(wrong / pairs, pairs, details={"count": wrong, **chosen})
