"""A gate for GitHub Actions: annotations beside the run, and a table in the summary of the step."""

from __future__ import annotations

from tripleteval.errors import visible
from tripleteval.gates.result import Gate
from tripleteval.gates.wording import heads, rows, section, sentence, units

_ESCAPED = str.maketrans({**{mark: f"\\{mark}" for mark in "\\|`*_[]#"}, "<": "&lt;", ">": "&gt;", "&": "&amp;"})
MOST = 10  # GitHub shows no more per step


def error_lines(gate: Gate) -> list[str]:
    """Return one ``::error`` line per failed requirement, the last of ten speaking for all that do not fit."""
    failed = [check for check in gate.checks if not check.passed]
    shown = failed if len(failed) <= MOST else failed[: MOST - 1]
    lines = [_error(check.requirement, sentence(check)) for check in shown]
    if rest := failed[len(shown) :]:
        lines.append(_error(f"{len(rest)} more", "\n".join(map(sentence, rest))))
    return lines


def summary(gate: Gate) -> str:
    """Return the table of checks as Markdown."""
    said = units(gate)
    lines = [f"### {_cell(section(gate).title)}", "", *([_cell(said), ""] if said else []), _row(heads(gate))]
    lines += [_row(["---"] * len(heads(gate))), *map(_row, rows(gate))]
    return "\n".join([*lines, "", f"`{gate.result_hash}`", ""])


def _error(title: str, message: str) -> str:
    return f"::error title={_property(visible(title))}::{_data(visible(message))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(map(_cell, cells))} |"


def _cell(text: str) -> str:
    return visible(text).replace("\n", " ").translate(_ESCAPED)
