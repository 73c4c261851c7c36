"""Items that are there twice: inside a set, or on both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.section import Section
from tripleteval.errors import counted
from tripleteval.report.copies import CLOSE, cases, differing, groups, listed, table
from tripleteval.report.findings.duplicates import duplicates
from tripleteval.report.findings.neighborhood import among_each_other
from tripleteval.report.sections import section
from tripleteval.report.wording import whole

if TYPE_CHECKING:
    import pyarrow as pa


@section("duplicates", place=74)
def twice(evaluation: Evaluation) -> Section | None:
    """List exact and near duplicates, and say what they mean where queries and gallery share them."""
    found = duplicates(evaluation)
    if found is None or not found.num_rows:
        return None
    inside = among_each_other(evaluation)
    grouped = groups(found, inside=inside)
    text = f"{_text(found, inside=inside)} {listed(grouped)}"
    shown = [table(grouped, "query", "item")]
    return Section("Duplicates", text, shown, level="warning", cases=cases(grouped, "queries", "gallery"))


def _text(found: pa.Table, *, inside: bool) -> str:
    exact = np.array(found["kind"].to_pylist()) == "exact"
    query = found["query"].to_numpy()
    ends = [query, found["gallery"].to_numpy()] if inside else [query]
    same = len(np.unique(np.concatenate([end[exact] for end in ends])))
    either = len(np.unique(np.concatenate(ends)))
    among = "another item" if inside else "an item of the gallery"
    have = "has" if same == 1 else "have"
    said = f"{counted(same, 'query')} {have} exactly the vector of {among}, {whole(either - same)} nearly ({CLOSE})."
    meaning = (
        "Copies of one item find each other and make every number look better."
        if inside
        else "What stands on both sides is found for free: if it leaked from one split into the other, remove it."
    )
    return " ".join(filter(None, [said, differing(found), meaning]))
