"""Every distance, summed by class: against scikit-learn, NumPy and the definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

import tripleteval as te
from strategies import Points, labelled_points
from tripleteval.distance.formula import Distance, squared_block
from tripleteval.engine import squared_cpu

SECOND = ("inter_distance", "separation_ratio", "silhouette", "alignment", "uniformity")


def clouds(seed: int = 0, n: int = 90, dim: int = 6, classes: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Return overlapping clouds with classes of uneven size."""
    random = np.random.default_rng(seed)
    labels = np.sort(random.integers(0, classes, n) ** 2 % classes)
    return random.normal(size=(classes, dim))[labels] + random.normal(size=(n, dim)), labels


@pytest.mark.parametrize("distance", ["euclidean", "sqeuclidean", "cosine"])
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_silhouette_is_that_of_scikit_learn(distance, dtype):
    points, labels = clouds()
    points = points.astype(dtype)
    run = te.evaluate(points, labels, distance=distance, metrics=["silhouette"])
    theirs = oracle.silhouette_samples(points.astype(np.float64), labels, metric=distance)
    np.testing.assert_allclose(run.per_query["silhouette"].to_pylist(), theirs, rtol=1e-9, atol=1e-12)
    assert run["silhouette"] == pytest.approx(theirs.mean(), rel=1e-9)


@settings(max_examples=40)
@given(labelled_points(classes=4))
def test_silhouette_of_ties_copies_and_singletons_is_that_of_scikit_learn(data: Points):
    run = te.evaluate(*data, metrics=["silhouette"])
    classes = len(set(data[1]))
    if classes == len(data[1]):
        assert run.metrics["silhouette"]["value"] is None
    else:
        assert run["silhouette"] == pytest.approx(oracle.silhouette_score(*data), abs=1e-12)


@settings(max_examples=40)
@given(labelled_points())
def test_means_over_pairs_are_those_of_two_loops(data: Points):
    points, labels = np.array(data[0]), data[1]
    run = te.evaluate(points, labels, metrics=SECOND)
    pairs = [(i, j) for i in range(len(points)) for j in range(i)]
    d = {(i, j): float(np.linalg.norm(points[i] - points[j])) for i, j in pairs}
    within = [d[p] for p in pairs if labels[p[0]] == labels[p[1]]]
    between = [d[p] for p in pairs if labels[p[0]] != labels[p[1]]]
    assert run["intra_distance"] == pytest.approx(np.mean(within))
    assert run["inter_distance"] == pytest.approx(np.mean(between))
    if np.mean(between):
        assert run["separation_ratio"] == pytest.approx(np.mean(within) / np.mean(between))
    assert run.space["extremes"]["farthest_within"] == max(within)
    assert run.space["extremes"]["nearest_between"] == min(between)


def test_alignment_and_uniformity_are_those_of_the_paper():
    points, labels = clouds()
    run = te.evaluate(points, labels, metrics=SECOND)
    units = points / np.linalg.norm(points, axis=1)[:, None]
    i, j = np.triu_indices(len(points), 1)
    squared = np.square(units[i] - units[j]).sum(axis=1)
    assert run["alignment"] == pytest.approx(squared[labels[i] == labels[j]].mean(), rel=1e-12)
    assert run["uniformity"] == pytest.approx(np.log(np.exp(-2 * squared).mean()), rel=1e-10)


@pytest.mark.parametrize("dim", [1, 4, 7])
def test_the_compiled_kernel_has_the_bits_of_the_reference(dim):
    random = np.random.default_rng(dim)
    for distance in (Distance("euclidean"), Distance("cosine")):
        rows = random.normal(size=(40, dim))
        rows[3] = 0.0
        queries, gallery = distance.prepare(rows[:9]), distance.prepare(rows)
        assert np.array_equal(squared_cpu.squared_block(queries, gallery), squared_block(queries, gallery))


@pytest.mark.parametrize(
    "setting", [{"threads": 1}, {"threads": 3}, {"memory": "40MiB"}, {"kernel": "cpu"}, {"map": map}]
)
def test_the_work_leaves_no_trace(setting):
    points, labels = clouds(n=600)
    asked = [*SECOND, "hubness@3", "ami", "davies_bouldin"]
    plain = te.evaluate(points.astype("f4"), labels, metrics=asked)
    assert te.evaluate(points.astype("f4"), labels, metrics=asked, **setting).result_hash == plain.result_hash


@settings(max_examples=30)
@given(labelled_points(), st.sampled_from([2.0**-300, 2.0**-40, 2.0**70, 2.0**400]))
def test_shares_and_ratios_do_not_depend_on_the_scale(data: Points, scale):
    asked = ["separation_ratio", "silhouette", "uniformity", "alignment", "davies_bouldin", "calinski_harabasz"]
    one = te.evaluate(*data, metrics=asked)
    two = te.evaluate(np.array(data[0]) * scale, data[1], metrics=asked)
    for name in [*asked, "anisotropy", "effective_rank", "norm_cv", "intrinsic_dimension"]:
        assert one.metrics[name]["value"] == two.metrics[name]["value"], name


def test_a_separate_gallery_is_asked_about_each_query():
    points, labels = clouds()
    asked = te.evaluate(points[::2], labels[::2], gallery=te.Embeddings(points[1::2], labels[1::2]), metrics=SECOND)
    d = np.linalg.norm(points[::2, None] - points[None, 1::2], axis=2)
    same = labels[::2, None] == labels[None, 1::2]
    assert asked["intra_distance"] == pytest.approx(d[same].mean())
    assert asked["inter_distance"] == pytest.approx(d[~same].mean())
    assert asked.metrics["inter_distance"]["n"] == (~same).sum()


def test_a_query_whose_class_the_gallery_lacks_has_no_silhouette():
    gallery = te.Embeddings([[0.0], [1.0], [5.0], [6.0]], [0, 0, 1, 1])
    run = te.evaluate([[0.5], [3.0]], [0, 7], gallery=gallery, metrics=["silhouette"])
    assert run.metrics["silhouette"]["n"] == 1
    assert run.per_query["silhouette"].to_pylist()[1] is None


@pytest.mark.parametrize("labels", [[{0}, {0, 1}, {1}, {2}], None])
def test_without_one_class_per_item_there_is_nothing_to_separate(labels):
    points = te.Embeddings([[0.0], [1.0], [3.0], [4.0]], labels)
    relevance = None if labels else np.array([[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]])
    asked = [*SECOND, "ami", "davies_bouldin"]
    run = te.evaluate(points, relevance=relevance, metrics=asked)
    for name in ("inter_distance", "separation_ratio", "silhouette", "ami", "davies_bouldin"):
        assert run.metrics[name]["value"] is None
        assert "class" in run.metrics[name]["reason"]
    assert run["uniformity"] <= 0


def test_ignored_pairs_are_in_no_mean():
    points, labels = clouds()
    groups = np.arange(len(labels)) % 3
    found = te.Embeddings(points, labels, groups=groups)
    run = te.evaluate(found, ignore="group", metrics=SECOND)
    d = np.linalg.norm(points[:, None] - points[None], axis=2)
    same = labels[:, None] == labels[None]
    within = same & (groups[:, None] != groups[None])
    assert run["separation_ratio"] == pytest.approx(d[within].mean() / d[~same].mean())
    units = points / np.linalg.norm(points, axis=1)[:, None]
    squared = np.square(units[:, None] - units[None]).sum(axis=2)
    assert run["alignment"] == pytest.approx(squared[within].mean())
    assert run["uniformity"] == pytest.approx(np.log(np.exp(-2 * squared[within | ~same]).mean()))
