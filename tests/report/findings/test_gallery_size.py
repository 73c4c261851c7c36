"""Gallery size: the closed form is the mean over every possible gallery, counted one by one."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from tripleteval import evaluate, evaluate_triplets
from tripleteval.report.findings.gallery_size import answered, gallery_sizes


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("drawn", range(1, 8))
def test_it_is_the_mean_over_every_choice_of_distractors(k: int, drawn: int) -> None:
    negatives = 7
    found = answered(np.arange(8.0), np.full(8, negatives), drawn, k)
    for nearer in range(negatives + 1):
        choices = list(combinations(range(negatives), drawn))
        expected = np.mean([sum(item < nearer for item in choice) < k for choice in choices])
        assert found[nearer] == pytest.approx(expected, abs=1e-12)


def test_with_all_distractors_it_is_the_hit_rate_of_the_run() -> None:
    rng = np.random.default_rng(4)
    run = evaluate(rng.normal(size=(90, 3)), np.arange(90) % 9, ks=(1, 5, 10))
    found = gallery_sizes(run)
    last = found.distractors.index(found.measured)
    assert found.measured == 80
    for k in (1, 5, 10):
        assert found.rates[k][last] == pytest.approx(run[f"hit_rate@{k}"], abs=1e-9)
        assert (np.diff(found.rates[k]) <= 1e-9).all()
        rows = list(zip(found.low[k], found.rates[k], found.high[k], strict=True))
        assert all(low <= rate <= high for low, rate, high in rows[: last + 1])


def test_drawing_galleries_at_random_agrees() -> None:
    rng = np.random.default_rng(4)
    points, labels = rng.normal(size=(60, 3)), np.arange(60) % 6
    size, hits = 12, []
    distance = np.linalg.norm(points[:, None] - points[None], axis=2)
    for query in range(60):
        wrong = np.flatnonzero(labels != labels[query])
        right = [item for item in np.flatnonzero(labels == labels[query]) if item != query]
        for _ in range(300):
            chosen = rng.choice(wrong, size, replace=False)
            hits.append(distance[query, right].min() < distance[query, chosen].min())
    table = evaluate(points, labels).per_query
    nearer = table["first_rank_mean"].to_numpy() - 1
    assert answered(nearer, np.full(60, 50), size, 1).mean() == pytest.approx(np.mean(hits), abs=0.012)


def test_beyond_the_gallery_the_last_tenfold_goes_on() -> None:
    rng = np.random.default_rng(4)
    run = evaluate(rng.normal(size=(220, 3)), np.arange(220) % 11)
    found = gallery_sizes(run)
    before = answered(run.per_query["first_rank_mean"].to_numpy() - 1, np.full(220, 200), 20, 5).mean()
    at = dict(zip(found.distractors, found.rates[5], strict=True))
    assert (found.measured, found.distractors[-1]) == (200, 2000)
    assert at[2000] == pytest.approx(max(0, 2 * at[200] - before), abs=1e-9)
    assert found.low[5][-1] is found.high[5][-1] is None


def test_a_shared_first_place_lies_between() -> None:
    between = answered(np.array([2.5]), np.array([9]), 4, 1)[0]
    low, high = answered(np.array([3.0, 2.0]), np.array([9, 9]), 4, 1)
    assert between == pytest.approx((low + high) / 2)


def test_without_ranks_or_distractors_there_is_no_curve() -> None:
    assert gallery_sizes(evaluate_triplets([[0.0]], [[1.0]], [[2.0]])) is None
    assert gallery_sizes(evaluate([[0.0], [1.0], [3.0]], [0, 0, 0])) is None
    assert gallery_sizes(evaluate([[0.0], [1.0], [3.0]], [0, 0, 1])) is None
