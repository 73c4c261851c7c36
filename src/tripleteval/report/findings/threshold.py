"""Which threshold to propose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tripleteval.metrics.operating import RELIABLE


def recommended(metrics: Mapping[str, dict[str, Any]]) -> dict[str, Any] | None:
    """Return the threshold at the lowest FAR whose false accepts are enough to trust; ``None`` without one.

    Where thresholds were chosen on other identities, it is one of those: at the highest FAR, if none is to be trusted.

    Args:
        metrics: As `Evaluation.metrics`.

    Returns:
        ``threshold`` and its ``target_far``, the TAR (``value``) and the FAR (``achieved_far``) it has among what was
        evaluated, and whether it is ``calibrated``: chosen on other identities.
    """
    elsewhere = calibrated(metrics)
    if elsewhere:
        trusted = [rate for rate in elsewhere if rate["allowed_false_accepts"] >= RELIABLE]
        return min(trusted, key=_target) if trusted else max(elsewhere, key=_target)
    rates = [entry for name, entry in metrics.items() if name.startswith("tar@far=")]
    usable = [entry for entry in rates if not entry.get("unreliable", True) and entry.get("threshold") is not None]
    chosen = min(usable, key=_target, default=None)
    return None if chosen is None else {**chosen, "calibrated": False}


def calibrated(metrics: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Return, per FAR, a threshold that was chosen on other identities, as `recommended` does."""
    found = []
    for name, accepted in metrics.items():
        kind, at, far = name.partition("@far=")
        rejected = metrics.get(f"transfer_frr@far={far}", {})
        if kind != "transfer_far" or not at:
            continue
        wrong, refused = accepted["value"], rejected.get("value")
        if wrong is not None and refused is not None and accepted.get("threshold") is not None:
            found.append({**accepted, "value": 1 - refused, "achieved_far": wrong, "calibrated": True})
    return found


def _target(entry: dict[str, Any]) -> float:
    return float(entry["target_far"])
