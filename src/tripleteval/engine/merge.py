"""Sorted runs into sorted edges, compiled: positives come sorted, and so does every question about them."""

from __future__ import annotations

import numpy as np

from tripleteval.arrays import Floats, Ints
from tripleteval.engine.compiled import entry


@entry
def merge(indptr: Ints, squared: Floats, rows: Ints, last: int) -> tuple[Floats, Ints, Ints, Ints]:
    """Return the edges of every query, ascending by (squared, row); the earlier question first where they are equal.

    Args:
        indptr: (queries + 1,) the positives of each query.
        squared: (questions, positives) first coordinate of each edge, ascending within each query and question.
        rows: (questions, positives) second coordinate.
        last: Row of the one edge each query has besides, at squared 0.

    Returns:
        ``squared`` and ``rows`` of the edges, the place of each question's edge (questions, positives), and the
        place of each query's own edge (queries,).
    """
    questions, positives = squared.shape
    queries = len(indptr) - 1
    out_squared = np.empty(positives * questions + queries)
    out_rows = np.empty(positives * questions + queries, np.int64)
    places = np.empty((questions, positives), np.int64)
    zeros = np.empty(queries, np.int64)
    heads = np.empty(questions, np.int64)
    head_squared, head_rows = np.empty(questions + 1), np.empty(questions + 1, np.int64)
    n = 0
    for q in range(queries):
        start, stop = indptr[q], indptr[q + 1]
        for s in range(questions):
            heads[s] = start
            head_squared[s + 1] = squared[s, start] if start < stop else np.nan
            head_rows[s + 1] = rows[s, start] if start < stop else 0
        head_squared[0], head_rows[0] = 0.0, last
        left = (stop - start) * questions + 1
        while left > 0:
            best = -1
            for s in range(questions + 1):
                here = head_squared[s]
                if here == here and (  # noqa: PLR0124  # a run that has ended is NaN
                    best < 0
                    or here < head_squared[best]
                    or (here == head_squared[best] and head_rows[s] < head_rows[best])
                ):
                    best = s
            out_squared[n], out_rows[n] = head_squared[best], head_rows[best]
            if best == 0:
                zeros[q] = n
                head_squared[0] = np.nan
            else:
                s = best - 1
                places[s, heads[s]] = n
                heads[s] += 1
                ended = heads[s] == stop
                head_squared[best] = np.nan if ended else squared[s, heads[s]]
                head_rows[best] = 0 if ended else rows[s, heads[s]]
            n += 1
            left -= 1
    return out_squared, out_rows, places, zeros
