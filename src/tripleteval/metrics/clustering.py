"""How well the classes could be found again without labels; and what their centroids say.

k-means adds its own luck to the verdict: these scores hardly tell apart embeddings that retrieve equally well
(Musgrave, Belongie & Lim 2020), so they are measured only when asked for.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from tripleteval.arrays import Floats, Ints
from tripleteval.bounds import SHARE, Bounds
from tripleteval.distance.formula import Prepared, squared_block
from tripleteval.metrics import Scalar, quantity

_AT_ONCE = 256
_COINCIDENT = 1e-24  # squared, in units of the largest coordinate
_STILL = 1e-30  # likewise, per item: normalising leaves 1e-32 between parallel vectors


class Clusters(NamedTuple):
    """What k-means found against the labels; one entry per seed.

    Attributes:
        scores: Per score, by its spelling, its value for each seed.
        items: How many items were clustered.
        reason: Why there are no scores.
    """

    scores: dict[str, list[float]]
    items: int
    reason: str = ""


class Centroids(NamedTuple):
    """The middle of each class, coordinates divided by a power of two so that they are below 1.

    Attributes:
        means: (classes, dim) float64.
        radius: (classes,) mean Euclidean distance of its items to the mean.
        scatter: (classes,) sum of those distances, squared.
        items: (classes,) int64, how many items each has.
    """

    means: Floats
    radius: Floats
    scatter: Floats
    items: Ints


@quantity("ami", of="clusters", better="higher", default=False, bounds=Bounds(-1.0, 1.0))
def ami(clusters: Clusters) -> Scalar:
    """Adjusted mutual information of the labels and k-means with as many clusters, mean over 10 seeds.

    Range (−1, 1]; 0 by chance, 1 where the clusters are the classes.

    Source:
        Vinh, Epps & Bailey 2010, with the arithmetic mean; `sklearn.metrics.adjusted_mutual_info_score`.
    """
    return _over_seeds(clusters, "ami")


@quantity("ari", of="clusters", better="higher", default=False, bounds=Bounds(-0.5, 1.0))
def ari(clusters: Clusters) -> Scalar:
    """Adjusted Rand index of the labels and k-means with as many clusters, mean over 10 seeds.

    Range [−½, 1]; 0 by chance, 1 where the clusters are the classes.

    Source:
        Hubert & Arabie 1985; `sklearn.metrics.adjusted_rand_score`.
    """
    return _over_seeds(clusters, "ari")


@quantity("nmi", of="clusters", better="higher", default=False, bounds=SHARE)
def nmi(clusters: Clusters) -> Scalar:
    """Normalised mutual information (arithmetic mean), mean over 10 seeds. Prefer ami.

    Range [0, 1], but not 0 by chance: a random partition of 5,000 items into 2,500 classes scores 0.90.

    Source:
        `sklearn.metrics.normalized_mutual_info_score`; Musgrave, Belongie & Lim 2020 on what it is worth.
    """
    return _over_seeds(clusters, "nmi")


@quantity("purity", of="clusters", better="higher", default=False, bounds=SHARE)
def purity(clusters: Clusters) -> Scalar:
    """Share of items whose cluster is mostly of their own class, mean over 10 seeds. Never read it alone.

    Range (0, 1]. It rises with the number of clusters and is 1 where each item is its own; a random partition of
    5,000 items into 2,500 classes scores 0.43.

    Source:
        Manning, Raghavan & Schütze 2008, section 16.3.
    """
    return _over_seeds(clusters, "purity")


@quantity("pairwise_f1", of="clusters", better="higher", default=False, bounds=SHARE)
def pairwise_f1(clusters: Clusters) -> Scalar:
    """Harmonic mean of precision and recall over pairs of items put into one cluster, mean over 10 seeds.

    Range [0, 1]. A pair in one cluster is right where it shares a class; big classes rule it. Prefer ari.

    Source:
        Manning, Raghavan & Schütze 2008, section 16.3; the "F1" of Oh Song et al. 2016.
    """
    return _over_seeds(clusters, "pairwise_f1")


def purity_of(classes: Ints, clusters: Ints) -> float:
    """Return the share of items that are of the most frequent class of their cluster."""
    return int(_contingency(classes, clusters).max(axis=0).sum()) / len(classes)


def pairwise_f1_of(classes: Ints, clusters: Ints) -> float:
    """Return the F1 of pairs in one cluster, for pairs of one class; 0 without a pair of either."""
    table = _contingency(classes, clusters)
    both, of_class, of_cluster = (int((n * (n - 1)).sum()) for n in (table, table.sum(axis=1), table.sum(axis=0)))
    return 2 * both / (of_class + of_cluster) if of_class + of_cluster else 0.0


@quantity("davies_bouldin", of="centroids", better="lower", default=False, bounds=Bounds(low=0.0))
def davies_bouldin(centroids: Centroids) -> Scalar:
    """Mean over classes of the worst (Sᵢ + Sⱼ) / ‖μᵢ − μⱼ‖; S is the mean distance of a class to its centroid μ.

    Range [0, ∞). Euclidean, of the unit vectors under cosine. Undefined where two centroids coincide.

    Source:
        Davies & Bouldin 1979; equal to `sklearn.metrics.davies_bouldin_score`, which calls coincidence 0.
    """
    refused, n = _refused(centroids), int(centroids.items.sum())
    if refused:
        return Scalar(None, n, refused)
    columns = Prepared(np.ascontiguousarray(centroids.means.T), np.zeros(len(centroids.means), dtype=bool))
    worst = []
    for start in range(0, len(centroids.means), _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        squared = squared_block(Prepared(columns.columns[:, some].copy(), columns.far[some]), columns)
        mine = np.arange(start, start + len(squared))
        squared[np.arange(len(squared)), mine] = np.inf
        if squared.min() <= _COINCIDENT:
            return Scalar(None, n, "two classes have the same centroid")
        worst += ((centroids.radius[mine, None] + centroids.radius[None, :]) / np.sqrt(squared)).max(axis=1).tolist()
    return Scalar(math.fsum(worst) / len(worst), n)


@quantity("calinski_harabasz", of="centroids", better="higher", default=False, bounds=Bounds(low=0.0))
def calinski_harabasz(centroids: Centroids) -> Scalar:
    """Scatter between the centroids over scatter within the classes, each by its degrees of freedom.

    Range [0, ∞). Euclidean, of the unit vectors under cosine. Undefined without scatter within classes.

    Source:
        Caliński & Harabasz 1974; equal to `sklearn.metrics.calinski_harabasz_score`, which then returns 1.
    """
    refused, n, classes = _refused(centroids), int(centroids.items.sum()), len(centroids.items)
    within = math.fsum(centroids.scatter.tolist())
    if refused or within <= n * _STILL:
        return Scalar(None, n, refused or "zero within-class scatter")
    middle = (centroids.means * centroids.items[:, None]).sum(axis=0) / n
    apart = np.square(centroids.means - middle).sum(axis=1)
    between = math.fsum((centroids.items * apart).tolist())
    return Scalar(between / (classes - 1) / (within / (n - classes)), n)


def _contingency(classes: Ints, clusters: Ints) -> Ints:
    """Return (classes, clusters) how many items of each class stand in each cluster."""
    rows, columns = (np.unique(side, return_inverse=True)[1] for side in (classes, clusters))
    width = int(columns.max()) + 1
    found: Ints = np.bincount(rows * width + columns, minlength=(int(rows.max()) + 1) * width).reshape(-1, width)
    return found


def _refused(centroids: Centroids) -> str:
    items, classes = int(centroids.items.sum()), len(centroids.items)
    if not classes:
        return "an item has no single class"
    return "" if 2 <= classes < items else "it takes two classes, and fewer classes than items"


def _over_seeds(clusters: Clusters, name: str) -> Scalar:
    if clusters.reason:
        return Scalar(None, clusters.items, clusters.reason)
    scores = clusters.scores[name]
    mean = math.fsum(scores) / len(scores)
    return Scalar(mean, clusters.items, sd=math.sqrt(math.fsum((s - mean) ** 2 for s in scores) / len(scores)))
