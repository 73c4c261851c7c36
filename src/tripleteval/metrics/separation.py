"""How far apart the classes are, in units of the distance: diagnostics, not what to choose a model by.

Every pair of items is weighed alike; self-matches and ignored pairs are left out. Only the shares and ratios
can be compared between models.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from tripleteval.arrays import Bools, Floats, Ints
from tripleteval.bounds import Bounds
from tripleteval.evidence.spread import Spread
from tripleteval.evidence.triplets import Triplets
from tripleteval.metrics import Column, Scalar, metric, quantity


class Separation(NamedTuple):
    """What is left of a `Spread` once its classes have been compared: one entry per query.

    Attributes:
        own: Sum of the distances within the class.
        own_items: How many there are.
        other: Sum of the distances to other classes.
        other_items: How many there are.
        silhouette: (b − a) / max(a, b).
        defined: Whether the silhouette is.
        farthest_own: Largest distance within the class, -inf where there is none.
        nearest_other: Smallest distance to another class, +inf where there is none.
    """

    own: Floats
    own_items: Ints
    other: Floats
    other_items: Ints
    silhouette: Floats
    defined: Bools
    farthest_own: Floats
    nearest_other: Floats


def separation(spread: Spread, *, lone: bool, split: bool) -> Separation:
    """Compare the classes of a `Spread`.

    Args:
        spread: Evidence that has seen the whole gallery.
        lone: Whether a query without another item of its class has silhouette 0, rather than none.
        split: Whether the gallery has at least two classes, and fewer than items.
    """
    sums, counts = spread.sums.values(), spread.counts
    query = np.arange(len(counts))
    own, items = sums[query, spread.own], counts[query, spread.own]
    means = np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)
    means[query, spread.own] = np.inf
    a, b = own / np.maximum(items, 1), means.min(axis=1, initial=np.inf)
    has_other = np.isfinite(b)
    both = (items > 0) & has_other
    larger = np.maximum(a, np.where(has_other, b, 0.0))
    silhouette = np.where(both & (larger > 0), (np.where(has_other, b, 0.0) - a) / np.where(larger > 0, larger, 1), 0.0)
    return Separation(
        own,
        items,
        _others(spread),
        counts.sum(axis=1) - items,
        silhouette,
        has_other & ((items > 0) | lone) & split,
        spread.farthest_own,
        spread.nearest_other,
    )


@metric("intra_distance", of="distances", better=None, headline="pooled", pools=True, bounds=Bounds(low=0.0))
def intra_distance(triplets: Triplets) -> Column:
    """Mean distance between items of one class (a query and its positives).

    Range [0, ∞), in the unit of the distance.

    Source:
        The definition itself.
    """
    counts = np.diff(triplets.indptr)
    owner = np.repeat(np.arange(len(counts)), counts)
    return Column(np.bincount(owner, weights=triplets.distance, minlength=len(counts)), counts)


@metric(
    "inter_distance", of="spread", better=None, headline="pooled", pools=True, default=False, bounds=Bounds(low=0.0)
)
def inter_distance(separation: Separation) -> Column:
    """Mean distance between items of different classes, over every such pair.

    Range [0, ∞), in the unit of the distance.

    Source:
        The definition itself.
    """
    return Column(separation.other, separation.other_items)


@metric("silhouette", of="spread", better="higher", default=False, bounds=Bounds(-1.0, 1.0))
def silhouette(separation: Separation) -> Column:
    """Mean of (b − a) / max(a, b): a is the mean distance to the own class, b that to the nearest other class.

    Range [−1, 1]. The classes are those of the labels, not clusters that were found. An item alone in its class
    counts 0, as does a = b = 0. Undefined with one class, or with as many classes as items.

    Source:
        Rousseeuw 1987; equal to `sklearn.metrics.silhouette_score`.
    """
    return Column(np.where(separation.defined, separation.silhouette, 0.0), separation.defined.astype(np.int64))


@quantity("separation_ratio", of="spread", better="lower", default=False, bounds=Bounds(low=0.0))
def separation_ratio(separation: Separation) -> Scalar:
    """Mean distance within classes over mean distance between classes.

    Range [0, ∞): small where classes are compact and far apart, 1 where labels mean nothing to the space.

    Source:
        The definition itself.
    """
    own, other = int(separation.own_items.sum()), int(separation.other_items.sum())
    if not own or not other:
        return Scalar(None, own + other, "no pair within a class" if not own else "no pair of different classes")
    between = math.fsum(separation.other.tolist()) / other
    if between == 0:
        return Scalar(None, own + other, "all distances between classes are 0")
    return Scalar(math.fsum(separation.own.tolist()) / own / between, own + other)


def _others(spread: Spread) -> Floats:
    """Return the sum over the other classes: of the integers, not of their rounded values."""
    query = np.arange(len(spread.own))
    coarse = spread.sums.coarse.sum(axis=1) - spread.sums.coarse[query, spread.own]
    fine = spread.sums.fine.sum(axis=1) - spread.sums.fine[query, spread.own]
    return spread.sums._replace(coarse=coarse, fine=fine).values()
