"""The brute-force values of the specification, section C, to 1e-9."""

import json
from pathlib import Path

import numpy as np
import pytest

import tripleteval as te

GOLDEN = json.loads(Path(__file__).with_name("golden.json").read_text())["cases"]
TINY = 1e-9  # a rate that allows no false accept, as 0 would


def checked(run: te.Evaluation, expected: dict) -> None:
    """Compare everything one verification case lists."""
    assert run.metrics["auc"]["genuine"] == expected["n_genuine"]
    assert run.metrics["auc"]["impostor"] == expected["n_impostor"]
    assert run["auc"] == pytest.approx(expected["auc"], rel=1e-9)
    assert run["eer"] == pytest.approx(expected["eer"], rel=1e-9)
    assert run["overlap"] == pytest.approx(expected["ks_overlap_1_minus_J"], rel=1e-9)
    assert run["d_prime"] == pytest.approx(expected["d_prime"], rel=1e-9)
    assert run.metrics["d_prime"]["mean_genuine"] == pytest.approx(expected["mean_genuine"], rel=1e-9)
    assert run.metrics["d_prime"]["mean_impostor"] == pytest.approx(expected["mean_impostor"], rel=1e-9)
    assert run["best_accuracy"] == pytest.approx(expected["best_accuracy"]["accuracy"], rel=1e-9)
    assert run.metrics["best_accuracy"]["threshold"] == expected["best_accuracy"]["threshold"]
    for far, values in expected["tar_at_far"].items():
        spelled = f"far={float(far) or TINY:g}"
        entry, cut = run.metrics[f"tar@{spelled}"], run.metrics[f"threshold@{spelled}"]["value"]
        assert entry["value"] == pytest.approx(values["tar"], rel=1e-9)
        assert entry["achieved_far"] == pytest.approx(values["achieved_far"], rel=1e-9)
        assert entry["allowed_false_accepts"] == values["allowed_false_accepts"]
        assert cut == (values["threshold_midpoint"] and pytest.approx(values["threshold_midpoint"], rel=1e-9))
    roc = run.verification["roc"]
    assert roc["far"] == pytest.approx([point["fmr"] for point in expected["roc"]], rel=1e-9)
    assert roc["tar"] == pytest.approx([point["tmr"] for point in expected["roc"]], rel=1e-9)
    assert roc["threshold"] == [point["threshold"] for point in expected["roc"]]


def test_c4_all_pairs_of_labelled_points():
    points, case = GOLDEN["A1_line7"]["inputs"], GOLDEN["C4_line7_pairs"]
    fars = [far or TINY for far in case["inputs"]["fars"]]
    for kernel in ("reference", "numpy", "cpu"):
        run = te.evaluate(points["embeddings"], points["labels"], fars=fars, kernel=kernel)
        checked(run, case["expected_values"])
    assert run["triplet_accuracy"] != pytest.approx(run["auc"])


def test_c1_given_distances_with_ties():
    case = GOLDEN["C1_verification"]
    genuine, impostor, fars = (case["inputs"][name] for name in ("genuine", "impostor", "fars"))
    a = [[0.0]] * (len(genuine) + len(impostor))
    b = [[d] for d in genuine + impostor]
    same = [True] * len(genuine) + [False] * len(impostor)
    checked(te.evaluate_pairs(a, b, same, fars=[far or TINY for far in fars]), case["expected_values"])


def test_c2_the_threshold_of_each_fold_is_chosen_on_the_others():
    given, expected = GOLDEN["C2_kfold"]["inputs"], GOLDEN["C2_kfold"]["expected_values"]
    a = [[0.0, float(i)] for i in range(len(given["same"]))]  # so that no two pairs share an item
    b = [[d, float(i)] for i, d in enumerate(given["distance"])]
    entry = te.evaluate_pairs(a, b, given["same"], folds=given["fold"]).metrics["cv_accuracy"]
    assert [fold["accuracy"] for fold in entry["folds"]] == pytest.approx(expected["fold_accuracy"], rel=1e-9)
    assert [fold["threshold"] for fold in entry["folds"]] == pytest.approx(expected["fold_threshold"], rel=1e-9)
    assert entry["value"] == pytest.approx(expected["mean"], rel=1e-9)
    assert entry["sd"] == pytest.approx(expected["sd_ddof1"], rel=1e-9)
    assert entry["se"] == pytest.approx(expected["standard_error"], rel=1e-9)


LARGE = 2.0**20


@pytest.mark.parametrize("kernel", ["reference", "numpy", "cpu"])
def test_c3_probes_of_enrolled_people_and_of_strangers(kernel):
    given, expected = GOLDEN["C3_identification"]["inputs"], GOLDEN["C3_identification"]["expected_values"]
    # Points whose distances rank as those given do: see `planted` in test_golden.py.
    d = np.array(given["distances"])
    lift = np.sqrt((d**2).sum(axis=0).max() - (d**2).sum(axis=0))[:, None]
    probes, gallery = np.hstack([LARGE * np.eye(len(d)), np.zeros((len(d), 1))]), np.hstack([-d.T, lift])
    run = te.evaluate_identification(
        te.Embeddings(probes, given["probe_ids"]),
        te.Embeddings(gallery, given["gallery_ids"]),
        ks=given["ranks"],
        fpirs=[fpir or TINY for fpir in given["fpirs"]],
        kernel=kernel,
    )
    assert (run.accounting["mated"], run.accounting["non_mated"]) == (expected["n_mated"], expected["n_nonmated"])
    ranks = run.per_query["rank"].to_pylist()
    assert {str(i): rank for i, rank in enumerate(ranks) if rank is not None} == expected["mated_rank"]
    for k, value in expected["cmc"].items():
        assert run[f"cmc@{k}"] == pytest.approx(value, rel=1e-9)
    for fpir, values in expected["tpir_at_fpir"].items():
        entry = run.metrics[f"tpir@fpir={float(fpir) or TINY:g}"]
        assert entry["achieved_fpir"] == pytest.approx(values["achieved_fpir"], rel=1e-9)
        assert entry["by_rank"] == pytest.approx(values["tpir_by_rank"], rel=1e-9)
        assert entry["value"] == entry["by_rank"]["1"]
        assert entry["identities"] == 4
        assert entry["templates"] == 5
