"""Every number that no other section speaks about, so that none is lost."""

from __future__ import annotations

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.section import Section
from tripleteval.report.families import metric_table, others
from tripleteval.report.sections import section


@section("other numbers", place=40)
def other_numbers(evaluation: Evaluation) -> Section | None:
    """List the metrics of no known family."""
    found = others(evaluation)
    return Section("Other numbers", "", [metric_table(found, "pairs")]) if found else None
