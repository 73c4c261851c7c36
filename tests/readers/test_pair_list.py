"""Lists of pairs: what a name stands for, and whether LFW's list is what its first line promises."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tripleteval.data.embeddings import Embeddings
from tripleteval.errors import FileError
from tripleteval.readers.pair_list import matched, read_pairs

Text = Callable[[str, str], Path]

LFW = "2 2\nA 1 2\nA 1 3\nA 1 B 1\nA 1 B 2\nC 1 2\nC 1 3\nC 1 D 1\nC 1 D 2\n"


def of(*ids: str) -> Embeddings:
    return Embeddings(np.zeros((len(ids), 1)), ids=list(ids))


@pytest.mark.parametrize("identity", ["Ann_0001", "lfw/Ann/Ann_0001.jpg", "Ann/Ann_0001", "Ann_0001.PNG"])
def test_a_name_is_that_of_the_picture_in_one_id(identity: str) -> None:
    assert matched(["Ann_0001"], of(identity, "Bob_0001.jpg")) == [identity]


@pytest.mark.parametrize("identities", [("mr.smith", "b"), ("a/mr.jpg", "b/mr.jpg"), ("mr.1", "mr.2"), ("x.mr", "b")])
def test_a_name_is_no_part_of_an_id_and_not_one_of_two_pictures(identities: tuple[str, str]) -> None:
    assert matched(["mr"], of(*identities)) == ["mr"]


def test_an_id_as_it_is_goes_before_a_picture_of_that_name() -> None:
    assert matched(["a", "mr.smith"], of("a", "x/a.jpg", "y/mr.smith.jpg")) == ["a", "y/mr.smith.jpg"]
    assert matched([1, 2], of("1", "2")) == [1, 2]


def test_lfws_list_has_folds_of_as_many_pairs_of_either_kind(text: Text) -> None:
    found = read_pairs(text("pairs.txt", LFW))
    assert found.same == [True, True, False, False] * 2
    assert found.folds == [0] * 4 + [1] * 4
    assert found.seconds[:3] == ["A_0002", "A_0003", "B_0001"]


@pytest.mark.parametrize(
    ("right", "wrong", "found"),
    [
        ("A 1 B 1", "A 2 3", "a pair of one person on line 4, beyond the 2 that the first line gives fold 1"),
        ("C 1 3", "C 1 D 3", "a pair of two persons on line 9, beyond the 2 that the first line gives fold 2"),
        ("A 1 B 2\nC 1 2", "C 1 2\nA 1 B 2", "a pair of one person on line 5, beyond the 2 .* fold 1"),
        ("2 2\n", "4\n", "a pair of one person on line 8, beyond the 4 .* fold 1"),
    ],
)
def test_a_fold_with_other_pairs_than_promised_is_refused(right: str, wrong: str, found: str, text: Text) -> None:
    changed = LFW.replace(right, wrong)
    if wrong == "4\n":
        changed = changed.replace("C 1 D 1", "C 2 3")
    with pytest.raises(FileError, match=f"E601 {found}"):
        read_pairs(text("pairs.txt", changed))


def test_a_line_is_counted_as_an_editor_counts_it(text: Text) -> None:
    with pytest.raises(FileError, match="E608 'C x' on line 7"):
        read_pairs(text("pairs.txt", LFW.replace("A 1 B 2\n", "A 1 B 2\n\n").replace("C 1 2", "C x")))
