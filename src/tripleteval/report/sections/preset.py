"""The few numbers that answer one kind of reader, before everything else."""

from __future__ import annotations

from typing import Any

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.section import Section, Table
from tripleteval.report.presets import PRESETS, chosen
from tripleteval.report.sections import section
from tripleteval.report.wording import number

_FOR = {"face": "face recognition", "product": "product search", "reid": "re-identification"}


@section("preset", place=15)
def preset(evaluation: Evaluation) -> Section | None:
    """List the numbers of the preset that was asked for, if one was."""
    name = evaluation.environment.get("preset")
    if name not in PRESETS:
        return None
    rows = [[spelling, *_cells(evaluation.metrics[spelling])] for spelling in chosen(evaluation, name)]
    columns = ["number", "value", "interval", "chance", "remark"]
    return Section(f"Headline for {_FOR[name]}", "", [Table(columns, rows, frozenset(columns[1:4]))])


def _cells(entry: dict[str, Any]) -> list[str]:
    low, high = entry.get("low"), entry.get("high")
    value = number(entry["value"]) + (f" ± {number(entry['se'])}" if "se" in entry else "")
    between = "" if low is None or high is None else f"{number(low)} to {number(high)}"
    chance = "" if entry.get("chance") is None else number(entry["chance"])
    return [value, between, chance, _remark(entry)]


def _remark(entry: dict[str, Any]) -> str:
    if entry["value"] is None:
        return f"undefined: {entry.get('reason', '')}"
    said = []
    ceiling = entry.get("ceiling")
    if ceiling is not None and ceiling < 1:
        said.append(f"ceiling {number(ceiling)}")
    if "achieved_far" in entry:
        said.append(f"FAR achieved {number(entry['achieved_far'])}")
    if "achieved_fpir" in entry:
        said.append(f"FPIR achieved {number(entry['achieved_fpir'])}")
    if "identities" in entry:
        said.append(f"among {entry['identities']:,} identities")
    if entry.get("unreliable"):
        said.append("fewer than 30 errors allowed: not reliable")
    return "; ".join(said)
