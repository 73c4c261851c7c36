"""Where known tools are silently wrong, we are right: the smallest inputs that show it.

The numbers are those of `docs/why.md`; each trap names the tool and the version that fell into it.
"""

import math

import numpy as np
import pytest

import tripleteval as te


@pytest.mark.parametrize(
    "labels",
    [
        [16777216, 16777217, 16777218, 16777219],
        [10**12 + i for i in range(1, 5)],
        np.array([2**63 + i for i in range(4)], dtype=np.uint64),
        [str(i) for i in range(4)],
        [-1, -2, -3, -4],
    ],
)
def test_t1_ids_beyond_float32_stay_apart(labels):
    """pytorch-metric-learning 2.9.0 casts labels to float32: precision@1 = 1.0 for four classes of one."""
    with pytest.raises(te.LabelError, match="E406"):
        te.evaluate(np.eye(4), labels)


def test_t2_more_neighbours_than_items_do_not_push_map_beyond_one():
    """pytorch-metric-learning 2.9.0 with k=5 counts FAISS's -1 padding: MAP = 2.97 and 7.07."""
    run = te.evaluate([[0.0], [1.0], [2.0]], [0, 1, 1], ks=(5,))
    assert run["map"] == pytest.approx((3 / 4 + 1) / 2)  # the middle point ties: 1 or 1/2, each in half the orders
    one = te.evaluate([[0.0]], [1], gallery=te.Embeddings([[0.0], [1.0]], [0, 1]), ks=(10,))
    assert (one["map"], one["recall@10"]) == (0.5, 1.0)


def test_t3_a_duplicate_that_sorts_before_the_query_does_not_make_it_its_own_hit():
    """TensorFlow Similarity drops the first column, whatever it is, and then counts the query itself."""
    run = te.evaluate([[0.0], [0.0], [9.0], [9.0]], [1, 0, 1, 0], ties="index")
    assert run.per_query["hit_rate@1"].to_pylist() == [0.0, 0.0, 0.0, 0.0]
    perfect = te.evaluate([[0.0], [0.5], [9.0], [9.5]], [0, 0, 1, 1], ks=(1,))
    assert (perfect["precision@1"], perfect["recall@1"]) == (1.0, 1.0)


@pytest.mark.parametrize("labels", [[1, 1, 0, 0], [0, 0, 1, 1], [0, 1, 0, 1]])
def test_t4_a_collapsed_model_scores_chance_in_any_label_order(labels):
    """TF Recommenders' top-1 = 1.0, mteb 1.0 or 0.25, depending on the order of the labels."""
    assert te.evaluate(np.zeros((4, 3)), labels)["hit_rate@1"] == pytest.approx(1 / 3)


def test_t7_distances_are_not_scores_and_have_no_sign_to_lose():
    """torchmetrics 1.9.0 treats scores <= 0 as not retrieved: recall, AP and MRR of 0 for a right ranking."""
    gallery = te.Embeddings([[0.1], [0.5], [2.0]], ["a", "b", "a"])
    run = te.evaluate(te.Embeddings([[0.0]], ["a"]), gallery=gallery, ks=(1, 3))
    assert (run["recall@1"], run["mrr"], run["recall@3"]) == (0.5, 1.0, 1.0)
    assert run["map"] == pytest.approx((1 + 2 / 3) / 2)


@pytest.mark.parametrize("labels", [[0, 0, 0, 1, 1, 1], [0, 1, 0, 1, 0, 1]])
def test_t9_sorted_labels_do_not_help_six_equal_vectors(labels):
    """pytorch-metric-learning: P@1 = 0.50 sorted, 0.33 interleaved; the expectation is 0.4 for both."""
    assert te.evaluate(np.zeros((6, 2)), labels)["precision@1"] == pytest.approx(0.4)


def test_t12_the_reciprocal_rank_is_that_of_the_first_relevant_item_only():
    """quaterion averages 1/rank over every relevant item (0.806), and pools R-precision (0.857)."""
    four = [[0.0], [1.0], [2.0], [3.5]]
    assert te.evaluate([*four, [90.0]], [0, 0, 0, 0, 1])["mrr"] == 1.0
    # A perfect class of four and a class of two that is all wrong: 4 of 6 queries right.
    points = [[0.0], [1.0], [2.0], [3.0], [100.0], [-100.0]]
    assert te.evaluate(points, [0, 0, 0, 0, 1, 1])["r_precision"] == pytest.approx(4 / 6)


def test_distances_that_only_a_root_makes_equal_are_no_tie():
    vectors = np.array([[0.0, 0.0], [1.0, 2.0**-26], [1.0, 0.0]])  # squared 1 + 2**-52 and 1; both roots are 1
    run = te.evaluate(vectors[:1], ["a"], gallery=te.Embeddings(vectors[1:], ["a", "b"]), ks=[1])
    assert run.neighbors["distance"].to_pylist() == [1.0, 1.0]
    assert run["hit_rate@1"] == 0.0


def test_t18_a_perfect_ranking_scores_one():
    """Revisiting-DML counts the query in R: mAP = 0.625 for this perfect space."""
    run = te.evaluate([[0.0, 0.0], [0.0, 0.1], [9.0, 9.0], [9.0, 9.1]], [0, 0, 1, 1])
    assert (run["map"], run["map@r"], run["minp"]) == (1.0, 1.0, 1.0)


def test_t19_the_ideal_gain_comes_from_everything_relevant_not_from_what_was_found():
    """TensorFlow Similarity's BNDCG scores 1.0 for one of five found."""
    gallery = te.Embeddings([[1.0], [2.0], [50.0], [51.0], [52.0], [53.0]], list("abaaaa"))
    run = te.evaluate(te.Embeddings([[0.0]], ["a"]), gallery=gallery, ks=(2,))
    ideal = 1 + 1 / math.log2(3)
    assert run["ndcg@2"] == pytest.approx(1 / ideal)


def test_t21_a_nan_is_an_error_that_names_its_row_and_not_a_miss():
    """Others rank it first, count it as a plain miss, or blame an unrelated argument."""
    points = np.array([[0.0], [1.0], [np.nan], [5.0]])
    with pytest.raises(te.DataError, match=r"E201.*row 2, column 0"):
        te.evaluate(points, [0, 0, 1, 1])


def test_t22_collinear_classes_are_apart_for_euclid_and_one_for_cosine():
    """Whether vectors are normalised is the user's choice of distance, never a hidden default."""
    points, labels = [[1.0, 0.0], [10.0, 0.0], [0.0, 1.0], [0.0, 10.0]], [0, 0, 1, 1]
    assert te.evaluate(points, labels)["hit_rate@1"] == 0.5
    assert te.evaluate(points, labels, distance="cosine")["hit_rate@1"] == 1.0


def test_t24_precision_divides_by_k_and_an_unanswerable_query_is_left_out():
    """keras-rs gives P@10 = 1.0 on a list of three; torchmetrics counts a query without positives as 0."""
    gallery = te.Embeddings([[1.0], [2.0], [3.0]], ["a", "a", "a"])
    run = te.evaluate(te.Embeddings([[0.0], [9.0]], ["a", "b"]), gallery=gallery, ks=(10,))
    assert run["precision@10"] == pytest.approx(0.3)
    assert (run.accounting["evaluated"], run["recall@10"]) == (1, 1.0)


def test_a_collapsed_network_keeps_its_true_recall_where_float32_loses_it():
    """1 − mean cosine of 1e-8: float32 products score 0.013 here; the truth is that nothing is wrong."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(30, 64))
    labels = np.repeat(np.arange(30), 10)
    points = 1.0 + 1e-4 * (centres[labels] + 0.05 * rng.normal(size=(300, 64)))
    unit = (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)
    assert te.evaluate(unit, labels)["hit_rate@1"] == 1.0


def small_classes(ids: bool = False) -> te.Embeddings:
    labels = np.repeat(np.arange(20), 4)
    points = np.random.default_rng(0).normal(size=(80, 6)) + labels[:, None]
    return te.Embeddings(points, labels, ids=[f"item {row}" for row in range(80)] if ids else None)


def leaks(run) -> list[str]:
    return [note for note in run.notes if "of the gallery at distance 0" in note]


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_queries_that_are_rows_of_the_gallery_are_noticed(distance):
    gallery = small_classes()
    queries = gallery.take(np.arange(20))
    run = te.evaluate(queries, gallery=gallery, distance=distance)
    assert run["hit_rate@1"] == 1.0
    assert [note.split(" with")[0] for note in leaks(run)] == ["20 of 20 queries"]


def test_half_of_the_queries_are_a_leak_and_fewer_are_duplicates():
    gallery = small_classes()
    vectors = gallery.vectors[:20].copy()
    vectors[10:] += 0.01
    run = te.evaluate(te.Embeddings(vectors, gallery.labels.take(np.arange(20))), gallery=gallery)
    assert leaks(run)[0].startswith("10 of 20 queries")
    vectors[9] += 0.01
    assert not leaks(te.evaluate(te.Embeddings(vectors, gallery.labels.take(np.arange(20))), gallery=gallery))


def test_queries_known_by_their_ids_and_queries_among_each_other_are_no_leak():
    gallery = small_classes(ids=True)
    assert not leaks(te.evaluate(gallery.take(np.arange(20)), gallery=gallery))
    copied = te.Embeddings(np.repeat(gallery.vectors[:20], 2, axis=0), np.repeat(np.arange(20), 2), ids=range(40))
    queries = copied.take(np.arange(40))
    assert not leaks(te.evaluate(queries, gallery=copied))  # each has a copy, and its own row is left out
    twice = np.repeat(np.arange(40), 2)
    assert not leaks(te.evaluate(small_classes().vectors[twice], np.arange(80) // 4))


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_probes_and_approximate_searches_that_find_themselves_are_noticed_too(distance):
    gallery, known = small_classes(), small_classes(ids=True)
    apart = te.Embeddings(gallery.vectors[:20] + 0.01, gallery.labels.take(np.arange(20)))
    exact = {"backends": ["exact"], "seeds": 1, "repeats": 1, "distance": distance}
    for queries, searched, found in (
        (gallery.take(np.arange(20)), gallery, ["20 of 20"]),
        (apart, gallery, []),
        (known.take(np.arange(20)), known, []),
    ):
        probes = te.evaluate_identification(queries, searched, distance=distance)
        search = te.evaluate_search(queries, gallery=searched, **exact)
        assert [note.partition(" probes")[0] for note in leaks(probes)] == found
        assert [note.partition(" queries")[0] for note in leaks(search)] == found
    assert not leaks(
        te.evaluate_search(small_classes().vectors[np.repeat(np.arange(40), 2)], np.arange(80) // 4, **exact)
    )


def test_a_label_to_ignore_that_stands_nowhere_is_noticed():
    found = small_classes()
    assert any("No item has the label 'zzz'" in note for note in te.evaluate(found, ignore_label="zzz").notes)
    assert not any("No item has the label" in note for note in te.evaluate(found, ignore_label=3).notes)
    assert not any("No item has the label" in note for note in te.evaluate(found).notes)


def sha256_of(**known) -> str:
    return te.evaluate(te.Embeddings(np.eye(4), **known)).inputs[0]["sha256"]


def test_what_was_compared_is_told_by_which_row_has_which_labels_and_what_they_are_for():
    labels = [0, 0, 1, 1]
    seen = [
        sha256_of(labels=labels),
        sha256_of(labels=labels, ids=["a", "b", "c", "d"]),
        sha256_of(labels=labels, groups=["a", "b", "c", "d"]),
        sha256_of(labels=[{"a", "b"}, {"c"}, {"a"}, {"c"}]),
        sha256_of(labels=[{"a"}, {"b", "c"}, {"a"}, {"c"}]),
    ]
    assert len(set(seen)) == len(seen)
