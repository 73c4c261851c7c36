"""A chart as Vega-Lite: data in, a declaration out; nothing here knows what the numbers mean.

1. Columns travel as c0, c1, …: names that readers see may hold what Vega-Lite takes for a path.
2. Colours with a meaning keep it in every chart; all others come from one palette, readable on light and dark.
3. What has no place on a logarithmic axis is left out, never moved.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tripleteval.data.section import Chart

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"

_PALETTE = [
    "#4c86d6",
    "#d9822b",
    "#3f9c6a",
    "#c0509b",
    "#8f7ad6",
    "#98893a",
    "#3aa0ad",
    "#d65f5f",
    "#a9744f",
    "#6d8f2f",
]
REST = "all others"
_MEANING = {
    "satisfied": "#3f9c6a",
    "semi-hard": "#e0a92e",
    "hard": "#d65f5f",
    "genuine": "#3f9c6a",
    "impostor": "#d65f5f",
    "right": "#3f9c6a",
    "wrong": "#d65f5f",
    REST: "#7f8896",
}
_HEIGHT, _MAP_HEIGHT = 260, 420
_STEPS = {"bar": 20, "stack": 34}
_MOST_DOTS = 60
_TINY, _HUGE = 1e-3, 1e6
_AREA = {"fill": "#7f8896", "fillOpacity": 0.12, "stroke": "#7f8896"}
_FEW = {"tickCount": 6}
_KINDS = {
    "title": None,
    "orient": "top",
    "symbolType": "stroke",
    "symbolSize": 250,
    "symbolStrokeColor": "#7f8896",
    "symbolStrokeWidth": 2,
    "symbolFillColor": "transparent",
}

Spec = dict[str, Any]


def spec(chart: Chart) -> Spec:
    """Return the Vega-Lite declaration of a chart, its data included."""
    names = {name: f"c{place}" for place, name in enumerate(chart.columns)}
    layers = [_shades(chart), _interval(chart, names), _body(chart, names), _rules(chart), _slider(chart)]
    return {
        "$schema": SCHEMA,
        "width": "container",
        "autosize": {"type": "fit-x", "contains": "padding"},
        "height": _height(chart),
        "data": {"values": _rows(chart, names)},
        "params": _params(chart),
        "layer": [layer for found in layers for layer in found],
    }


def _params(chart: Chart) -> list[Spec]:
    slider = [] if chart.slider is None else [{"name": "place", "value": chart.slider.places[chart.slider.start]}]
    # The page sets which marks are picked, by their rows; null is all of them.
    return [*slider, *([{"name": "picked", "value": None}] if chart.brush else [])]


def _height(chart: Chart) -> int:
    """Return the height of the plot in pixels: bars that lie on their side take one step each."""
    if chart.mark not in _STEPS:
        return _HEIGHT if chart.frame else _MAP_HEIGHT
    return _STEPS[chart.mark] * len(set(chart.columns[chart.x if chart.mark == "bar" else chart.y]))


def _rows(chart: Chart, names: dict[str, str]) -> list[Spec]:
    logarithmic = [column for axis, column in (("x", chart.x), ("y", chart.y)) if axis in chart.log]
    rows = [dict(zip(chart.columns, values, strict=True)) for values in zip(*chart.columns.values(), strict=True)]
    shown = [row for row in rows if all(_positive(row[column]) for column in logarithmic)]
    found = [{names[name]: _json(value) for name, value in row.items()} for row in shown]
    return [{**row, "row": place} for place, row in enumerate(found)] if chart.brush else found


def _positive(value: Any) -> bool:
    return isinstance(value, (int, float)) and value > 0


def _json(value: Any) -> Any:
    # JSON has no NaN, and seven digits are more than any screen shows.
    if isinstance(value, float):
        return float(f"{value:.7g}") if math.isfinite(value) else None
    return value


def _body(chart: Chart, names: dict[str, str]) -> list[Spec]:
    drawn = {"line": _line, "bar": _bar, "stack": _stack, "steps": _steps, "points": _points}[chart.mark]
    layer = drawn(chart, names)
    layer["encoding"] |= _series(chart, names) | {"tooltip": _tooltip(chart, names)}
    return [layer]


def _line(chart: Chart, names: dict[str, str]) -> Spec:
    few = len(chart.columns[chart.x]) <= _MOST_DOTS
    dots = {"filled": True, "size": 36} if few else False
    mark = {"type": "line", "point": dots, "strokeWidth": 2, "strokeJoin": "round"}
    return {"mark": mark, "encoding": {"x": _axis(chart, names, "x"), "y": _axis(chart, names, "y")}}


def _points(chart: Chart, names: dict[str, str]) -> Spec:
    encoding: Spec = {"x": _axis(chart, names, "x"), "y": _axis(chart, names, "y")}
    layer: Spec = {"mark": {"type": "circle", "size": 22, "opacity": 0.75}, "encoding": encoding}
    if chart.brush:
        layer["params"] = [{"name": "brush", "select": {"type": "interval", "mark": _AREA}}]
        among = {"test": "picked === null || indexof(picked, datum.row) >= 0", "value": 0.75}
        encoding["opacity"] = {"condition": among, "value": 0.08}
    return layer


def _steps(chart: Chart, names: dict[str, str]) -> Spec:
    across = _axis(chart, names, "x")
    # Bars of several colours lie over each other: stacked, the shape of each would depend on the others.
    up = {**_axis(chart, names, "y"), "stack": None}
    mark = {"type": "bar", "opacity": 0.55 if chart.color else 0.85, "binSpacing": 0}
    return {"mark": mark, "encoding": {"x": across, "x2": {"field": names[chart.x_stop]}, "y": up, "y2": {"datum": 0}}}


def _bar(chart: Chart, names: dict[str, str]) -> Spec:
    across = {"field": names[chart.y], "type": "quantitative", "title": chart.y, "scale": _range(chart), "axis": _FEW}
    up = {"field": names[chart.x], "type": "nominal", "title": None, "sort": None, "axis": {"labelLimit": 150}}
    return {"mark": {"type": "bar", "opacity": 0.85}, "encoding": {"x": across, "y": up}}


def _stack(chart: Chart, names: dict[str, str]) -> Spec:
    across: Spec = {"field": names[chart.x], "type": "quantitative", "title": chart.x, "stack": "zero", "axis": _FEW}
    across["scale"] = _range(chart)
    up = {"field": names[chart.y], "type": "ordinal", "title": chart.y, "sort": None}
    order = {"field": "order", "type": "quantitative"}
    layer: Spec = {"mark": {"type": "bar"}, "encoding": {"x": across, "y": up, "order": order}}
    # Vega-Lite stacks by the alphabet; the order of the data is the one that means something.
    known = list(dict.fromkeys(chart.columns[chart.color]))
    layer["transform"] = [{"calculate": f"indexof({_listed(known)}, datum['{names[chart.color]}'])", "as": "order"}]
    return layer


def _listed(texts: list[Any]) -> str:
    import json

    return json.dumps([str(text) for text in texts])


def _axis(chart: Chart, names: dict[str, str], axis: str) -> Spec:
    column = getattr(chart, axis)
    logarithmic = axis in chart.log
    scale: Spec = {"type": "log", "nice": False} if logarithmic else {"zero": axis == "y" and chart.mark == "steps"}
    if axis == "y":
        scale |= _range(chart)
    drawn: Any = {"grid": axis == "y" or logarithmic, "tickCount": 6} if chart.frame else None
    if chart.frame and logarithmic:
        drawn |= {"format": "~g", "labelSeparation": 6}
    elif chart.frame:
        drawn |= _ticks(chart.columns[column])
    field: Spec = {"field": names[column], "type": "quantitative", "scale": scale, "axis": drawn}
    return field | ({"title": column} if chart.frame else {})


def _ticks(values: Sequence[Any]) -> Spec:
    """Return how a linear axis is labelled: counts by whole numbers, the tiny and the huge by powers of ten."""
    known = [value for value in values if value is not None]
    if all(isinstance(value, int) for value in known):
        return {"tickMinStep": 1}
    most = max(map(abs, known), default=0.0)
    return {"format": "~g"} if 0 < most < _TINY or most >= _HUGE else {}


def _range(chart: Chart) -> Spec:
    return {} if chart.limits is None else {"domain": list(chart.limits), "nice": False}


def _series(chart: Chart, names: dict[str, str]) -> Spec:
    found: Spec = {}
    if chart.color:
        texts = list(dict.fromkeys(chart.columns[chart.color]))
        if chart.mark == "points":  # these are in the order in which they may lie over each other
            texts.sort(key=lambda text: (text == REST, text))
        free = (color for turn in range(len(texts) // len(_PALETTE) + 1) for color in _PALETTE)
        colors = [_MEANING.get(text) or next(free) for text in texts]
        legend = {"title": None, "orient": "top", "symbolOpacity": 1}
        found["color"] = {
            "field": names[chart.color],
            "type": "nominal",
            "scale": {"domain": texts, "range": colors},
            "legend": legend if len(texts) > 1 else None,
        }
    elif chart.mark in {"bar", "line", "steps", "points"}:
        found["color"] = {"value": _PALETTE[0]}
    if chart.dash:
        texts = list(dict.fromkeys(chart.columns[chart.dash]))
        kinds = [[1, 0], [6, 4], [2, 3]]
        found["strokeDash"] = {
            "field": names[chart.dash],
            "type": "nominal",
            "scale": {"domain": texts, "range": kinds[: len(texts)]},
            "legend": _KINDS if len(texts) > 1 else None,
        }
    return found


def _tooltip(chart: Chart, names: dict[str, str]) -> list[Spec]:
    return [
        {"field": names[name], "title": name, **({"format": ".4~g"} if _numeric(values) else {"type": "nominal"})}
        for name, values in chart.columns.items()
        if chart.frame or name not in {chart.x, chart.y}
    ]


def _numeric(values: Any) -> bool:
    return all(value is None or isinstance(value, (int, float)) for value in values)


def _interval(chart: Chart, names: dict[str, str]) -> list[Spec]:
    if not chart.low or all(value is None for value in chart.columns[chart.low]):
        return []
    low, high = ({"field": names[name]} for name in (chart.low, chart.high))
    quantity = {"type": "quantitative"}
    if chart.mark == "bar":
        up = {"field": names[chart.x], "type": "nominal", "sort": None}
        across = {"x": {**low, **quantity, "title": chart.y}, "x2": high}
        mark = {"type": "rule", "strokeWidth": 5, "opacity": 0.35}
        return [{"mark": mark, "encoding": {**across, "y": up, "color": {"value": "#7f8896"}}}]
    band = {"x": _axis(chart, names, "x"), "y": {**low, **quantity, "title": chart.y}, "y2": high}
    series = {name: value for name, value in _series(chart, names).items() if name == "color"}
    # A row without an interval between two that have one would cut the band to pieces.
    known = [{"filter": f"datum['{low['field']}'] !== null && datum['{high['field']}'] !== null"}]
    return [{"transform": known, "mark": {"type": "area", "opacity": 0.18}, "encoding": band | series}]


def _shades(chart: Chart) -> list[Spec]:
    if not chart.shades:
        return []
    values = [{"start": shade.start, "stop": shade.stop, "text": shade.text} for shade in chart.shades]
    ends = {"x": {"field": "start", "type": "quantitative"}, "x2": {"field": "stop"}}
    tip = {"tooltip": {"field": "text", "type": "nominal", "title": "here"}}
    mark = {"type": "rect", "color": "#7f8896", "opacity": 0.2}
    return [{"data": {"values": values}, "mark": mark, "encoding": ends | tip}]


def _rules(chart: Chart) -> list[Spec]:
    if not chart.rules:
        return []
    at = {"x": {"field": "at", "type": "quantitative"}}
    line = {"type": "rule", "strokeDash": [4, 3], "color": "#7f8896"}
    text = {"type": "text", "y": 0, "baseline": "middle", "fontSize": 11}
    stop = max((value for value in chart.columns[chart.x] if isinstance(value, (int, float))), default=0)
    layers = []
    for place, rule in enumerate(chart.rules):
        data = {"values": [{"at": rule.at, "text": rule.text}]}
        layers.append({"data": data, "mark": line, "encoding": at})
        # One below the other: on a narrow screen two rules are closer than their texts are long.
        # Towards the middle: what stands at the right edge would run out of the chart.
        side = {"align": "right", "dx": -5} if rule.at > 0.6 * stop else {"align": "left", "dx": 5}
        said = {**text, **side, "dy": 10 + 14 * (place % 4)}
        layers.append({"data": data, "mark": said, "encoding": {**at, "text": {"field": "text", "type": "nominal"}}})
    return layers


def _slider(chart: Chart) -> list[Spec]:
    if chart.slider is None:
        return []
    # Not a value of x: that would become part of the scale, which must stay still while the line moves.
    across = {"x": {"value": {"expr": "scale('x', place)"}}}
    mark = {"type": "rule", "strokeWidth": 2, "color": "#8f7ad6"}
    return [{"data": {"values": [{}]}, "mark": mark, "encoding": across}]
