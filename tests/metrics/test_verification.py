"""What a threshold decides: against enumeration, scikit-learn, and the identities that must hold."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score, roc_curve

from tripleteval.metrics.operating import Moments, Operating, _moments, best_cut, histogram, operating_of, thinned
from tripleteval.metrics.verification import (
    auc,
    best_accuracy,
    d_prime,
    eer,
    inter_quantile,
    intra_quantile,
    overlap,
    tar,
    threshold,
)

distances = st.lists(st.integers(0, 6).map(float), min_size=1, max_size=12)
rates = st.sampled_from([1.0, 0.7, 0.5, 0.3, 0.1, 0.05, 1e-6])


def curve(genuine, impostor) -> Operating:
    return operating_of(np.array(genuine), np.array(impostor), np.zeros(0))


def enumerated(genuine, impostor, far: float) -> tuple[float, float]:
    """Return the best TAR of any threshold whose FAR is within budget, and that FAR: every threshold is tried."""
    best = (0.0, 0.0)
    for cut in sorted({*genuine, *impostor}):
        accepted = sum(v <= cut for v in impostor) / len(impostor)
        if accepted <= far + 1e-12:
            best = max(best, (sum(g <= cut for g in genuine) / len(genuine), accepted))
    return best


def crossing(far: list[float], tar: list[float]) -> float:
    """Return where the polyline meets FNMR = FMR: segment by segment, from the start."""
    for (f, t), (f2, t2) in pairwise(zip(far, tar, strict=True)):
        before, after = (1 - t) - f, (1 - t2) - f2
        if after <= 0:
            return f + before / (before - after) * (f2 - f)
    raise AssertionError


@given(distances, distances, rates)
def test_tar_at_far_is_that_of_the_best_threshold_within_the_budget(genuine, impostor, far):
    found = tar(curve(genuine, impostor), far)
    rate, achieved = enumerated(genuine, impostor, far)
    assert found.value == pytest.approx(rate)
    assert found.details["achieved_far"] == pytest.approx(achieved)
    assert found.details["achieved_far"] <= far


def test_200_random_tied_sets_never_exceed_the_budget():
    rng = np.random.default_rng(0)
    for _ in range(200):
        genuine = rng.integers(0, 12, rng.integers(1, 60)) / 4
        impostor = rng.integers(2, 20, rng.integers(1, 400)) / 4
        for far in (0.5, 0.1, 0.03, 0.01, 0.001):
            found = tar(curve(genuine, impostor), far)
            rate, achieved = enumerated(genuine.tolist(), impostor.tolist(), far)
            assert (found.value, found.details["achieved_far"]) == pytest.approx((rate, achieved))
            assert found.details["achieved_far"] <= far
            cut = found.details["threshold"]
            if cut is not None:
                assert (genuine <= cut).mean() == pytest.approx(rate)
                assert (impostor <= cut).mean() == pytest.approx(achieved)


@given(distances, distances)
def test_auc_and_roc_are_those_of_scikit_learn(genuine, impostor):
    same = [1] * len(genuine) + [0] * len(impostor)
    scores = [-d for d in genuine + impostor]
    assert auc(curve(genuine, impostor)).value == pytest.approx(roc_auc_score(same, scores), abs=1e-12)
    fpr, tpr, _ = roc_curve(same, scores, drop_intermediate=False)
    drawn = thinned(curve(genuine, impostor))
    assert drawn["far"] == pytest.approx(fpr.tolist())
    assert drawn["tar"] == pytest.approx(tpr.tolist())


@given(distances, distances)
def test_k13_the_trapezoids_under_the_roc_are_the_auc(genuine, impostor):
    of = curve(genuine, impostor)
    drawn = thinned(of)
    assert np.trapezoid(drawn["tar"], drawn["far"]) == pytest.approx(auc(of).value, abs=1e-12)


@given(distances, distances)
def test_the_eer_lies_on_the_roc_and_between_its_bracket(genuine, impostor):
    of = curve(genuine, impostor)
    found, drawn = eer(of), thinned(of)
    assert found.value == pytest.approx(crossing(drawn["far"], drawn["tar"]), abs=1e-12)
    low, high = found.details["bracket"]
    assert low["far"] <= low["frr"]
    assert high["far"] >= high["frr"]
    assert low["far"] - 1e-12 <= found.value <= high["far"] + 1e-12
    for side in (low, high):
        if side["threshold"] is not None:
            assert np.mean(np.array(impostor) <= side["threshold"]) == pytest.approx(side["far"])
            assert np.mean(np.array(genuine) > side["threshold"]) == pytest.approx(side["frr"])


@given(distances, distances)
def test_the_best_accuracy_is_the_best_of_every_threshold(genuine, impostor):
    found = best_accuracy(curve(genuine, impostor))
    cuts = [-1.0, *sorted({*genuine, *impostor})]
    right = [sum(g <= cut for g in genuine) + sum(v > cut for v in impostor) for cut in cuts]
    assert found.value == pytest.approx(max(right) / (len(genuine) + len(impostor)))
    assert found.details["in_sample"]
    cut = found.details["threshold"]
    if cut is not None:
        smallest = cuts[right.index(max(right))]
        assert smallest <= cut
        assert not any(smallest < d <= cut for d in genuine + impostor)
    chosen = best_cut(curve(genuine, impostor))
    assert sum(g <= chosen for g in genuine) + sum(v > chosen for v in impostor) == max(right)
    assert sum(d <= chosen for d in genuine + impostor) == sum(
        d <= cuts[right.index(max(right))] for d in genuine + impostor
    )


@settings(max_examples=20)
@given(distances, distances)
def test_d_prime_is_the_gap_of_the_means_in_pooled_sample_deviations(genuine, impostor):
    found = d_prime(curve(genuine, impostor))
    assert found.n == len(genuine) + len(impostor)
    if min(len(genuine), len(impostor)) < 2:
        assert found.reason == "it takes two genuine and two impostor pairs"
    elif len({*genuine}) == len({*impostor}) == 1:
        assert found.reason == "all distances of a kind are equal"
    else:
        pooled = np.sqrt((np.var(genuine, ddof=1) + np.var(impostor, ddof=1)) / 2)
        assert found.value == pytest.approx((np.mean(impostor) - np.mean(genuine)) / pooled, abs=1e-12)
        assert found.details["mean_genuine"] == pytest.approx(np.mean(genuine))


@given(st.lists(st.integers(0, 40), max_size=9))
def test_moments_of_whole_steps_are_those_of_the_numbers_less_what_rounding_adds(steps):
    mean, sd = _moments(len(steps), (sum(steps), sum(s * s for s in steps)), 0.25, 3.0)
    assert mean == (pytest.approx(np.mean(steps) * 0.75) if steps else None)
    variance = np.var(steps, ddof=1) if len(steps) > 1 else 0.0
    smooth = variance > 16 + 1e-9  # square steps; of narrower ones rounding may do anything
    expected = np.sqrt(variance - smooth / 12) * 0.75
    assert sd == (pytest.approx(expected) if len(steps) > 1 else None)


@given(distances, distances)
def test_the_overlap_is_one_minus_the_largest_gap_of_the_two_distributions(genuine, impostor):
    cuts = sorted({*genuine, *impostor})
    apart = max(np.mean(np.array(genuine) <= c) - np.mean(np.array(impostor) <= c) for c in cuts)
    assert overlap(curve(genuine, impostor)).value == pytest.approx(1 - max(apart, 0.0))


@given(distances, distances, rates)
def test_k16_every_impostor_twice_changes_no_rate(genuine, impostor, far):
    one, two = curve(genuine, impostor), curve(genuine, impostor + impostor)
    for metric in (auc, eer, overlap):
        assert metric(one).value == pytest.approx(metric(two).value, abs=1e-12)
    # Twice as many impostors allow twice as many false accepts, and sometimes one more.
    if (far * len(impostor)).is_integer():
        assert tar(one, far).value == tar(two, far).value
        assert tar(two, far).details["allowed_false_accepts"] == 2 * tar(one, far).details["allowed_false_accepts"]


@given(distances, distances)
def test_swapping_the_roles_is_not_the_same_rate(genuine, impostor):
    one = curve(genuine, impostor)
    assert auc(curve(impostor, genuine)).value == pytest.approx(1 - auc(one).value)


def test_k10_a_collapsed_model_is_chance():
    of = curve([0.0] * 5, [0.0] * 7)
    assert (auc(of).value, eer(of).value, overlap(of).value) == (0.5, 0.5, 1.0)
    assert tar(of, 0.99).value == 0
    assert tar(of, 0.99).details["achieved_far"] == 0
    assert threshold(of, 0.5).value is None
    assert threshold(of, 0.5).reason == "no pair can be accepted"
    assert d_prime(of).reason == "all distances of a kind are equal"


def test_k11_a_perfect_model_is_perfect():
    of = curve([1.0, 2.0], [3.0, 4.0, 5.0])
    assert (auc(of).value, eer(of).value, overlap(of).value, best_accuracy(of).value) == (1, 0, 0, 1)
    assert tar(of, 1e-9).value == 1
    assert threshold(of, 1e-9).value == 2.5


def test_at_a_far_of_one_everything_is_accepted():
    of = curve([1.0, 9.0], [3.0, 4.0])
    assert tar(of, 1.0).value == 1
    assert threshold(of, 1.0).reason == "every pair is accepted"


def test_few_false_accepts_are_said_to_be_unreliable_and_none_to_be_beyond_resolution():
    of = curve([0.5], [float(i) for i in range(1000)])
    seen = {far: tar(of, far).details for far in (0.1, 0.03, 0.0299, 0.001, 0.0009)}
    assert {far: d["unreliable"] for far, d in seen.items()} == {0.1: False, 0.03: False, 0.0299: True} | dict.fromkeys(
        (0.001, 0.0009), True
    )
    assert {far for far, d in seen.items() if d["below_resolution"]} == {0.0009}


def test_thresholds_between_neighbouring_floats_still_separate_them():
    low = 1.0
    high = float(np.nextafter(low, 2))
    cut = threshold(curve([low], [high]), 0.5).value
    assert low <= cut < high


def test_a_thinned_roc_keeps_its_ends_its_order_and_only_true_points():
    rng = np.random.default_rng(1)
    genuine, impostor = rng.normal(1, 0.5, 4000), rng.normal(2, 0.5, 9000)
    drawn = thinned(curve(genuine, impostor))
    assert len(drawn["far"]) <= 258
    assert (drawn["far"][0], drawn["tar"][0], drawn["far"][-1], drawn["tar"][-1]) == (0, 0, 1, 1)
    assert drawn["far"] == sorted(drawn["far"])
    assert drawn["tar"] == sorted(drawn["tar"])
    for cut, far, rate in zip(drawn["threshold"][1:-1:17], drawn["far"][1:-1:17], drawn["tar"][1:-1:17], strict=True):
        assert ((impostor <= cut).mean(), (genuine <= cut).mean()) == pytest.approx((far, rate))


def test_a_roc_through_a_gap_takes_all_of_it_up_to_the_next_known_distance():
    of = replace(curve([1.0, 3.0], [2.0]), impostor=np.array([0, 0, 0, 0, 9, 0, 0]))
    below = float(np.nextafter(3.0, 0))
    assert thinned(of) == {"threshold": [None, 1.0, below, 3.0], "far": [0, 0, 1, 1], "tar": [0, 0.5, 0.5, 1]}


def test_a_histogram_holds_every_pair_once():
    rng = np.random.default_rng(2)
    genuine, impostor = rng.uniform(0, 2, 500), rng.uniform(1, 3, 900)
    drawn = histogram(operating_of(genuine, impostor, np.arange(0, 300) / 64))
    assert (sum(drawn["genuine"]), sum(drawn["impostor"])) == (500, 900)
    assert drawn["genuine"] == np.histogram(genuine, drawn["edges"])[0].tolist()
    assert drawn["impostor"] == np.histogram(impostor, drawn["edges"])[0].tolist()


@pytest.mark.parametrize("last", [0, 63, 64, 65, 127, 128, 129, 256])
def test_a_histogram_is_as_coarse_as_its_last_pair_makes_it(last):
    genuine, impostor = np.array([last + 0.5]) / 64, np.array([0.25]) / 64
    drawn = histogram(operating_of(genuine, impostor, np.arange(300) / 64))
    assert drawn["genuine"] == np.histogram(genuine, drawn["edges"])[0].tolist()
    assert (sum(drawn["genuine"]), sum(drawn["impostor"])) == (1, 1)
    assert min(last + 1, 33) <= len(drawn["genuine"]) <= 64


def test_more_pairs_than_integers_multiply_have_an_exact_auc():
    many = Operating(
        np.array([1.0, 2.0, 3.0]),
        2**41 * np.array([0, 3, 0, 0, 0, 1, 0]),
        2**42 * np.array([0, 0, 0, 5, 0, 0, 0]),
        Moments(None, None),
        Moments(None, None),
        np.zeros(0),
    )
    assert auc(many).value == 0.75


@pytest.mark.parametrize(
    ("genuine", "impostor", "why"), [([], [1.0], "genuine"), ([1.0], [], "impostor"), ([], [], "no pairs")]
)
def test_a_missing_side_leaves_everything_undefined_with_the_reason(genuine, impostor, why):
    of = curve(genuine, impostor)
    for metric in (auc, eer, overlap, best_accuracy, d_prime):
        found = metric(of)
        assert found.value is None
        assert why in found.reason
    assert tar(of, 0.1).value is None
    assert threshold(of, 0.1).value is None


@given(distances, distances, st.sampled_from([0.05, 0.25, 0.5, 0.75, 0.95, 0.999]))
def test_a_quantile_is_the_first_distance_with_so_many_pairs_at_or_below_it(genuine, impostor, share):
    found = curve(genuine, impostor)
    for read, side in ((intra_quantile, genuine), (inter_quantile, impostor)):
        reached = [d for d in sorted(side) if sum(v <= d for v in side) >= share * len(side) - 1e-9]
        assert read(found, share).value == reached[0]
        assert read(found, share).n == len(side)


def unresolved(genuine: list[float], impostor: list[float]) -> Operating:
    """Return the curve whose distances are known at odd numbers only: those at even numbers lie in gaps."""
    bins = [np.bincount(np.array(side, dtype=int), minlength=7) for side in (genuine, impostor)]
    return Operating(np.array([1.0, 3.0, 5.0]), *bins, Moments(None, None), Moments(None, None), np.zeros(0))


@given(distances, distances, rates)
def test_what_gaps_hide_lies_between_the_best_and_the_worst_order_of_what_is_in_them(genuine, impostor, far):
    of = unresolved(genuine, impostor)
    even = {d for d in genuine if d % 2 == 0}
    best = curve(genuine, [d + 0.5 if d in even else d for d in impostor])
    worst = curve([d + 0.5 if d in even else d for d in genuine], impostor)
    for metric, parameters in ((auc, ()), (eer, ()), (overlap, ()), (best_accuracy, ()), (tar, (far,))):
        found = metric(of, *parameters)
        ends = sorted(metric(curve, *parameters).value for curve in (best, worst))
        assert found.value == pytest.approx(np.clip(found.value, *ends), abs=1e-12)
        known = found.details if "at_least" in found.details else {"at_least": found.value, "at_most": found.value}
        assert [known["at_least"], known["at_most"]] == pytest.approx(ends, abs=1e-12), metric


@pytest.mark.parametrize(
    ("hidden", "ends"), [(0.0, (1.0, 1.0)), (2.0, (1.0, 3.0)), (4.0, (3.0, 5.0)), (6.0, (5.0, 5.0))]
)
def test_a_quantile_in_a_gap_lies_between_the_known_distances_around_it(hidden, ends):
    found = intra_quantile(unresolved([hidden], [1.0]), 0.5)
    assert (found.details["at_least"], found.details["at_most"]) == ends


def test_a_threshold_beside_a_gap_is_the_largest_known_one_and_not_midway():
    for of, expected in (
        (unresolved([1.0], [4.0]), 3.0),
        (unresolved([2.0], [3.0]), float(np.nextafter(3.0, 0))),
    ):
        found = threshold(of, 0.1)
        assert (found.value, found.details["midway"]) == (expected, False)
    assert threshold(unresolved([1.0], [3.0]), 0.1).details["midway"]


def test_the_densest_gap_is_that_with_the_largest_share_of_impostors():
    assert unresolved([2.0], [1.0, 1.0, 1.0, 2.0, 2.0, 4.0, 5.0, 5.0]).densest() == 0.25
    assert unresolved([2.0], []).densest() == 0.0


def test_a_quantile_between_two_known_distances_says_where_it_is():
    unresolved = replace(
        curve([1.0, 3.0], [2.0]), impostor=np.array([0, 0, 0, 0, 9, 0, 0]), at=np.array([1.0, 2.0, 3.0])
    )
    found = inter_quantile(unresolved, 0.5)
    assert (found.value, found.details) == (2.5, {"at_least": 2.0, "at_most": 3.0})


def test_without_pairs_of_a_kind_there_is_no_quantile():
    assert intra_quantile(curve([], [1.0]), 0.5).reason == "no genuine pair"
    assert inter_quantile(curve([1.0], []), 0.5).value is None
    assert intra_quantile(curve([1.0], []), 0.5).value == 1.0
