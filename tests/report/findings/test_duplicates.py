"""Duplicates: everything planted is found, inside a set and across two, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from tripleteval import Embeddings, evaluate
from tripleteval.data.material import Material
from tripleteval.report.exports import exported
from tripleteval.report.findings.duplicates import duplicates
from tripleteval.report.findings.inside import copies_inside
from tripleteval.report.sections import SECTIONS, sections

DISTANCES = ["euclidean", "sqeuclidean", "cosine"]


def planted(distance):
    """Return 400 vectors of 20 classes, of which 40 are copies of others, 20 of these with a little noise."""
    rng = np.random.default_rng(7)
    vectors = rng.normal(size=(400, 16))
    labels = rng.integers(0, 20, 400)
    copies, originals = np.arange(40), np.arange(100, 140)
    vectors[copies] = vectors[originals]
    vectors[copies[20:]] += 1e-3 * rng.normal(size=(20, 16))
    if distance == "cosine":
        vectors[copies[:20]] *= 2.0
    return vectors, labels, set(zip(copies.tolist(), originals.tolist(), strict=True))


@pytest.mark.parametrize("distance", DISTANCES)
def test_all_planted_duplicates_are_found_inside_a_set_and_nothing_else(distance):
    vectors, labels, pairs = planted(distance)
    found = duplicates(evaluate(vectors, labels, distance=distance))
    rows = found.to_pylist()
    assert {(min(r["query"], r["gallery"]), max(r["query"], r["gallery"])) for r in rows} == pairs
    assert len(rows) == len(pairs)
    assert [row["kind"] for row in rows] == ["exact"] * 20 + ["near"] * 20
    assert all(row["relevant"] == (labels[row["query"]] == labels[row["gallery"]]) for row in rows)


@pytest.mark.parametrize("distance", DISTANCES)
def test_all_planted_duplicates_are_found_across_two_sets(distance):
    vectors, labels, pairs = planted(distance)
    queries, gallery = Embeddings(vectors[:60], labels[:60]), Embeddings(vectors[60:], labels[60:])
    found = duplicates(evaluate(queries, gallery=gallery, distance=distance)).to_pylist()
    assert {(row["query"], row["gallery"] + 60) for row in found} == pairs


def test_of_more_copies_than_neighbours_every_one_is_in_some_pair():
    vectors = np.vstack([np.zeros((30, 2)), np.random.default_rng(0).normal(10, 1, (30, 2))])
    found = duplicates(evaluate(vectors, [0, 1] * 30, neighbors=3))
    exact = [row for row in found.to_pylist() if row["kind"] == "exact"]
    assert {row for pair in exact for row in (pair["query"], pair["gallery"])} == set(range(30))


def test_a_collapsed_space_is_all_duplicates():
    found = duplicates(evaluate(np.ones((6, 2)), [0, 1] * 3))
    assert found.num_rows == 15
    assert set(found["kind"].to_pylist()) == {"exact"}


def test_ids_and_labels_come_along():
    found = duplicates(evaluate(Embeddings([[0.0], [0.0], [9.0]], ["a", "b", "a"], ids=["x", "y", "z"])))
    (row,) = found.to_pylist()
    assert (row["id"], row["gallery_id"], row["label"], row["gallery_label"]) == ("x", "y", "a", "b")
    assert not row["relevant"]


def test_without_neighbours_there_is_nothing_to_say():
    assert duplicates(evaluate([[0.0], [0.0], [1.0]], [0, 0, 1], neighbors=0)) is None


def searched(distance):
    """Return a run of 60 queries in 400 items, the sets, and the copies planted inside each: every side has its own."""
    vectors, labels, pairs = planted(distance)
    queries, gallery = Embeddings(vectors[100:160], labels[100:160]), Embeddings(vectors, labels)
    copied = Embeddings(np.vstack([queries.vectors, queries.vectors[:7]]), np.append(labels[100:160], labels[100:107]))
    run = evaluate(copied, gallery=gallery, distance=distance)
    return run, Material(copied, gallery), {(row, 60 + row) for row in range(7)}, pairs


@pytest.mark.parametrize("distance", DISTANCES)
def test_all_planted_duplicates_are_found_inside_each_side_and_nothing_else(distance):
    _, sets, of_queries, of_gallery = searched(distance)
    for side, planted_there, kinds in (
        ("queries", of_queries, {"exact": 7}),
        ("gallery", of_gallery, {"exact": 20, "near": 20}),
    ):
        rows = copies_inside(sets, side, distance).to_pylist()
        assert {tuple(sorted((row["query"], row["gallery"]))) for row in rows} == planted_there
        assert len(rows) == len(planted_there)
        assert {kind: [row["kind"] for row in rows].count(kind) for kind in kinds} == kinds
        labels = sets.of(side).labels.values()
        assert all(row["relevant"] == (labels[row["query"]] == labels[row["gallery"]]) for row in rows)


def test_the_report_and_the_export_tell_the_sides_apart():
    run, sets, of_queries, of_gallery = searched("euclidean")
    (said,) = [section for section in sections(run, sets) if section.title == "Duplicates inside one side"]
    assert "Inside the queries: 7 pairs of exactly the same vector, 0 nearly" in said.text
    assert "Inside the gallery: 20 pairs of exactly the same vector, 20 nearly" in said.text
    assert {(case.query.side, case.found[0].side) for case in said.cases} == {("queries",) * 2, ("gallery",) * 2}
    inside = exported(run, "duplicates", sets)["inside"].to_pylist()
    assert (inside.count("queries"), inside.count("gallery")) == (len(of_queries), len(of_gallery))
    assert inside.count("both") == duplicates(run).num_rows
    assert set(exported(run, "duplicates")["inside"].to_pylist()) == {"both"}


def collapsed():
    """Return 40 vectors: a class of 15 that is one point, a class of 3 that is another, and two more pairs."""
    vectors = np.random.default_rng(2).normal(size=(40, 8))
    vectors[:15], vectors[15:18] = vectors[0], vectors[15]
    vectors[20], vectors[30] = vectors[19], vectors[29]
    return vectors, np.repeat(["point", "few", "rest"], [15, 3, 22])


def test_each_line_is_one_group_of_copies_however_many_pairs_it_has():
    run = evaluate(*collapsed())
    assert duplicates(run).num_rows == 100
    (said,) = [section for section in sections(run) if section.title == "Duplicates"]
    (table,) = said.tables
    assert table.columns == ["query", "label", "item", "its label", "distance", "kind", "items"]
    assert [(row[0], row[2], row[-1]) for row in table.rows] == [
        ("0", "1", "15"),
        ("15", "16", "3"),
        ("19", "20", "2"),
        ("29", "30", "2"),
    ]
    assert [case.query.row for case in said.cases] == [0, 15, 19, 29]
    assert "4 groups of copies, each by its closest pair." in said.text


def test_a_group_is_shown_by_a_pair_whose_labels_differ():
    vectors, labels = collapsed()
    labels[17] = "rest"
    (said,) = [section for section in sections(evaluate(vectors, labels)) if section.title == "Duplicates"]
    shown = [row[:4] for row in said.tables[0].rows]
    assert shown[0] == ["0", "point", "1", "point"]
    assert shown[1] == ["15", "few", "17", "rest"]
    assert "each by its closest pair, of those not relevant to each other where there are any." in said.text


def test_queries_and_items_of_a_gallery_with_the_same_row_are_not_one():
    vectors, labels = collapsed()
    run = evaluate(Embeddings(vectors[[20, 0, 5]], labels[[20, 0, 5]]), gallery=Embeddings(vectors, labels))
    (said,) = [section for section in sections(run) if section.title == "Duplicates"]
    # Query 0 has the copies 19 and 20; queries 1 and 2 the ten of the point that a list has room for.
    assert [(row[0], row[2], row[-1]) for row in said.tables[0].rows] == [("0", "19", "3"), ("1", "0", "12")]


def test_copies_inside_one_side_are_grouped_too_and_what_is_not_listed_is_counted():
    vectors = np.repeat(np.random.default_rng(3).normal(size=(12, 8)), 3, axis=0)
    sets = Material(Embeddings(vectors, np.arange(36) // 3), Embeddings(vectors[:3] + 1, [0, 1, 2]))
    run = evaluate(sets.queries, gallery=sets.gallery)
    (said,) = [section for section in sections(run, sets) if section.title == "Duplicates inside one side"]
    assert [row[-1] for row in said.tables[0].rows] == ["3"] * 10
    assert len({row[0] for row in said.tables[0].rows}) == 10
    assert "12 groups of copies, each by its closest pair; the first 10 are listed." in said.text


def test_a_side_of_one_item_has_no_copies():
    one = Embeddings([[0.0]], ["a"])
    assert copies_inside(Material(one, Embeddings([[1.0], [2.0]], ["a", "b"])), "queries", "euclidean") is None


@pytest.mark.parametrize("distance", ["euclidean", "sqeuclidean"])
def test_vectors_so_short_that_all_are_close_have_no_copies_but_those_that_are(distance):
    vectors, labels, pairs = planted(distance)
    found = duplicates(evaluate(vectors * 1e-30, labels, distance=distance))
    assert {frozenset((row["query"], row["gallery"])) for row in found.to_pylist()} == set(map(frozenset, pairs))
    assert found["kind"].to_pylist() == ["exact"] * 20 + ["near"] * 20


def test_a_side_too_large_to_look_into_says_so_and_one_item_says_nothing(monkeypatch):
    for module in ("findings.inside", "sections.copies_inside"):
        monkeypatch.setattr(f"tripleteval.report.{module}.MOST_ITEMS", 5)
    one, six = Embeddings([[0.5]], [0]), Embeddings(np.zeros((6, 1)), [0] * 6)
    run, write = evaluate(one, gallery=six), SECTIONS["copies inside"].write
    section = write(run, Material(one, six))
    assert (section.text, section.level) == ("Inside the gallery nobody looked: more than 5 items.", "plain")
    assert write(run, Material(one, six.take(np.arange(1)))) is None
    section = write(run, Material(one, six.take(np.arange(5))))
    assert section.text.startswith("Inside the gallery: 10 pairs of exactly the same vector, 0 nearly (")
    assert section.level == "warning"


def test_copies_inside_one_set_flatter_and_those_on_both_sides_are_found_for_free():
    items = Embeddings([[0.0], [0.0], [0.0], [5.0], [9.0]], [0, 0, 0, 1, 1])
    write, flatter, free = SECTIONS["duplicates"].write, "make every number look better", "is found for free"
    inside, across = write(evaluate(items)).text, write(evaluate(items, gallery=items.take(np.arange(2, 5)))).text
    assert inside.startswith("3 queries have exactly the vector of another item, 0 nearly (")
    assert (flatter in inside, free in inside) == (True, False)
    assert across.startswith("5 queries have exactly the vector of an item of the gallery, 0 nearly (")
    assert (flatter in across, free in across) == (False, True)
