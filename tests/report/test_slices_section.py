"""Slices: of many values that are too small to say anything, not every one is said to be."""

from __future__ import annotations

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
