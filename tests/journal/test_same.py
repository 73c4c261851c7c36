"""What is asked must be what the journal was begun for; else the difference is told so that it can be read."""

from __future__ import annotations

from typing import Any

import pytest

from tripleteval.errors import ResourceError
from tripleteval.journal.same import require_same

CURVE = [margin / 100 for margin in range(201)]


def found(kept: Any, asked: Any) -> str:
    with pytest.raises(ResourceError, match=r"E805 .*remove that folder") as refused:
        require_same({"it": kept}, {"it": asked})
    return refused.value.found.removeprefix("an unfinished run of something else: ")


@pytest.mark.parametrize(
    ("kept", "asked", "said"),
    [
        pytest.param([1, 5, 10], [3], "it was [1, 5, 10], is [3]", id="short lists are whole"),
        pytest.param(None, "a", "it was None, is 'a'", id="another type"),
        pytest.param("a" * 64, "b" * 64, f"it was '{'a' * 40}…', is '{'b' * 40}…'", id="quotes are closed"),
        pytest.param("a" * 64, "a" * 63 + "b", f"it was '…{'a' * 40}', is '…{'a' * 39}b'", id="the end of a text"),
        pytest.param(
            CURVE,
            [*CURVE[:90], 7.5, *CURVE[91:]],
            "it was […, 0.87, 0.88, 0.89, 0.9, 0.91, 0.92, …], is […, 0.87, 0.88, 0.89, 7.5, 0.91, 0.92, …]",
            id="one of many",
        ),
        pytest.param(
            CURVE[:9],
            CURVE[:8],
            "it was […, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08], is […, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07]",
            id="one fewer",
        ),
        pytest.param([{"x": 1}, {"y": 2}], [{"x": 1}, {"y": 3}], "it[1].y was 2, is 3", id="within"),
    ],
)
def test_a_difference_is_told_by_the_part_that_differs(kept: Any, asked: Any, said: str) -> None:
    assert found(kept, asked) == said


def test_of_many_differences_the_first_are_told_and_the_rest_counted() -> None:
    said = found(dict.fromkeys("abcdefg", 1), dict.fromkeys("abcdefg", 2))
    assert said.startswith("it.a was 1, is 2; ")
    assert said.endswith("it.e was 1, is 2; and 2 more")


def test_what_a_journal_has_beyond_is_no_difference() -> None:
    require_same({"it": [1], "more": 2}, {"it": [1]})
