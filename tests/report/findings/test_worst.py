"""The worst: named where there is one, counted where there are many, and not made up where all are equal."""

from __future__ import annotations

import numpy as np

from tripleteval import Evaluation, evaluate
from tripleteval.report.sections import SECTIONS


def test_classes_that_share_the_lowest_number_are_counted_and_bars_of_nothing_are_not_drawn() -> None:
    # 40 classes whose two items stand beside those of others, then 20 that are found.
    apart = np.where(np.arange(60) < 40, 1e5, 0.1)
    points = (np.repeat(np.arange(60.0), 2) + np.stack([0 * apart, apart], axis=1).ravel())[:, None]
    evaluation = evaluate(points, np.arange(120) // 2, verification=False)
    section = SECTIONS["worst classes"].write(evaluation)
    assert section.text.startswith("The 10 of 60 classes with the lowest shrunken map@r; 40 are as low as the first.")
    assert not section.charts
    assert "Worst are 40 classes with map@r 0.0000, such as 0." in SECTIONS["headline"].write(evaluation).text


def test_where_every_query_finds_all_none_is_named() -> None:
    evaluation = evaluate([[0.0], [1.0], [30.0], [31.0]], [0, 0, 1, 1])
    classes = SECTIONS["worst classes"].write(evaluation)
    assert classes.text == "None is named: all 2 classes have the same map@r, 1.0000."
    section = SECTIONS["worst queries"].write(evaluation)
    assert section.text == "None is named: all 4 queries have map 1.0000."
    assert not section.tables
    assert not section.cases


def test_all_queries_are_not_called_some_of_them(run: Evaluation) -> None:
    assert SECTIONS["worst queries"].write(run).text.startswith("All queries, lowest map first (rows are 0-based).")
