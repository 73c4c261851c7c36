"""Vectors as lists in one column of text: read as they were written, or refused by line and column."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tripleteval.errors import EvalError
from tripleteval.readers import blocks, read

Text = Callable[[str, str], Path]
VECTORS = np.array([[0.1, -1.5, 3e-30], [1 / 3, 7.0, 0.0], [2.5, 0.25, 1e17]])


def written(how: Callable[[np.ndarray], str], name: str = "embedding", more: str = "split") -> str:
    rows = [f'{label},"{how(vector)}",test' for label, vector in zip("aab", VECTORS, strict=True)]
    return "\n".join([f"label,{name},{more}", *rows]) + "\n"


def refusal(path: Path, **options: str) -> EvalError:
    with pytest.raises(EvalError) as error:
        read(path, **options)  # type: ignore[arg-type]
    return error.value


@pytest.mark.parametrize("name", ["embedding", "vectors", "anything"])
@pytest.mark.parametrize(
    "how",
    [
        lambda vector: json.dumps(vector.tolist()),
        lambda vector: " ".join(map(repr, vector.tolist())),
        lambda vector: np.array2string(vector, floatmode="unique", max_line_width=30),
    ],
    ids=["json", "spaces", "numpy"],
)
def test_lists_are_vectors_however_they_are_written(how: Callable[[np.ndarray], str], name: str, text: Text) -> None:
    path = text("a.csv", written(how, name))
    found = read(path, embedding_column=name)
    np.testing.assert_array_equal(found.vectors, VECTORS)
    assert found.labels is not None
    assert found.labels.values() == ["a", "a", "b"]
    assert found.meta == {"split": ["test"] * 3}
    parts = [part.vectors for part in blocks(path, 2, embedding_column=name)]
    np.testing.assert_array_equal(np.concatenate(parts), VECTORS)


def test_the_only_column_of_lists_needs_no_name_where_no_other_holds_numbers(text: Text) -> None:
    content = written(lambda vector: json.dumps(vector.tolist()), "features")
    np.testing.assert_array_equal(read(text("a.csv", content)).vectors, VECTORS)
    error = refusal(text("a.csv", content.replace("test", "7")))
    assert error.code == "E605"
    assert "lists of numbers in column 'features' beside numbers in column 'split'" in error.found
    assert "embedding_column='features' (--embedding-column features)" in error.fix
    named = content.replace("test", "7").replace("features", "embedding")
    assert read(text("a.csv", named)).meta == {"split": ["7"] * 3}


def test_several_numbers_in_text_are_no_vector_beside_coordinates(text: Text) -> None:
    found = read(text("a.csv", "x,y,phone\n1,2,12 34\n3,4,56 78\n"))
    assert found.vectors.tolist() == [[1, 2], [3, 4]]
    assert found.meta == {"phone": ["12 34", "56 78"]}


@pytest.mark.parametrize(
    ("cell", "code", "what"),
    [
        ("", "E608", "an empty cell at line 3, column 'embedding'"),
        ("[]", "E205", "line 3 has a vector of 0 values, the rows before it have 2"),
        ("[1]", "E205", "line 3 has a vector of 1 value, the rows before it have 2"),
        ("[1, 2, 3]", "E205", "3 values"),
        ("[1, 2", "E608", "'[1, 2', not a list"),
        ("1 2]", "E608", "'1 2]', not a list"),
        ("[1, null]", "E608", "' null', not a decimal number"),
        ("[1, NaN]", "E201", "' NaN' at line 3"),
        ("[1 ... 2]", "E608", "'...', not a decimal number"),
        ("0,1 0,2", "E608", "'1 0', not a decimal number"),
        ("[[1, 2]]", "E608", "'[1', not a decimal number"),
        ("[1, 2,]", "E608", "an empty cell"),
    ],
)
def test_a_bad_vector_is_named_by_line_and_column(cell: str, code: str, what: str, text: Text) -> None:
    path = text("a.csv", f'id,embedding\na,"[1, 2]"\nb,"{cell}"\n')
    assert (refusal(path).code, what in refusal(path).found) == (code, True), str(refusal(path))
    with pytest.raises(EvalError, match=code):
        list(blocks(path, 1))


def test_a_filter_that_drops_the_first_rows_leaves_the_length_to_the_others(text: Text) -> None:
    path = text("a.csv", 'year,embedding\n2019,"[1]"\n2020,"[1, 2]"\n2020,"[3, 4]"\n')
    for found in ([read(path, where="year = 2020")], list(blocks(path, 1, where="year = 2020"))):
        assert [row for part in found for row in part.vectors.tolist()] == [[1, 2], [3, 4]]
