"""What is said about a space: the sentences, the undefined numbers, and the curves in the run."""

import json

import numpy as np
import pytest

import tripleteval as te
from tripleteval.metrics import parse

LABELS = np.arange(120) % 6
RANDOM = np.random.default_rng(11)
HEALTHY = RANDOM.normal(size=(6, 16))[LABELS] + RANDOM.normal(size=(120, 16))


def notes(vectors, **settings) -> str:
    """Return the notes of an evaluation in one text."""
    return "\n".join(te.evaluate(vectors, LABELS, **settings).notes)


def test_about_a_healthy_space_nothing_is_remarked_but_that_six_classes_are_few():
    assert notes(HEALTHY, distance="cosine") == "Intervals rest on 6 classes only: they are t intervals, and rough."


def test_a_collapsed_network_is_called_so_by_its_loss_and_its_rank():
    said = notes(np.ones(16) + 1e-4 * HEALTHY, margins=[0.2])
    assert "The triplet loss (0.1998) stands at the margin (0.2) and the effective rank is 1.0" in said
    assert "the network has collapsed" in said
    assert "Dimensional collapse" not in said


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_a_turned_simplex_has_no_dimension_and_no_spread_made_of_roundings(distance):
    turned = np.linalg.qr(np.random.default_rng(0).normal(size=(12, 12)))[0]
    run = te.evaluate(
        np.repeat(turned, 4, axis=0),
        np.repeat(np.arange(12), 4),
        distance=distance,
        metrics=["intrinsic_dimension_linfit"],
    )
    for name in ("intrinsic_dimension", "intrinsic_dimension_linfit"):
        assert run.metrics[name]["reason"] == "the two nearest neighbours are equally far"
    assert run.metrics["d_prime"]["reason"] == "all distances of a kind are equal"


def test_a_line_whose_loss_happens_to_be_the_margin_has_not_collapsed():
    run = te.evaluate([[0.0], [1.0], [3.0], [7.0]], [{1, 2}, {2}, {3, 1}, {7}])
    assert (run["triplet_loss@margin=0.2"], run["effective_rank"]) == pytest.approx((0.2, 1.0))
    assert not any("collapsed" in note for note in run.notes)


def test_a_space_of_one_direction_is_dimensional_collapse():
    line = HEALTHY[:, :1] * np.linspace(1, 2, 16) + 1e-3 * HEALTHY
    assert "Dimensional collapse: about 1." in notes(line)
    assert "Dimensional collapse" not in notes(HEALTHY)


def test_few_classes_in_as_few_dimensions_are_no_collapse():
    corners = np.eye(40)[LABELS] + 1e-3 * RANDOM.normal(size=(120, 40))
    assert "Dimensional collapse" not in notes(corners)


def test_dead_units_are_counted():
    assert "Dead units: 3 of 19 coordinates never changing." in notes(np.hstack([HEALTHY, np.full((120, 3), 0.5)]))


def test_a_narrow_cone_is_remarked():
    assert "one narrow cone: their mean cosine is 0.9" in notes(HEALTHY + 5.0)


def test_lengths_that_vary_are_remarked_unless_they_are_not_used():
    long_and_short = HEALTHY * np.linspace(0.1, 2, 120)[:, None]
    assert "so euclidean distances mix length and angle" in notes(long_and_short)
    assert "mix length" not in notes(long_and_short, distance="cosine")
    unit = HEALTHY / np.linalg.norm(HEALTHY, axis=1)[:, None]
    run = te.evaluate(unit, LABELS)
    assert run["norm_cv"] == pytest.approx(0, abs=1e-12)
    assert not any("mix length" in note for note in run.notes)


def test_hubs_and_items_that_nobody_finds_are_remarked():
    far = HEALTHY.copy()
    far[:12] = 100.0 * np.eye(16)[:12]  # twelve items far out, nearer to the middle than to each other
    said = notes(far)
    assert "10 % of items are never among anyone's 10 nearest: they cannot be found" in said
    hub = np.vstack([np.zeros((2, 200)), RANDOM.normal(size=(118, 200))])
    assert "Strong hubs: a few items stand among the 10 nearest of very many" in notes(hub)


def test_a_small_gallery_share_of_queries_says_nothing_about_hubs():
    run = te.evaluate(HEALTHY[:6], LABELS[:6], gallery=te.Embeddings(HEALTHY[6:] + 0.01, LABELS[6:]))
    assert not any("nearest" in note for note in run.notes)


def test_identical_vectors_leave_what_is_undefined_undefined():
    run = te.evaluate(np.full((12, 4), 3.0), [0, 0, 1] * 4, metrics=["silhouette", "separation_ratio", "uniformity"])
    assert run["effective_rank"] == 1.0
    assert run["anisotropy"] == 1.0
    assert run["uniformity"] == 0.0
    assert run["silhouette"] == 0.0
    assert run["hubness@10"] == pytest.approx(0.0, abs=1e-9)
    for name, reason in {
        "effective_rank_centred": "all vectors are identical",
        "participation_ratio": "all vectors are identical",
        "separation_ratio": "all distances between classes are 0",
        "intrinsic_dimension": "fewer than three distinct points with two neighbours each",
    }.items():
        assert np.isnan(run[name])
        assert run.metrics[name]["reason"] == reason


def test_zero_vectors_have_no_rank():
    run = te.evaluate(np.zeros((6, 4)), [0, 0, 1] * 2)
    for name in ("effective_rank", "rankme", "norm_cv"):
        assert run.metrics[name]["reason"] == "all vectors are zero"
    assert run["norm_mean"] == 0.0


def test_two_vectors_of_one_class():
    run = te.evaluate([[0.0, 1.0], [1.0, 0.0]], [0, 0], metrics=["silhouette", "inter_distance", "separation_ratio"])
    for name in ("silhouette", "inter_distance", "separation_ratio", "intrinsic_dimension"):
        assert run.metrics[name]["value"] is None
        assert run.metrics[name]["reason"]
    assert run["intra_distance"] == pytest.approx(2**0.5)


def test_the_curves_are_kept_in_the_run_and_in_its_hash(tmp_path):
    run = te.evaluate(HEALTHY, LABELS, metrics=["silhouette"])
    singular = np.linalg.svd(HEALTHY, compute_uv=False)
    assert run.space["spectrum"]["singular_values"] == pytest.approx(singular, rel=1e-5)
    assert sum(run.space["spectrum"]["variance_shares"]) == pytest.approx(1, abs=1e-4)
    assert sum(run.space["k_occurrence"]["items"]) == 120
    read = te.load(run.save(tmp_path / "run"))
    assert read.space == run.space
    assert read.result_hash == run.result_hash
    assert json.loads((tmp_path / "run" / "run.json").read_text())["space"] == run.space


def test_only_the_largest_singular_values_are_kept():
    wide = np.random.default_rng(0).normal(size=(600, 520))
    spectrum = te.evaluate(wide, np.arange(600) % 3, ks=(1,)).space["spectrum"]
    assert len(spectrum["singular_values"]) == 512
    assert spectrum["dims_90"] < spectrum["dims_99"] <= 520


def test_neighbours_shown_are_as_many_as_asked_for():
    few = te.evaluate(HEALTHY, LABELS, neighbors=2, metrics=["hubness@20"])
    assert max(few.neighbors["rank"].to_pylist()) == 2
    assert te.evaluate(HEALTHY, LABELS, neighbors=0).neighbors is None


def test_rows_in_another_order_give_the_same_space():
    rows = np.random.default_rng(2).permutation(120)
    asked = ["silhouette", "separation_ratio", "uniformity", "davies_bouldin", "calinski_harabasz", "robin_hood@3"]
    one = te.evaluate(HEALTHY, LABELS, metrics=asked)
    two = te.evaluate(HEALTHY[rows], LABELS[rows], metrics=asked)
    assert one.space == two.space
    whole = [name for name in one if parse(name).metric.of_space]
    assert {name: one.metrics[name] for name in whole} == {name: two.metrics[name] for name in whole}
    assert one["silhouette"] == pytest.approx(two["silhouette"], rel=1e-12)


def test_ignored_items_are_in_no_pair_of_uniformity_and_no_neighbours_of_a_dimension():
    groups = np.arange(120) // 12
    shifts = 20 * np.random.default_rng(5).normal(size=(10, 6, 16))
    vectors = HEALTHY + shifts[groups, LABELS]  # the nearest are those of the same label and group
    found = te.Embeddings(vectors, LABELS, groups=groups)
    names = ("uniformity", "intrinsic_dimension")
    run, whole = (te.evaluate(found, ignore=ignore, metrics=names[:1]) for ignore in ("group", None))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    seen = ~((LABELS[:, None] == LABELS) & (groups[:, None] == groups))
    squared = ((unit[:, None] - unit) ** 2).sum(axis=2)
    apart = np.sort(np.where(seen, np.linalg.norm(vectors[:, None] - vectors, axis=2), np.inf), axis=1)
    expected = np.log(np.exp(-2 * squared[seen]).mean()), 119 / np.log(apart[:, 1] / apart[:, 0]).sum()
    assert [run[name] for name in names] == pytest.approx(expected)
    assert [whole[name] for name in names] != pytest.approx(expected, rel=0.05)


def test_what_cannot_be_measured_afterwards_is_refused_before_the_long_pass():
    told: list[tuple[int, int]] = []
    with pytest.raises(te.ResourceError, match="E802.*second moments of 700 dimensions"):
        te.evaluate(np.ones((4, 700)), [0, 0, 1, 1], memory="20MiB", progress=lambda *pairs: told.append(pairs))
    assert told == []


def test_one_direction_that_holds_everything_is_counted_in_good_english():
    flat = np.zeros((120, 16))
    flat[:, 0] = np.random.default_rng(0).normal(size=120)
    flat[:, 1:] = 1e-4 * np.random.default_rng(1).normal(size=(120, 15))
    assert ", 1 holds 99 %)" in " ".join(te.evaluate(flat, LABELS).notes)
