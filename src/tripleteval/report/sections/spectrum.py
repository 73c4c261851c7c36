"""How many directions the space uses."""

from __future__ import annotations

from typing import Any

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.section import Chart, Rule, Section
from tripleteval.report.sections import section
from tripleteval.report.wording import percent, whole


@section("spectrum", place=36, brief=False)
def spectrum(evaluation: Evaluation) -> Section | None:
    """Draw the share of the variance along each principal direction."""
    return drawn(evaluation.space)


def drawn(space: dict[str, Any]) -> Section | None:
    """Return what there is to say about a spectrum; ``None`` without one, or of a single direction.

    Args:
        space: ``dim``, and ``spectrum`` with ``variance_shares`` (descending), ``dims_90`` and ``dims_99``.
    """
    facts = space.get("spectrum", {})
    shares = [share for share in facts.get("variance_shares", []) if share > 0]
    if len(shares) < 2:
        return None
    known = [(f"{name} %", facts.get(f"dims_{name}")) for name in ("90", "99")]
    rules = [Rule(float(dims), f"{name} of the variance") for name, dims in known if dims is not None]
    of = space.get("dim", len(shares))
    text = " ".join(f"{name} of the variance lies in {whole(dims)} of {whole(of)} directions." for name, dims in known)
    line = {"direction": list(range(1, len(shares) + 1)), "share of the variance": shares}
    chart = Chart(
        "Spectrum",
        f"Share of the variance along each principal direction, the largest first ({percent(shares[0])}).",
        line,
        x="direction",
        y="share of the variance",
        mark="line",
        log=frozenset({"y"}),
        rules=rules,
    )
    return Section("Directions in use", text, charts=[chart])
