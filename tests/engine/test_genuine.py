"""Genuine pairs listed one by one: two nested loops, and the pass over all pairs, decide what is right."""

import numpy as np
import pytest

from tripleteval.data.embeddings import Embeddings
from tripleteval.distance.formula import distance_for
from tripleteval.engine import genuine
from tripleteval.engine.pairs import PairPass
from tripleteval.engine.plan import Order
from tripleteval.evaluation.relevance import compare
from tripleteval.evidence.pairs import Ruler

RNG = np.random.default_rng(0)
POINTS, LABELS, GROUPS = RNG.integers(-3, 4, (40, 3)) + 0.5, RNG.integers(0, 5, 40), RNG.integers(0, 3, 40)


@pytest.mark.parametrize("steps", [(512, 4096), (7, 5), (1, 1)])
@pytest.mark.parametrize(("gallery", "ignore"), [(None, None), (None, "group"), (25, None), (25, "group")])
def test_each_is_listed_once_with_its_distance_however_many_at_once(gallery, ignore, steps, monkeypatch):
    monkeypatch.setattr(genuine, "_BLOCK", steps[0])
    monkeypatch.setattr(genuine, "PAIRS_AT_ONCE", steps[1])
    every = Embeddings(POINTS, LABELS, groups=GROUPS)
    searched = None if gallery is None else every.take(np.arange(gallery))
    comparison = compare(every, searched, ignore=ignore, relevance=None)
    distance = distance_for("euclidean", every.vectors)
    found = genuine.listed(comparison, distance)
    expected = {
        (a, b): ((POINTS[a] - POINTS[b]) ** 2).sum()
        for a in range(40)
        for b in range(gallery or 40)
        if LABELS[a] == LABELS[b] and (gallery or a < b) and not (ignore and GROUPS[a] == GROUPS[b])
    }
    pairs = list(zip(found.queries.tolist(), found.rows.tolist(), strict=True))
    assert len(set(pairs)) == len(pairs) <= genuine.most_genuine(comparison)
    assert dict(zip(pairs, found.squared / found.squared.max(), strict=True)) == pytest.approx(
        {pair: squared / max(expected.values()) for pair, squared in expected.items()}
    )
    ruler = Ruler(np.array([1.0, 2.0, 3.0]), np.array([True, False, True, False]), 99, np.zeros(0))
    one, all_pairs = genuine.evidence(found, distance, ruler), PairPass(comparison, distance, ruler)
    other = all_pairs(Order(0, 40, 0, len(comparison.gallery)))
    assert one.genuine.tolist() == other.genuine.tolist()
    assert (one.sums[:2], one.sums[2:], one.impostor.sum()) == (other.sums[:2], (0, 0), 0)
    assert not one.impostor_at.any()
    kept = other.genuine_at > 0
    assert (one.values.tolist(), one.genuine_at.tolist()) == (
        other.values[kept].tolist(),
        other.genuine_at[kept].tolist(),
    )


def test_of_more_than_fit_none_is_listed(monkeypatch):
    comparison = compare(Embeddings(POINTS, LABELS), None, ignore=None, relevance=None)
    most = genuine.most_genuine(comparison)
    for limit in (most, most - 1):
        monkeypatch.setattr(genuine, "MOST_GENUINE", limit)
        found = genuine.listed(comparison, distance_for("euclidean", POINTS))
        assert (found is None) == (limit < most)
        assert genuine.bytes_listed(comparison) == (24 * most if limit == most else 0)
