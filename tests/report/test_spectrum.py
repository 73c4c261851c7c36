"""The spectrum: the shares as they are, and where most of the variance ends."""

from __future__ import annotations

import pytest

from tripleteval.report.sections.spectrum import drawn
from tripleteval.report.vega_lite import spec

SPACE = {"dim": 4, "spectrum": {"variance_shares": [0.85, 0.1, 0.05, 0.0], "dims_90": 2, "dims_99": 3}}


def test_shares_are_drawn_and_the_ends_marked() -> None:
    section = drawn(SPACE)
    assert (
        section.text
        == "90 % of the variance lies in 2 of 4 directions. 99 % of the variance lies in 3 of 4 directions."
    )
    (chart,) = section.charts
    assert chart.columns == {"direction": [1, 2, 3], "share of the variance": [0.85, 0.1, 0.05]}
    assert [rule.at for rule in chart.rules] == [2.0, 3.0]
    assert len(spec(chart)["data"]["values"]) == 3


@pytest.mark.parametrize("space", [{}, {"spectrum": {}}, {"spectrum": {"variance_shares": [1.0]}}])
def test_without_directions_it_is_silent(space: dict) -> None:
    assert drawn(space) is None
