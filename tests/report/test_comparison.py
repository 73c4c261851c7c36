"""Two runs: which queries were fixed and broken is what a loop over both says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from tripleteval import Embeddings, Evaluation, evaluate
from tripleteval.report.comparison import same_items, together
from tripleteval.report.findings.changes import changed_queries, not_listed


def changes(before: Evaluation, after: Evaluation) -> pa.Table:
    return changed_queries(before.per_query, after.per_query, "map@r")


@pytest.fixture(scope="module")
def pair() -> tuple[Evaluation, Evaluation]:
    rng = np.random.default_rng(5)
    labels, ids = rng.integers(0, 4, 60), [f"i{row}" for row in range(60)]
    points = rng.normal(size=(60, 3)) + np.eye(4)[labels][:, :3]
    moved = points + 0.8 * rng.normal(size=points.shape)
    return tuple(evaluate(Embeddings(p, labels, ids=ids, name="val"), neighbors=3) for p in (points, moved))


def test_fixed_and_broken_are_what_a_loop_says(pair: tuple[Evaluation, Evaluation]) -> None:
    before, after = ([row["hit_rate@1"] for row in run.per_query.to_pylist()] for run in pair)
    found = {row["query"]: row["change"] for row in changes(*pair).to_pylist()}
    expected = {
        row: "broken" if one > two else "fixed" if two > one else ""
        for row, (one, two) in enumerate(zip(before, after, strict=True))
    }
    assert found == expected
    assert {"broken", "fixed", ""} <= set(expected.values())


def test_the_largest_loss_comes_first_and_the_order_of_runs_turns_it(pair: tuple[Evaluation, Evaluation]) -> None:
    losses = changes(*pair)["difference"].to_pylist()
    assert losses == sorted(losses)
    turned = {row["query"]: row["difference"] for row in changes(*pair[::-1]).to_pylist()}
    assert all(turned[row["query"]] == -row["difference"] for row in changes(*pair).to_pylist())


def test_a_report_counts_them_and_shows_what_they_find(pair: tuple[Evaluation, Evaluation]) -> None:
    rows = changes(*pair).to_pylist()
    became = [row["change"] for row in rows]
    _, counted, broken, fixed = together([("a", pair[0]), ("b", pair[1])])
    assert f"{became.count('broken')} had the right nearest item in a and have a wrong one in b" in counted.text
    assert sum(counted.charts[0].columns["queries"]) == 60
    assert (broken.title, fixed.title) == ("Broken by b", "Fixed by b")
    assert not any(case.found[0].right for case in [*broken.cases, *fixed.cases])
    assert len(broken.cases) == min(24, sum(row["change"] == "broken" and row["difference"] < 0 for row in rows))


def test_those_that_lose_nothing_are_counted_beside_those_that_are_listed() -> None:
    rng = np.random.default_rng(7)
    labels, ids = [0, 0, 0, 0, 1, 1, 1, 1], list("abcdefgh")
    points = [rng.integers(0, 30, size=(8, 1)) for _ in range(2)]
    before, after = (evaluate(Embeddings(1.0 * each, labels, ids=ids), neighbors=3) for each in points)
    rows = [row for row in changes(before, after).to_pylist() if row["change"] == "broken"]
    lost = sum(row["difference"] < 0 for row in rows)
    assert 0 < lost < len(rows)
    broken = next(part for part in together([("a", before), ("b", after)]) if part.title == "Broken by b")
    assert broken.text.endswith(f" {len(rows) - lost} more lose nothing in it, and are not listed.")
    assert not_listed(1, "fixed") == " 1 more gains nothing in it, and is not listed."


def test_runs_of_other_queries_are_not_compared_query_by_query(
    pair: tuple[Evaluation, Evaluation], given: Evaluation
) -> None:
    shorter = evaluate([[0.0], [1.0], [3.0], [4.0]], [0, 0, 1, 1])
    renamed = evaluate(Embeddings(np.zeros((60, 1)), np.arange(60) % 4, ids=[f"j{row}" for row in range(60)]))
    for other in (shorter, renamed, given):
        assert len(together([("a", pair[0]), ("b", other)])) == 1


def test_three_runs_have_one_table(pair: tuple[Evaluation, Evaluation]) -> None:
    assert len(together([("a", pair[0]), ("b", pair[1]), ("c", pair[0])])) == 1


def test_equal_runs_change_nothing(pair: tuple[Evaluation, Evaluation]) -> None:
    _, counted = together([("a", pair[0]), ("a", pair[0])])
    assert "0 had the right nearest item in a (1) and have a wrong one in a (2); for 0" in counted.text


def test_queries_are_matched_by_id_whatever_their_order(pair: tuple[Evaluation, Evaluation]) -> None:
    points, labels = np.arange(6.0)[:, None] ** 2, [0, 1, 0, 1, 0, 1]
    moved = np.array([0.0, 9.0, 0.5, 9.5, 1.0, 10.0])[:, None]
    ids = [f"i{row}" for row in range(6)]
    one = evaluate(Embeddings(moved, labels, ids=ids), neighbors=3)
    two = evaluate(Embeddings(points[::-1], labels[::-1], ids=ids[::-1]), neighbors=3)
    _, _, broken = together([("a", one), ("b", two)])
    for row, case in zip(broken.tables[0].rows, broken.cases, strict=True):
        assert case.query.row == 5 - int(row[0])
        assert case.query.name == row[1] == f"i{row[0]}"
    assert same_items(pair)
    assert not same_items([one, two])


def test_runs_of_different_kinds_are_not_said_to_have_the_same_queries(
    pair: tuple[Evaluation, Evaluation], paired: Evaluation, identified: Evaluation, given: Evaluation
) -> None:
    (section,) = together([("p", paired), ("i", identified)])
    assert section.level == "warning"
    assert "of different kinds, given pairs and probes: a number of one says nothing about another" in section.text
    (table,) = section.tables
    rows = {row[0]: row for row in table.rows}
    assert [list(rows[name])[1:4] for name in ("eer", "cmc@1")] == [
        [f"{paired['eer']:.4f}", "", ""],
        ["", f"{identified['cmc@1']:.4f}", ""],
    ]
    (section,) = together([("a", pair[0]), ("t", given)])
    assert "of different kinds, queries and given triplets" in section.text


def test_two_runs_of_one_kind_are_the_same_if_what_they_ask_is(paired: Evaluation, identified: Evaluation) -> None:
    assert together([("a", paired), ("b", paired)])[0].text == "Same number of pairs, same rules."
    fewer = replace(paired, accounting=paired.accounting | {"pairs": 7})
    assert "differ in pairs, and" in together([("a", paired), ("b", fewer)])[0].text
    fused = replace(identified, settings=identified.settings | {"identification": "mean"})
    assert "differ in fusion, and" in together([("a", identified), ("b", fused)])[0].text
