"""What a careful colleague would remark."""

from __future__ import annotations

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.section import Section
from tripleteval.report.sections import section


@section("notes", place=15)
def notes(evaluation: Evaluation) -> Section | None:
    """Repeat the findings of the evaluation, one per line, before any table is believed."""
    if not evaluation.notes:
        return None
    return Section("Notes", "\n".join(evaluation.notes), level="warning")
