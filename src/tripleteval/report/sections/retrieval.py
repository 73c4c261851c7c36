"""How good the rankings are: every rank metric with its chance level and its ceiling."""

from __future__ import annotations

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.section import Section
from tripleteval.report.families import metric_table, retrieval, usual_average
from tripleteval.report.sections import section

_NAMES = (
    'hit_rate@k (DML "Recall@K") asks whether any of the k nearest is relevant; '
    "recall@k (fraction of positives) what share of all relevant items is among them."
)


@section("retrieval", place=20)
def rankings(evaluation: Evaluation) -> Section | None:
    """List the rank metrics; say what they average over, and what chance and best mean."""
    found = retrieval(evaluation)
    if not found:
        return None
    usual = usual_average(found, "relevant pairs")
    scale = "Chance is a random ranking, best (where below 1) a perfect one."
    text = f"{usual.capitalize()}, unless marked. {scale} {_NAMES}"
    return Section("Retrieval", text, [metric_table(found, "relevant pairs")])
