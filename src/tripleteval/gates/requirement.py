"""What is required of a number, as people write it: ``recall@10 >= 0.9``, ``low(map@r) >= 0.5``."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from tripleteval.errors import ParameterError, nearest
from tripleteval.metrics import known_as

_COMPARED: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_SHAPE = re.compile(r"\s*(?P<what>.+?)\s*(?P<sign>[<>=!~≥≤≠]+)\s*(?P<limit>[-+\d.eE_]+)\s*")
_BOUND = re.compile(r"(?P<bound>low|high|value)\s*\(\s*(?P<metric>.+?)\s*\)")


class Asked(NamedTuple):
    """A metric, and which of its numbers is meant: ``"value"``, ``"low"`` or ``"high"``."""

    metric: str
    bound: str


class Requirement(NamedTuple):
    """One number of a run, and the limit it must keep."""

    text: str
    asked: Asked
    sign: str
    limit: float

    def holds(self, value: float) -> bool:
        """Return whether ``value`` keeps the limit."""
        return _COMPARED[self.sign](value, self.limit)


def parse_requirement(text: str, known: Iterable[str]) -> Requirement:
    """Return what a text requires.

    Args:
        text: A metric, or ``low(metric)`` or ``high(metric)`` for an end of its interval; then ``>=``, ``<=``,
            ``>`` or ``<``; then a number.
        known: The metrics of the run.

    Raises:
        ParameterError: It cannot be read, or compares by something else (E101); or the run has no such metric (E510).
    """
    match = _SHAPE.fullmatch(text)
    limit = _number(match["limit"]) if match else math.nan
    if not match or not math.isfinite(limit) or match["sign"] == "=":
        raise ParameterError(
            "E101",
            f"a requirement that cannot be read: {text!r}",
            fix="write METRIC >= NUMBER, or low(METRIC) >= NUMBER, such as 'recall@10 >= 0.9'",
        )
    if match["sign"] not in _COMPARED:
        found = f"the unknown comparison {match['sign']!r}"
        raise ParameterError("E101", found, where=text, fix=f"known: {', '.join(_COMPARED)}")
    return Requirement(text.strip(), parse_asked(match["what"], known), match["sign"], limit)


def parse_asked(text: str, known: Iterable[str]) -> Asked:
    """Return which number of which metric ``text`` means.

    Raises:
        ParameterError: The run has no such metric (E510).
    """
    match = _BOUND.fullmatch(text.strip())
    asked, bound = (match["metric"], match["bound"]) if match else (text.strip(), "value")
    spellings = list(known)
    name = known_as(asked, spellings)
    if name not in spellings:
        raise _unknown(asked, spellings)
    return Asked(name, bound)


def _unknown(name: str, known: list[str]) -> ParameterError:
    return ParameterError("E510", f"no metric {name!r} in this run", fix=nearest(name, known, "its run.json lists all"))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
