"""Loss against speed, one mark per setting: the plot everybody looks at first, as an SVG of a few kilobytes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from tripleteval.data.search_evaluation import SearchEvaluation

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 720, 420, 70, 170, 40, 50
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999")


def pareto_svg(search: SearchEvaluation) -> str:
    """Return the plot: queries per second (logarithmic) to the right, points lost upwards."""
    name = search.settings["judge_by"]
    ran = [e for e in search if "error" not in e and e["metrics"][name]["loss"] is not None]
    speeds = [e["speed"]["queries_per_second"] for e in ran] or [1.0]
    lost = [100 * e["metrics"][name]["loss"] for e in ran] or [0.0]
    low, high = math.floor(math.log10(min(speeds))), math.ceil(math.log10(max(speeds)) + 1e-9)
    right = max(high - low, 1)
    bottom, top = min(0.0, *lost), max(1e-3, *lost) * 1.05

    def x(speed: float) -> float:
        return _LEFT + (math.log10(speed) - low) / right * (_WIDTH - _LEFT - _RIGHT)

    def y(points: float) -> float:
        return float(_HEIGHT - _BOTTOM - (points - bottom) / (top - bottom) * (_HEIGHT - _TOP - _BOTTOM))

    front = sorted(
        (x(e["speed"]["queries_per_second"]), y(100 * e["metrics"][name]["loss"])) for e in ran if e["pareto"]
    )
    body = [
        *_axes(name, [(x(10.0**p), f"{10**p:,}") for p in range(low, low + right + 1)], _ticks(bottom, top), y),
        f'<polyline fill="none" stroke="#bbbbbb" points="{" ".join(f"{a:.1f},{b:.1f}" for a, b in front)}"/>',
        *_marks(ran, name, x, y),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" '
        f'font-size="12" role="img"><title>{escape(search.verdict)}</title>' + "".join(body) + "</svg>\n"
    )


def _axes(name: str, across: Sequence[tuple[float, str]], up: Sequence[float], y: Any) -> Iterator[str]:
    yield f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>'
    floor = _HEIGHT - _BOTTOM
    for place, text in across:
        yield f'<path stroke="#eeeeee" d="M{place:.1f} {_TOP}V{floor}"/>'
        yield f'<text x="{place:.1f}" y="{floor + 18}" text-anchor="middle">{text}</text>'
    for points in up:
        yield f'<path stroke="#eeeeee" d="M{_LEFT} {y(points):.1f}H{_WIDTH - _RIGHT}"/>'
        yield f'<text x="{_LEFT - 8}" y="{y(points) + 4:.1f}" text-anchor="end">{points:g}</text>'
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    yield f'<text x="{middle}" y="{_HEIGHT - 10}" text-anchor="middle">queries per second</text>'
    yield f'<text x="{_LEFT}" y="{_TOP - 16}">points of {escape(name)} lost (lower is better)</text>'


def _marks(ran: Sequence[dict[str, Any]], name: str, x: Any, y: Any) -> Iterator[str]:
    backends = list(dict.fromkeys(entry["backend"] for entry in ran))
    colour = {backend: _COLOURS[place % len(_COLOURS)] for place, backend in enumerate(backends)}
    for entry in ran:
        at = x(entry["speed"]["queries_per_second"]), y(100 * entry["metrics"][name]["loss"])
        told = f"{entry['label']}: {100 * entry['metrics'][name]['loss']:.3f} points"
        size, fill = 5 if entry["pareto"] else 3, colour[entry["backend"]]
        yield f'<circle cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="{size}" fill="{fill}">'
        yield f"<title>{escape(told)}</title></circle>"
    for place, backend in enumerate(backends):
        row = _TOP + 18 * place
        yield f'<circle cx="{_WIDTH - _RIGHT + 20}" cy="{row}" r="4" fill="{colour[backend]}"/>'
        yield f'<text x="{_WIDTH - _RIGHT + 30}" y="{row + 4}">{escape(backend)}</text>'


def _ticks(bottom: float, top: float) -> list[float]:
    step = 10.0 ** math.floor(math.log10((top - bottom) / 2))
    step *= 5 if (top - bottom) / step > 10 else 1
    first = math.ceil(bottom / step)
    return [round(i * step, 10) for i in range(first, math.floor(top / step) + 1)]
