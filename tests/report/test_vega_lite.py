"""Charts: every declaration is valid Vega-Lite, and says what the record says."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import altair
import pytest
import vl_convert

from tripleteval import Evaluation
from tripleteval.data.section import Chart, Rule, Shade, Slider
from tripleteval.report.sections import sections
from tripleteval.report.vega_lite import spec

LINE = Chart("t", "w", {"k": [1, 2], "value": [0.5, 1.0], "of": ["a", "b"]}, x="k", y="value", mark="line")
EVERY = {
    "line": LINE,
    "colours and lines": replace(LINE, color="of", dash="of"),
    "logarithmic": replace(LINE, log=frozenset({"x", "y"})),
    "interval": replace(LINE, columns={**LINE.columns, "lo": [0.4, 0.9], "hi": [0.6, 1.0]}, low="lo", high="hi"),
    "bars": Chart("t", "w", {"c": ["x", "y"], "v": [1.0, 2.0]}, x="c", y="v", mark="bar", limits=(0.0, 2.0)),
    "bars with intervals": Chart(
        "t", "w", {"c": ["x"], "v": [1.0], "lo": [0.5], "hi": [1.5]}, x="c", y="v", mark="bar", low="lo", high="hi"
    ),
    "stack": Chart(
        "t", "w", {"m": ["1", "1"], "s": ["a", "b"], "v": [0.5, 0.5]}, x="v", y="m", mark="stack", color="s"
    ),
    "steps": Chart(
        "t",
        "w",
        {"d": [0.0], "to": [1.0], "n": [3]},
        x="d",
        x_stop="to",
        y="n",
        mark="steps",
        rules=[Rule(0.5, "here")],
        shades=[Shade(0.0, 0.2, "unknown")],
        slider=Slider("t", [0.0, 1.0], {"r": ["1", "2"]}),
    ),
    "points": Chart("t", "w", {"x": [0.0], "y": [1.0], "n": ["i"]}, x="x", y="y", mark="points", frame=False),
    "points to pick": Chart("t", "w", {"x": [0.0], "y": [1.0]}, x="x", y="y", mark="points", frame=False, brush=True),
}


def valid(declared: dict[str, Any]) -> None:
    altair.LayerChart.from_dict(declared)  # raises what does not fit the schema


@pytest.mark.parametrize("name", EVERY)
def test_every_kind_of_chart_is_valid(name: str) -> None:
    valid(spec(EVERY[name]))


@pytest.mark.parametrize("which", ["run", "given", "collapsed", "one_class"])
def test_every_chart_of_a_report_is_valid(which: str, request: pytest.FixtureRequest) -> None:
    evaluation: Evaluation = request.getfixturevalue(which)
    for section in sections(evaluation):
        for chart in section.charts:
            assert len({len(values) for values in chart.columns.values()}) == 1
            valid(spec(chart))


def test_names_with_dots_and_brackets_are_titles_and_never_paths() -> None:
    odd = Chart("t", "w", {"a.b[0]": [1.0], "c'\"": [2.0]}, x="a.b[0]", y="c'\"", mark="line")
    declared = spec(odd)
    assert declared["data"]["values"] == [{"c0": 1.0, "c1": 2.0}]
    assert declared["layer"][0]["encoding"]["x"]["title"] == "a.b[0]"


def test_what_has_no_place_on_a_logarithmic_axis_is_left_out() -> None:
    chart = Chart("t", "w", {"x": [0.0, 0.1, 1.0], "y": [1.0, 0.0, 0.5]}, x="x", y="y", mark="line")
    assert len(spec(chart)["data"]["values"]) == 3
    assert spec(replace(chart, log=frozenset({"x"})))["data"]["values"] == [
        {"c0": 0.1, "c1": 0.0},
        {"c0": 1.0, "c1": 0.5},
    ]
    assert spec(replace(chart, log=frozenset({"x", "y"})))["data"]["values"] == [{"c0": 1.0, "c1": 0.5}]


def test_a_band_is_one_area_per_colour_however_many_rows_between_have_no_interval() -> None:
    data = {"k": [1, 10, 100] * 4, "value": [0.2, 0.5, 0.9] * 4, "of": ["a"] * 6 + ["b"] * 6}
    ends = {"kind": ["measured"] * 3 + ["by chance"] * 3, "lo": [0.1, 0.4, 0.8, *[None] * 3]}
    ends["hi"] = [0.3, 0.6, 1.0, *[None] * 3]
    columns = {**data, **{name: values * 2 for name, values in ends.items()}}
    chart = replace(LINE, columns=columns, color="of", dash="kind", low="lo", high="hi", log=frozenset({"x"}))
    for rows in (range(12), sorted(range(12), key=lambda row: columns["k"][row])):
        mixed = {name: [values[row] for row in rows] for name, values in columns.items()}
        areas = _areas(replace(chart, columns=mixed))
        assert len(areas) == 2
        for path in areas:
            across = [float(x) for x in re.findall(r"[ML](-?[\d.]+),", path)]
            assert path.count("M") == 1
            assert len(across) == 6
            assert max(across) - min(across) > 100


def _areas(chart: Chart) -> list[str]:
    drawn = vl_convert.vegalite_to_svg({**spec(chart), "width": 400})
    return re.findall(r'aria-roledescription="area mark"[^>]* d="([^"]*)"', drawn)


def test_not_a_number_is_nothing() -> None:
    chart = Chart("t", "w", {"x": [0.0, 1.0], "y": [float("nan"), float("inf")]}, x="x", y="y", mark="line")
    assert [row["c1"] for row in spec(chart)["data"]["values"]] == [None, None]


def test_right_and_wrong_have_one_colour_everywhere() -> None:
    chart = replace(LINE, columns={**LINE.columns, "of": ["wrong", "right"]}, color="of")
    scale = spec(chart)["layer"][0]["encoding"]["color"]["scale"]
    assert scale == {"domain": ["wrong", "right"], "range": ["#d65f5f", "#3f9c6a"]}


@pytest.mark.parametrize(
    ("values", "labelled"),
    [
        ([1, 2, 3], {"tickMinStep": 1}),
        ([0.5, 2.0], {}),
        ([0.0, 2e-30], {"format": "~g"}),
        ([-4e20, 1.0], {"format": "~g"}),
        ([0.0, None], {}),
    ],
)
def test_counts_have_whole_ticks_and_the_tiny_and_the_huge_powers_of_ten(values: list, labelled: dict) -> None:
    chart = replace(LINE, columns={"k": values, "value": [0.5] * len(values)})
    axis = spec(chart)["layer"][0]["encoding"]["x"]["axis"]
    assert {name: axis[name] for name in ("tickMinStep", "format") if name in axis} == labelled
