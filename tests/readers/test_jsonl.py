"""JSON lines: every key means what its name says, and a bad line is named by its number."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tripleteval.errors import EvalError
from tripleteval.readers import blocks, read

Text = Callable[[str, str], Path]
GOOD = '{"embedding": [1, 2.5], "label": "007", "year": 2019, "who": {"name": "a"}}\n'


def refusal(path: Path, **options: str) -> EvalError:
    with pytest.raises(EvalError) as error:
        read(path, **options)  # type: ignore[arg-type]
    return error.value


def test_text_stays_text_and_further_plain_values_are_carried_along(text: Text) -> None:
    found = read(text("a.jsonl", GOOD + "\n" + '{"year": null, "label": "7", "embedding": [3, 4], "more": 1}\n'))
    assert found.vectors.tolist() == [[1, 2.5], [3, 4]]
    assert found.labels is not None
    assert found.labels.values() == ["007", "7"]
    assert found.meta == {"year": [2019, None], "more": [None, 1]}


def test_a_key_may_be_left_out_of_the_first_line(text: Text) -> None:
    found = read(text("a.jsonl", '{"id": "p", "embedding": [1]}\n{"id": "q", "embedding": [2], "split": "x"}\n'))
    assert found.meta == {"split": [None, "x"]}
    labelled = text("b.jsonl", '{"embedding": [1]}\n{"embedding": [2], "label": "a"}\n')
    assert "E402 1 row without a value (None); first rows: 0 of " in str(refusal(labelled))


def test_several_labels_are_a_list(text: Text) -> None:
    found = read(text("a.jsonl", '{"vector": [1], "label": ["a", "b"]}\n{"vector": [2], "label": ["b"]}\n'))
    assert found.labels is not None
    assert found.labels.values() == [("a", "b"), ("b",)]


def test_the_only_list_of_numbers_is_the_vector_unless_one_is_named(text: Text) -> None:
    assert read(text("a.jsonl", '{"features": [1, 2], "year": 2}\n')).vectors.tolist() == [[1, 2]]
    two = text("b.jsonl", '{"new": [1, 2], "old": [3]}\n')
    assert "E605 several lists of numbers; the keys are 'new', 'old'" in str(refusal(two))
    assert read(two, embedding_column="old").vectors.tolist() == [[3]]
    assert refusal(two, embedding_column="olt").fix == "did you mean 'old'?"
    assert "no column 'lable'" in refusal(text("c.jsonl", GOOD), label_column="lable").found


@pytest.mark.parametrize(
    ("line", "code", "what"),
    [
        ('{"embedding": [1, 2]', "E608", "no JSON on line 2: "),
        ('{"embedding": [1, NaN]}', "E608", "no JSON on line 2: "),
        ("[1, 2]", "E608", "line 2 holds a list, not an object"),
        ("7", "E608", "line 2 holds 7, not an object"),
        ('{"embedding": [1, null]}', "E201", "null at line 2, 'embedding'"),
        ('{"label": "a"}', "E201", "null at line 2"),
        ('{"embedding": []}', "E203", "[] at line 2"),
        (f'{{"embedding": [1, {"9" * 400}]}}', "E201", "a number at line 2, 'embedding', that float64 cannot hold"),
        (f'{{"embedding": "{"a" * 99}"}}', "E203", "aaa' at line 2, 'embedding': no list of numbers"),
        ('{"embedding": "[1, 2]"}', "E203", "'[1, 2]' at line 2"),
        ('{"embedding": [1, true]}', "E203", "[1, True] at line 2"),
        ('{"embedding": [1, 2, 3]}', "E205", "line 2 has a vector of 3 values, the rows before it have 2"),
        ('{"embedding": [1, 2]}', "E402", "1 row without a value (None); first rows: 1 of "),
        ('{"embedding": [1, 2], "label": "a", "label": "b"}', "E608", "key 'label' twice on line 2"),
        ('{"embedding": [1], "label": "a", "\\u0065mbedding": [2]}', "E608", "key 'embedding' twice on line 2"),
        ('{"embedding": [1, 2], "who": [{"a": ":", "b": 1, "a": 2}]}', "E608", "key 'a' twice on line 2"),
        ('{"embedding": [1, 2], "label": {"a": 1}}', "E403", "dict at row 1 of "),
    ],
)
def test_a_bad_line_is_named(line: str, code: str, what: str, text: Text) -> None:
    path = text("a.jsonl", GOOD + line + "\n")
    assert (refusal(path).code, what in refusal(path).found) == (code, True), str(refusal(path))


def test_text_that_looks_like_keys_is_text(text: Text) -> None:
    line = (
        r"""{"embedding": [1], "label": "\"label\": \"a\"", "url": "http://a:b", "\\": "\\\"", "who": {"url": ":"}}"""
    )
    found = read(text("a.jsonl", line + "\n"))
    assert found.labels is not None
    assert found.labels.values() == ['"label": "a"']
    assert found.meta == {"url": ["http://a:b"], "\\": ['\\"']}


def test_a_file_of_labels_with_a_key_twice_is_refused(text: Text) -> None:
    path, labels = text("a.jsonl", '{"embedding": [1]}\n'), text("b.jsonl", '{"label": "a", "label": "b"}\n')
    with pytest.raises(EvalError, match="E608 key 'label' twice on line 1 · .*b.jsonl"):
        read(path, labels=labels)


def test_a_line_of_another_length_is_refused_in_a_later_block(text: Text) -> None:
    with pytest.raises(EvalError, match="E205 line 2 has a vector of 1 value"):
        list(blocks(text("a.jsonl", GOOD + '{"embedding": [1], "label": "a"}\n'), 1))


def test_a_filter_keeps_the_rows_that_pass(text: Text) -> None:
    path = text("a.jsonl", GOOD + GOOD.replace("2019", "2020") + GOOD.replace("2019", "null"))
    assert read(path, where="year >= 2020").meta == {"year": [2020]}
    for where in ("year >= 2020", "split = 'x'"):
        with_split = text("c.jsonl", path.read_text().replace('"year": 2020', '"year": 2020, "split": "x"'))
        assert [part.meta["year"] for part in blocks(with_split, 2, where=where)] == [[2020]]
    assert "E101" in str(refusal(path, where="year = '2020'"))
    assert refusal(path, where="yaer = 2020").fix == "did you mean 'year'?"
    mixed = text("b.jsonl", GOOD + GOOD.replace("2019", '"MMXX"'))
    assert "values of 'year' are of several types" in refusal(mixed, where="year = 2019").found
    assert refusal(mixed, where="who = 'a'").code == "E101"
