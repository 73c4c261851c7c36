"""The brute-force values of the specification, section D, to 1e-9."""

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics as oracle

import tripleteval as te
from tripleteval.engine.maps import threads
from tripleteval.engine.moments import moments
from tripleteval.metrics import clustering, health, spectrum

GOLDEN = json.loads(Path(__file__).with_name("golden.json").read_text())["cases"]
SEPARATION = ("inter_distance", "separation_ratio", "silhouette", "davies_bouldin", "calinski_harabasz")


def golden(case: str) -> tuple[np.ndarray, list[int], dict]:
    """Return points, labels and expected values."""
    given = GOLDEN[case]["inputs"]
    return np.array(given["embeddings"]), given["labels"], GOLDEN[case]["expected_values"]


def test_d1_separation():
    points, labels, expected = golden("D1_separation")
    run = te.evaluate(points, labels, metrics=SEPARATION)
    ours = {
        "mean_intra": run["intra_distance"],
        "mean_inter": run["inter_distance"],
        "ratio_mean": run["separation_ratio"],
        "silhouette": run["silhouette"],
        "davies_bouldin": run["davies_bouldin"],
        "calinski_harabasz": run["calinski_harabasz"],
        "median_intra": run["intra_quantile@share=0.5"],
        "median_inter": run["inter_quantile@share=0.5"],
        "max_intra": run.space["extremes"]["farthest_within"],
        "min_inter": run.space["extremes"]["nearest_between"],
    }
    assert ours == pytest.approx({name: expected[name] for name in ours}, rel=1e-9)
    assert run.per_query["silhouette"].to_pylist() == pytest.approx(expected["silhouette_per_sample"], rel=1e-9)


def test_d2_partition():
    given, expected = GOLDEN["D2_partition"]["inputs"], GOLDEN["D2_partition"]["expected_values"]
    both = (given["true"], given["pred"])
    # The three scores that k-means is given are those of scikit-learn; this is what they are on one partition.
    scores = {
        "ami": [oracle.adjusted_mutual_info_score(*both)],
        "ari": [oracle.adjusted_rand_score(*both)],
        "nmi": [oracle.normalized_mutual_info_score(*both)],
    }
    found = clustering.Clusters(scores, 10)
    assert clustering.ami(found).value == pytest.approx(expected["AMI"], rel=1e-9)
    assert clustering.ari(found).value == pytest.approx(expected["ARI"], rel=1e-9)
    assert clustering.nmi(found).value == pytest.approx(expected["NMI_arithmetic"], rel=1e-9)
    assert clustering.purity_of(*map(np.array, both)) == pytest.approx(expected["purity"], rel=1e-9)
    assert clustering.pairwise_f1_of(*map(np.array, both)) == pytest.approx(expected["pairwise_F1"], rel=1e-9)


def test_d3_spectrum_and_norms():
    points, _, expected = golden("D3_health")
    vectors = moments(points, mapping=threads(2), workers=2, memory=2**30)
    seen = spectrum.spectrum(vectors)
    ours = {
        "effective_rank_roy_vetterli": spectrum.effective_rank(seen).value,
        "rankme_eps1e-7": spectrum.rankme(seen).value,
        "effective_rank_centred": spectrum.effective_rank_centred(seen).value,
        "participation_ratio": spectrum.participation_ratio(seen).value,
        "top1_variance_share": seen.variances[0] / seen.variances.sum(),
        "anisotropy_mean_cosine": health.anisotropy(vectors).value,
    }
    assert ours == pytest.approx({name: expected[name] for name in ours}, rel=1e-9)
    np.testing.assert_allclose(seen.singular * 2.0**vectors.exponent, expected["singular_values_uncentred"], rtol=1e-9)
    variances = seen.variances * 4.0**vectors.exponent * 8 / 7
    np.testing.assert_allclose(variances, expected["cov_eigenvalues_ddof1"], rtol=1e-9)
    assert health.norm_mean(vectors).value == pytest.approx(expected["norm"]["mean"], rel=1e-9)
    assert health.norm_cv(vectors).value == pytest.approx(expected["norm"]["cv"], rel=1e-9)


def test_d3_through_the_door():
    points, labels, expected = golden("D3_health")
    asked = ("hubness@2", "anti_hubs@2", "largest_hub@2", "robin_hood@2", "bad_occurrences@2")
    run = te.evaluate(points, labels, metrics=[*asked, "alignment", "uniformity", "intrinsic_dimension_linfit"])
    ours = {
        "k_skewness": run["hubness@2"],
        "antihub_fraction": run["anti_hubs@2"],
        "max_k_occurrence_over_k": run["largest_hub@2"],
        "robin_hood_index": run["robin_hood@2"],
        "bad_k_occurrence_fraction": run["bad_occurrences@2"],
        "alignment_a2_unit": run["alignment"],
        "uniformity_t2_unit": run["uniformity"],
        "anisotropy_mean_cosine": run["anisotropy"],
        "twonn_mle_unbiased": run["intrinsic_dimension"],
        "twonn_linfit_discard0.1": run["intrinsic_dimension_linfit"],
    }
    assert ours == pytest.approx({name: expected[name] for name in ours}, rel=1e-9)
    norms = {"min": run.space["norms"]["shortest"], "max": run.space["norms"]["longest"]}
    norms |= {"std_ddof0": run.space["norms"]["sd"], "mean": run["norm_mean"], "cv": run["norm_cv"]}
    assert norms == pytest.approx(expected["norm"], rel=1e-9)
    assert run["effective_rank"] == float(f"{expected['effective_rank_roy_vetterli']:.6g}")
