"""Slices: of many values that are too small to say anything, not every one is said to be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tripleteval import Embeddings, evaluate
from tripleteval.report.sections import SECTIONS


def test_of_many_slices_that_are_too_small_a_few_are_listed_and_the_others_counted() -> None:
    random = np.random.default_rng(0)
    classes = np.arange(120) // 10
    part = ["large" if row < 90 else f"of {row}" for row in range(120)]
    found = evaluate(
        Embeddings(random.normal(size=(120, 4)), classes, meta={"part": part}), by=["part"], verification=False
    )
    section = SECTIONS["slices"].write(found)
    names = [row[0] for row in section.tables[0].rows]
    assert (len(names), "large" in names) == (6, True)
    assert section.text.endswith("Not listed: 25 more that are too small for numbers.")


def test_pairs_are_judged_at_the_lowest_rate_that_so_many_can_measure_else_at_the_highest() -> None:
    random = np.random.default_rng(0)
    part = ["a" if row % 8 < 4 else "b" for row in range(120)]
    rates = (0.2, 0.1, 0.01)
    run = evaluate(
        Embeddings(random.normal(size=(120, 4)), np.arange(120) // 4, meta={"part": part}), by="part", fars=rates
    )
    for sure, expected in (((0.2, 0.1), 0.1), ((0.2,), 0.2), ((), 0.2), (rates, 0.01)):
        doubts = {f"tar@far={far}": run.metrics[f"tar@far={far}"] | {"unreliable": far not in sure} for far in rates}
        section = SECTIONS["slices"].write(replace(run, metrics=run.metrics | doubts))
        assert section.text.endswith(f"the one threshold that accepts {expected:g} of all impostors.")
        shown = run.verification["slices"][0]["impostor"]["rates"][rates.index(expected)]["value"]
        assert section.tables[-1].rows[0][2].startswith(f"{shown:.4f} ")


def test_where_no_slice_has_a_number_each_says_why_in_the_column_of_numbers() -> None:
    meta = {"part": [f"of {row}" for row in range(12)]}
    found = evaluate(Embeddings(np.arange(12.0)[:, None], np.arange(12) // 2, meta=meta), by="part", verification=False)
    (table,) = SECTIONS["slices"].write(found).tables
    assert table.columns == ["part", "queries", "evaluated", "numbers"]
    assert [row[3] for row in table.rows] == [entry["reason"].partition(",")[0] for entry in found.slices[:5]]
    assert {len(row) for row in table.rows} == {4}


def test_a_pair_of_values_that_is_too_small_says_so_in_place_of_its_rate() -> None:
    part = ["of few" if row < 12 else "a" if row % 2 else "b" for row in range(120)]
    points = np.random.default_rng(0).normal(size=(120, 4))
    run = evaluate(Embeddings(points, np.arange(120) // 4, meta={"part": part}), by="part", fars=(0.1,))
    small = [entry for entry in run.verification["slices"] if "rates" not in entry["impostor"]]
    assert [(entry["first"], entry["second"]) for entry in small] == [("of few", "of few")]
    rows = {row[0]: row for row in SECTIONS["slices"].write(run).tables[-1].rows}
    assert rows["of few and of few"][1:3] == [str(small[0]["impostor"]["pairs"]), "too small"]
