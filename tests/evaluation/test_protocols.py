"""Who is searched, what counts, and who is left out."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tripleteval as te

LINE = [[0.0], [1.0], [3.0], [7.0], [8.0], [12.0], [20.0]]
CLASSES = [0, 0, 1, 0, 1, 1, 2]


def test_the_accounting_says_what_was_compared_and_what_was_not():
    run = te.evaluate(LINE, CLASSES, ks=(1, 10))
    a = run.accounting
    assert (a["queries"], a["evaluated"], a["skipped"], a["singletons"]) == (7, 6, {"no_relevant": 1}, 1)
    assert (a["gallery"], a["classes"], a["self_matches_removed"], a["ignored_pairs"]) == (7, 3, 7, 0)
    assert (a["pairs_compared"], a["triplets"], a["anchors"]) == (42, 48, 6)
    assert a["k_clipped"] == {"10": 7}
    assert any("k is larger" in note for note in run.notes)
    assert any("1 of 7 queries with nothing relevant" in note for note in run.notes)


def test_precision_keeps_k_in_its_denominator_where_recall_is_clipped():
    run = te.evaluate(LINE, CLASSES, ks=(10,))
    assert (run["recall@10"], run["precision@10"]) == pytest.approx((1.0, 0.2))


def test_ids_on_both_sides_are_one_item_and_never_found():
    queries = te.Embeddings(LINE[:2], ["a", "a"], ids=["x", "y"])
    gallery = te.Embeddings([[0.0], [5.0], [9.0]], ["a", "a", "b"], ids=["x", "z", "w"])
    run = te.evaluate(queries, gallery=gallery, ks=(1,))
    assert run.accounting["self_matches_removed"] == 1
    first = run.neighbors.filter(pa.compute.equal(run.neighbors["rank"], 1)).to_pylist()
    assert [row["gallery_id"] for row in first] == ["z", "x"]


def test_without_ids_nothing_is_removed_and_duplicates_are_only_counted():
    run = te.evaluate([[0.0], [4.0]], ["a", "b"], gallery=te.Embeddings([[0.0], [5.0], [4.0]], ["a", "b", "a"]))
    assert run.accounting["self_matches_removed"] == 0
    assert run.accounting["zero_distance_pairs"] == {"same": 1, "different": 1}


def test_each_pair_of_duplicates_is_counted_once_in_leave_one_out():
    run = te.evaluate([[0.0], [0.0], [0.0], [1.0]], ["a", "a", "b", "b"])
    assert run.accounting["zero_distance_pairs"] == {"same": 1, "different": 2}
    assert any("different labels" in note for note in run.notes)


def test_the_same_camera_is_ignored_but_not_other_labels_of_that_camera():
    points = [[0.0], [1.0], [2.0], [3.0]]
    people = te.Embeddings(points, ["p", "p", "q", "p"], groups=["cam1", "cam1", "cam1", "cam2"])
    run = te.evaluate(people, ignore="group")
    assert run.accounting["ignored_pairs"] == 2
    ranked = [row["gallery"] for row in run.neighbors.to_pylist() if row["query"] == 0]
    assert ranked == [2, 3]
    assert run.per_query["hit_rate@1"].to_pylist() == [0.0, 0.0, None, 0.0]


def test_ignored_labels_leave_both_sides_and_are_counted():
    run = te.evaluate([[0.0], [1.0], [0.5], [9.0]], [1, 1, -1, 2], ignore_label=-1)
    assert run["hit_rate@1"] == 1.0
    assert run.accounting["dropped"] == {"queries": {"ignored_label": 1}}


RELEVANCE = {"q1": {"g1": 3, "g3": 1}, "q2": {"g2": 2}}


def explicit(relevance):
    queries = te.Embeddings([[0.0], [10.0]], ids=["q1", "q2"])
    gallery = te.Embeddings([[1.0], [9.0], [2.0]], ids=["g1", "g2", "g3"])
    return te.evaluate(queries, gallery=gallery, relevance=relevance)


def test_explicit_relevance_is_the_same_as_mapping_matrix_sparse_or_table():
    import scipy.sparse

    dense = np.array([[3, 0, 1], [0, 2, 0]])
    rows = [(q, g, grade) for q, found in RELEVANCE.items() for g, grade in found.items()]
    table = pa.table(dict(zip(("q", "g", "grade"), zip(*rows, strict=True), strict=True)))
    given = (RELEVANCE, dense, dense.tolist(), scipy.sparse.csr_matrix(dense), table)
    hashes = {explicit(r).result_hash for r in given}
    assert len(hashes) == 1
    assert explicit(RELEVANCE)["map"] == 1.0


def test_relevant_items_without_grades_are_a_list_or_a_set():
    ungraded = {query: dict.fromkeys(found, 1) for query, found in RELEVANCE.items()}
    for kind in (list, tuple, set):
        listed = {query: kind(found) for query, found in RELEVANCE.items()}
        assert explicit(listed).result_hash == explicit(ungraded).result_hash


def test_whole_numbers_in_text_are_ids_where_ids_are_whole_numbers():
    found = te.Embeddings([[0.0], [1.0], [9.0]], ids=[7, -8, 9])
    as_text = pa.table({"q": ["7", "-8"], "g": ["-8", "7"]})
    assert te.evaluate(found, relevance=as_text)["mrr"] == 1.0
    with pytest.raises(te.LabelError, match="E409 1 query id of the relevance not in .*first: '07'"):
        te.evaluate(found, relevance=pa.table({"q": ["07"], "g": ["9"]}))


def test_ids_that_passed_through_a_float_are_refused():
    found = te.Embeddings([[0.0], [1.0], [9.0]], ids=[2**53, 2**53 + 1, 1])
    for query, item in ((2.0**53, 1), (1, np.float64(2**53))):
        with pytest.raises(te.LabelError, match="E403 .* ids that are floating-point numbers"):
            te.evaluate(found, relevance={query: [item]})


def test_a_table_of_embeddings_is_no_relevance():
    found = te.Embeddings([[0.0], [1.0]], ids=[1, 2])
    with pytest.raises(te.LabelError, match="E408 query ids of type list, where each names one item"):
        te.evaluate(found, relevance=pa.table({"vector": [[0.0], [1.0]], "label": [1, 2]}))


def test_ids_of_bytes_are_found_in_a_relevance_of_bytes():
    queries, gallery = te.Embeddings([[0.0]], ids=[b"q"]), te.Embeddings([[9.0], [1.0]], ids=[b"f", b"g"])
    for relevance in ({b"q": {b"g": 1}}, pa.table({"q": [b"q"], "g": [b"g"]})):
        assert te.evaluate(queries, gallery=gallery, relevance=relevance)["mrr"] == 1.0


@pytest.mark.parametrize(
    ("relevance", "code"),
    [
        ({"q1": {"nobody": 1}}, "E409"),
        ({"nobody": {"g1": 1}}, "E409"),
        ({"q1": {"g1": -1}}, "E508"),
        ({"q1": {"g1": 0.5}}, "E508"),
        ({"q1": {"g1": float("nan")}}, "E201"),
        (np.ones((3, 3)), "E306"),
        (np.zeros((2, 3)), "E406"),
        ({"q1": "g1"}, "E203"),
        ({"q1": {"g1": "high"}}, "E203"),
        ([("q1", "g1")], "E203"),
        ("relevance.parquet", "E203"),
        (3, "E306"),
        (pa.table({"q": ["q1"]}), "E306"),
        ({}, "E406"),
    ],
)
def test_impossible_relevance_is_refused(relevance, code):
    with pytest.raises(te.EvalError, match=code):
        explicit(relevance)


def test_relevance_graded_twice_is_refused():
    table = pa.table({"q": ["q1", "q1"], "g": ["g1", "g1"], "grade": [1, 2]})
    with pytest.raises(te.DataError, match="graded twice"):
        explicit(table)


def test_one_shared_label_of_several_is_enough():
    tags = [{"red", "shoe"}, {"red", "boot"}, {"blue", "hat"}, {"hat"}]
    run = te.evaluate([[0.0], [1.0], [5.0], [6.0]], tags)
    assert run["hit_rate@1"] == 1.0
    assert run.metrics["hit_rate@1"]["averages"]["class"] is None


@given(st.lists(st.integers(0, 2), min_size=4, max_size=8), st.integers(1, 9))
def test_singletons_change_what_no_query_can_find(labels, singletons):
    labels = [*labels, 0, 0]
    points = [[float(i % 4), float(i)] for i in range(len(labels))]
    far = [[1e6 + i, 0.0] for i in range(singletons)]
    with_them = te.evaluate(points + far, labels + [100 + i for i in range(singletons)])
    alone = te.evaluate(points, labels)
    relevant = with_them.per_query["relevant"].to_pylist()
    assert relevant[: len(labels)] == alone.per_query["relevant"].to_pylist()
    assert with_them["hit_rate@1"] == alone["hit_rate@1"]
    assert with_them.accounting["skipped"]["no_relevant"] - alone.accounting["skipped"]["no_relevant"] == singletons


def test_neighbours_are_ascending_and_name_who_is_relevant():
    rows = te.evaluate(LINE, CLASSES, neighbors=3).neighbors.to_pylist()
    assert [(r["gallery"], r["distance"], r["relevant"]) for r in rows[:3]] == [
        (1, 1.0, True),
        (2, 3.0, False),
        (3, 7.0, True),
    ]


UNEVEN = [[0.0], [1.0], [2.5], [11.0], [4.5], [30.0], [31.5], [33.25], [60.0]]


@pytest.mark.parametrize(("average", "value"), [("query", 7 / 12), ("class", 5 / 9), ("pooled", 0.625)])
def test_the_averages_differ_where_class_sizes_do(average, value):
    run = te.evaluate(UNEVEN, [0, 0, 0, 0, 1, 1, 2, 2, 3], ks=[3], average=average)
    assert run["recall@3"] == pytest.approx(value)
    assert run.metrics["recall@3"]["average"] == average


def test_chance_and_ceiling_weigh_classes_alike_where_that_is_asked_for():
    labels = np.repeat([0, 1, 2], [2, 3, 6])
    points = np.random.default_rng(4).normal(size=(11, 2))
    by_class = te.evaluate(points, labels, ks=(1,), average="class").metrics
    assert by_class["hit_rate@1"]["chance"] == pytest.approx((1 / 10 + 2 / 10 + 5 / 10) / 3, rel=1e-12)
    assert by_class["recall@1"]["ceiling"] == pytest.approx((1 / 1 + 1 / 2 + 1 / 5) / 3, rel=1e-12)
    by_query = te.evaluate(points, labels, ks=(1,)).metrics
    assert by_query["hit_rate@1"]["chance"] == pytest.approx((2 * 1 / 10 + 3 * 2 / 10 + 6 * 5 / 10) / 11, rel=1e-12)
