"""The map: each point is a query at its place, in the colour that its class and its nearest item call for."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from tripleteval import Embeddings, Evaluation, evaluate
from tripleteval.data.material import Material
from tripleteval.data.section import Section
from tripleteval.report.projection import projected
from tripleteval.report.sections import SECTIONS
from tripleteval.report.sections import map as module
from tripleteval.report.vega_lite import REST

APART = np.repeat([[0.0, 0.0], [9.0, 9.0]], 4, axis=0) + np.arange(8)[:, None] / 10


def drawn(queries: Embeddings) -> tuple[Evaluation, Section]:
    run = evaluate(queries)
    section = SECTIONS["map"].write(run, Material(queries))
    assert section is not None
    return run, section


@pytest.mark.parametrize(
    ("labels", "said"),
    [([0] * 4 + [1] * 4, ": it is for all."), ([0, 1] * 4, ": it is for none."), ([0, 0, 1, 1, 0, 1, 1, 1], ".")],
)
def test_a_map_of_one_colour_says_which(labels: list[int], said: str) -> None:
    _, section = drawn(Embeddings(APART, labels))
    assert section.charts[1].text == f"Queries by whether their nearest item is relevant{said}"


@pytest.mark.parametrize("most", [3000, 50])
def test_every_point_is_a_query_at_its_place_the_wrong_ones_last(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_POINTS", most)
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 13, 90)
    points = rng.normal(size=(13, 3))[labels] + 0.7 * rng.normal(size=(90, 3))
    run, section = drawn(Embeddings(points, [f"c{label}" for label in labels]))
    rows = [int(name.removeprefix("row ")) for name in section.charts[0].columns["query"]]
    assert len(set(rows)) == len(rows) == min(most, 90)
    assert ("50 of 90 queries are drawn" in section.text) == (most == 50)
    assert run.neighbors is not None
    wrong = {row["query"] for row in run.neighbors.to_pylist() if row["rank"] == 1 and not row["relevant"]}
    assert [row in wrong for row in rows] == sorted(row in wrong for row in rows)
    by_class, by_nearest = section.charts
    assert by_nearest.columns["nearest"] == ["wrong" if row in wrong else "right" for row in rows]
    flat = projected(points[rows])
    for chart in section.charts:
        assert np.array_equal(np.stack([chart.columns["x"], chart.columns["y"]], axis=1), flat)
    often, fail = (Counter(f"c{labels[row]}" for row in some) for some in (rows, wrong & set(rows)))
    assert len(often) > 10
    named = sorted(often, key=lambda name: (-fail[name], -often[name], name))[:10]
    assert by_class.columns["class"] == [n if (n := f"c{labels[row]}") in named else REST for row in rows]
    assert "the 10 with the most wrong" in by_class.text
