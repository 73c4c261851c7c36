"""The laws that every evidence type obeys, tested once for all of them.

Threads, shards, resume and clusters give one answer because of these, by construction.
"""

import pickle  # the standard library's own check that evidence can travel to a worker
from dataclasses import fields, is_dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies import Points, labelled_points
from tripleteval.data.embeddings import Embeddings
from tripleteval.distance.formula import distance_for
from tripleteval.engine.pairs import PairPass
from tripleteval.engine.plan import Order
from tripleteval.engine.run import Pass
from tripleteval.engine.sphere import sphere
from tripleteval.engine.spread import by_class, spread
from tripleteval.evaluation.relevance import compare
from tripleteval.evidence.fixed_point import FixedPoint
from tripleteval.evidence.neighbors import Neighbors
from tripleteval.evidence.pairs import Pairs, Ruler
from tripleteval.evidence.ranks import Ranks
from tripleteval.evidence.sphere import Sphere
from tripleteval.evidence.spread import Spread
from tripleteval.evidence.triplets import Triplets
from tripleteval.evidence.vectors import Vectors

OF_THE_PASS = ("ranks", "triplets", "neighbors")
CAPACITIES = {"pairs": 100, "pairs beyond capacity": 2}
KINDS = (*OF_THE_PASS, "spread", "sphere", "vectors")
ALL_KINDS = (*KINDS, *CAPACITIES)


def engine(data: Points) -> Pass:
    """Return a pass over a small leave-one-out comparison."""
    embeddings = Embeddings(*data)
    comparison = compare(embeddings, None, ignore=None, relevance=None)
    distance = distance_for("euclidean", embeddings.vectors)
    return Pass(comparison, distance, np.array([0.0, 1.0]), np.array([-1.0, 2.0]), 3)


def stretches(data: Points, kind: str, cuts: list[int]) -> list[object]:
    """Return the evidence of consecutive stretches of gallery."""
    n = len(data[0])
    bounds = [0, *sorted(min(c, n) for c in cuts), n]
    if kind in CAPACITIES:
        every = pairs_engine(data, CAPACITIES[kind])
        return [every.count(every.sides(0, n), a, b) for a, b in pairwise(bounds)]
    run = engine(data)
    block = run.block(0, n)
    measure = {
        "spread": lambda a, b: spread(run.comparison, run.distance, by_class(run.comparison), Order(0, n, a, b)),
        "sphere": lambda a, b: sphere(run.comparison, Order(0, n, a, b)),
        "vectors": lambda a, b: Vectors.of(np.array(data[0])[a:b] / 3, 4),
    }.get(kind, lambda a, b: getattr(run.count(block, a, b), kind))
    return [measure(a, b) for a, b in pairwise(bounds)]


def pairs_engine(data: Points, capacity: int) -> PairPass:
    """Return a pass over the pairs of the same, which keeps what lies below the first edge and between two others."""
    one = engine(data)
    kept = np.array([True, False, True, False])
    return PairPass(one.comparison, one.distance, Ruler(np.array([1.0, 2.0, 5.0]), kept, capacity, np.zeros(0)))


def empty(like):
    """Return the evidence of an empty gallery, about the same queries."""
    if isinstance(like, Pairs | Ranks):
        return type(like).empty(like.ruler if isinstance(like, Pairs) else like.positives)
    if isinstance(like, Triplets):
        return Triplets.empty(like.indptr, like.distance, like.margins, like.curve_margins, like.unit)
    if isinstance(like, Spread):
        return Spread.empty(like.own, like.counts.shape[1], like.sums.unit)
    if isinstance(like, Sphere):
        return Sphere.empty(len(like.items))
    if isinstance(like, Vectors):
        return Vectors.empty(len(like.total), like.exponent)
    return Neighbors.empty(*like.rows.shape)


def travelled(evidence):
    """Return the evidence as it arrives at another process."""
    return pickle.loads(pickle.dumps(evidence))  # noqa: S301  # our own bytes, a line ago


def same(one, two) -> bool:
    """Return whether two pieces of evidence are equal in every bit."""
    for field in fields(one):
        a, b = getattr(one, field.name), getattr(two, field.name)
        if is_dataclass(a):
            if not same(a, b):
                return False
        elif isinstance(a, FixedPoint):
            if not all(map(np.array_equal, a, b)):
                return False
        elif not np.array_equal(a, b):
            return False
    return True


@pytest.mark.parametrize("kind", ALL_KINDS)
@given(data=labelled_points())
def test_nothing_is_the_identity_on_both_sides(kind, data):
    (seen,) = stretches(data, kind, [])
    assert same(seen.merge(empty(seen)), seen)
    assert same(empty(seen).merge(seen), seen)


@pytest.mark.parametrize("kind", ALL_KINDS)
@given(data=labelled_points(), cut=st.integers(0, 9))
def test_the_order_of_merging_does_not_matter(kind, data, cut):
    one, two = stretches(data, kind, [cut])
    assert same(one.merge(two), two.merge(one))


@pytest.mark.parametrize("kind", ALL_KINDS)
@given(data=labelled_points(), a=st.integers(0, 9), b=st.integers(0, 9))
def test_the_grouping_of_merges_does_not_matter(kind, data, a, b):
    one, two, three = stretches(data, kind, [a, b])
    assert same(one.merge(two).merge(three), one.merge(two.merge(three)))


@pytest.mark.parametrize("kind", ALL_KINDS)
@given(data=labelled_points(), cut=st.integers(0, 9))
def test_cutting_the_gallery_and_merging_changes_nothing(kind, data, cut):
    (whole,) = stretches(data, kind, [])
    one, two = stretches(data, kind, [cut])
    assert same(one.merge(two), whole)


@pytest.mark.parametrize("kind", OF_THE_PASS)
@given(data=labelled_points(), cut=st.integers(1, 8))
def test_cutting_the_queries_changes_no_query(kind, data, cut):
    run, n = engine(data), len(data[0])
    cut = min(cut, n - 1)
    whole = run.measure(Order(0, n, 0, n))
    parts = [run.measure(Order(0, cut, 0, n)), run.measure(Order(cut, n, 0, n))]
    first = getattr(whole, kind)
    for name in ("rows", "closer", "below", "squared"):
        if hasattr(first, name):
            joined = np.concatenate([getattr(getattr(part, kind), name) for part in parts])
            assert np.array_equal(joined, getattr(first, name))


@pytest.mark.parametrize("kind", CAPACITIES)
@given(data=labelled_points(), cut=st.integers(1, 8))
def test_cutting_the_queries_and_merging_the_pairs_changes_nothing(kind, data, cut):
    every, n = pairs_engine(data, CAPACITIES[kind]), len(data[0])
    cut = min(cut, n - 1)
    parts = [every(Order(0, cut, 0, n)), every(Order(cut, n, 0, n))]
    assert same(parts[0].merge(parts[1]), every(Order(0, n, 0, n)))


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_evidence_pickles(kind):
    data = ([[0.0], [1.0], [2.0], [2.0]], [0, 0, 1, 0])
    (seen,) = stretches(data, kind, [])
    assert same(travelled(seen), seen)


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_merging_leaves_both_sides_alone(kind):
    data = ([[0.0], [1.0], [2.0], [2.0]], [0, 0, 1, 0])
    one, two = stretches(data, kind, [2])
    before = replace(one), travelled(one)
    one.merge(two)
    assert same(*before)
