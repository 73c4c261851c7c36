"""Impostor pairs counted in passing, while every item is searched among the others: its products serve twice.

Each worker has an onlooker, who is shown every tile of products and counts its impostor pairs along the ruler of all
pairs. When every pair has been seen, what all onlookers counted, and the genuine pairs, are the evidence of a pass of
its own (`tripleteval.engine.pairs.PairPass`), bit by bit.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import reduce
from typing import NamedTuple

import numpy as np

from tripleteval.arrays import Floats
from tripleteval.distance.formula import Distance
from tripleteval.engine import genuine, pair_cells, pair_glance
from tripleteval.engine.frame import SUM_PARTS, Frame, Rows, Singles, share
from tripleteval.engine.pair_bins import Points
from tripleteval.engine.pairs_cpu import MOST_COUNTED, kept_of, post, side_of, taken
from tripleteval.engine.room import padded
from tripleteval.evidence.pairs import Pairs, Ruler

_MOST_LISTED = 0.12  # share of the pairs from which on a pass in float64 is the faster
_OFTEN = 0.999  # of the rows are no longer than what cells are made for
_KEPT_AT_ONCE = 2**18
_ASKED, _SEARCHED = 256, 2048  # rows of the sample


class Onlookers:
    """All of them, for one comparison of a set with itself.

    Args:
        ruler: Where distances are told apart; it reaches beyond every one of them.
        distance: With coarse steps.
        found: The cells.
        pairs: How many pairs there are to be seen, from one side or the other.
    """

    def __init__(self, ruler: Ruler, distance: Distance, found: pair_glance.Coarse, pairs: int) -> None:
        self.ruler, self.distance, self.pairs = ruler, distance, pairs
        self._found, self._lock = found, threading.Lock()
        self._all: list[Onlooker] = []
        self._idle: list[Onlooker] = []

    @contextmanager
    def one(self) -> Iterator[Onlooker]:
        """Yield an onlooker that nobody else has."""
        with self._lock:
            if not self._idle:
                self._all.append(Onlooker(self.ruler, self._found))
                self._idle.append(self._all[-1])
            onlooker = self._idle.pop()
        yield onlooker
        onlooker.forget()
        with self._lock:
            self._idle.append(onlooker)

    def evidence(self, known: genuine.Genuine) -> Pairs | None:
        """Return the evidence of all pairs, the genuine ones among them; ``None`` where some have not been seen."""
        if sum(onlooker.seen for onlooker in self._all) != self.pairs:
            return None
        impostors = (onlooker.evidence() for onlooker in self._all)
        return reduce(Pairs.merge, impostors, genuine.evidence(known, self.distance, self.ruler))


class _Across(NamedTuple):
    norms: Singles
    points: Points


class Onlooker:
    """What one worker counts in."""

    def __init__(self, ruler: Ruler, found: pair_glance.Coarse) -> None:
        self._ruler, self._found = ruler, found
        self._keeps = bool(ruler.kept.any())
        self._side = side_of(ruler, np.zeros(2 * len(ruler.edges) + 1, np.int64), adds=True)
        self._counts, self._counted, self.seen = found.cells.fresh.copy(), 0, 0
        self._sums = 0, 0
        self._kept, self._waiting, self._waits = Pairs.empty(ruler), list[Floats](), 0
        self._memory = pair_glance.memory_for(0, 0)
        self._known: dict[int, _Across] = {}

    def see(self, product: Singles, rows: Rows, columns: Rows, left: int, *, lone: bool) -> None:
        """Count a tile.

        Args:
            product: (rows, columns or a few more) ``−2S`` in the frame, +inf where there is no impostor pair.
            rows: One side.
            columns: The other.
            left: Where the columns begin in their block, which names them until they are forgotten.
            lone: Whether they are the rows.
        """
        height, width = len(rows.norms), len(columns.norms)
        self.seen += height * (height - 1) // 2 if lone else height * width
        self._count_on(product.size)
        if len(self._memory.cells) != product.shape[1] or len(self._memory.listed.pairs) <= product.size:
            self._memory = pair_glance.memory_for(height, product.shape[1])
        across = self._across(columns, left)
        lines = Points(rows.exact, rows.exact, rows.far)  # of lines, only rows are read
        side = self._side._replace(kept=np.empty(product.size if self._keeps else 0))
        own, start = _norms(rows, height), 0 if lone else -1
        pair_glance.count(
            product, own, across.norms, start, lines, across.points, self._found, self._counts, side, self._memory
        )
        if side.filled[0]:
            self._keep(kept_of(side))

    def forget(self) -> None:
        """Let go of the columns that were seen."""
        self._known.clear()

    def evidence(self) -> Pairs:
        """Return the evidence of the impostor pairs that were seen; once."""
        self._add_up()
        self._keep_all()
        post(self._ruler, self._side)
        return replace(self._kept, impostor=self._side.bins, sums=(0, 0, *self._sums))

    def _across(self, columns: Rows, left: int) -> _Across:
        if left not in self._known:
            points = Points(np.ascontiguousarray(columns.exact.T), columns.exact, columns.far)
            self._known[left] = _Across(_norms(columns, padded(len(columns.norms))), points)
        return self._known[left]

    def _keep(self, distances: Floats) -> None:
        self._waiting.append(distances)
        self._waits += len(distances)
        if self._waits > _KEPT_AT_ONCE:
            self._keep_all()

    def _keep_all(self) -> None:
        part = Pairs.at(self._ruler, np.zeros(0), np.concatenate([[], *self._waiting]))
        self._kept, self._waiting, self._waits = self._kept.keeping(self._kept, part), [], 0

    def _count_on(self, pairs: int) -> None:
        if self._counted + pairs > MOST_COUNTED:
            self._add_up()
        self._counted += pairs

    def _add_up(self) -> None:
        pair_cells.add_up(self._counts, self._found.cells.edges, self._side.between)
        counted, listed = pair_glance.steps_in(self._counts, self._found.per_step), taken(self._side)
        self._sums = self._sums[0] + counted[0] + listed[0], self._sums[1] + counted[1] + listed[1]
        self._counts[:] = self._found.cells.fresh
        self._counted = 0


def onlookers(ruler: Ruler, distance: Distance, frame: Frame, rows: Rows) -> Onlookers | None:
    """Return onlookers for a set searched among itself; ``None`` where a pass of its own is the faster.

    Args:
        ruler: Where distances are told apart; it reaches beyond every one of them.
        distance: With coarse steps.
        frame: Where float32 looks from.
        rows: All of them.
    """
    count = len(rows.norms)
    most = 2 * float(np.quantile(rows.norms[~rows.far], _OFTEN)) * (1 + 2.0**-20) if not rows.far.all() else 0.0
    error = share(len(frame.centre), SUM_PARTS) * most + frame.least
    found = pair_glance.coarse(ruler, distance, frame.exponent, most, error)
    if found is None:
        return None
    asked, searched = (np.linspace(0, count - 1, some).astype(np.int64) for some in (_ASKED, _SEARCHED))
    product = -2 * rows.single[asked] @ rows.single[searched].T
    own, norms = (rows.norms[some].astype(np.float32) for some in (asked, searched))
    counts, memory = found.cells.fresh.copy(), pair_glance.memory_for(_ASKED, _SEARCHED)
    listed = pair_glance.look(product, _SEARCHED, own, norms, -1, found.glance, counts, memory)
    if listed > product.size * _MOST_LISTED:
        return None
    return Onlookers(ruler, distance, found, count * (count - 1) // 2)


def bytes_of(edges: int, tile: int, block: int, dim: int) -> int:
    """Return what an onlooker takes: a ruler, cells, the pairs of a tile of so many rows, and a block of columns."""
    return 48 * edges + 4 * pair_glance.MOST_CELLS + 25 * tile * tile + 8 * block * dim + 64 * _KEPT_AT_ONCE


def _norms(rows: Rows, size: int) -> Singles:
    """Return squared lengths as float32, endless where a zero vector is far from all, and 0 beyond the last."""
    norms = np.zeros(size, np.float32)
    norms[: len(rows.norms)] = np.where(rows.far, np.inf, rows.norms)
    return norms
