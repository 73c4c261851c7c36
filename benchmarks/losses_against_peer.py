"""Do our losses, and what we call easy, semi-hard and hard, equal those of pytorch-metric-learning on the same batches?

Compared is what both define alike: batch-all averaged over all triplets and over those that cost something, batch-hard,
soft margins, given triplets, and how many triplets are easy, semi-hard and hard. Its semi-hard miner takes *all*
semi-hard triplets, ours (FaceNet's, and TensorFlow Addons') the nearest one per pair, so those losses differ.
Everything is computed in float64. Needs ``pip install 'tripleteval[bench]'``.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from importlib.metadata import version
from importlib.util import find_spec
from itertools import product
from typing import Any

import numpy as np
from clusters import report

from tripleteval.keras import (
    TripletAllLoss,
    TripletHardLoss,
    TripletMarginLoss,
    triplet_composition,
)

import keras  # isort: skip  # after the names above, with which Keras came quietly

DISTANCES, MARGINS, BATCH = ("euclidean", "sqeuclidean", "cosine"), (0.0, 0.2, 1.0, "soft"), 48


class Peer:
    """The same in the words of pytorch-metric-learning, for one distance and one margin."""

    def __init__(self, distance: str, margin: float | str) -> None:
        from pytorch_metric_learning import distances, losses, miners, reducers

        power = {"euclidean": 1, "sqeuclidean": 2}
        self._space = (
            distances.CosineSimilarity()
            if distance == "cosine"
            else distances.LpDistance(normalize_embeddings=False, power=power[distance])
        )
        self._margin, self._miners, self._reducers = margin, miners, reducers
        soft = {"margin": 0.0, "smooth_loss": True} if margin == "soft" else {"margin": margin}
        self._loss = lambda reducer: losses.TripletMarginLoss(distance=self._space, reducer=reducer, **soft)

    def values(self, vectors: Any, labels: Any) -> dict[str, float]:
        """Return the losses of a batch."""
        mean, nonzero = self._reducers.MeanReducer(), self._reducers.AvgNonZeroReducer()
        hardest = self._miners.BatchHardMiner(distance=self._space)(vectors, labels)
        found = {
            "all, mean of all": self._loss(mean)(vectors, labels),
            "all, nonzero mean": self._loss(nonzero)(vectors, labels),
            "hard": self._loss(mean)(vectors, labels, hardest),
            "given": self._loss(mean)(vectors, labels, given(labels)),
        }
        return {name: float(value) for name, value in found.items()}

    def counts(self, vectors: Any, labels: Any) -> dict[str, int]:
        """Return how many triplets of a batch are easy, semi-hard and hard."""
        kinds = {"easy": "easy", "semi_hard": "semihard", "hard": "hard"}
        return {
            name: len(self._miners.TripletMarginMiner(self._margin, kind, distance=self._space)(vectors, labels)[0])
            for name, kind in kinds.items()
        }


def ours(vectors: np.ndarray, labels: np.ndarray, distance: str, margin: float | str) -> dict[str, float]:
    """Return our losses of a batch, under the names of `Peer.values`."""
    stacked = np.stack([vectors[part] for part in given(labels)], axis=1)
    found = {
        "all, mean of all": TripletAllLoss(margin, distance, mean="all")(labels, vectors),
        "all, nonzero mean": TripletAllLoss(margin, distance)(labels, vectors),
        "hard": TripletHardLoss(margin, distance)(labels, vectors),
        "given": TripletMarginLoss(margin, distance)(np.zeros(len(stacked)), stacked),
    }
    return {name: float(value) for name, value in found.items()}


def composition(vectors: np.ndarray, labels: np.ndarray, distance: str, margin: float) -> dict[str, int]:
    """Return our counts of a batch, under the names of `Peer.counts`."""
    found = {}
    for metric in triplet_composition(margin, distance):
        metric.update_state(labels, vectors)
        found[metric.name] = round(float(metric.result()) * triplets(labels))
    return found


def triplets(labels: np.ndarray) -> int:
    """Return how many valid triplets a batch has."""
    sizes = np.unique(labels, return_counts=True)[1]
    return int((sizes * (sizes - 1) * (len(labels) - sizes)).sum())


def given(labels: Any) -> tuple[list[int], ...]:
    """Return (anchors, positives, negatives): one triplet for each anchor that has one."""
    codes = np.asarray(labels).tolist()
    rows = range(len(codes))
    found = []
    for anchor in rows:
        positive = next((row for row in rows if row != anchor and codes[row] == codes[anchor]), None)
        negative = next((row for row in rows if codes[row] != codes[anchor]), None)
        if positive is not None and negative is not None:
            found.append((anchor, positive, negative))
    return tuple(map(list, zip(*found, strict=True)))


def compared(number: int, dim: int, classes: int) -> Iterator[tuple[str, float, bool]]:
    """Yield, for each batch, distance, margin and loss: its name, the relative difference, whether counts are equal."""
    import torch

    rng = np.random.default_rng(0)
    for _ in range(number):
        labels = rng.integers(0, classes, BATCH)
        vectors = rng.normal(size=(classes, dim))[labels] + rng.normal(size=(BATCH, dim))
        if len(given(labels)) == 0:
            continue
        tensors = torch.tensor(vectors), torch.tensor(labels)
        for distance, margin in product(DISTANCES, MARGINS):
            peer = Peer(distance, margin)
            mine, theirs = ours(vectors, labels, distance, margin), peer.values(*tensors)
            same = margin == "soft" or composition(vectors, labels, distance, margin) == peer.counts(*tensors)
            for name, value in mine.items():
                yield name, abs(value - theirs[name]) / max(abs(theirs[name]), 1e-12), same


def main() -> None:
    """Compare them and print one line."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("-n", type=int, default=480, help=f"items in all, in batches of {BATCH}")
    options.add_argument("--dim", type=int, default=16)
    options.add_argument("--classes", type=int, default=12)
    options_given = options.parse_args()
    figures: dict[str, Any] = {"pytorch_metric_learning": "not installed"}
    if find_spec("pytorch_metric_learning"):
        keras.config.set_floatx("float64")
        largest: dict[str, float] = {}
        batches, same = 0, True
        for name, difference, counts in compared(options_given.n // BATCH, options_given.dim, options_given.classes):
            largest[name] = max(largest.get(name, 0.0), difference)
            batches, same = batches + 1, same and counts
        figures = {
            "compared": batches,
            "largest_relative_difference": largest,
            "same_counts_of_easy_semi_hard_and_hard": same,
            "pytorch_metric_learning": version("pytorch-metric-learning"),
        }
    report(question="losses against a peer", **vars(options_given), **figures, backend=keras.backend.backend())


if __name__ == "__main__":
    main()
