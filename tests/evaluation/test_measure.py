"""Columns of blocks of queries join, also where a metric has nothing to say."""

import numpy as np
import pytest

import tripleteval as te
from tripleteval.engine import plan
from tripleteval.evaluation.measure import pass_costs
from tripleteval.evaluation.relevance import compare
from tripleteval.evaluation.settings import Settings


def test_what_no_query_has_is_undefined_in_every_block(monkeypatch):
    monkeypatch.setattr(plan, "MOST_QUERIES", 16)
    points = np.random.default_rng(7).normal(size=(50, 3))
    several = te.Embeddings(points, [{row % 5, 5 + row % 3} for row in range(50)])
    run = te.evaluate(several, metrics=["silhouette"], kernel="reference", verification=False)
    assert run.metrics["silhouette"]["value"] is None
    assert run.per_query["silhouette"].to_pylist() == [None] * 50


@pytest.mark.parametrize("kernel", ["numpy", "reference"])
def test_blocks_whose_tiles_are_counted_without_compiling_stay_as_small_as_planned(kernel):
    embeddings = te.Embeddings(np.zeros((4000, 512), np.float16), np.arange(4000) % 1000)
    comparison = compare(embeddings, None, ignore=None, relevance=None)
    costs = pass_costs(512, 4000, 4000, Settings(), kernel=kernel)
    memory = plan.least_memory(comparison, costs, 1) + 20 * 2**20  # less than the gallery takes when it is held
    orders, _ = plan.plan(comparison, costs, memory=memory, workers=1, cut=True)
    assert max(order.stop - order.start for order in orders) == plan.MOST_QUERIES
