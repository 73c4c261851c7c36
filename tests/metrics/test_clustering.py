"""Centroids and clusters against scikit-learn, and where scikit-learn makes a number up."""

import builtins

import numpy as np
import pytest
from hypothesis import given, settings
from sklearn import cluster
from sklearn import metrics as oracle

import tripleteval as te
from strategies import Points, labelled_points
from tripleteval.metrics import clustering
from tripleteval.metrics.clustering import pairwise_f1_of, purity_of

ASKED = ("davies_bouldin", "calinski_harabasz")


def blobs(n: int = 120) -> tuple[np.ndarray, np.ndarray]:
    """Return four clouds that touch."""
    random = np.random.default_rng(5)
    labels = np.arange(n) % 4
    return 2.0 * random.normal(size=(4, 3))[labels] + random.normal(size=(n, 3)), labels


def test_centroid_scores_are_those_of_scikit_learn():
    points, labels = blobs()
    run = te.evaluate(points, labels, metrics=ASKED)
    assert run["davies_bouldin"] == pytest.approx(oracle.davies_bouldin_score(points, labels), rel=1e-10)
    assert run["calinski_harabasz"] == pytest.approx(oracle.calinski_harabasz_score(points, labels), rel=1e-10)


def test_of_more_classes_than_are_compared_at_once_the_worst_neighbour_is_that_of_all(monkeypatch):
    monkeypatch.setattr(clustering, "_AT_ONCE", 3)
    points, labels = np.random.default_rng(6).normal(size=(60, 3)) * [1, 2, 5], np.arange(60) % 10
    expected = oracle.davies_bouldin_score(points, labels)
    assert te.evaluate(points, labels, metrics=ASKED[:1])["davies_bouldin"] == pytest.approx(expected, rel=1e-10)
    same = np.vstack([points, points[labels == 8] + [1, 0, 0], points[labels == 8] - [1, 0, 0]])
    found = te.evaluate(same, [*labels, *[10] * 12], metrics=ASKED[:1]).metrics["davies_bouldin"]
    assert found["reason"] == "two classes have the same centroid"


def test_under_cosine_they_are_those_of_the_unit_vectors():
    points, labels = blobs()
    run = te.evaluate(points, labels, distance="cosine", metrics=ASKED)
    units = points / np.linalg.norm(points, axis=1)[:, None]
    assert run["davies_bouldin"] == pytest.approx(oracle.davies_bouldin_score(units, labels), rel=1e-10)
    assert run["calinski_harabasz"] == pytest.approx(oracle.calinski_harabasz_score(units, labels), rel=1e-10)


@settings(max_examples=25)
@given(labelled_points(classes=4))
def test_undefined_exactly_where_the_definition_divides_by_zero(data: Points):
    points, labels = np.array(data[0]), np.array(data[1])
    run = te.evaluate(points, labels, metrics=ASKED)
    classes = np.unique(labels)
    means = np.array([points[labels == c].mean(axis=0) for c in classes])
    apart = np.linalg.norm(means[:, None] - means[None], axis=2) + np.eye(len(means))
    possible = len(classes) < len(labels)
    assert (run.metrics["davies_bouldin"]["value"] is not None) == (possible and apart.min() > 1e-9)
    still = all((points[labels == c] == points[labels == c][0]).all() for c in classes)
    assert (run.metrics["calinski_harabasz"]["value"] is not None) == (possible and not still)
    if not still and possible:
        assert run["calinski_harabasz"] == pytest.approx(oracle.calinski_harabasz_score(points, labels), abs=1e-9)


def test_scikit_learns_made_up_numbers_are_not_copied():
    coincident = te.evaluate([[0.0], [2.0], [1.0], [1.0]], [0, 0, 1, 1], metrics=ASKED)
    assert coincident.metrics["davies_bouldin"]["reason"] == "two classes have the same centroid"
    still = te.evaluate([[0.0], [0.0], [1.0], [1.0]], [0, 0, 1, 1], metrics=ASKED)
    assert still.metrics["calinski_harabasz"]["reason"] == "zero within-class scatter"
    assert still["davies_bouldin"] == 0.0
    tiny = te.evaluate(np.array([[0.0], [1.0], [4.0], [6.0]]) * 1e-30, [0, 0, 1, 1], metrics=ASKED)
    assert tiny["davies_bouldin"] == pytest.approx(1.5 / 4.5)  # an absolute tolerance of 1e-8 would call it 0


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
@pytest.mark.parametrize("copies", [3, 5, 7, 11])
def test_classes_of_copies_have_no_scatter_made_of_roundings(distance, copies):
    points = np.repeat(np.random.default_rng(0).normal(size=(4, 5)), copies, axis=0)
    if distance == "cosine":
        points *= np.arange(1, len(points) + 1)[:, None] / 3
    still = te.evaluate(points, np.repeat(np.arange(4), copies), metrics=list(ASKED), distance=distance)
    assert still.metrics["calinski_harabasz"]["reason"] == "zero within-class scatter"
    assert still["davies_bouldin"] == pytest.approx(0, abs=1e-12)


def test_cluster_scores_are_the_mean_over_ten_seeds():
    points, labels = blobs()
    run = te.evaluate(points, labels, metrics=["ami", "ari", "nmi"])
    scale = 2.0 ** -np.frexp(np.abs(points).max())[1]
    found = [cluster.KMeans(4, n_init=1, random_state=seed).fit_predict(points * scale) for seed in range(10)]
    for name, score in (
        ("ami", oracle.adjusted_mutual_info_score),
        ("ari", oracle.adjusted_rand_score),
        ("nmi", oracle.normalized_mutual_info_score),
    ):
        values = [score(labels, assigned) for assigned in found]
        assert run[name] == pytest.approx(np.mean(values), rel=1e-5)
        assert run.metrics[name]["sd"] == pytest.approx(np.std(values), abs=1e-5)
    assert any(note.startswith("nmi rewards many classes") for note in run.notes)


@pytest.mark.parametrize("labels", [[0] * 6, [0, 0, 0, 0, 0, 0]])
def test_one_class_cannot_be_clustered(labels):
    run = te.evaluate(np.arange(12.0).reshape(6, 2), labels, metrics=["ami", *ASKED])
    for name in ("ami", *ASKED):
        assert run.metrics[name]["value"] is None
        assert "two classes" in run.metrics[name]["reason"]


def test_identical_points_are_clustered_without_a_warning():
    run = te.evaluate(np.ones((6, 2)), [0, 0, 1, 1, 2, 2], metrics=["ari"])
    assert run["ari"] == 0.0


def test_without_scikit_learn_the_error_names_the_extra(monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name.startswith("sklearn"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(te.MissingExtra, match=r"E103.*tripleteval\[stats\]"):
        te.evaluate(*blobs(), metrics=["ami"])


@pytest.mark.parametrize("clusters", [1, 3, 40, 120])
def test_purity_and_pairwise_f1_are_those_of_the_definition(clusters):
    _, labels = blobs()
    found = np.random.default_rng(clusters).integers(0, clusters, 120)
    most = sum(np.bincount(labels[found == one]).max() for one in np.unique(found))
    assert purity_of(labels, found) == most / 120
    (_, apart), (missed, both) = oracle.pair_confusion_matrix(labels, found)
    assert pairwise_f1_of(labels, found) == pytest.approx(2 * both / (2 * both + apart + missed))


def test_they_are_measured_when_asked_for():
    points, labels = blobs()
    run = te.evaluate(points, labels, metrics=["purity", "pairwise_f1"])
    assert 0.25 < run["pairwise_f1"] <= run["purity"] <= 1
