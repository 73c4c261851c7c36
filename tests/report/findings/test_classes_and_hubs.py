"""Confusions and hubs are what loops over a full sort count."""

from __future__ import annotations

from collections import Counter
from statistics import median

import numpy as np
import pytest

from tripleteval import Embeddings, evaluate
from tripleteval.report.findings.confusions import confusions
from tripleteval.report.findings.hubs import anti_hubs, hubs
from tripleteval.report.sections import SECTIONS
from tripleteval.report.wording import percent

K = 4


@pytest.fixture(scope="module")
def cloud():
    rng = np.random.default_rng(3)
    return rng.normal(size=(80, 3)), rng.integers(0, 5, 80)


def nearest(vectors, k):
    distance = np.linalg.norm(vectors[:, None] - vectors[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    order = np.argsort(distance, axis=1, kind="stable")[:, :k]
    return order, np.take_along_axis(distance, order, axis=1)


def test_confusions_are_counted_and_their_gap_is_a_median(cloud):
    vectors, labels = cloud
    order, distance = nearest(vectors, K)
    counts, gaps = Counter(), {}
    for row, (items, lengths) in enumerate(zip(order, distance, strict=True)):
        if labels[items[0]] != labels[row]:
            pair = (int(labels[row]), int(labels[items[0]]))
            counts[pair] += 1
            own = [d for item, d in zip(items, lengths, strict=True) if labels[item] == labels[row]]
            if own:
                gaps.setdefault(pair, []).append(own[0] - lengths[0])
    found = confusions(evaluate(vectors, labels, neighbors=K)).to_pylist()
    assert {(row["label"], row["found"]): row["queries"] for row in found} == dict(counts)
    assert [row["queries"] for row in found] == sorted(counts.values(), reverse=True)
    for row in found:
        pair = (row["label"], row["found"])
        assert row["back"] == counts[pair[::-1]]
        assert row["share"] == pytest.approx(row["queries"] / (labels == row["label"]).sum())
        assert row["gap"] == (pytest.approx(median(gaps[pair])) if pair in gaps else None)


def test_hubs_are_counted(cloud):
    vectors, labels = cloud
    order, _ = nearest(vectors, K)
    counts = Counter(order.ravel().tolist())
    wrong = Counter(int(item) for row, items in enumerate(order) for item in items if labels[item] != labels[row])
    found = hubs(evaluate(Embeddings(vectors, labels, ids=[f"i{r}" for r in range(80)]), neighbors=K)).to_pylist()
    assert {row["gallery"]: row["found"] for row in found} == dict(counts)
    assert {row["gallery"]: row["wrong"] for row in found if row["wrong"]} == dict(wrong)
    assert [row["found"] for row in found] == sorted(counts.values(), reverse=True)
    assert all(row["id"] == f"i{row['gallery']}" and row["label"] == labels[row["gallery"]] for row in found)


def test_a_copy_that_no_list_has_room_for_is_not_called_never_found():
    rng = np.random.default_rng(0)
    vectors, labels = rng.normal(size=(60, 3)), np.repeat(np.arange(5), 12)
    vectors[:12] = vectors[0]
    run = evaluate(Embeddings(vectors, labels, ids=[f"i{r}" for r in range(60)]), neighbors=10)
    lonely = anti_hubs(run)
    assert lonely.num_rows / 60 == pytest.approx(run["anti_hubs@10"])
    assert not set(lonely["gallery"].to_pylist()) & set(range(12))
    text = SECTIONS["hubs"].write(run).text
    assert f"{percent(run['anti_hubs@10'])} are never found (anti-hubs)." in text
    assert "1 more is missing from the lists only because copies stand there." in text


def test_perfect_neighbours_confuse_nothing():
    assert confusions(evaluate([[0.0], [1.0], [30.0], [31.0]], [0, 0, 1, 1])).num_rows == 0


def test_labels_of_two_types_are_compared_as_they_were():
    assert confusions(evaluate([[0.0], [1.0], [30.0], [31.0]], [[0], [0], [1], [1]])) is None


def test_a_query_that_has_nothing_to_find_confuses_nothing():
    points, labels = [[0.0], [1.0], [1.4], [2.0], [9.0]], ["a", "a", "lone", "b", "b"]
    rows = confusions(evaluate(points, labels, neighbors=2)).to_pylist()
    assert {(row["label"], row["found"], row["queries"], row["share"], row["back"]) for row in rows} == {
        ("a", "lone", 1, 0.5, 0),
        ("b", "lone", 1, 0.5, 0),
    }
