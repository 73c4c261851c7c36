"""Sorted runs into sorted edges, compiled: positives come sorted, and so does every question about them."""

from __future__ import annotations

import numpy as np

from tripleteval.arrays import Floats, Ints
from tripleteval.engine.compiled import entry, inner


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
    for q in range(queries):
        start, stop = indptr[q], indptr[q + 1]
        head_squared[questions], head_rows[questions] = 0.0, last
        for s in range(questions):
            heads[s] = start
            head_squared[s], head_rows[s] = _head(squared, rows, s, start, stop, last)
        for n in range(start * questions + q, stop * questions + q + 1):
            best, here, row = questions, head_squared[questions], head_rows[questions]
            for s in range(questions):
                if head_squared[s] < here or (head_squared[s] == here and head_rows[s] < row):
                    best, here, row = s, head_squared[s], head_rows[s]
            out_squared[n], out_rows[n] = here, row
            if best == questions:
                zeros[q] = n
                head_squared[best] = np.inf
                continue
            places[best, heads[best]] = n
            heads[best] += 1
            head_squared[best], head_rows[best] = _head(squared, rows, best, int(heads[best]), stop, last)
    return out_squared, out_rows, places, zeros


@inner
def _head(squared: Floats, rows: Ints, question: int, place: int, stop: int, last: int) -> tuple[float, int]:
    """Return the edge a run goes on with; behind all others where it has ended, for no positive is endlessly far."""
    return (squared[question, place], rows[question, place]) if place < stop else (np.inf, last)
