"""Run one order: positives first, then every negative of a stretch of gallery, tile by tile."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tripleteval.arrays import Floats, Ints, in_runs
from tripleteval.data.comparison import Comparison, Lists, owners
from tripleteval.distance.formula import Distance, Prepared, squared_pairs
from tripleteval.engine import kernel_numpy, kernel_reference
from tripleteval.engine.edges import Edges, Tally
from tripleteval.engine.frame import Frame, Shelf, window
from tripleteval.engine.limits import Limits
from tripleteval.engine.plan import Order
from tripleteval.errors import ParameterError, nearest
from tripleteval.evidence.neighbors import Neighbors
from tripleteval.evidence.ranks import Positives, Ranks
from tripleteval.evidence.triplets import Triplets

if TYPE_CHECKING:
    from tripleteval.engine.onlookers import Onlookers

KERNELS = ("auto", "cpu", "numpy", "reference")
_PLAIN = {"numpy": kernel_numpy, "reference": kernel_reference}
_PAIRS_AT_ONCE = 512
_MANY_POSITIVES = 64  # of one query, from which on they are sorted query by query
_BEYOND_ROWS = 2**40
_MAKING = threading.Lock()
_TILE = 512  # with as many queries, the products are 1 MiB, which stays in L2
_TINY = 10_000  # pairs below which plain NumPy is as fast
_SMALL = 4_000_000  # pairs below which compiling or loading the compiled kernel costs more than it saves


class Evidence(NamedTuple):
    """Everything one pass over a stretch of gallery leaves behind.

    ``settled`` counts the pairs that took float64. It depends on kernel, tiles and threads; nothing else does.
    """

    ranks: Ranks
    triplets: Triplets
    neighbors: Neighbors
    settled: int

    def merge(self, other: Evidence) -> Evidence:
        """Return the evidence of both stretches together."""
        return Evidence(
            self.ranks.merge(other.ranks),
            self.triplets.merge(other.triplets),
            self.neighbors.merge(other.neighbors),
            self.settled + other.settled,
        )


class Block(NamedTuple):
    """A block of queries, ready for any stretch of gallery; ``start`` is the row of its first query."""

    start: int
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
        kernel: ``"cpu"``, ``"numpy"`` or ``"reference"``; the numbers do not depend on it.
        tile: Gallery rows per tile; the numbers do not depend on it.
        hold: Whether the gallery is held ready in both precisions; the numbers do not depend on it.
        onlookers: Who is shown the products of a set searched among itself.
    """

    comparison: Comparison
    distance: Distance
    margins: Floats
    curve: Floats
    k: int
    kernel: str = "reference"
    tile: int | None = None
    hold: bool = True
    onlookers: Onlookers | None = None

    def measure(self, order: Order) -> Evidence:
        """Return the evidence of one order."""
        whole = order.first == 0 and order.last == len(self.comparison.gallery)
        block = self.block(order.start, order.stop) if whole else self._shared_block(order.start, order.stop)
        return self.count(block, order.first, order.last)

    def _shared_block(self, start: int, stop: int) -> Block:
        """Return a block that several orders count, each against a stretch of gallery; the last two are remembered."""
        with _MAKING:
            known = self._blocks
            if (start, stop) not in known:
                while len(known) > 1:
                    known.pop(next(iter(known)))
                known[start, stop] = self.block(start, stop)
            return known[start, stop]

    @cached_property
    def _blocks(self) -> dict[tuple[int, int], Block]:
        return {}

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
        positives = _sorted(lists, gains, self._squared(lists, queries))
        edges = Edges.between(positives, self.distance, self.margins, self.curve)
        return Block(start, queries, edges, _hidden(lists, removed), removed)

    def _squared(self, lists: Lists, queries: Prepared) -> Floats:
        """Return ``squared`` of each query and the gallery rows listed for it."""
        squared = np.empty(len(lists.rows))
        if self.kernel == "cpu" and (held := self.shelf.held) is not None:
            from tripleteval.engine.listed_squares import listed_squares

            rows = np.ascontiguousarray(queries.columns.T)
            alike = np.argsort(np.append(lists.rows, 0)[lists.indptr[:-1]], kind="stable")  # read the same rows
            listed_squares(alike, lists.indptr, lists.rows, rows, queries.far, held.exact, held.far, squared)
            return squared
        of_query, gallery = owners(lists), self.comparison.gallery.vectors
        order = np.argsort(lists.rows, kind="stable")  # a file is read from its beginning to its end
        at_once = max(_PAIRS_AT_ONCE, window(gallery.shape[1]))
        for begin in range(0, len(squared), at_once):
            some = order[begin : begin + at_once]
            squared[some] = squared_pairs(queries, of_query[some], self.distance.prepare(gallery[lists.rows[some]]))
        return squared

    def count(self, block: Block, first: int, last: int) -> Evidence:
        """Return the evidence of one block against gallery rows ``first:last``."""
        tally = self.empty(block)
        if self.kernel == "cpu":
            self._count_fast(block, first, last, tally)
        else:
            self._count_plainly(block, first, last, tally)
        return self.evidence(block, tally, first, last)

    def empty(self, block: Block) -> Tally:
        """Return a tally of nothing for a block."""
        return Tally.empty(len(block.edges.squared), block.edges.positives.queries, max(self.k, 1))

    def evidence(self, block: Block, tally: Tally, first: int, last: int) -> Evidence:
        """Return what a tally of gallery rows ``first:last`` says."""
        ranks, triplets = block.edges.read(tally)
        return Evidence(
            ranks,
            triplets,
            _neighbors(tally, block.edges.positives, self.k, first, last),
            int(tally.settled[0]),
        )

    def limits(self, block: Block, first: int, last: int) -> Limits:
        """Return how close negatives in rows ``first:last`` must be to matter to a block, before the first of them."""
        rows = self.shelf.frame.rows_of(block.queries)
        return Limits.of(rows, block.edges, self.shelf.frame, max(self.k, 1), (first, last))

    @property
    def width(self) -> int:
        """Gallery rows per tile."""
        return self.tile or width_for(self.kernel)

    def _count_plainly(self, block: Block, first: int, last: int, tally: Tally) -> None:
        for begin in range(first, last, self.width):
            tile = self.distance.prepare(self.comparison.gallery.vectors[begin : min(begin + self.width, last)])
            kernel = _PLAIN[self.kernel]
            kernel.count(block.queries, tile, begin, block.hidden, block.edges, self.distance, tally)

    def _count_fast(self, block: Block, first: int, last: int, tally: Tally) -> None:
        from tripleteval.engine import kernel_cpu  # numba takes a second to import
        from tripleteval.engine.levels import levels_of
        from tripleteval.engine.side import Asking
        from tripleteval.engine.whole import Unit

        rows, limits = self.shelf.frame.rows_of(block.queries), self.limits(block, first, last)
        levels = levels_of(block.edges.indptr, block.edges.squared, Unit.of(self.distance))
        asking = Asking.of(block.start, limits, block.hidden, block.edges, levels, tally)
        kernel_cpu.count(rows, asking, self.shelf, first, last, self.width)
        asking.post()

    def ready(self) -> None:
        """Make what every order needs, before several threads would each make their own."""
        if self.kernel == "cpu":
            _ = self.shelf

    @cached_property
    def shelf(self) -> Shelf:
        """The gallery in both precisions."""
        gallery = self.comparison.gallery.vectors
        frame = Frame.around(self.distance, self.comparison.queries.vectors, gallery)
        return Shelf.of(frame, gallery, hold=self.hold)


def choose_kernel(name: str, pairs: int) -> str:
    """Return the kernel that ``auto`` means for this many pairs.

    Raises:
        ParameterError: No kernel has this name (E510).
    """
    if name not in KERNELS:
        raise ParameterError("E510", f"unknown kernel {name!r}", fix=nearest(name, KERNELS))
    if name != "auto":
        return name
    loaded = "numba" in sys.modules and pairs >= _TINY
    return "cpu" if loaded else kernel_at_first(pairs)


def kernel_at_first(pairs: int) -> str:
    """Return the kernel that ``auto`` means where nothing compiled has been loaded yet."""
    return "cpu" if pairs >= _SMALL else "numpy"


def width_for(kernel: str) -> int:
    """Return how many gallery rows a tile of a kernel has."""
    return _TILE if kernel == "cpu" else _PLAIN[kernel].TILE


def _sorted(lists: Lists, gains: Floats, squared: Floats) -> Positives:
    """Return positives sorted by (squared, row) within each query."""
    if (np.diff(lists.indptr) < _MANY_POSITIVES).all():
        order = np.lexsort((squared, owners(lists)))  # rows are ascending already, and stay so where it is equal
    else:
        order = np.concatenate([a + _ascending(squared[a:b]) for a, b in pairwise(lists.indptr.tolist())])
    return Positives(lists.indptr, lists.rows[order], squared[order], gains[order])


def _ascending(squared: Floats) -> Ints:
    """Return the order of ``squared``, what is equal in the order it has."""
    order = np.argsort(squared)  # half as long as a stable sort, which few queries need
    if (np.diff(squared[order]) == 0).any():
        return np.argsort(squared, kind="stable")
    return order


def _hidden(positives: Lists, removed: Lists) -> Lists:
    """Return the gallery rows that are not negatives, ascending within each query."""
    rows = [of.rows + owners(of) * _BEYOND_ROWS for of in (positives, removed)]
    both = np.sort(np.concatenate(rows), kind="stable")  # of two ascending runs, it is a merge
    return Lists(positives.indptr + removed.indptr, both % _BEYOND_ROWS)


def _neighbors(tally: Tally, positives: Positives, k: int, first: int, last: int) -> Neighbors:
    """Return the k nearest of the tallied negatives and the positives of the same stretch."""
    queries = positives.queries
    others = Neighbors(tally.squared[:, :k], tally.rows[:, :k], np.zeros((queries, k), dtype=bool))
    return others.merge(_nearest_positives(positives, k, first, last))


def _nearest_positives(positives: Positives, k: int, first: int, last: int) -> Neighbors:
    here = (positives.rows >= first) & (positives.rows < last)
    owner = np.repeat(np.arange(positives.queries), positives.per_query)[here]
    _, place = in_runs(np.bincount(owner, minlength=positives.queries))
    near = place < k
    nearest = Neighbors.empty(positives.queries, k)
    nearest.squared[owner[near], place[near]] = positives.squared[here][near]
    nearest.rows[owner[near], place[near]] = positives.rows[here][near]
    nearest.relevant[owner[near], place[near]] = True
    return nearest
