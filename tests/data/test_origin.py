"""Rows are named by their file, however the set was cut since."""

import numpy as np

from tripleteval.data.embeddings import Embeddings
from tripleteval.data.origin import NO_FILES, Origin, origin_of, remember

FILES = Origin.of([("a", 0), ("b", 3), ("c", 0), ("d", 4), ("e", 0)])


def test_a_row_belongs_to_the_file_that_has_it_and_not_to_an_empty_one():
    assert [FILES.listed([row]) for row in (0, 2, 3, 6)] == ["0 of b", "2 of b", "0 of d", "3 of d"]


def test_the_first_few_rows_are_listed_file_by_file():
    assert FILES.listed([1, 2, 3]) == "1, 2 of b; 0 of d"
    assert FILES.listed(range(7)) == "0, 1, 2 of b; 0, 1 of d …"
    assert NO_FILES.listed(range(5)) == "0, 1, 2, 3, 4"
    assert NO_FILES.listed(range(6)) == "0, 1, 2, 3, 4 …"


def test_rows_taken_from_rows_taken_keep_their_place():
    taken = FILES.take(np.array([6, 4, 1, 0])).take(np.array([2, 0]))
    assert (taken.listed([0]), taken.listed([1]), taken.listed([0, 1])) == ("1 of b", "3 of d", "1 of b; 3 of d")
    assert NO_FILES.take(np.array([5, 9])).listed([1]) == "9"


def test_a_set_that_nobody_told_is_where_its_rows_come_from():
    held = Embeddings(np.eye(7))
    assert origin_of(held.take(np.array([4, 5]))) is NO_FILES
    remember(held, FILES)
    assert origin_of(held.take(np.array([4, 5]))).listed([1]) == "2 of d"
    assert origin_of(held.take(np.arange(7) == 4)).listed([0]) == "1 of d"
