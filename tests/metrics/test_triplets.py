"""All valid triplets, counted without listing one, equal three nested loops."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tripleteval as te
from oracle import distance, triplets
from strategies import Points, labelled_points

MARGINS = (0.0, 0.5, 1.0, 4.0)
CURVE = (-2.0, -0.25, 0.0, 1.0, 3.0)


def run_of(data: Points, name: str) -> te.Evaluation:
    asked = [f"triplet_loss_nonzero@margin={m}" for m in MARGINS]
    return te.evaluate(*data, distance=name, margins=MARGINS, margin_curve=CURVE, metrics=asked, zero_rows="far")


@pytest.mark.parametrize("name", ["euclidean", "sqeuclidean"])
@given(data=labelled_points())
def test_every_count_equals_three_nested_loops(name, data: Points):
    listed = list(triplets(*data, name))
    metrics = run_of(data, name).metrics
    for m in MARGINS:
        of = lambda metric, m=m: metrics[f"{metric}@margin={m:g}"]  # noqa: E731
        assert of("triplet_satisfied")["n"] == len(listed)
        assert of("triplet_satisfied")["count"] == sum(p + m < n for _, p, n in listed)
        assert of("easy")["count"] == of("triplet_satisfied")["count"]
        assert of("at_margin")["count"] == sum(p + m == n for _, p, n in listed)
        assert of("semi_hard")["count"] == sum(p < n <= p + m for _, p, n in listed)
        assert of("hard")["count"] == sum(n <= p for _, p, n in listed)
        assert of("triplet_loss_nonzero")["n"] == sum(n < p + m for _, p, n in listed)
        losses = [max(0.0, p - n + m) for _, p, n in listed]
        assert math.isclose(of("triplet_loss")["value"], math.fsum(losses) / len(listed), rel_tol=1e-12, abs_tol=1e-14)


@given(data=labelled_points())
def test_the_margin_curve_counts_what_the_loops_count(data: Points):
    listed = list(triplets(*data, "euclidean"))
    curve = run_of(data, "euclidean").margin_curve
    expected = [sum(p + m < n for _, p, n in listed) / len(listed) for m in CURVE]
    assert (curve["margins"], curve["satisfied"]) == (list(CURVE), expected)


@given(data=labelled_points())
def test_accuracy_gives_half_credit_for_equal_distances(data: Points):
    listed = list(triplets(*data, "sqeuclidean"))
    credit = sum((p < n) + (p == n) / 2 for _, p, n in listed)
    assert run_of(data, "sqeuclidean")["triplet_accuracy"] == credit / len(listed)


@given(data=labelled_points())
def test_the_anchor_mean_and_the_class_mean_weigh_anchors_and_classes(data: Points):
    listed = list(triplets(*data, "sqeuclidean"))
    shares = {
        a: sum(p + 1 < n for b, p, n in listed if b == a) / sum(b == a for b, _, _ in listed) for a, _, _ in listed
    }
    by_class = {}
    for a, share in shares.items():
        by_class.setdefault(data[1][a], []).append(share)
    averages = run_of(data, "sqeuclidean").metrics["triplet_satisfied@margin=1"]["averages"]
    assert math.isclose(averages["query"], math.fsum(shares.values()) / len(shares), rel_tol=1e-12)
    means = [math.fsum(shares) / len(shares) for shares in by_class.values()]
    assert math.isclose(averages["class"], math.fsum(means) / len(means), rel_tol=1e-12)


@given(data=labelled_points())
def test_batch_hard_compares_the_farthest_positive_with_the_nearest_negative(data: Points):
    points, labels = data
    gaps = []
    for a, label in enumerate(labels):
        same = [distance(points[a], points[i]) for i in range(len(points)) if i != a and labels[i] == label]
        other = [distance(points[a], points[i]) for i in range(len(points)) if labels[i] != label]
        if same and other:
            gaps.append((max(same), min(other)))
    run = run_of(data, "euclidean")
    assert run["batch_hard@margin=0.5"] == sum(p + 0.5 < n for p, n in gaps) / len(gaps)
    losses = [max(0.0, p - n + 0.5) for p, n in gaps]
    assert math.isclose(run["batch_hard_loss@margin=0.5"], math.fsum(losses) / len(gaps), abs_tol=1e-14, rel_tol=1e-12)


def test_an_anchor_whose_nearest_negative_is_exactly_at_the_margin_is_not_in_order():
    run = te.evaluate([[0.0], [1.0], [3.0], [30.0]], [0, 0, 1, 1], margins=[1.0, 2.0])
    assert [run[f"batch_hard@margin={m}"] for m in (1, 2)] == [0.5, 0.0]


UNIT = [(1.0, 0.0), (0.8, 0.6), (0.6, 0.8), (-0.6, 0.8), (-0.936, 0.352), (0.352, -0.936), (0.0, 1.0), (-1.0, 0.0)]


@given(st.lists(st.sampled_from(UNIT), min_size=4, max_size=8, unique=True), st.sampled_from([0.25, 0.5, 0.75]))
def test_on_unit_vectors_a_cosine_margin_is_half_a_squared_margin(points, margin):
    labels = [i % 2 for i in range(len(points))]
    cosine = te.evaluate(points, labels, distance="cosine", margins=[margin]).metrics
    squared = te.evaluate(points, labels, distance="sqeuclidean", margins=[2 * margin]).metrics
    for metric in ("triplet_satisfied", "semi_hard", "hard"):
        one, two = cosine[f"{metric}@margin={margin:g}"], squared[f"{metric}@margin={2 * margin:g}"]
        assert one["count"] == two["count"]
    loss, twice = cosine[f"triplet_loss@margin={margin:g}"], squared[f"triplet_loss@margin={2 * margin:g}"]
    assert math.isclose(2 * loss["value"], twice["value"], rel_tol=1e-9, abs_tol=1e-12)


def test_one_class_has_no_triplets_and_says_so():
    run = te.evaluate([[0.0], [1.0]], ["a", "a"])
    assert math.isnan(run["triplet_accuracy"])
    assert run.metrics["triplet_satisfied@margin=0.2"]["reason"] == "no valid triplet"
    assert any("Degenerate" in note for note in run.notes)
