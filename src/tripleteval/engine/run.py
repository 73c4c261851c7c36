"""Run one order: positives first, then every negative of a stretch of gallery, tile by tile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from tripleteval.arrays import Floats
from tripleteval.data.comparison import Comparison, Lists, owners
from tripleteval.distance.formula import Distance, Prepared, squared_pairs
from tripleteval.engine import kernel_reference
from tripleteval.engine.edges import Edges, Tally
from tripleteval.engine.plan import Order
from tripleteval.errors import ParameterError, nearest
from tripleteval.evidence.neighbors import Neighbors
from tripleteval.evidence.ranks import Positives, Ranks
from tripleteval.evidence.triplets import Triplets

KERNELS = ("auto", "cpu", "reference")
_PAIRS_AT_ONCE = 4096
_SMALL = 4_000_000  # pairs below which compiling or loading the compiled kernel costs more than it saves


class Evidence(NamedTuple):
    """Everything one pass over a stretch of gallery leaves behind."""

    ranks: Ranks
    triplets: Triplets
    neighbors: Neighbors

    def merge(self, other: Evidence) -> Evidence:
        """Return the evidence of both stretches together."""
        return Evidence(
            self.ranks.merge(other.ranks),
            self.triplets.merge(other.triplets),
            self.neighbors.merge(other.neighbors),
        )


class Block(NamedTuple):
    """A block of queries, ready for any stretch of gallery."""

    queries: Prepared
    edges: Edges
    hidden: Lists
    removed: Lists


@dataclass(frozen=True)
class Pass:
    """One pass over a comparison: the same for every order, so that an order is four integers.

    Attributes:
        comparison: Who is compared with whom.
        distance: How.
        margins: Margins at which triplets are counted in full.
        curve: Margins at which only satisfaction is counted.
        k: How many neighbours are kept per query.
        kernel: ``"cpu"`` or ``"reference"``; the numbers do not depend on it.
        tile: Gallery rows per tile; the numbers do not depend on it.
    """

    comparison: Comparison
    distance: Distance
    margins: Floats
    curve: Floats
    k: int
    kernel: str = "reference"
    tile: int | None = None

    def measure(self, order: Order) -> Evidence:
        """Return the evidence of one order."""
        return self.count(self.block(order.start, order.stop), order.first, order.last)

    def measure_in_stretches(self, order: Order, stretches: int) -> Evidence:
        """Return the evidence of one order, cut along the gallery and merged again; it is the same."""
        block = self.block(order.start, order.stop)
        bounds = np.linspace(order.first, order.last, stretches + 1).astype(int).tolist()
        parts = (self.count(block, a, b) for a, b in pairwise(bounds))
        return reduce(Evidence.merge, parts)

    def block(self, start: int, stop: int) -> Block:
        """Return the queries of a block with the distances of their positives and the edges these set."""
        comparison = self.comparison
        queries = self.distance.prepare(comparison.queries.vectors[start:stop])
        removed = comparison.removed(start, stop)
        lists, gains = comparison.positives(start, stop, removed)
        positives = _positives(lists, gains, queries, comparison.gallery.vectors, self.distance)
        edges = Edges.between(positives, self.distance, self.margins, self.curve)
        return Block(queries, edges, _hidden(lists, removed), removed)

    def count(self, block: Block, first: int, last: int) -> Evidence:
        """Return the evidence of one block against gallery rows ``first:last``."""
        count, tile_rows = _kernel(self.kernel)
        width = self.tile or tile_rows
        queries = block.queries.columns.shape[1]
        tally = Tally.empty(len(block.edges.squared), queries, max(self.k, 1))
        for begin in range(first, last, width):
            rows = self.comparison.gallery.vectors[begin : min(begin + width, last)]
            count(block.queries, self.distance.prepare(rows), begin, block.hidden, block.edges, self.distance, tally)
        return Evidence(
            block.edges.ranks(tally),
            block.edges.triplets(tally, tally.squared[:, 0]),
            _neighbors(tally, block.edges.positives, self.k, first, last),
        )


def choose_kernel(name: str, pairs: int) -> str:
    """Return the kernel that ``auto`` means for this many pairs.

    Raises:
        ParameterError: No kernel has this name (E510).
    """
    if name not in KERNELS:
        raise ParameterError("E510", f"unknown kernel {name!r}", fix=nearest(name, KERNELS))
    if name != "auto":
        return name
    return "reference" if pairs < _SMALL else "cpu"


def _kernel(name: str) -> tuple[Callable[..., None], int]:
    if name == "reference":
        return kernel_reference.count, kernel_reference.TILE
    from tripleteval.engine import kernel_cpu  # numba takes a second to import

    return kernel_cpu.count, kernel_cpu.TILE


def _positives(lists: Lists, gains: Floats, queries: Prepared, gallery: Floats, distance: Distance) -> Positives:
    """Return the positives of a block, sorted by (squared, row) within each query."""
    of_query = owners(lists)
    squared = np.empty(len(lists.rows))
    for begin in range(0, len(squared), _PAIRS_AT_ONCE):
        some = slice(begin, begin + _PAIRS_AT_ONCE)
        squared[some] = squared_pairs(queries, of_query[some], distance.prepare(gallery[lists.rows[some]]))
    order = np.lexsort((lists.rows, squared, of_query))
    return Positives(lists.indptr, lists.rows[order], squared[order], gains[order])


def _hidden(positives: Lists, removed: Lists) -> Lists:
    """Return the gallery rows that are not negatives, ascending within each query."""
    owner = np.concatenate([owners(positives), owners(removed)])
    rows = np.concatenate([positives.rows, removed.rows])
    order = np.lexsort((rows, owner))
    return Lists(positives.indptr + removed.indptr, rows[order])


def _neighbors(tally: Tally, positives: Positives, k: int, first: int, last: int) -> Neighbors:
    """Return the k nearest of the tallied negatives and the positives of the same stretch."""
    queries = positives.queries
    others = Neighbors(tally.squared[:, :k], tally.rows[:, :k], np.zeros((queries, k), dtype=bool))
    return others.merge(_nearest_positives(positives, k, first, last))


def _nearest_positives(positives: Positives, k: int, first: int, last: int) -> Neighbors:
    here = (positives.rows >= first) & (positives.rows < last)
    owner = np.repeat(np.arange(positives.queries), positives.per_query)[here]
    counts = np.bincount(owner, minlength=positives.queries)
    place = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    near = place < k
    nearest = Neighbors.empty(positives.queries, k)
    nearest.squared[owner[near], place[near]] = positives.squared[here][near]
    nearest.rows[owner[near], place[near]] = positives.rows[here][near]
    nearest.relevant[owner[near], place[near]] = True
    return nearest
