"""A gate in words: for the terminal, and one line per failure."""

from __future__ import annotations

from tripleteval.data.section import Section, Table
from tripleteval.gates.result import Check, Gate
from tripleteval.report.wording import UNSURE, interval, label, number


def section(gate: Gate) -> Section:
    """Return the table of checks, with the verdict as its title."""
    failed = sum(not check.passed for check in gate.checks)
    count = f"{len(gate.checks)} requirement{'s' if len(gate.checks) > 1 else ''}"
    title = f"{label(gate.run)}: {f'{failed} of {count} failed' if failed else f'passed, {count} met'}"
    table = Table(heads(gate), rows(gate), frozenset({"found", "interval"}))
    return Section(title, units(gate), [table], "warning" if failed else "good")


def units(gate: Gate) -> str:
    """Return what the intervals rest on, where not each row says it, and what * stands for; nothing for neither."""
    nouns = _nouns(gate)
    said = [f"Intervals by {nouns[0]}."] if len(nouns) == 1 else []
    return " ".join([*said, *([f"* {UNSURE}."] if any(check.unreliable for check in gate.checks) else [])])


def heads(gate: Gate) -> list[str]:
    """Return the heads of the table of checks."""
    return ["requirement", "found", "interval", *(["by"] if len(_nouns(gate)) > 1 else []), "result"]


def rows(gate: Gate) -> list[list[str]]:
    """Return the cells of one row per check."""
    said = len(_nouns(gate)) > 1
    return [
        [
            check.requirement,
            _found(check),
            interval(check.low, check.high, check.found),
            *([check.unit] if said else []),
            f"{'passed' if check.passed else 'FAILED'}{' *' if check.unreliable else ''}",
        ]
        for check in gate.checks
    ]


def sentence(check: Check) -> str:
    """Return what a check found, in one line."""
    around = interval(check.low, check.high, check.found)
    return f"{check.requirement}: found {_found(check)}{f' {around}' if around else ''}"


def _nouns(gate: Gate) -> list[str]:
    return list(dict.fromkeys(check.unit for check in gate.checks if check.unit))


def _found(check: Check) -> str:
    return f"undefined: {check.reason}" if check.found is None else number(check.found)
