"""What is relevant to a block of queries, and how much, is what was said of each of them."""

import numpy as np
import pytest

from tripleteval.data.comparison import Graded, Lists, SharedClass

LISTED = {0: {1: 1.0, 4: 2.0}, 1: {}, 2: {0: 3.0, 2: 4.0, 3: 5.0}, 3: {4: 6.0}}
GRADED = Graded(Lists(np.array([0, 2, 2, 5, 6]), np.array([1, 4, 0, 2, 3, 4])), np.arange(1.0, 7.0))
# Queries of the classes {0}, {0, 1}, {1} and {2}; items 0 and 3 are of class 0, items 1 and 3 of class 1.
SHARED = SharedClass(
    Lists(np.array([0, 1, 3, 4, 5]), np.array([0, 0, 1, 1, 2])), Lists(np.array([0, 2, 4, 4]), np.array([0, 3, 1, 3]))
)
FOUND = {0: {0: 1.0, 3: 1.0}, 1: {0: 1.0, 1: 1.0, 3: 1.0}, 2: {1: 1.0, 3: 1.0}, 3: {}}


@pytest.mark.parametrize(("rule", "known"), [(GRADED, LISTED), (SHARED, FOUND)])
@pytest.mark.parametrize(("start", "stop"), [(0, 4), (0, 1), (0, 2), (1, 2), (1, 3), (2, 4), (3, 4), (2, 2)])
def test_a_block_has_the_relevant_items_of_its_own_queries_and_their_gains(rule, known, start, stop):
    lists, gains = rule.relevant(start, stop)
    assert len(lists.rows) == len(gains) == lists.indptr[-1]
    found = [
        dict(zip(lists.rows[a:b].tolist(), gains[a:b].tolist(), strict=True))
        for a, b in zip(lists.indptr[:-1], lists.indptr[1:], strict=True)
    ]
    assert found == [known[query] for query in range(start, stop)]
