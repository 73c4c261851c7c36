"""The few numbers that answer one kind of reader, before everything else."""

from __future__ import annotations

from typing import Any

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.section import Section, Table
from tripleteval.errors import plural
from tripleteval.report.families import filled
from tripleteval.report.kinds import kind_of
from tripleteval.report.presets import PRESETS, chosen
from tripleteval.report.sections import section
from tripleteval.report.wording import interval, listed, number

_FOR = {"face": "face recognition", "product": "product search", "reid": "re-identification"}


@section("preset", place=15)
def preset(evaluation: Evaluation) -> Section | None:
    """List the numbers of the preset that was asked for, if one was."""
    name = evaluation.environment.get("preset")
    if name not in PRESETS:
        return None
    calibrated = any(spelling.startswith("transfer_") for spelling in evaluation.metrics)
    title = f"Headline for {_FOR[name]}"
    rows = [[spelling, *_cells(evaluation.metrics[spelling])] for spelling in chosen(evaluation, name)]
    if not rows:
        wanted = listed(spelling.removesuffix("=*") for spelling in PRESETS[name])
        text = f"This run of {plural(kind_of(evaluation).noun)} has none of the numbers of this preset: {wanted}."
        return Section(title, text, level="warning")
    if calibrated:
        rows = [[*row[:-1], _with(row[-1], _origin(row[0], evaluation))] for row in rows]
    columns = ["number", "value", "interval", "chance", "remark"]
    return Section(title, "", [filled(Table(columns, rows, frozenset(columns[1:4])))])


def _cells(entry: dict[str, Any]) -> list[str]:
    value = number(entry["value"]) + (f" ± {number(entry['se'])}" if "se" in entry else "")
    chance = "" if entry.get("chance") is None else number(entry["chance"])
    return [value, interval(entry.get("low"), entry.get("high"), entry["value"]), chance, _remark(entry)]


def _origin(spelling: str, evaluation: Evaluation) -> str:
    """Return where a threshold was chosen, which is what tells the numbers of two kinds apart."""
    at = evaluation.metrics[spelling].get("threshold")
    if spelling.startswith("transfer_") and at is not None:
        return f"threshold {number(at)}, chosen on other identities"
    return "chosen and judged on these pairs" if spelling.startswith(("tar@", "threshold@")) else ""


def _with(remark: str, more: str) -> str:
    return "; ".join(said for said in (more, remark) if said)


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
