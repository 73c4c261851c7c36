"""Who is it: how often the right identity is found, and how often a stranger is taken for somebody."""

from __future__ import annotations

from typing import Any

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.section import Section, Table
from tripleteval.errors import counted
from tripleteval.report.families import filled
from tripleteval.report.sections import section
from tripleteval.report.wording import interval, listed, number, threshold, whole


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
    if any(entry.get("interval") for entry in evaluation.metrics.values()):
        text += f" Intervals draw {_people(counts)} again, in the same gallery"
        text += "; each draw chooses its threshold on the strangers in it." if counts["non_mated"] else "."
    if any(entry.get("unreliable") for entry in evaluation.metrics.values()):
        text += " * fewer than 30 false positives are allowed: the rate is not reliable."
    rows = [
        [
            name,
            number(entry["value"]) if entry["value"] is not None else f"undefined: {entry['reason']}",
            interval(entry.get("low"), entry.get("high"), entry["value"]),
        ]
        for name, entry in evaluation.metrics.items()
        if name.startswith("cmc@") or entry["value"] is None
    ]
    closed = Table(["number", "value", "interval"], rows, frozenset({"value", "interval"}))
    tables = [closed, _open(evaluation), _thresholds(evaluation)]
    return Section("Who is it?", text, [filled(table) for table in tables if table.rows])


def _people(counts: dict[str, Any]) -> str:
    """Return how many identities the probes show; a run of an earlier version does not say."""
    mated, strangers = (counts.get(f"{kind}_identities") for kind in ("mated", "non_mated"))
    if mated is None or strangers is None:
        return "identities"
    nouns = {"enrolled identity": mated, "stranger": strangers}
    return listed(counted(number, noun) for noun, number in nouns.items() if number)


def _open(evaluation: Evaluation) -> Table:
    found = {n: e for n, e in evaluation.metrics.items() if n.startswith("tpir@") and e["value"] is not None}
    ks = [str(k) for k in evaluation.settings["ks"] if k > 1]
    rows = [
        [
            name,
            number(entry["value"]),
            interval(entry.get("low"), entry.get("high"), entry["value"]),
            *(f"{number(entry['by_rank'][k])} {_at_rank(entry, k)}".strip() for k in ks),
            "*" if entry.get("unreliable") else "",
        ]
        for name, entry in found.items()
    ]
    heads = ["number", "TPIR", "interval", *(f"rank ≤ {k}" for k in ks), ""]
    return Table(heads, rows, frozenset(heads[1:-1]))


def _at_rank(entry: dict[str, Any], k: str) -> str:
    low, high = entry.get("by_rank_interval", {}).get(k, (None, None))
    return interval(low, high, entry["by_rank"][k])


def _thresholds(evaluation: Evaluation) -> Table:
    rows = []
    for name, entry in evaluation.metrics.items():
        if not name.startswith("threshold@fpir=") or "achieved_fpir" not in entry:
            continue
        rows.append(
            [
                name,
                threshold(entry["value"]),
                interval(entry.get("low"), entry.get("high"), entry["value"], threshold),
                number(entry["achieved_fpir"]),
                f"{entry['false_positives']:,} of {entry['allowed_false_positives']:,}",
                "*" if entry["unreliable"] else "",
            ]
        )
    heads = ["number", "threshold", "interval", "FPIR achieved", "false positives", ""]
    return Table(heads, rows, frozenset(heads[1:-1]))
