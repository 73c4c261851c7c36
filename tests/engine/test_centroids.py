"""The middle, the radius and the scatter of every class, as NumPy has them."""

import numpy as np
import pytest

from tripleteval.data.embeddings import Embeddings
from tripleteval.distance.formula import distance_for
from tripleteval.engine import centroids
from tripleteval.evaluation.relevance import compare


@pytest.mark.parametrize("rows", [4096, 3, 1])
@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_they_are_those_of_each_class_however_many_rows_at_once(distance, rows, monkeypatch):
    monkeypatch.setattr(centroids, "_ROWS", rows)
    rng = np.random.default_rng(0)
    points, labels = rng.uniform(0.1, 0.9, (40, 5)), rng.integers(0, 6, 40)
    queries, gallery = Embeddings(points[:2], labels[:2]), Embeddings(points[2:], labels[2:])
    found = centroids.centroids(
        compare(queries, gallery, ignore=None, relevance=None), distance_for(distance, gallery.vectors)
    )
    seen = points[2:] / np.linalg.norm(points[2:], axis=1)[:, None] if distance == "cosine" else points[2:]
    expected = []
    for name in np.unique(labels[2:]):
        own = seen[labels[2:] == name]
        away = np.linalg.norm(own - own.mean(axis=0), axis=1)
        expected.append([*own.mean(axis=0), away.mean(), np.square(away).sum(), len(own)])
    told = np.column_stack([found.means, found.radius, found.scatter, found.items]).tolist()
    assert sorted(told) == [pytest.approx(line) for line in sorted(expected)]
