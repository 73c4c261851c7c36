"""k-means against the labels: seeded, repeated, and scored by scikit-learn."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from tripleteval.data.comparison import Comparison
from tripleteval.data.labels import Labels
from tripleteval.distance.formula import Distance
from tripleteval.engine.moments import magnitude
from tripleteval.errors import MissingExtra
from tripleteval.metrics.clustering import Clusters, pairwise_f1_of, purity_of

SEEDS = 10
STARTS = 1  # one start per seed: the spread over seeds is part of the answer


def clusters(comparison: Comparison, distance: Distance, scores: Sequence[str]) -> Clusters:
    """Return the scores of k-means on the gallery, with as many clusters as there are classes, for each seed.

    It is Euclidean, on the unit vectors under cosine, and holds a float64 copy of the gallery whatever the
    memory budget.

    Raises:
        MissingExtra: scikit-learn is not installed (E103).
        ResourceError: The vectors are too many to be held (E802).
    """
    gallery = comparison.gallery
    items = len(gallery)
    if not isinstance(gallery.labels, Labels):
        return Clusters({}, items, "an item has no single class")
    classes = len(np.unique(gallery.labels.codes))
    if not 2 <= classes < items:
        return Clusters({}, items, "it takes two classes, and fewer classes than items")
    cluster, metrics = scikit_learn()
    fitted = distance if distance.name == "cosine" else Distance("euclidean", magnitude(gallery.vectors))
    points = np.ascontiguousarray(fitted.prepare(np.asarray(gallery.vectors)).columns.T)
    known = {
        "ami": metrics.adjusted_mutual_info_score,
        "ari": metrics.adjusted_rand_score,
        "nmi": metrics.normalized_mutual_info_score,
        "purity": purity_of,
        "pairwise_f1": pairwise_f1_of,
    }
    found: dict[str, list[float]] = {name: [] for name in scores}
    for seed in range(SEEDS):
        model = cluster.KMeans(n_clusters=classes, n_init=STARTS, random_state=seed)
        with threadpool_limits(1), warnings.catch_warnings():  # one thread adds up in one order
            warnings.simplefilter("ignore")  # fewer distinct points than clusters: the scores say enough
            assigned = model.fit_predict(points)
        for name in scores:
            found[name].append(float(known[name](gallery.labels.codes, assigned)))
    return Clusters(found, items)


def scikit_learn() -> tuple[Any, Any]:
    """Return ``sklearn.cluster`` and ``sklearn.metrics``.

    Raises:
        MissingExtra: scikit-learn is not installed (E103).
    """
    try:
        from sklearn import cluster, metrics
    except ImportError:
        raise MissingExtra("clustering scores", "sklearn", extra="stats") from None
    return cluster, metrics
