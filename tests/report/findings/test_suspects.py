"""Suspected labels: what was flipped is found, by count on a line and on real digits."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from tripleteval import Embeddings, evaluate, evaluate_triplets
from tripleteval.report.findings.suspects import suspects


def test_an_item_among_others_of_one_class_is_the_first():
    """Five points on a line, the middle one labelled otherwise, and its class far away."""
    points = [[0.0], [1.0], [2.5], [4.0], [5.0], [20.0], [21.0]]
    labels = ["a", "a", "b", "a", "a", "b", "b"]
    found = suspects(evaluate(points, labels, neighbors=3))
    first = {"query": 2, "label": "b", "looks_like": "a", "share": 1.0, "own_share": 0.0, "suspicion": 1.0, "gap": 1.0}
    assert found.slice(0, 1).to_pylist() == [first]
    assert found["suspicion"].to_pylist()[1:] == pytest.approx([1 / 3, 1 / 3])  # 20 and 21 have one of their own


def test_where_none_of_the_own_class_is_near_the_gap_is_a_lower_bound():
    points, labels = [[0.0], [1.0], [2.5], [4.0], [5.0], [20.0], [21.0]], ["a", "a", "b", "a", "a", "b", "b"]
    row = suspects(evaluate(points, labels, neighbors=3)).to_pylist()[0]
    to_the_last, to_the_first = 2.5, 1.5
    assert row["gap"] == to_the_last - to_the_first
    assert row["gap"] <= 17.5 - to_the_first


@pytest.mark.parametrize("seed", [0, 1])
def test_four_fifths_of_the_flipped_digits_are_in_the_first_four_percent(seed):
    digits = load_digits()
    rng = np.random.default_rng(seed)
    labels = digits.target.copy()
    flipped = rng.choice(len(labels), round(0.02 * len(labels)), replace=False)
    labels[flipped] = (labels[flipped] + rng.integers(1, 10, len(flipped))) % 10
    found = suspects(evaluate(digits.data, labels))
    first = found["query"].to_pylist()[: round(0.04 * len(labels))]
    assert len(set(first) & set(flipped.tolist())) >= 0.8 * len(flipped)
    shown = dict(zip(found["query"].to_pylist(), found["looks_like"].to_pylist(), strict=True))
    restored = [shown[row] == digits.target[row] for row in flipped.tolist() if row in shown]
    assert np.mean(restored) > 0.9


def test_a_gallery_with_its_own_labels_is_searched():
    queries = Embeddings([[0.0], [9.0]], ["x", "y"])
    gallery = Embeddings([[0.1], [0.2], [9.1], [9.2]], ["y", "y", "y", "x"])
    found = suspects(evaluate(queries, gallery=gallery, neighbors=2))
    assert found.select(["query", "label", "looks_like"]).to_pylist() == [{"query": 0, "label": "x", "looks_like": "y"}]


def test_two_equally_frequent_classes_are_told_apart_by_the_nearest_item():
    found = suspects(
        evaluate([[0.0], [1.0], [-2.0], [50.0], [51.0], [52.0]], ["a", "b", "c", "a", "b", "c"], neighbors=2)
    )
    rows = {row["query"]: row["looks_like"] for row in found.to_pylist()}
    assert rows[0] == "b"


def test_without_labels_or_neighbours_there_is_nothing_to_suspect():
    assert suspects(evaluate([[0.0], [1.0], [3.0]], [[1, 2], [2], [1]])) is None
    assert suspects(evaluate([[0.0], [1.0], [3.0], [4.0]], [0, 0, 1, 1], neighbors=0)) is None
    assert suspects(evaluate_triplets([[0.0]], [[1.0]], [[2.0]])) is None


def test_perfect_neighbours_raise_no_suspicion():
    assert suspects(evaluate([[0.0], [1.0], [30.0], [31.0]], [0, 0, 1, 1], neighbors=1)).num_rows == 0


def test_the_only_item_of_its_class_has_no_own_to_look_like_and_is_not_suspected():
    points, labels = [[0.0], [1.0], [2.5], [4.0], [5.0], [20.0], [21.0]], ["a", "a", "lone", "a", "a", "b", "b"]
    found = suspects(evaluate(points, labels, neighbors=3))
    assert set(found["label"].to_pylist()) == {"b"}
    queries, gallery = Embeddings([[0.0], [9.0]], ["new", "y"]), Embeddings([[0.1], [0.2], [9.1]], ["x", "x", "y"])
    assert suspects(evaluate(queries, gallery=gallery, neighbors=2)).num_rows == 0
