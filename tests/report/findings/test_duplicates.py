"""Duplicates: everything planted is found, inside a set and across two, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from tripleteval import Embeddings, evaluate
from tripleteval.report.findings.duplicates import duplicates

DISTANCES = ["euclidean", "sqeuclidean", "cosine"]


def planted(distance):
    """Return 400 vectors of 20 classes, of which 40 are copies of others, 20 of these with a little noise."""
    rng = np.random.default_rng(7)
    vectors = rng.normal(size=(400, 16))
    labels = rng.integers(0, 20, 400)
    copies, originals = np.arange(40), np.arange(100, 140)
    vectors[copies] = vectors[originals]
    vectors[copies[20:]] += 1e-3 * rng.normal(size=(20, 16))
    if distance == "cosine":
        vectors[copies[:20]] *= 2.0
    return vectors, labels, set(zip(copies.tolist(), originals.tolist(), strict=True))


@pytest.mark.parametrize("distance", DISTANCES)
def test_all_planted_duplicates_are_found_inside_a_set_and_nothing_else(distance):
    vectors, labels, pairs = planted(distance)
    found = duplicates(evaluate(vectors, labels, distance=distance))
    rows = found.to_pylist()
    assert {(min(r["query"], r["gallery"]), max(r["query"], r["gallery"])) for r in rows} == pairs
    assert len(rows) == len(pairs)
    assert [row["kind"] for row in rows] == ["exact"] * 20 + ["near"] * 20
    assert all(row["relevant"] == (labels[row["query"]] == labels[row["gallery"]]) for row in rows)


@pytest.mark.parametrize("distance", DISTANCES)
def test_all_planted_duplicates_are_found_across_two_sets(distance):
    vectors, labels, pairs = planted(distance)
    queries, gallery = Embeddings(vectors[:60], labels[:60]), Embeddings(vectors[60:], labels[60:])
    found = duplicates(evaluate(queries, gallery=gallery, distance=distance)).to_pylist()
    assert {(row["query"], row["gallery"] + 60) for row in found} == pairs


def test_of_more_copies_than_neighbours_every_one_is_in_some_pair():
    vectors = np.vstack([np.zeros((30, 2)), np.random.default_rng(0).normal(10, 1, (30, 2))])
    found = duplicates(evaluate(vectors, [0, 1] * 30, neighbors=3))
    exact = [row for row in found.to_pylist() if row["kind"] == "exact"]
    assert {row for pair in exact for row in (pair["query"], pair["gallery"])} == set(range(30))


def test_a_collapsed_space_is_all_duplicates():
    found = duplicates(evaluate(np.ones((6, 2)), [0, 1] * 3))
    assert found.num_rows == 15
    assert set(found["kind"].to_pylist()) == {"exact"}


def test_ids_and_labels_come_along():
    found = duplicates(evaluate(Embeddings([[0.0], [0.0], [9.0]], ["a", "b", "a"], ids=["x", "y", "z"])))
    (row,) = found.to_pylist()
    assert (row["id"], row["gallery_id"], row["label"], row["gallery_label"]) == ("x", "y", "a", "b")
    assert not row["relevant"]


def test_without_neighbours_there_is_nothing_to_say():
    assert duplicates(evaluate([[0.0], [0.0], [1.0]], [0, 0, 1], neighbors=0)) is None
