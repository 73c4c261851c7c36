"""Which few numbers come first, for those who evaluate faces, products or re-identification."""

from __future__ import annotations

import re
from dataclasses import replace
from fnmatch import fnmatchcase

from tripleteval.data.evaluation import Evaluation
from tripleteval.errors import ParameterError, nearest
from tripleteval.metrics.operating import RELIABLE

# Spellings and patterns, in the order they are printed; every one that was measured appears.
PRESETS = {
    "face": (
        "transfer_frr@far=*",
        "transfer_far@far=*",
        "tar@far=*",
        "eer",
        "threshold@far=*",
        "cv_accuracy",
        "hit_rate@1",
        "cmc@1",
        "tpir@fpir=*",
        "triplet_satisfied@margin=*",
    ),
    "product": (
        "recall@10",
        "hit_rate@1",
        "map@r",
        "mrr",
        "ndcg@10",
        "triplet_accuracy",
        "anti_hubs@10",
    ),
    "reid": ("map", "hit_rate@1", "hit_rate@5", "hit_rate@10", "minp", "map@r", "triplet_accuracy", "anti_hubs@10"),
}
_STRICTEST = re.compile(r"(.*@f\w+=)(.*)")


def require_preset(preset: str | None) -> str | None:
    """Return ``preset`` if it is one, or ``None``.

    Raises:
        ParameterError: It is neither (E510).
    """
    if preset is not None and preset not in PRESETS:
        raise ParameterError("E510", f"preset={preset!r}", fix=nearest(str(preset), PRESETS))
    return preset


def with_preset(evaluation: Evaluation, preset: str | None) -> Evaluation:
    """Return the evaluation, to be printed with the numbers of a preset first; nothing else changes."""
    if preset is None:
        return evaluation
    return replace(evaluation, environment=evaluation.environment | {"preset": preset})


def chosen(evaluation: Evaluation, preset: str) -> list[str]:
    """Return the measured spellings that a preset prints first.

    Of rates at several FARs only one is a headline: the strictest that is reliable, else the laxest.
    """
    found: list[str] = []
    for pattern in PRESETS[preset]:
        matching = [name for name in evaluation.metrics if fnmatchcase(name, pattern)]
        found += [_headline(evaluation, matching)] if matching and _STRICTEST.fullmatch(matching[0]) else matching
    return found


def measured(evaluation: Evaluation, preset: str) -> list[str]:
    """Return all spellings that match a preset: they depend on what was asked for, and on no number of items."""
    return [name for pattern in PRESETS[preset] for name in evaluation.metrics if fnmatchcase(name, pattern)]


def _headline(evaluation: Evaluation, names: list[str]) -> str:
    """Return the spelling of the strictest rate whose threshold allows 30 false accepts, else of the laxest."""
    by_rate = sorted(names, key=lambda name: float(name.rpartition("=")[2]))
    allowed = {name: _allowed(evaluation, name) for name in by_rate}
    return next((name for name in by_rate if allowed[name] >= RELIABLE), by_rate[-1])


def _allowed(evaluation: Evaluation, name: str) -> int:
    entry = evaluation.metrics[name]
    return int(entry.get("allowed_false_accepts", entry.get("allowed_false_positives", 0)))
