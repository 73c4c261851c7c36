"""Same or different: what a threshold on the distance of two items would decide."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.section import Section, Table
from tripleteval.report.families import Entry, filled, of_pairs
from tripleteval.report.sections import section
from tripleteval.report.wording import interval, number, threshold, whole

_READ_AS = {
    "cv_accuracy": "pairs decided rightly, mean over folds ± standard error; the threshold is of the other folds",
    "auc": "a genuine pair is closer than an impostor pair; ½ by chance",
    "eer": "error rate where as many of either kind are decided wrongly",
    "d_prime": "distance of the two means in standard deviations",
    "overlap": "what the best threshold leaves undecided",
    "best_accuracy": "pairs decided rightly by the best threshold for them: optimistic",
}


@section("verification", place=33)
def verification(evaluation: Evaluation) -> Section | None:
    """List, per false accept rate, what is accepted and up to which distance."""
    found = of_pairs(evaluation)
    if not found:
        return None
    counts = evaluation.accounting
    said = [f"{whole(counts.get('genuine_pairs'))} genuine and {whole(counts.get('impostor_pairs'))} impostor pairs."]
    undefined = {name: entry.get("reason", "") for name, entry in found.items() if entry["value"] is None}
    rates = [name for name in found if "_quantile@" not in name]
    if "genuine_pairs" not in counts or all(name in undefined for name in rates):
        rows = [[name, f"undefined: {reason}"] for name, reason in undefined.items()]
        tables = [Table(["number", "value"], rows), _distances(found)]
        return Section("Same or different?", tables=[filled(table) for table in tables if table.rows])
    said.append("A pair is accepted up to the threshold; no rate is exceeded, also where distances are equal.")
    budgets = _budgets(found)
    if any(row[-1] == "*" for row in budgets.rows):
        said.append("* fewer than 30 false accepts are allowed: the rate is not reliable.")
    others = _transferred(found)
    if others.rows:
        sides = [counts[side]["identities"] for side in ("calibration", "transfer")]
        said.append(
            f"The last table: thresholds chosen on {sides[0]:,} identities, judged on {sides[1]:,} others, with "
            "intervals over identities."
        )
    return Section(
        "Same or different?",
        " ".join(said),
        [filled(t) for t in (_numbers(found), budgets, _distances(found), others) if t.rows],
    )


def _numbers(found: dict[str, Entry]) -> Table:
    rows = [
        [name, _value(found[name]), _interval(found[name]), found[name].get("reason", meaning)]
        for name, meaning in _READ_AS.items()
        if name in found
    ]
    return Table(["number", "value", "interval", "read as"], rows, frozenset({"value", "interval"}))


def _budgets(found: dict[str, Entry]) -> Table:
    rows = []
    for name, entry in found.items():
        if name.startswith("tar@far=") and entry["value"] is not None:
            cut = found.get(name.replace("tar@", "threshold@"), {}).get("value", entry["threshold"])
            rows.append(
                [
                    name,
                    _value(entry),
                    _interval(entry),
                    number(entry["achieved_far"]),
                    f"{entry['false_accepts']:,} of {entry['allowed_false_accepts']:,}",
                    threshold(cut),
                    "*" if entry["unreliable"] else "",
                ]
            )
    columns = ["number", "TAR", "interval", "FAR achieved", "false accepts", "threshold", ""]
    return Table(columns, rows, frozenset(columns[1:6]))


def _distances(found: dict[str, Entry]) -> Table:
    rows = []
    for name, entry in found.items():
        kind, at, share = name.partition("_quantile@share=")
        if at and entry["value"] is not None:
            what = {"intra": "genuine", "inter": "impostor"}[kind]
            cut = threshold(entry["value"])
            rows.append([name, cut, _interval(entry, threshold), f"{100 * float(share):.3g} % of the {what} pairs"])
    columns = ["number", "distance", "interval", "up to which lie"]
    return Table(columns, rows, frozenset(columns[1:3]))


def _transferred(found: dict[str, Entry]) -> Table:
    rows = []
    for name, entry in found.items():
        if name.startswith("transfer_") and entry["value"] is not None:
            shown = [name, number(entry["value"]), _interval(entry)]
            rows.append([*shown, threshold(entry["threshold"]), whole(entry["n"])])
    columns = ["number", "value", "interval", "threshold", "pairs"]
    return Table(columns, rows, frozenset(columns[1:]))


def _interval(entry: dict[str, Any], shown_as: Callable[[Any], str] = number) -> str:
    return interval(entry.get("low"), entry.get("high"), entry["value"], shown_as)


def _value(entry: dict[str, Any]) -> str:
    shown = number(entry["value"])
    if "se" in entry:
        return f"{shown} ± {number(entry['se'])}"
    return f"{shown} ({number(entry['at_least'])} to {number(entry['at_most'])})" if "at_least" in entry else shown
