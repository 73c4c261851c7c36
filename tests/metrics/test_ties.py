"""Tie groups too large to list: sums in closed form, and from a table that holds few of them, equal exact ones."""

import math
from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest

import tripleteval as te
from tripleteval.metrics import retrieval, ties
from tripleteval.metrics.retrieval import inverse_negative_penalty, reciprocal_rank, reciprocal_rank_at_k
from tripleteval.metrics.ties import TieGroups, harmonic, mean_reciprocal_of_first, mean_reciprocal_of_last

GROUPS = [(a, g, r) for a in (0, 3) for g in range(1, 9) for r in range(1, g + 1)]


def place(g: int, r: int, t: int, *, last: bool) -> Fraction:
    """Return P(the first, or last, of ``r`` items among ``g`` in random order stands at place ``t``)."""
    return Fraction(math.comb(t - 1 if last else g - t, r - 1), math.comb(g, r))


def one_group_each() -> TieGroups:
    """Return queries with one tie group each, all that is relevant in it, of every small size and mixture."""
    a, g, r = map(np.array, zip(*GROUPS, strict=True))
    query = np.arange(len(a))
    return TieGroups(query, a, g, r, 0 * r, np.ones(r.sum()), r, a + g)


FIRST = {"index": lambda _: 0, "optimistic": lambda grade: -grade, "pessimistic": lambda grade: grade}


@pytest.mark.parametrize("mode", FIRST)
def test_tied_grades_stand_by_row_or_best_or_worst_first(mode):
    random = np.random.default_rng(2)
    asked, found, grades = random.integers(0, 3, (20, 1)), random.integers(0, 3, (9, 1)), random.integers(0, 4, (20, 9))
    run = te.evaluate(asked * 1.0, gallery=found * 1.0, relevance=grades, ties=mode, ks=(3,), metrics=["ndcg_exp2@3"])
    for name, gain in (("ndcg@3", lambda grade: grade), ("ndcg_exp2@3", lambda grade: 2**grade - 1)):
        for q, of in enumerate(grades.tolist()):
            ranked = sorted((abs(asked[q, 0] - x), FIRST[mode](of[row]), row) for row, x in enumerate(found[:, 0]))
            got, best = (
                sum(gain(grade) / math.log2(i + 2) for i, grade in enumerate(some[:3]))
                for some in ([of[row] for _, _, row in ranked], sorted(of, reverse=True))
            )
            assert run.per_query[name][q].as_py() == pytest.approx(got / best)


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_the_gain_of_tied_grades_is_its_mean_over_every_order_of_them(k):
    found, grades = np.array([[1.0], [1.0], [2.0], [2.0], [2.0]]), np.array([[3, 0, 1, 2, 0], [0, 1, 0, 3, 1]])
    run = te.evaluate(np.zeros((2, 1)), gallery=found, relevance=grades, ks=(k,), metrics=[f"ndcg_exp2@{k}"])
    orders = [(*first, *then) for first in permutations([0, 1]) for then in permutations([2, 3, 4])]
    for name, gain in ((f"ndcg@{k}", lambda grade: grade), (f"ndcg_exp2@{k}", lambda grade: 2**grade - 1)):
        for q, of in enumerate(grades.tolist()):
            ranked = [[of[row] for row in order] for order in orders]
            *every, best = (
                sum(gain(grade) / math.log2(i + 2) for i, grade in enumerate(some[:k]))
                for some in (*ranked, sorted(of, reverse=True))
            )
            assert run.per_query[name][q].as_py() == pytest.approx(sum(every) / len(every) / best)


@pytest.mark.parametrize("listed", [2**16, 3])
def test_a_reciprocal_rank_is_its_expectation_whether_places_are_listed_or_not(listed, monkeypatch):
    monkeypatch.setattr(retrieval, "_LISTED", listed)
    for cached in (retrieval._expected_reciprocal, retrieval._expected_reciprocal_of_last):
        cached.cache_clear()
    groups = one_group_each()
    for k, found in ((99, reciprocal_rank(groups)), *((k, reciprocal_rank_at_k(groups, k)) for k in (1, 4, 5, 8))):
        expected = [
            sum(place(g, r, t, last=False) / (a + t) for t in range(1, g + 1) if a + t <= k) for a, g, r in GROUPS
        ]
        assert found.values() == pytest.approx([float(value) for value in expected], rel=1e-13, abs=0), k
    expected = [r * sum(place(g, r, t, last=True) / (a + t) for t in range(1, g + 1)) for a, g, r in GROUPS]
    assert inverse_negative_penalty(groups).values() == pytest.approx(
        [float(value) for value in expected], rel=1e-13, abs=0
    )


@pytest.mark.parametrize(("size", "relevant"), [(1, 1), (7, 1), (7, 3), (40, 2), (200, 60)])
def test_in_closed_form_the_mean_reciprocals_are_those_of_every_place(size, relevant):
    for last, mean in ((False, mean_reciprocal_of_first), (True, mean_reciprocal_of_last)):
        exact = sum(place(size, relevant, t, last=last) / t for t in range(1, size + 1))
        assert mean(size, relevant) == pytest.approx(float(exact), rel=1e-12, abs=0)


@pytest.mark.parametrize(("listed", "apart"), [(2**21, 1024), (16, 4), (3, 8)])
def test_harmonic_differences_are_exact_also_where_few_sums_are_kept(listed, apart, monkeypatch):
    monkeypatch.setattr(ties, "_LISTED", listed)
    monkeypatch.setattr(ties, "_APART", apart)
    ties._table.cache_clear()
    before = np.array([0, 0, 1, 3, 4, 7, 8, 15, 16, 63, 64, 65, 200])
    for places in (0, 1, 4, 5, 31):
        exact = [float(sum(Fraction(1, a + t) for t in range(1, places + 1))) for a in before.tolist()]
        assert harmonic(before, np.full(len(before), places)) == pytest.approx(exact, rel=1e-15, abs=0)
    assert len(harmonic(before[:0], before[:0])) == 0
