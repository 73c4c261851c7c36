"""Whether a run has rankings at all, so that what stands first or last in its lists can be blamed."""

from __future__ import annotations

from tripleteval.data.evaluation import Evaluation

_ROUNDING = 1e-9


def at_chance(evaluation: Evaluation) -> bool:
    """Return whether map@r cannot be told from that of a random ranking; no where it was not measured."""
    entry = evaluation.metrics.get("map@r", {})
    value, chance = entry.get("value"), entry.get("chance")
    if value is None or chance is None:
        return False
    low, high = (value if entry.get(end) is None else entry[end] for end in ("low", "high"))
    # A network whose vectors are all equal has chance itself, up to rounding; its lists, in the order of rows, blame
    # whatever class comes first.
    return bool(low <= chance + _ROUNDING and (chance <= high + _ROUNDING or entry.get("high") is None))


def collapsed(evaluation: Evaluation) -> bool:
    """Return whether all vectors are one point: who is whose nearest item is then the order of the rows."""
    return bool(evaluation.space) and evaluation.space["spectrum"]["dims_90"] is None
