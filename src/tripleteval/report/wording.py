"""Numbers and names as people read them, the same in every section and on every surface."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from tripleteval.errors import visible
from tripleteval.metrics.operating import RELIABLE

LONGEST, _BRIEF = 200, 60
UNSURE = f"fewer than {RELIABLE} errors are allowed: the rate is not reliable"  # what * beside a rate says
_NOISE = 1e-12  # what sums of floats leave of a difference of 0
_LARGE = 1e9  # from there on digits are counted, not read

_AVERAGES = {"query": "mean over queries", "class": "mean over classes", "median": "median over queries"}


def number(value: Any) -> str:
    """Return a measured value with four decimals, in powers of ten where it is tiny or huge, a dash where undefined."""
    if value is None or not math.isfinite(value):
        return "–"
    sign, size = "−" if value < 0 else "", abs(value)
    if size and (size < 0.001 or size >= _LARGE):
        return f"{sign}{size:.2e}"
    return f"{sign}{size:,.4f}" if size < 1000 else f"{sign}{size:,.1f}"


def difference(value: Any) -> str:
    """Return the same with its sign, whichever that is."""
    shown = number(value)
    return shown if shown[0] in "−–" else f"+{shown}"


def threshold(value: Any) -> str:
    """Return a threshold or another distance with six digits, as people copy it; a dash where undefined."""
    return "–" if value is None else f"{value:.6g}"


def interval(low: Any, high: Any, value: Any = None, shown_as: Callable[[Any], str] = number) -> str:
    """Return the two ends in brackets with three decimals; nothing without them.

    They have more decimals where they would read as one, and where an end would read as 0, which decides whether the
    interval holds 0; and as many as ``value``, shown beside them by ``shown_as``, where it would read as outside.
    """
    if low is None or high is None:
        return ""
    ends = (low, high)
    shown = [f"{end:,.3f}" if abs(end) < 1000 else f"{end:,.1f}" for end in ends]
    lost = any(text in {"0.000", "-0.000"} and abs(end) > _NOISE for text, end in zip(shown, ends, strict=True))
    alike = shown[0] == shown[1] and abs(high - low) > _NOISE * max(map(abs, ends))
    inside = value is not None and low <= value <= high
    outside = inside and not _read(shown[0]) <= _read(shown_as(value)) <= _read(shown[1])
    if outside or lost or alike or max(map(abs, ends)) >= _LARGE:
        shown = [shown_as(low), shown_as(high)]
    return f"[{_signed(shown[0])}, {_signed(shown[1])}]"


def _read(shown: str) -> float:
    return float(shown.replace(",", "").replace("−", "-"))


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


def label(value: Any, longest: int = LONGEST) -> str:
    """Return a label, id or name on one line, nothing invisible in it, at most ``longest`` characters long."""
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    # Cut twice: what follows is escaped, and escaping a megabyte to show a line of it is wasted.
    shown = visible(text[: longest + 1]).replace("\n", "\\n")
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def brief(value: Any) -> str:
    """Return a label, id or name as a sentence can carry it."""
    return label(value, _BRIEF)


def listed(parts: Iterable[str]) -> str:
    """Return ``a``, ``a and b``, ``a, b and c``."""
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last
