"""From a process to neighbours one can count on: asked, checked, measured, and put in order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from tripleteval.arrays import AnyArray, Ints
from tripleteval.search import Params
from tripleteval.search.contract import NOBODY, Found, in_order, measured, require_contract, require_honest, without_own
from tripleteval.search.process import Searcher, place
from tripleteval.search.rows import Frame


@dataclass(frozen=True)
class Question:
    """Who asks, who is searched, and how they are compared.

    Attributes:
        queries: (queries, dim) vectors of any real dtype.
        gallery: (n, dim) vectors.
        own_row: (queries,) the gallery row that is the query itself, −1 for none.
        frame: How both become rows for a backend.
    """

    queries: AnyArray
    gallery: AnyArray
    own_row: Ints
    frame: Frame

    @cached_property
    def asked(self) -> AnyArray:
        """(queries, dim) float32 rows of the queries."""
        return self.frame.rows(self.queries)

    @cached_property
    def searched(self) -> AnyArray:
        """(n, dim) float32 rows of the gallery."""
        return self.frame.rows(self.gallery)

    @cached_property
    def largest(self) -> float:
        """The largest squared length of a row, in the engine's unit."""
        own = max(float(np.einsum("ij,ij->i", rows, rows).max()) for rows in (self.asked, self.searched))
        return float(self.frame.squared(np.array(own)))

    def stretch(self, first: int, last: int) -> Question:
        """Return the same question to gallery rows ``first:last``, which are then in memory."""
        inside = (self.own_row >= first) & (self.own_row < last)
        own = np.where(inside, self.own_row - first, NOBODY)
        return replace(self, gallery=self.gallery[first:last], own_row=own)

    def width(self, k: int) -> int:
        """Return how many neighbours to ask for, so that ``k`` are left without the query itself."""
        return min(k + int(bool((self.own_row >= 0).any())), len(self.gallery))


def neighbors(searcher: Searcher, question: Question, k: int, params: Params) -> Found:
    """Return the neighbours a backend finds.

    Returns:
        At most ``k`` per query, without the query itself: by true distance, or as returned where a library ranks
        by quantised ones.

    Raises:
        BackendError: The backend lied (E701), died (E702), hung (E703) or refused (E704).
    """
    width = question.width(k)
    rows, own = searcher.search(question.asked, width, params)
    where = place(searcher.backend.name, {**searcher.how.params, **params})
    require_contract(rows, own, (len(question.asked), width), len(question.gallery), where)
    true = measured(rows, question.queries, question.gallery, question.frame.distance)
    if searcher.backend.faithful:
        dim = question.asked.shape[1]
        require_honest(question.frame.squared(own), true, question.largest, dim, where)
    return without_own(in_order(rows, true, own, faithful=searcher.backend.faithful), question.own_row, min(k, width))
