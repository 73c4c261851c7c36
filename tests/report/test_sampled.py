"""A sample of the queries: every list names the queries that were asked, and says of them what the whole run says."""

from __future__ import annotations

import numpy as np
import pytest

from tripleteval import Embeddings, Evaluation, evaluate
from tripleteval.data.material import Material
from tripleteval.report.cases import cases
from tripleteval.report.exports import exported
from tripleteval.report.findings.hubs import anti_hubs
from tripleteval.report.findings.neighborhood import neighborhood
from tripleteval.report.html import page
from tripleteval.report.sections import sections

N, ASKED = 300, 60


@pytest.fixture(scope="module")
def found() -> Embeddings:
    """Points of 20 classes; every third is a copy of the one before."""
    points = np.random.default_rng(0).normal(size=(N, 6))
    points[2::3] = points[1::3]
    return Embeddings(points, np.arange(N) % 20, ids=[f"i{row}" for row in range(N)], name="val")


@pytest.fixture(scope="module")
def whole(found: Embeddings) -> Evaluation:
    return evaluate(found)


@pytest.fixture(scope="module")
def part(found: Embeddings) -> Evaluation:
    return evaluate(found, sample=ASKED)


def test_who_is_near_whom_is_what_the_whole_run_says(whole: Evaluation, part: Evaluation) -> None:
    every, some = neighborhood(whole), neighborhood(part)
    assert some.queries.tolist() == part.per_query["query"].to_pylist()
    assert len(some.queries) == ASKED < N
    for name in ("rows", "distance", "relevant"):
        assert np.array_equal(getattr(some, name), getattr(every, name)[some.queries])


def test_cases_and_lists_are_about_those_who_were_asked(whole: Evaluation, part: Evaluation) -> None:
    rows = part.per_query["query"].to_pylist()[::-1]
    for case, row in zip(cases(part, rows, [{}] * len(rows)), rows, strict=True):
        assert (case.query.name, case.query.label) == (f"i{row}", str(row % 20))
    for name in ("suspects", "duplicates"):
        key = ["query", "gallery"] if name == "duplicates" else ["query"]
        told = {tuple(row[k] for k in key): row for row in exported(whole, name).to_pylist()}
        listed = exported(part, name).to_pylist()
        assert listed
        for row in listed:
            assert row["id"] == f"i{row['query']}"
            pair = tuple(row[k] for k in key)
            assert row["label"] == told.get(pair, told.get(pair[::-1]))["label" if pair in told else "gallery_label"]


def test_the_map_draws_them_and_the_table_of_the_map_knows_the_others(
    found: Embeddings, whole: Evaluation, part: Evaluation
) -> None:
    rows = part.per_query["query"].to_pylist()
    (drawn,) = [section for section in sections(part, Material(found)) if section.title == "Map"]
    assert sorted(case.query.row for case in drawn.points) == rows
    assert drawn.charts[0].columns["query"] == [case.query.name for case in drawn.points]
    table, every = exported(part, "map", Material(found)), exported(whole, "map", Material(found))
    for row, (some, told) in enumerate(zip(table["nearest"].to_pylist(), every["nearest"].to_pylist(), strict=True)):
        assert some == (told if row in rows else None)
    assert table["neighbors"].take(rows).to_pylist() == every["neighbors"].take(rows).to_pylist()
    assert "data-points" in page([("a", part)], materials=[Material(found)])


def test_nobody_is_called_an_anti_hub_who_was_found_by_queries_that_were_not_asked(
    whole: Evaluation, part: Evaluation
) -> None:
    assert anti_hubs(part) is None
    listed = {row for line in whole.neighbors.to_pylist() for row in [line["gallery"]]}
    never = [row for row in range(N) if row not in listed]
    assert never
    assert anti_hubs(whole)["gallery"].to_pylist() == never
    assert anti_hubs(whole)["id"].to_pylist() == [f"i{row}" for row in never]
