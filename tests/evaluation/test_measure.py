"""Columns of blocks of queries join, also where a metric has nothing to say."""

import numpy as np

import tripleteval as te
from tripleteval.engine import plan


def test_what_no_query_has_is_undefined_in_every_block(monkeypatch):
    monkeypatch.setattr(plan, "MOST_QUERIES", 16)
    points = np.random.default_rng(7).normal(size=(50, 3))
    several = te.Embeddings(points, [{row % 5, 5 + row % 3} for row in range(50)])
    run = te.evaluate(several, metrics=["silhouette"], kernel="reference", verification=False)
    assert run.metrics["silhouette"]["value"] is None
    assert run.per_query["silhouette"].to_pylist() == [None] * 50
