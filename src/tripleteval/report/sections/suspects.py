"""Labels to look at again."""

from __future__ import annotations

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.section import Section, Table
from tripleteval.errors import counted
from tripleteval.report.cases import cases
from tripleteval.report.findings.chance import collapsed
from tripleteval.report.findings.suspects import suspects
from tripleteval.report.sections import section
from tripleteval.report.wording import label, number, percent

_MOST = 10
_MOST_CASES = 24


@section("suspected labels", place=72, brief=False)
def suspected(evaluation: Evaluation) -> Section | None:
    """Show the items whose neighbours agree on another class, the most suspicious first."""
    found = suspects(evaluation)
    if found is None or not found.num_rows or collapsed(evaluation):
        return None
    look, own = ("looks", "its") if found.num_rows == 1 else ("look", "their")
    text = (
        f"{counted(found.num_rows, 'query')} {look} more like another class than {own} own: more of {own} nearest "
        "items are of that class. Either the label is wrong or the model is; the first are the most suspicious. Gap is "
        f"how much farther {own} own class is. The whole list: tripleteval export RUN suspects -o suspects.csv."
    )
    rows = found.slice(0, _MOST_CASES).to_pylist()
    heads = [
        "row",
        *(["id"] if "id" in found.column_names else []),
        "label",
        "looks like",
        "neighbours like that",
        "like its own",
        "gap",
    ]
    cells = [_row(row, heads) for row in rows[:_MOST]]
    facts = [{"suspicion": row["suspicion"], "gap": row["gap"]} for row in rows]
    table = Table(heads, cells, frozenset({"row", "neighbours like that", "like its own", "gap"}))
    return Section("Suspected labels", text, [table], cases=cases(evaluation, [row["query"] for row in rows], facts))


def _row(row: dict[str, object], heads: list[str]) -> list[str]:
    cells = {
        "row": str(row["query"]),
        "id": label(row.get("id")),
        "label": label(row["label"]),
        "looks like": label(row["looks_like"]),
        "neighbours like that": percent(float(str(row["share"]))),
        "like its own": percent(float(str(row["own_share"]))),
        "gap": number(row["gap"]),
    }
    return [cells[head] for head in heads]
