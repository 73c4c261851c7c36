"""A filter is read by its grammar or refused with an example; it is never evaluated as code."""

from __future__ import annotations

import pytest

from tripleteval.errors import ParameterError
from tripleteval.readers.where import Condition, parse_filter


@pytest.mark.parametrize(
    ("text", "tests"),
    [
        ("split = 'test'", [("split", "=", "test")]),
        ('split=="test"', [("split", "==", "test")]),
        ("  a<=-1.5e3 ", [("a", "<=", -1500.0)]),
        ("a>+3", [("a", ">", 3)]),
        ("a = 9223372036854775809", [("a", "=", 9223372036854775809)]),
        ("a != TRUE and b = False", [("a", "!=", True), ("b", "=", False)]),
        ("`my col` = 'it is and = \"x\"'", [("my col", "=", 'it is and = "x"')]),
        ("a.b-c/d = ''", [("a.b-c/d", "=", "")]),
        ("and = 'and' and 'and' = 1", [("and", "=", "and"), ("and", "=", 1)]),
        ("naïve = '猫'", [("naïve", "=", "猫")]),
    ],
)
def test_a_filter_of_the_grammar_is_read(text: str, tests: list[tuple[str, str, object]]) -> None:
    found = parse_filter(text)
    assert found == tuple(Condition(*test) for test in tests)  # type: ignore[arg-type]
    assert [type(condition.value) for condition in found] == [type(value) for _, _, value in tests]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "split",
        "split =",
        "= 'test'",
        "split = test",
        "split = 'test",
        "split 'test'",
        "split = 'a' or split = 'b'",
        "split = 'a' and",
        "split = 'a' split = 'b'",
        "split = 'a', b = 1",
        "a < b",
        "a = 1_000",
        "a = 0x10",
        "a = nan",
        "a = 1 = 2",
        "a <> 1",
        "a ! 1",
        "not a = 1",
        "a = 1; drop table x",
        "__import__('os').system('x') = 1",
    ],
)
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ParameterError, match="E101") as error:
        parse_filter(text)
    assert "split = 'test'" in error.value.fix
