"""What errors say: a hint that names one thing to do, and numbers that agree with their nouns."""

from __future__ import annotations

import pytest

from tripleteval.errors import counted, nearest

DISTANCES = ("euclidean", "sqeuclidean", "cosine")


def test_a_close_name_is_suggested_alone():
    assert nearest("cosin", DISTANCES) == "did you mean 'cosine'?"
    assert nearest("cosin", DISTANCES, "the manual lists all") == "did you mean 'cosine'? the manual lists all"


def test_without_a_close_name_those_known_are_listed_in_brief():
    assert nearest("l1", DISTANCES) == "known: cosine, euclidean, sqeuclidean"
    many = [f"column{number:02}" for number in range(40)]
    assert nearest("x", many).endswith("column10, column11 and 28 more")
    assert nearest("x", many, "the manual lists all").endswith(" and 28 more; the manual lists all")


@pytest.mark.parametrize(
    ("number", "noun", "said"),
    [
        (0, "row", "0 rows"),
        (1, "zero vector", "1 zero vector"),
        (2, "class", "2 classes"),
        (1, "query", "1 query"),
        (1200, "query", "1,200 queries"),
        (3, "identity", "3 identities"),
    ],
)
def test_a_number_agrees_with_its_noun(number: int, noun: str, said: str):
    assert counted(number, noun) == said
