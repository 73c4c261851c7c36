"""Fixed thresholds, class by class: two nested loops decide what is right."""

from dataclasses import replace
from functools import reduce
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies import labelled_points
from tripleteval.data.embeddings import Embeddings
from tripleteval.distance.formula import distance_for
from tripleteval.engine.decisions import DecisionPass, Kinds
from tripleteval.engine.plan import Order
from tripleteval.evaluation.relevance import compare
from tripleteval.evidence.decisions import Decisions

CUTS = np.array([-np.inf, 1.0, 2.0, np.inf])
FIELDS = ("accepted", "impostor", "rejected", "genuine")


def engine(points, labels, kernel="reference", gallery=None) -> DecisionPass:
    queries = Embeddings(points, labels)
    comparison = compare(queries, gallery, ignore=None, relevance=None)
    codes = queries.labels.codes
    searched = codes if gallery is None else gallery.labels.codes
    distance = distance_for("euclidean", queries.vectors, comparison.gallery.vectors)
    return DecisionPass(comparison, distance, CUTS, codes, searched, 3, kernel)


@given(labelled_points(), st.integers(1, 8))
def test_every_pair_counts_once_for_each_of_its_classes(data, cut):
    points, labels = np.array(data[0]), data[1]
    every, n = engine(points, labels), len(points)
    codes = every.asked
    expected = Decisions.empty(CUTS, 3)
    for a, b in combinations(range(n), 2):
        d = np.sqrt(((points[a] - points[b]) ** 2).sum())
        sides = [codes[a]] if labels[a] == labels[b] else [codes[a], codes[b]]
        one = np.bincount(sides, minlength=3)
        none, each = np.zeros((1, 3), np.int64), np.zeros((4, 1, 3), np.int64)
        if labels[a] == labels[b]:
            found = Decisions(CUTS, each, none, np.outer(d > CUTS, one).astype(np.int64)[:, None], one[None])
        else:
            found = Decisions(CUTS, np.outer(d <= CUTS, one).astype(np.int64)[:, None], one[None], each, none)
        expected = expected.merge(found)
    cut = min(cut, n - 1)
    whole = every(Order(0, n, 0, n))
    parts = reduce(Decisions.merge, (every(Order(0, cut, 0, n)), every(Order(cut, n, 0, n))))
    for name in FIELDS:
        assert np.array_equal(getattr(whole, name), getattr(expected, name)), name
        assert np.array_equal(getattr(parts, name), getattr(expected, name)), name


@pytest.mark.parametrize("kernel", ["reference", "numpy", "cpu"])
def test_between_queries_and_a_gallery_every_pair_counts(kernel):
    gallery = Embeddings([[0.0], [5.0]], [0, 1])
    found = engine([[1.0], [4.0], [9.0]], [0, 1, 1], kernel, gallery)(Order(0, 3, 0, 2))
    assert found.impostor.tolist() == [[3, 3, 0]]
    assert found.genuine.tolist() == [[1, 2, 0]]
    assert found.accepted.sum(axis=(1, 2)).tolist() == [0, 0, 0, 6]
    assert found.rejected.sum(axis=(1, 2)).tolist() == [3, 1, 1, 0]


@given(labelled_points(), st.data())
def test_kinds_of_pairs_add_up_to_all_pairs_and_each_has_its_own(data, draw):
    points, labels = np.array(data[0]), data[1]
    every, n = engine(points, labels), len(points)
    values = np.array(draw.draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)))
    kinds = Kinds(values, values, 3)
    found, whole = replace(every, kinds=kinds)(Order(0, n, 0, n)), every(Order(0, n, 0, n))
    for name in FIELDS:
        assert np.array_equal(getattr(found, name).sum(axis=-2), getattr(whole, name).sum(axis=-2)), name
    assert kinds.pairs == [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
    for place, (one, two) in enumerate(kinds.pairs):
        pairs = [(a, b) for a, b in combinations(range(n), 2) if sorted((values[a], values[b])) == [one, two]]
        assert found.genuine[place].sum() == sum(labels[a] == labels[b] for a, b in pairs)
        assert found.impostor[place].sum() == 2 * sum(labels[a] != labels[b] for a, b in pairs)


def test_merging_with_nothing_changes_nothing_and_order_does_not_matter():
    rng = np.random.default_rng(0)
    every = engine(rng.integers(0, 3, (40, 2)).astype(float), [*rng.integers(0, 3, 37), 0, 1, 2])
    one, two = every(Order(0, 20, 0, 40)), every(Order(20, 40, 0, 40))
    nothing = Decisions.empty(CUTS, 3)
    for left, right in ((one.merge(nothing), one), (nothing.merge(one), one), (one.merge(two), two.merge(one))):
        assert all(np.array_equal(getattr(left, name), getattr(right, name)) for name in FIELDS)
    fast = replace(every, kernel="cpu")(Order(0, 20, 0, 40))
    assert all(np.array_equal(getattr(fast, name), getattr(one, name)) for name in FIELDS)
