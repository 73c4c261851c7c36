"""Which rows to keep: a filter of a handful of tests, read by a grammar that fits on a page.

    filter = test {"and" test}
    test   = column operator value
    column = a word, or any text in quotes or backticks
    value  = 'text' | "text" | 12 | -0.5 | true | false

A row without a value in a tested column never passes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np

from tripleteval.arrays import Bools
from tripleteval.errors import ParameterError, nearest

OPERATORS = {
    "=": "equal",
    "==": "equal",
    "!=": "not_equal",
    "<": "less",
    "<=": "less_equal",
    ">": "greater",
    ">=": "greater_equal",
}
_TOKEN = re.compile(r"""\s*(?:(?P<quoted>'[^']*'|"[^"]*"|`[^`]*`)|(?P<op>==|!=|<=|>=|=|<|>)|(?P<word>[^\s=!<>'"`]+))""")
_INTEGER = re.compile(r"[+-]?[0-9]{1,40}")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_EXAMPLE = "write for example: split = 'test' and year >= 2020"


Value = str | int | float | bool


class Condition(NamedTuple):
    """One comparison of a column with a value."""

    column: str
    operator: str
    value: Value

    def spelled(self) -> str:
        """Return the test as it would be written."""
        return f"{self.column} {self.operator} {self.value!r}"


Filter = tuple[Condition, ...]


class _Token(NamedTuple):
    kind: str
    text: str


def parse_filter(text: str) -> Filter:
    """Return the tests of ``text``, all of which must hold.

    Raises:
        ParameterError: The text is not of the grammar above (E101).

    Example:
        >>> parse_filter("split != 'train'")
        (Condition(column='split', operator='!=', value='train'),)
    """
    tokens = _tokens(text)
    tests = [_test(tokens[at : at + 3], text) for at in range(0, len(tokens), 4)]
    for link in tokens[3::4]:
        if link.kind != "word" or link.text.lower() != "and":
            raise _refused(text, f"{link.text!r} where a filter goes on with 'and'")
    if not tests or len(tokens) % 4 != 3:
        raise _refused(text, "it ends where a test was expected")
    return tuple(tests)


def require_columns(tests: Filter, known: Mapping[str, Any] | list[str], path: str) -> None:
    """Refuse a filter on a column that the file does not have.

    Raises:
        ParameterError: E101, with the nearest name.
    """
    for test in tests:
        if test.column not in known:
            raise ParameterError(
                "E101", f"a filter on column {test.column!r}", where=path, fix=nearest(test.column, known)
            )


def kept(tests: Filter, columns: Mapping[str, Any], rows: int, path: str) -> Bools:
    """Return which of ``rows`` rows pass every test; ``columns`` are Arrow arrays by name.

    Raises:
        ParameterError: A value cannot be compared with its column (E101).
    """
    passed = np.ones(rows, dtype=bool)
    for test in tests:
        passed &= _passes(test, columns[test.column], path)
    return passed


def _passes(test: Condition, column: Any, path: str) -> Bools:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_null(column.type):  # no row has a value, and none passes
        return np.zeros(len(column), dtype=bool)
    if _is_text(column.type) != isinstance(test.value, str) and not pa.types.is_temporal(column.type):
        raise _mismatch(test, column.type, path)
    value = test.value
    if isinstance(value, float) and pa.types.is_integer(column.type):
        if value.is_integer():
            value = int(value)
        else:  # a float with a fraction is below 2**53, and no integer is rounded across it
            column = column.cast(pa.float64(), safe=False)
    try:
        answer = getattr(pc, OPERATORS[test.operator])(column, _scalar(value, column.type))
    except (pa.ArrowException, pa.ArrowInvalid, TypeError, OverflowError, NotImplementedError):
        raise _mismatch(test, column.type, path) from None
    return np.asarray(pc.fill_null(answer, fill_value=False).to_numpy(zero_copy_only=False), dtype=bool)


def _writing(kind: Any) -> str:
    """Return how a value is written that a column of this type can be compared with."""
    import pyarrow as pa

    if _is_text(kind):
        return "put quotes around text"
    if pa.types.is_boolean(kind):
        return "write true or false"
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return "write a day as '2020-12-31', in quotes"
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "write numbers without quotes, as the column holds them"
    return "test a column of text, numbers, days, or true and false"


def _scalar(value: Value, kind: Any) -> Any:
    import pyarrow as pa

    if pa.types.is_temporal(kind):
        return pa.scalar(value).cast(kind)
    if pa.types.is_boolean(kind) != isinstance(value, bool):
        raise TypeError
    if pa.types.is_integer(kind) and isinstance(value, int):
        with suppress(OverflowError, pa.ArrowInvalid):  # of another width, Arrow might compare through a float
            return pa.scalar(value, kind)
    return pa.scalar(value)


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _tokens(text: str) -> list[_Token]:
    tokens, at = [], 0
    end = len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            raise _refused(text, f"{text[at:].strip()[:20]!r} was not understood")
        kind = str(match.lastgroup)
        tokens.append(_Token(kind, match[kind][1:-1] if kind == "quoted" else match[kind]))
        at = match.end()
    return tokens


def _test(tokens: list[_Token], text: str) -> Condition:
    if len(tokens) < 3:
        raise _refused(text, "it ends where a test was expected")
    column, operator, value = tokens
    if column.kind == "op" or operator.kind != "op" or value.kind == "op":
        raise _refused(text, f"{' '.join(t.text for t in tokens)!r} is not of the form: column operator value")
    return Condition(column.text, operator.text, value.text if value.kind == "quoted" else _literal(value.text, text))


def _literal(word: str, text: str) -> float | bool:
    if word.lower() in ("true", "false"):
        return word.lower() == "true"
    if _INTEGER.fullmatch(word):
        return int(word)
    if _NUMBER.fullmatch(word):
        return float(word)
    raise _refused(text, f"{word!r} is neither a number nor text in quotes")


def _refused(text: str, why: str) -> ParameterError:
    return ParameterError("E101", f"filter {text!r}: {why}", where="where", fix=_EXAMPLE)


def _mismatch(test: Condition, kind: Any, path: str) -> ParameterError:
    return ParameterError(
        "E101", f"{test.spelled()}, but column {test.column!r} is of type {kind}", where=path, fix=_writing(kind)
    )
