"""Better, worse or not distinguishable, in one sentence."""

from __future__ import annotations

from typing import Any

from tripleteval.differences.compared import IDENTITY
from tripleteval.errors import counted
from tripleteval.report.wording import difference, interval, number


def judge(
    entry: dict[str, Any], primary: str, names: tuple[str, str], *, confidence: float, noun: str
) -> tuple[str, str]:
    """Return the outcome of the second run against the first, and the sentence that says so.

    Chance is ruled out where p is at most 1 − confidence and the interval leaves out 0 (where there is no p,
    the interval alone). A metric without a better direction is only said to differ.
    """
    values = f"{primary} {number(entry['a'])} and {number(entry['b'])}"
    if entry["interval"] is None:
        said = f"{names[1]} cannot be told from {names[0]}: {values}; {entry.get('reason', 'no interval')}."
        return "not distinguishable", said
    change = entry["difference"]
    facts = (
        f"{values}, difference {difference(change)} {interval(entry['low'], entry['high'], change)} over "
        f"{counted(entry['units'], noun)}{_p(entry['p'])}"
    )
    if not _certain(entry, confidence):
        said = f"{names[1]} cannot be told from {names[0]}: {facts}{_least(entry, noun)}."
        return "not distinguishable", said
    rises = change > 0
    if entry["better"] is None:
        return "not distinguishable", f"{names[1]} differs from {names[0]}, for better or worse: {facts}."
    outcome = "better" if rises == (entry["better"] == "higher") else "worse"
    return outcome, f"{names[1]} is {outcome} than {names[0]}: {facts}."


def _certain(entry: dict[str, Any], confidence: float) -> bool:
    beyond = entry["low"] > 0 or entry["high"] < 0
    return beyond and (entry["p"] is None or entry["p"] <= 1 - confidence)


def _least(entry: dict[str, Any], noun: str) -> str:
    """Return that p could not be smaller, where it is: with 5 units, flipped in every way, it is 1/16 at least.

    Of identities there is nothing to say: strangers are flipped with them, and are not among the units.
    """
    least = noun != IDENTITY and entry["p"] == 2.0 ** (1 - entry["units"])
    return f" (the least that {counted(entry['units'], noun)} can give)" if least else ""


def _p(p: float | None) -> str:
    return "" if p is None else f", p = {p:.4f}" if p >= 0.0001 else ", p < 0.0001"
