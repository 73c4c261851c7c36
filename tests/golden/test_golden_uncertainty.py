"""The worked values of the specification, section F, to 1e-9."""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from tripleteval.uncertainty.clustered import standard_error
from tripleteval.uncertainty.permutation import holm, sign_flip
from tripleteval.uncertainty.proportion import clopper_pearson, rule_of_three, wilson
from tripleteval.uncertainty.sums import Sums
from vertex import vertex_error, vertex_ratio

GOLDEN = json.loads(Path(__file__).with_name("golden.json").read_text())["cases"]


@pytest.mark.parametrize("case", GOLDEN["F1_intervals"]["expected_values"])
def test_f1_intervals_of_independent_trials(case):
    expected = GOLDEN["F1_intervals"]["expected_values"][case]
    hits, trials = map(int, case.split("/"))
    assert wilson(hits / trials, trials) == pytest.approx(expected["wilson"], abs=1e-9)
    assert clopper_pearson(hits, trials) == pytest.approx(expected["clopper_pearson"], abs=1e-9)
    if expected["rule_of_three_upper"] is not None:
        assert rule_of_three(trials) == pytest.approx(expected["rule_of_three_upper"], abs=1e-9)


def test_f2_the_standard_error_of_a_mean_over_queries_in_classes():
    case = GOLDEN["F2_cluster"]
    part, whole = (np.array(case["inputs"][name], dtype=float) for name in ("class_sums", "class_counts"))
    expected = case["expected_values"]
    assert Sums(part, whole).ratio == pytest.approx(expected["estimate"], rel=1e-9)
    assert standard_error(part, whole) == pytest.approx(expected["cluster_robust_se"], rel=1e-9)


def test_f2_all_resamples_of_four_classes():
    case = GOLDEN["F2_cluster"]
    part, whole = (np.array(case["inputs"][name], dtype=float) for name in ("class_sums", "class_counts"))
    drawn = np.array([np.bincount(four, minlength=4) for four in product(range(4), repeat=4)])
    values = (drawn @ part) / (drawn @ whole)
    expected = case["expected_values"]
    assert len(values) == expected["n_resamples"]
    assert values.mean() == pytest.approx(expected["exact_bootstrap_mean"], rel=1e-9)
    assert values.std() == pytest.approx(expected["exact_bootstrap_se"], rel=1e-9)


def test_f3_the_sign_flip_test_over_all_patterns():
    case = GOLDEN["F3_signflip"]
    differences = np.array(case["inputs"]["class_difference_sums"])[:, None]
    assert sign_flip(differences, seed=0) == [case["expected_values"]["p_value"]]


def test_f4_holm():
    case = GOLDEN["F4_holm"]
    assert holm(case["inputs"]["p"]) == pytest.approx(case["expected_values"]["adjusted"], abs=1e-12)


def test_f5_sums_per_pair_of_classes():
    case = GOLDEN["F5_ustat"]
    part, whole, drawn = (np.array(case["inputs"][name], dtype=float) for name in "STw")
    expected = case["expected_values"]
    assert vertex_ratio(part, whole)[0] == pytest.approx(expected["theta"], rel=1e-9)
    assert vertex_ratio(part, whole, drawn[None])[0] == pytest.approx(expected["theta_at_w"], rel=1e-9)
    assert vertex_error(part, whole) == pytest.approx(expected["class_level_se"], rel=1e-9)
