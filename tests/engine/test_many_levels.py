"""Queries with many levels are led to their places, and every bit is still that of the reference."""

from dataclasses import replace

import numpy as np
import pytest

from engine.test_agreement import HOSTILE, agree, clusters
from engine.test_coarse_tile import agree_in_parts, counted, engine, met, whole  # noqa: F401  # counted is a fixture
from tripleteval.data.embeddings import Embeddings
from tripleteval.distance.formula import DISTANCES
from tripleteval.engine import kernel_cpu

FOUR = np.arange(400) % 4  # a hundred positives of each query, and six questions about the distance to each


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("noise", [0.3, 1.0, 3.0])
@pytest.mark.parametrize("bits", [5, 9, 12])
def test_every_tile_counts_the_same(distance, noise, bits):
    x = clusters(400, 24, 4, noise)
    oracle = whole(engine(x, distance, bits, "reference", labels=FOUR))
    for tile in (None, 61):
        agree(oracle, whole(engine(x, distance, bits, "cpu", tile, FOUR)), tile)
        agree_in_parts(oracle, met(engine(x, distance, bits, "cpu", tile, FOUR)))


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_sets_count_the_same(name, distance):
    x, two = HOSTILE[name], np.arange(150) % 2
    oracle = whole(engine(x, distance, 9, "reference", labels=two))
    agree(oracle, whole(engine(x, distance, 9, "cpu", None, two)), name)
    agree_in_parts(oracle, met(engine(x, distance, 9, "cpu", 40, two)))


def test_few_of_them_take_float64(counted):  # noqa: F811
    x = clusters(2000, 32, 20, 1.0)
    labels = np.arange(2000) % 20
    found = whole(engine(x, "euclidean", 11, "cpu", 256, labels))
    assert min(counted) >= 0
    assert found.settled == sum(counted) < 0.05 * 2000**2
    agree(whole(engine(x, "euclidean", 11, "reference", labels=labels)), found, "few")


def test_what_float32_may_get_wrong_is_computed(counted, monkeypatch):  # noqa: F811
    x = clusters(400, 131, 4, 3.0)
    monkeypatch.setattr(kernel_cpu, "_MOST", 1.0)  # nothing is refused
    x[::3] += 30.0  # far from the middle of all, and near to each other
    asked = {"distance": "euclidean", "bits": 11, "labels": FOUR}
    agree(whole(engine(x, **asked, kernel="reference")), whole(engine(x, **asked, kernel="cpu", tile=128)), "far")
    assert min(counted) > 0


@pytest.mark.parametrize("distance", ["euclidean", "sqeuclidean"])
def test_edges_within_a_fine_step_are_told_apart_where_that_is_wider_than_float32_errs(distance):
    x = clusters(400, 1, 4, 1.0)
    runs = [engine(x, distance, 5, kernel, labels=FOUR) for kernel in ("reference", "cpu")]
    agree(*(whole(replace(run, distance=replace(run.distance, step_bits=17, dropped_bits=11))) for run in runs), "wide")


def test_queries_of_another_set_with_few_positives_or_many_count_the_same():
    x, labels = clusters(400, 24, 40, 1.5), np.where(np.arange(400) < 200, 0, np.arange(400))
    asked = Embeddings(clusters(90, 24, 40, 2.0), np.where(np.arange(90) % 2, 0, 200 + np.arange(90)))
    oracle = whole(engine(x, "euclidean", 10, "reference", labels=labels, queries=asked))
    agree(oracle, whole(engine(x, "euclidean", 10, "cpu", 64, labels, queries=asked)), "another set")
