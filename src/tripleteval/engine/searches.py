"""Probes against identities: how close each probe is to every identity, block by block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tripleteval.arrays import Floats, Ints
from tripleteval.data.comparison import Comparison, owners
from tripleteval.distance.formula import Distance
from tripleteval.engine.plan import MOST_QUERIES, Order
from tripleteval.engine.spread import squared_kernel
from tripleteval.errors import ResourceError

TILE = 512


class Found(NamedTuple):
    """What the searches of a block found.

    Attributes:
        mate: (probes,) float64, distance to the own identity; +inf where it is not enrolled.
        rank: (probes,) float64, rank of the own identity; NaN where it is not enrolled.
        best: (probes,) float64, distance to the closest identity.
        who: (probes,) int64, the closest identity, the first of several; -1 where there is none.
    """

    mate: Floats
    rank: Floats
    best: Floats
    who: Ints


@dataclass(frozen=True)
class SearchPass:
    """The same for every block of probes.

    Attributes:
        comparison: Probes and the templates of the gallery.
        distance: How.
        own: (probes,) int64, the identity of each probe, -1 where it is not enrolled.
        identity: (templates,) int64, the identity of each template.
        identities: How many there are.
        kernel: ``"cpu"`` is compiled; the numbers do not depend on it.
    """

    comparison: Comparison
    distance: Distance
    own: Ints
    identity: Ints
    identities: int
    kernel: str = "reference"

    def __call__(self, order: Order) -> Found:
        """Return what a block of probes found; runs inside the worker."""
        nearest = self._nearest(order)
        own = self.own[order.start : order.stop]
        rows = np.arange(len(own))
        mate = np.where(own >= 0, nearest[rows, own], np.inf)
        enrolled = np.isfinite(mate)
        closer = (nearest < mate[:, None]).sum(axis=1)
        tied = (nearest == mate[:, None]).sum(axis=1) - 1  # itself
        who = np.argmin(nearest, axis=1)
        best = nearest[rows, who]
        return Found(
            mate, np.where(enrolled, 1 + closer + tied / 2, np.nan), best, np.where(np.isfinite(best), who, -1)
        )

    def _nearest(self, order: Order) -> Floats:
        """Return (probes, identities) the distance to the closest template of each identity."""
        comparison, prepare = self.comparison, self.distance.prepare
        probes = prepare(comparison.queries.vectors[order.start : order.stop])
        removed = comparison.removed(order.start, order.stop)
        owner = owners(removed)
        nearest = np.full((order.stop - order.start, self.identities), np.inf)
        for first in range(order.first, order.last, TILE):
            last = min(first + TILE, order.last)
            squared = squared_kernel(self.kernel)(probes, prepare(comparison.gallery.vectors[first:last]))
            here = (removed.rows >= first) & (removed.rows < last)
            squared[owner[here], removed.rows[here] - first] = np.inf
            np.minimum.at(nearest.T, self.identity[first:last], squared.T)
        return self.distance.from_squared(nearest)


def search_orders(comparison: Comparison, identities: int, *, memory: int, workers: int) -> list[Order]:
    """Cut the probes into blocks that each fit a worker's share of memory.

    Raises:
        ResourceError: Not even one probe at a time fits (E802).
    """
    per_probe = 8 * (4 * identities + 4 * TILE)
    fits = (memory // workers - 8 * 4 * TILE * comparison.gallery.dim) // per_probe
    if fits < 1:
        needed = workers * (per_probe + 8 * 4 * TILE * comparison.gallery.dim) / 2**20
        raise ResourceError(
            "E802",
            f"a memory budget of {memory / 2**20:.0f} MiB for {identities:,} identities and {workers} workers",
            fix=f"give memory= (--memory) {needed + 1:.0f}MiB or more, or fewer threads= (--threads)",
        )
    probes, block = len(comparison.queries), min(fits, MOST_QUERIES)
    return [Order(a, min(a + block, probes), 0, len(comparison.gallery)) for a in range(0, probes, block)]
