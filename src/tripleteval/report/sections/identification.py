"""Who is it: how often the right identity is found, and how often a stranger is taken for somebody."""

from __future__ import annotations

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.section import Section, Table
from tripleteval.report.sections import section
from tripleteval.report.wording import number, whole


@section("identification", place=34)
def identification(evaluation: Evaluation) -> Section | None:
    """List rank rates and open-set rates, with the size of the gallery they are true of."""
    counts = evaluation.accounting
    if "identification" not in evaluation.settings:
        return None
    text = (
        f"Of {whole(counts['probes'])} probes {whole(counts['mated'])} are enrolled and {whole(counts['non_mated'])} "
        f"are strangers, among {whole(counts['identities'])} identities with {whole(counts['templates'])} items. "
        "In a larger gallery fewer are found, and more strangers match somebody."
    )
    rows = [
        [name, number(entry["value"]) if entry["value"] is not None else f"undefined: {entry['reason']}"]
        for name, entry in evaluation.metrics.items()
        if name.startswith("cmc@") or entry["value"] is None
    ]
    tables = [Table(["number", "value"], rows, frozenset({"value"})), _open(evaluation)]
    return Section("Who is it?", text, [table for table in tables if table.rows])


def _open(evaluation: Evaluation) -> Table:
    found = {n: e for n, e in evaluation.metrics.items() if n.startswith("tpir@") and e["value"] is not None}
    ks = [str(k) for k in evaluation.settings["ks"]]
    rows = []
    for name, entry in found.items():
        cut = "–" if entry["threshold"] is None else f"{entry['threshold']:.6g}"
        within = [number(entry["by_rank"][k]) for k in ks]
        allowed = f"{entry['false_positives']:,} of {entry['allowed_false_positives']:,}"
        row = [name, number(entry["value"]), *within, number(entry["achieved_fpir"]), allowed, cut]
        rows.append([*row, "too few strangers" if entry["unreliable"] else ""])
    heads = [
        "number",
        "TPIR",
        *(f"rank ≤ {k}" for k in ks),
        "FPIR achieved",
        "false positives",
        "threshold",
        "reliable?",
    ]
    return Table(heads, rows, frozenset(heads[1:-1]))
