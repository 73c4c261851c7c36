"""Which items are in everybody's list, and how many are in nobody's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.section import Chart, Section, Table
from tripleteval.report.findings.hubs import anti_hubs, hubs
from tripleteval.report.sections import section
from tripleteval.report.wording import label, percent, whole

if TYPE_CHECKING:
    import pyarrow as pa

_MOST = 8
_MOST_BARS = 60


@section("hubs", place=64, brief=False)
def found_often(evaluation: Evaluation) -> Section | None:
    """Say how evenly the gallery is found: the most frequent items, and the share that is never found."""
    found, gallery = hubs(evaluation), evaluation.accounting.get("gallery")
    if found is None or not gallery:
        return None
    assert evaluation.neighbors is not None  # noqa: S101  # hubs come from them
    k = int(evaluation.neighbors["rank"].to_numpy().max())
    unlisted, lonely = gallery - found.num_rows, anti_hubs(evaluation)
    never = unlisted if lonely is None else lonely.num_rows
    mean = evaluation.neighbors.num_rows / gallery
    asked = 0 if evaluation.per_query is None else evaluation.per_query.num_rows
    some = f" of the {whole(asked)} that were drawn" if evaluation.settings.get("sample") else ""
    text = (
        f"How often each of {whole(gallery)} items stands among the {k} nearest of a query{some}: {mean:.1f} times on "
        f"average, {whole(found['found'][0].as_py())} at most. {percent(never / gallery)} are never found"
        f"{', if only by these queries' if some else ' (anti-hubs)'}."
    )
    if never < unlisted:
        more = f"{whole(unlisted - never)} more {'is' if unlisted - never == 1 else 'are'}"
        text += f" {more} missing from the lists only because copies stand there."
    known = [name for name in ("id", "label") if name in found.column_names]
    rows = [
        [
            str(row["gallery"]),
            *(label(row[name]) for name in known),
            whole(row["found"]),
            percent(row["wrong"] / row["found"]),
        ]
        for row in found.slice(0, _MOST).to_pylist()
    ]
    heads = ["gallery row", *known, "found", "of these wrong"]
    table = Table(heads, rows, frozenset({"gallery row", "found", "of these wrong"}))
    tables = [table]
    if lonely is not None and lonely.num_rows:
        tables.append(_never(lonely))
        text += f" The second table lists {len(tables[1].rows)} of those that are never found."
    return Section("Hubs", text, tables, charts=[_occurrence(found, unlisted)])


def _never(found: pa.Table) -> Table:
    rows = [[label(value) for value in row.values()] for row in found.slice(0, _MOST).to_pylist()]
    return Table(["never found: row", *found.column_names[1:]], rows, frozenset({"never found: row"}))


def _occurrence(found: pa.Table, unlisted: int) -> Chart:
    counts = np.concatenate([np.zeros(unlisted, dtype=np.int64), found["found"].to_numpy()])
    width = max(1, -(-(int(counts.max()) + 1) // _MOST_BARS))
    items = np.bincount(counts // width)
    starts = (np.arange(len(items)) * width).tolist()
    columns = {"times found": starts, "below": [start + width for start in starts], "items": items.tolist()}
    text = "How many items are found how often; a long tail to the right are hubs, the bar at 0 are anti-hubs."
    return Chart("k-occurrence", text, columns, x="times found", x_stop="below", y="items", mark="steps")
