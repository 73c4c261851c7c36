"""Numbers and names as people read them, the same in every section and on every surface."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from tripleteval.errors import visible

LONGEST = 200
_NOISE = 1e-12  # what sums of floats leave of a difference of 0

_AVERAGES = {"query": "mean over queries", "class": "mean over classes", "median": "median over queries"}


def number(value: Any) -> str:
    """Return a measured value with four decimals, more where it would read as 0, and a dash where undefined."""
    if value is None or not math.isfinite(value):
        return "–"
    sign, size = "−" if value < 0 else "", abs(value)
    if size and size < 0.001:
        return f"{sign}{size:.2e}"
    return f"{sign}{size:,.4f}" if size < 1000 else f"{sign}{size:,.1f}"


def interval(low: Any, high: Any) -> str:
    """Return the two ends in brackets with three decimals; nothing without them.

    They have more decimals where they would read as one, and where an end would read as 0, which decides whether the
    interval holds 0.
    """
    if low is None or high is None:
        return ""
    shown = [f"{end:,.3f}" if abs(end) < 1000 else f"{end:,.1f}" for end in (low, high)]
    lost = any(text in {"0.000", "-0.000"} and abs(end) > _NOISE for text, end in zip(shown, (low, high), strict=True))
    if lost or (shown[0] == shown[1] and low != high):
        shown = [number(low), number(high)]
    return f"[{_signed(shown[0])}, {_signed(shown[1])}]"


def _signed(shown: str) -> str:
    shown = shown.removeprefix("-") if shown == "-0.000" else shown
    return f"−{shown[1:]}" if shown.startswith("-") else shown


def whole(value: Any) -> str:
    """Return a count with thousands separated."""
    return f"{value:,}" if isinstance(value, (int, float)) else "–"


def rank(value: float) -> str:
    """Return a place in a ranking: a whole number, but where ties share it with decimals."""
    return f"{round(float(value), 2):,}".removesuffix(".0")


def percent(value: float) -> str:
    """Return a share in percent, never rounded up to a perfect score nor down to none."""
    shown = f"{100 * value:.1f}"
    if shown in ("100.0", "0.0") and value not in (0.0, 1.0):
        shown = "more than 99.9" if value > 0.5 else "less than 0.1"
    return f"{shown} %"


def over(average: Any, of: str) -> str:
    """Return what a number averages over; ``of`` is what the pooled average weighs alike, such as ``"triplets"``."""
    return _AVERAGES.get(str(average), f"over all {of}")


def plain(value: Any) -> str:
    """Return a number as it was typed: ``0.2``, ``5``."""
    return repr(float(value)).removesuffix(".0") if isinstance(value, float) else str(value)


def label(value: Any) -> str:
    """Return a label, id or name on one line, nothing invisible in it, at most `LONGEST` characters long."""
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    # Cut twice: what follows is escaped, and escaping a megabyte to show a line of it is wasted.
    shown = visible(text[: LONGEST + 1]).replace("\n", "\\n")
    return shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "…"


def listed(parts: Iterable[str]) -> str:
    """Return ``a``, ``a and b``, ``a, b and c``."""
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last
