"""Which threshold to propose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def recommended(metrics: Mapping[str, dict[str, Any]]) -> dict[str, Any] | None:
    """Return the TAR at the lowest FAR whose false accepts are enough to trust; ``None`` without one.

    Args:
        metrics: As `Evaluation.metrics`.
    """
    rates = [entry for name, entry in metrics.items() if name.startswith("tar@far=")]
    usable = [entry for entry in rates if not entry.get("unreliable", True) and entry.get("threshold") is not None]
    return min(usable, key=lambda entry: entry["target_far"], default=None)
