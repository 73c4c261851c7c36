"""How much of the true neighbourhood an index finds, by id and by distance.

All distances are recomputed in float64 from the vectors; an index's own, which may be quantised, play no part.
Found is what exists and was returned: padding is a miss, never a match. The denominator is k, or what there is.

Source:
    Spec E.1 to E.3. ann-benchmarks adds 1e-3 to the k-th distance, and then calls everything right where
    distances are small; here the allowance is relative.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tripleteval.arrays import Bools, Floats
from tripleteval.distance.formula import Distance
from tripleteval.evaluation.search_truth import Truth
from tripleteval.search.contract import NOBODY, Found

EPSILON = 0.01


@dataclass(frozen=True)
class Overlap:
    """The lists of an index beside the true ones; every method returns one number per query.

    Attributes:
        truth: The true neighbours.
        found: What the index found, in as many columns.
        distance: Makes distances of ``squared``.
    """

    truth: Truth
    found: Found
    distance: Distance

    def numbers(self) -> dict[str, Floats]:
        """Return every column by its name in tables and JSON."""
        return {
            "tie_aware_recall": self.tie_aware_recall(),
            "id_recall": self.id_recall(),
            "near_recall": self.near_recall(EPSILON),
            "nearest_found": self.nearest_found(),
            "excess_ratio": self.excess_ratio(),
            "distance_ratio": self.distance_ratio(),
            "missing": self.missing(),
        }

    def id_recall(self) -> Floats:
        """Return the share of the true neighbours, by row, that was found: |found ∩ true| / k."""
        width = int(max(self.truth.found.rows.max(initial=0), self.found.rows.max(initial=0))) + 1
        query = np.arange(len(self.found.rows))[:, None] * width
        true = (query + self.truth.found.rows)[self._true]
        hits = np.isin(query + self.found.rows, true) & self._found
        return self._share(hits)

    def tie_aware_recall(self) -> Floats:
        """Return the share found that is at most as far as the k-th true neighbour: d ≤ d_k.

        An item that ties with the k-th is as good as it; without such ties this is `id_recall`.
        """
        return self._share((self.found.squared <= self._kth[:, None]) & self._found)

    def near_recall(self, epsilon: float) -> Floats:
        """Return the share found with d ≤ (1 + ε) d_k."""
        limit = (1 + epsilon) * self.distance.from_squared(self._kth)[:, None]
        return self._share((self.distance.from_squared(self.found.squared) <= limit) & self._found)

    def nearest_found(self) -> Floats:
        """Return 1 where one of the items found is as near as the nearest: "1-recall@k"."""
        return np.asarray((self.found.squared <= self.truth.found.squared[:, :1]).any(axis=1), np.float64)

    def excess_ratio(self) -> Floats:
        """Return the mean over the list of max(1, d / d_k): how far beyond the k-th lies what should not be there.

        NaN where the list is not full, or where d_k is 0 and something lies beyond it.
        """
        kth, far = self.distance.from_squared(self._kth)[:, None], self.distance.from_squared(self.found.squared)
        with np.errstate(divide="ignore", invalid="ignore"):
            return _finite(self._share(np.where(far <= kth, 1.0, far / kth), within=self._true))

    def distance_ratio(self) -> Floats:
        """Return Σ d_found / Σ d_true, ≥ 1; NaN where the list is not full, or all true distances are 0."""
        mine, true = (self.distance.from_squared(f.squared) for f in (self.found, self.truth.found))
        sums = [np.where(self._true, each, 0.0).sum(axis=1) for each in (mine, true)]
        with np.errstate(divide="ignore", invalid="ignore"):
            return _finite(sums[0] / sums[1])

    def missing(self) -> Floats:
        """Return the share of the list that was not filled."""
        return self._share(self._true & ~self._found)

    @property
    def _true(self) -> Bools:
        return np.asarray(self.truth.found.rows != NOBODY)

    @property
    def _found(self) -> Bools:
        return np.asarray(self.found.rows != NOBODY)

    @property
    def _kth(self) -> Floats:
        last = np.maximum(self._true.sum(axis=1) - 1, 0)
        return np.asarray(self.truth.found.squared[np.arange(len(last)), last])

    def _share(self, values: Floats | Bools, within: Bools | None = None) -> Floats:
        counted = values if within is None else np.where(within, values, 0.0)
        return np.asarray(counted.sum(axis=1) / np.maximum(self._true.sum(axis=1), 1))


def _finite(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, np.nan)
