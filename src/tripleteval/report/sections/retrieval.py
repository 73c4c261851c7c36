"""How good the rankings are: every rank metric with its chance level and its ceiling."""

from __future__ import annotations

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.section import Chart, Section, columns
from tripleteval.report.families import Entry, metric_table, retrieval, usual_average
from tripleteval.report.sections import section

_NAMES = (
    'hit_rate@k (DML "Recall@K") asks whether any of the k nearest is relevant; '
    "recall@k (fraction of positives) what share of all relevant items is among them."
)

_LINES = ("hit_rate", "recall", "precision")


@section("retrieval", place=20)
def rankings(evaluation: Evaluation) -> Section | None:
    """List the rank metrics; say what they average over, and what chance and ceiling mean."""
    found = retrieval(evaluation)
    if not found:
        return None
    usual = usual_average(found, "relevant pairs")
    scale = "Chance is a random ranking, ceiling (where below 1) a perfect one."
    text = f"{usual.capitalize()}, unless marked. {scale} {_NAMES}"
    return Section("Retrieval", text, [metric_table(found, "relevant pairs")], charts=_by_k(found))


def _by_k(found: dict[str, Entry]) -> list[Chart]:
    """Return the families that were measured at several k as lines, chance dashed."""
    rows = []
    for spelling, entry in found.items():
        family, _, k = spelling.partition("@")
        if family in _LINES and k.isdecimal() and entry["value"] is not None:
            rows.append((int(k), family, "measured", entry["value"], entry.get("low"), entry.get("high")))
            if entry.get("chance") is not None:
                rows.append((int(k), family, "by chance", entry["chance"], None, None))
    ks = sorted({row[0] for row in rows})
    if len(ks) < 2:
        return []
    heads = ("k", "metric", "kind", "value", "low", "high")
    lines = columns(heads, sorted(rows, key=lambda row: (row[2] != "measured", row[1], row[0])))
    text = f"Each metric against k, from k = {ks[0]} to {ks[-1]}; bands are intervals where they were measured."
    wide = frozenset({"x"}) if ks[-1] >= 50 * ks[0] else frozenset[str]()
    return [
        Chart(
            "How many of the nearest does it take?",
            text,
            lines,
            x="k",
            y="value",
            mark="line",
            color="metric",
            dash="kind",
            low="low",
            high="high",
            log=wide,
            limits=(0.0, 1.0),
        )
    ]
