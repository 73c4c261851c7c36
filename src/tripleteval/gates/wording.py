"""A gate in words: for the terminal, and one line per failure."""

from __future__ import annotations

from tripleteval.data.section import Section, Table
from tripleteval.gates.result import Check, Gate
from tripleteval.report.wording import interval, label, number

HEADS = ("requirement", "found", "interval", "result")


def section(gate: Gate) -> Section:
    """Return the table of checks, with the verdict as its title."""
    failed = sum(not check.passed for check in gate.checks)
    count = f"{len(gate.checks)} requirement{'s' if len(gate.checks) > 1 else ''}"
    title = f"{label(gate.run)}: {f'{failed} of {count} failed' if failed else f'passed, {count} met'}"
    table = Table(HEADS, rows(gate), frozenset({"found", "interval"}))
    return Section(title, units(gate), [table], "warning" if failed else "good")


def units(gate: Gate) -> str:
    """Return what the intervals rest on, in one line; nothing where there is none."""
    shown = [check for check in gate.checks if check.low is not None]
    nouns = [noun for noun in (gate.unit, gate.baseline_unit) if noun]
    if not shown or not nouns:
        return ""
    if len(set(nouns)) == 1:
        return f"Intervals by {nouns[0]}."
    return f"Intervals by {gate.unit}, those of differences to the baseline by {gate.baseline_unit}."


def rows(gate: Gate) -> list[list[str]]:
    """Return the cells of one row per check."""
    return [
        [check.requirement, _found(check), interval(check.low, check.high), "passed" if check.passed else "FAILED"]
        for check in gate.checks
    ]


def sentence(check: Check) -> str:
    """Return what a check found, in one line."""
    around = interval(check.low, check.high)
    return f"{check.requirement}: found {_found(check)}{f' {around}' if around else ''}"


def _found(check: Check) -> str:
    return f"undefined: {check.reason}" if check.found is None else number(check.found)
