"""The middle and the scatter of every class, class by class in blocks of fixed size."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tripleteval.arrays import AnyArray, Floats, Ints
from tripleteval.data.comparison import Comparison
from tripleteval.distance.formula import Distance
from tripleteval.engine.moments import magnitude
from tripleteval.engine.spread import by_class
from tripleteval.metrics.clustering import Centroids

_ROWS = 4096


def centroids(comparison: Comparison, distance: Distance) -> Centroids:
    """Return the centroids of the gallery's classes (of the unit vectors under cosine); none without classes."""
    grouped, vectors = by_class(comparison), comparison.gallery.vectors
    if grouped is None:
        return Centroids(np.zeros((0, 1)), np.zeros(0), np.zeros(0), np.zeros(0, np.int64))
    fitted = distance if distance.name == "cosine" else Distance("euclidean", magnitude(vectors))
    bounds = np.searchsorted(grouped.classes, np.arange(grouped.width + 1))
    present = np.flatnonzero(np.diff(bounds))
    means, radius, scatter = np.empty((len(present), vectors.shape[1])), np.empty(len(present)), np.empty(len(present))
    for place, (first, last) in enumerate(zip(bounds[present], bounds[present + 1], strict=True)):
        rows = grouped.rows[first:last]
        one = fitted.prepare(vectors[rows[:1]]).columns  # from one of them, copies have no rounding between them
        means[place] = one[:, 0] + sum((part - one).sum(axis=1) for part in _blocks(vectors, rows, fitted)) / len(rows)
        away = [_squared_to(means[place], block) for block in _blocks(vectors, rows, fitted)]
        radius[place] = sum(float(np.sqrt(part).sum()) for part in away) / len(rows)
        scatter[place] = sum(float(part.sum()) for part in away)
    return Centroids(means, radius, scatter, np.diff(bounds)[present])


def _blocks(vectors: AnyArray, rows: Ints, distance: Distance) -> Iterator[Floats]:
    """Yield (dim, n) float64 blocks of the rows, scaled or normalised."""
    for start in range(0, len(rows), _ROWS):
        yield distance.prepare(vectors[rows[start : start + _ROWS]]).columns


def _squared_to(mean: Floats, columns: Floats) -> Floats:
    total = np.zeros(columns.shape[1])
    for middle, column in zip(mean, columns, strict=True):
        total += np.square(column - middle)
    return total
