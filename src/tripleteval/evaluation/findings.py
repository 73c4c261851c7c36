"""What the numbers of the space mean, in sentences: collapse, lengths, hubs.

Thresholds are rules of thumb. That a skewness of the k-occurrence above 2 is strong hubness, and that one
above 1 is noticeable, follows Radovanović et al. 2010; a loss that stands at the margin as the mark of collapse,
Hermans et al. 2017; the others are ours, set where we would look again ourselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tripleteval.errors import counted
from tripleteval.evaluation.settings import Settings
from tripleteval.metrics import SPACE_K

Metrics = dict[str, dict[str, Any]]

FEWEST = 50  # with fewer vectors these numbers move too much to be remarked on
COLLAPSED_RANK = 1.1
AT_THE_MARGIN = 0.05
FEW_DIMENSIONS = 0.1
LOOSE_NORMS = 0.25
UNIT_NORMS = 1e-3
STRONG_HUBS = 2.0
MANY_ANTI_HUBS = 0.05
NARROW_CONE = 0.5


def findings(metrics: Metrics, facts: dict[str, Any], accounting: dict[str, Any], settings: Settings) -> list[str]:
    """Return what a careful colleague would remark about the space; nothing about small sets, but collapse."""
    found = list(_collapse(metrics, settings))
    if facts["vectors"] >= FEWEST:
        found += _dimensions(metrics, facts, accounting, collapsed=bool(found))
        found += _lengths(metrics, settings)
        found += _hubs(metrics, accounting)
    if "nmi" in settings.metrics:
        found.append("nmi rewards many classes: a random partition into small classes scores far above 0; read ami.")
    return found


def _collapse(metrics: Metrics, settings: Settings) -> Iterator[str]:
    rank = metrics["effective_rank"]["value"]
    if rank is None or rank > COLLAPSED_RANK:
        return
    for margin in settings.margins:
        name = next((n for n in metrics if n.startswith("triplet_loss@") and float(n.split("=")[1]) == margin), None)
        loss = None if name is None else metrics[name]["value"]
        if name is None or loss is None or margin <= 0 or abs(loss - margin) > AT_THE_MARGIN * margin:
            continue
        if metrics[name.replace("triplet_loss", "easy")]["value"] <= AT_THE_MARGIN:  # else it is a line, well used
            yield (
                f"The triplet loss ({loss:.4g}) stands at the margin ({margin:g}) and the effective rank is "
                f"{rank:.1f}: the network has collapsed, all vectors are nearly one."
            )
            return


def _dimensions(
    metrics: Metrics, facts: dict[str, Any], accounting: dict[str, Any], *, collapsed: bool
) -> Iterator[str]:
    dead, shares = facts["spectrum"]["dead_coordinates"], facts["spectrum"]["variance_shares"]
    rank, dim = metrics["effective_rank_centred"]["value"], facts["dim"]
    if rank is None or collapsed:
        return
    if dead:
        yield f"Dead units: {dead:,} of {counted(dim, 'coordinate')} never changing."
    possible = min(dim, facts["vectors"] - 1, max((accounting.get("classes") or dim) - 1, 1))
    if rank < FEW_DIMENSIONS * min(dim, facts["vectors"] - 1) and rank < possible / 2:
        yield (
            f"Dimensional collapse: about {rank:.1f} of {dim:,} dimensions are in use (effective rank about the mean; "
            f"the first holds {100 * shares[0]:.0f} % of the variance, {_together(facts['spectrum']['dims_99'])} 99 %)."
        )
    cosine = metrics["anisotropy"]["value"]
    if cosine is not None and cosine > NARROW_CONE:
        yield (
            f"All vectors lie in one narrow cone: their mean cosine is {cosine:.2f} (0 would be all round). "
            "A common direction carries no information; try subtracting the mean."
        )


def _lengths(metrics: Metrics, settings: Settings) -> Iterator[str]:
    spread = metrics["norm_cv"]["value"]
    if spread is not None and spread > LOOSE_NORMS and settings.distance != "cosine":
        yield (
            f"The norms vary by {100 * spread:.0f} % of their mean, so {settings.distance} distances mix length and "
            "angle. If the model was trained with cosine or on normalised vectors, evaluate with distance='cosine' "
            "(--distance cosine)."
        )


def _hubs(metrics: Metrics, accounting: dict[str, Any]) -> Iterator[str]:
    if accounting["queries"] * SPACE_K < 5 * accounting["gallery"]:
        return  # with so few queries most items cannot be found by anybody
    skew, never = metrics[f"hubness@{SPACE_K}"]["value"], metrics[f"anti_hubs@{SPACE_K}"]["value"]
    if skew is not None and skew > STRONG_HUBS:
        yield (
            f"Strong hubs: a few items stand among the {SPACE_K} nearest of very many "
            f"(skewness of the k-occurrence {skew:.1f}; above 2 is strong)."
        )
    if never is not None and never > MANY_ANTI_HUBS:
        yield (
            f"{100 * never:.0f} % of items are never among anyone's {SPACE_K} nearest: they cannot be found in the "
            f"first {SPACE_K} results."
        )


def _together(dims: int) -> str:
    return "1 holds" if dims == 1 else f"{dims:,} hold"
