"""How the distances of genuine and of impostor pairs are spread, counted between fixed edges."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tripleteval.arrays import Bools, Floats, Ints


@dataclass(frozen=True, eq=False)
class Ruler:
    """Where distances are told apart: at the edges exactly, between two edges only where it is asked for.

    Attributes:
        edges: (K,) float64, ascending and distinct.
        kept: (K + 1,) bool, whether the distances strictly between edges ``j - 1`` and ``j`` are kept one by one.
        capacity: How many distinct distances are kept; were there more, none is.
        grid: (G,) float64, those of the edges at which histograms are cut.
    """

    edges: Floats
    kept: Bools
    capacity: int
    grid: Floats

    def counts(self, ascending: Floats) -> Ints:
        """Return how many distances lie in each bin: ``2 j + 1`` at edge ``j``, ``2 j`` between ``j - 1`` and ``j``."""
        below, upto = (np.searchsorted(ascending, self.edges, side=side) for side in ("left", "right"))
        ends = np.stack([below, upto], axis=1).ravel()
        counts: Ints = np.diff(ends, prepend=0, append=len(ascending))
        return counts

    def keeps(self, ascending: Floats, counts: Ints) -> Floats:
        """Return those of the distances that are kept one by one."""
        kept = np.zeros(len(counts), dtype=bool)
        kept[::2] = self.kept
        found: Floats = ascending[np.repeat(kept, counts)]
        return found


@dataclass(frozen=True)
class Pairs:
    """Genuine and impostor pairs per bin of a ruler, and what is needed for their means and variances.

    Attributes:
        ruler: What the bins are; the same in everything that is merged.
        genuine: (2 K + 1,) int64, genuine pairs per bin.
        impostor: (2 K + 1,) int64, impostor pairs per bin.
        values: (V,) float64, the distinct distances in the kept bins, ascending.
        genuine_at: (V,) int64, genuine pairs at each.
        impostor_at: (V,) int64, impostor pairs at each.
        overflow: Whether there were more distinct distances than may be kept; ``values`` is empty then.
        sums: Sum of the distances and of their squares, of genuine and of impostor pairs, each distance rounded to
            whole steps of `Distance.step`: integers, so that the sums do not depend on their order.
    """

    ruler: Ruler
    genuine: Ints
    impostor: Ints
    values: Floats
    genuine_at: Ints
    impostor_at: Ints
    overflow: bool
    sums: tuple[int, int, int, int]

    @classmethod
    def empty(cls, ruler: Ruler) -> Pairs:
        """Return the evidence of no pair."""
        bins, nothing = np.zeros(len(ruler.edges) * 2 + 1, np.int64), np.zeros(0, np.int64)
        return cls(ruler, bins, bins, np.zeros(0), nothing, nothing, overflow=False, sums=(0, 0, 0, 0))

    @classmethod
    def at(cls, ruler: Ruler, genuine: Floats, impostor: Floats) -> Pairs:
        """Return the evidence of pairs at kept distances; bins and sums are left to the caller."""
        nothing = cls.empty(ruler)
        values, place = np.unique(np.concatenate([genuine, impostor]), return_inverse=True)
        of = len(values)
        if of > ruler.capacity:
            return replace(nothing, overflow=True)
        return replace(
            nothing,
            values=values,
            genuine_at=np.bincount(place[: len(genuine)], minlength=of),
            impostor_at=np.bincount(place[len(genuine) :], minlength=of),
        )

    def merge(self, other: Pairs) -> Pairs:
        """Return the evidence of both sets of pairs together."""
        first, second, third, fourth = (a + b for a, b in zip(self.sums, other.sums, strict=True))
        counted = replace(
            self,
            genuine=self.genuine + other.genuine,
            impostor=self.impostor + other.impostor,
            sums=(first, second, third, fourth),
        )
        return counted.keeping(self, other)

    def keeping(self, *parts: Pairs) -> Pairs:
        """Return this evidence with the kept distances of all ``parts`` in place of its own."""
        joined = np.concatenate([part.values for part in parts])
        order = np.argsort(joined, kind="stable")  # a merge: every part is sorted
        ordered = joined[order]
        starts = np.flatnonzero(np.append([True], np.diff(ordered) > 0)) if len(ordered) else np.zeros(0, np.int64)
        if len(starts) > self.ruler.capacity or any(part.overflow for part in parts):
            nothing = np.zeros(0, np.int64)
            return replace(self, values=np.zeros(0), genuine_at=nothing, impostor_at=nothing, overflow=True)
        if not len(starts):
            return replace(parts[0], ruler=self.ruler, genuine=self.genuine, impostor=self.impostor, sums=self.sums)
        genuine, impostor = (
            np.add.reduceat(np.concatenate([getattr(part, side) for part in parts])[order], starts)
            for side in ("genuine_at", "impostor_at")
        )
        return replace(self, values=ordered[starts], genuine_at=genuine, impostor_at=impostor, overflow=False)
