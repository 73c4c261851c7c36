"""What fixed thresholds decide about all pairs of a comparison, and the memory that takes."""

from __future__ import annotations

from tripleteval.data.comparison import Comparison
from tripleteval.engine.decisions import TILE, DecisionPass
from tripleteval.evaluation.means import Means
from tripleteval.evaluation.pair_orders import merged, need_of
from tripleteval.evaluation.standing import Need
from tripleteval.evidence.decisions import Decisions


def decided(engine: DecisionPass, means: Means) -> Decisions:
    """Return what the thresholds of a pass decide, over all its orders."""
    kinds = len(engine.kinds.pairs)
    nothing = Decisions.empty(engine.thresholds, engine.units, kinds)
    return merged(engine, nothing, engine.comparison, means, _bytes(engine.units, kinds, len(engine.thresholds)))


def need_to_decide(comparison: Comparison, means: Means, units: int, kinds: int, thresholds: int) -> Need:
    """Return the memory without which `decided` refuses."""
    return need_of(comparison, means, _bytes(units, kinds, thresholds))


def _bytes(units: int, kinds: int, thresholds: int) -> int:
    """Return the bytes of the decisions of one worker, two waiting and one added up, and of its tile."""
    return 4 * 8 * units * kinds * (2 * thresholds + 2) + 64 * TILE * TILE
