"""Which pairs of classes are taken for each other."""

from __future__ import annotations

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.section import Section, Table
from tripleteval.report.findings.chance import collapsed
from tripleteval.report.findings.confusions import confusions
from tripleteval.report.sections import section
from tripleteval.report.wording import label, number, percent, whole

_MOST = 12


@section("confusions", place=62, brief=False)
def confused(evaluation: Evaluation) -> Section | None:
    """List which class stands in whose first place, how often, and by how much the own class is farther."""
    found = confusions(evaluation)
    if found is None or not found.num_rows or collapsed(evaluation):
        return None
    some = f"The {_MOST} most frequent of {found.num_rows:,}" if found.num_rows > _MOST else f"All {found.num_rows}"
    some = "The only pair" if found.num_rows == 1 else f"{some} pairs"
    text = (
        f"{some} of classes in which the nearest item of a query is of the other class. Gap is how much farther "
        "the nearest relevant item is, in the middle query; – where none is among the neighbours that were kept."
    )
    heads = ["class", "finds instead", "queries", "of its queries", "the other way", "gap"]
    rows = [
        [
            label(row["label"]),
            label(row["found"]),
            whole(row["queries"]),
            percent(row["share"]),
            whole(row["back"]),
            number(row["gap"]),
        ]
        for row in found.slice(0, _MOST).to_pylist()
    ]
    return Section("Confusable classes", text, [Table(heads, rows, frozenset(heads[2:]))])
