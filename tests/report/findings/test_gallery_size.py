"""Gallery size: the closed form is the mean over every possible gallery, counted one by one."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from tripleteval import evaluate, evaluate_triplets
from tripleteval.report.findings.gallery_size import answered, gallery_sizes
from tripleteval.report.sections import SECTIONS
from tripleteval.report.sections.gallery_size import by_size


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
        # Among so few that all are answered there is no variance.
        assert all(
            low is high is None if rate > 1 - 1e-12 else low < rate < high for low, rate, high in rows[: last + 1]
        )


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


def test_a_relevant_item_beside_one_wrong_item_is_one_of_two_places_and_stays() -> None:
    rng = np.random.default_rng(4)
    points, labels = rng.normal(size=(90, 3)), np.arange(90) % 9
    points[[9, 1]] = points[0] + 1e-3
    run = evaluate(points, labels, ks=(1, 5, 10))
    assert run.per_query["first_rank_mean"][0].as_py() == 1.5
    found = gallery_sizes(run)
    assert found.unknown == 0
    assert found.rates[1][found.distractors.index(found.measured)] == pytest.approx(run["hit_rate@1"])


def test_a_query_whose_ties_leave_its_place_open_is_left_out_and_counted() -> None:
    rng = np.random.default_rng(4)
    points, labels = rng.normal(size=(90, 3)), np.arange(90) % 9
    # One relevant and two wrong items at one place, right beside the query: the mean first place is a whole number.
    points[[9, 1, 2]] = points[0] + 1e-3
    run = evaluate(points, labels, ks=(1, 5, 10))
    assert run.per_query["first_rank_mean"][0].as_py() == 2.0
    found = gallery_sizes(run)
    assert found.unknown == 1
    hits = run.per_query["hit_rate@1"].to_numpy()[1:]
    assert found.rates[1][found.distractors.index(found.measured)] == pytest.approx(hits.mean())
    assert "1 query is left out: ties leave open how many wrong items are nearer." in by_size(run).text


def test_a_collapsed_space_has_no_curve() -> None:
    assert gallery_sizes(evaluate(np.ones((40, 2)), np.arange(40) % 4)) is None


def test_an_interval_takes_as_many_classes_as_every_other_number_of_the_run() -> None:
    rng = np.random.default_rng(4)
    for classes in (4, 6):
        run = evaluate(rng.normal(size=(60, 3)), np.arange(60) % classes)
        found = gallery_sizes(run)
        assert bool(found.low) == (run.metrics["hit_rate@1"]["low"] is not None) == (classes == 6)
        assert ("Intervals are" in SECTIONS["gallery size"].write(run).text) == (classes == 6)
    last, entry = found.distractors.index(found.measured), run.metrics["hit_rate@1"]
    assert (found.low[1][last], found.high[1][last]) == pytest.approx((entry["low"], entry["high"]), abs=0.02)
    section = SECTIONS["gallery size"].write(run)
    columns = section.charts[0].columns
    assert columns["low"] == [end for k in found.rates for end in found.low[k]]
    assert columns["high"] == [end for k in found.rates for end in found.high[k]]
    sizes = [f"{size:,}" for size in found.distractors]
    shown = [row[0] for row in section.tables[0].rows]
    assert (shown[0], shown[-1], f"{found.measured:,}" in shown) == (sizes[0], sizes[-1], True)
    assert [size for size in sizes if size in shown] == shown


def test_where_every_query_is_answered_there_is_no_variance_to_draw_nor_a_range() -> None:
    centres = 100 * np.arange(8.0)[:, None]
    run = evaluate(np.repeat(centres, 5, axis=0) + np.random.default_rng(0).normal(size=(40, 1)), np.arange(40) // 5)
    assert {end for ends in gallery_sizes(run).low.values() for end in ends} == {None}
    section = SECTIONS["gallery size"].write(run)
    assert section.charts[0].limits == (0.0, 1.0)
    assert "Intervals" not in section.text


def test_without_ranks_or_distractors_there_is_no_curve() -> None:
    assert gallery_sizes(evaluate_triplets([[0.0]], [[1.0]], [[2.0]])) is None
    assert gallery_sizes(evaluate([[0.0], [1.0], [3.0]], [0, 0, 0])) is None
    assert gallery_sizes(evaluate([[0.0], [1.0], [3.0]], [0, 0, 1])) is None
