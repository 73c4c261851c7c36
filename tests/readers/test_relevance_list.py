"""What is relevant to which query, as tables and qrels say it; a bad judgement is named by its line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tripleteval.errors import EvalError
from tripleteval.readers.relevance_list import read_relevance

Text = Callable[[str, str], Path]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.tsv", "query-id\tcorpus-id\tscore\nq1\tg1\t2\nq2\tg, 2\t1\n"),
        ("a.csv", 'q,g,grade,by\nq1,g1,2,me\nq2,"g, 2",1,you\n'),
        ("a.csv", "q;g;grade\r\nq1;g1;2\r\nq2;g, 2;1\r\n"),
    ],
)
def test_a_table_is_read_by_the_order_of_its_columns(name: str, content: str, text: Text) -> None:
    columns = [column.to_pylist() for column in read_relevance(text(name, content)).columns]
    assert columns == [["q1", "q2"], ["g1", "g, 2"], [2.0, 1.0]]


def test_qrels_are_read_with_their_grades(text: Text) -> None:
    for name in ("a.qrels", "a.txt"):
        columns = read_relevance(text(name, "q1 0 g1 2\n\nq1\t0\tg2  0\n")).columns
        assert [column.to_pylist() for column in columns] == [["q1", "q1"], ["g1", "g2"], [2.0, 0.0]]


def test_without_grades_a_table_has_two_columns(text: Text, tmp_path: Path) -> None:
    pq.write_table(pa.table({"q": [1], "g": [2]}), tmp_path / "a.parquet")
    assert read_relevance(tmp_path / "a.parquet").to_pylist() == [{"q": 1, "g": 2}]
    assert read_relevance(text("a.csv", "q,g\n1,2\n")).to_pylist() == [{"q": "1", "g": "2"}]
    assert read_relevance(text("a.csv", "q,g,grade\n")).num_rows == 0


@pytest.mark.parametrize(
    ("name", "content", "code", "what"),
    [
        ("a.csv", "q\n1\n", "E605", "a single column, 'q'"),
        ("a.csv", "q,g,grade\n1,2,x\n", "E608", "'x', not a decimal number, at line 2, column 'grade'"),
        ("a.csv", "q,g,grade\n1,2,nan\n", "E201", "'nan' at line 2"),
        ("a.csv", "q,g,grade\n1,2\n", "E205", "line 2 has 2 cells"),
        ("a.qrels", "q1 0 g1 1\nq1 g1 1\n", "E608", "'q1 g1 1' on line 2"),
        ("a.qrels", "q1 0 g1 one\n", "E608", "on line 1"),
        ("a.json", "{}", "E602", "relevance in a file that ends in '.json'"),
        ("a.parquet", "q,g\n", "E602", "content that is not what the name says"),
    ],
)
def test_a_bad_list_is_refused(name: str, content: str, code: str, what: str, text: Text) -> None:
    with pytest.raises(EvalError) as error:
        read_relevance(text(name, content))
    assert (error.value.code, what in error.value.found) == (code, True), str(error.value)
