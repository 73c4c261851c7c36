"""Counting without compiling: what the product of a tile rules out was out of reach."""

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

import tripleteval as te
from tripleteval.data.embeddings import Embeddings
from tripleteval.distance.formula import distance_for
from tripleteval.engine import kernel_numpy, squared_some
from tripleteval.engine.room import BYTES_PER_PAIR
from tripleteval.engine.run import Pass
from tripleteval.evaluation.relevance import compare


def one_hash(x, y, **how) -> bool:
    return len({te.evaluate(x, y, kernel=kernel, **how).result_hash for kernel in ("numpy", "reference")}) == 1


@pytest.mark.parametrize("share", [0.0, 2.0])
def test_pairs_are_picked_out_or_a_tile_is_computed_whole(share, monkeypatch):
    monkeypatch.setattr(squared_some, "_MOST", share)
    monkeypatch.setattr(squared_some, "_COORDINATES", 5)  # of seven
    monkeypatch.setattr(squared_some, "_AT_ONCE", 100)  # coordinates: 20 pairs, and some left over
    x = np.random.default_rng(0).normal(size=(300, 7))
    assert one_hash(x, np.arange(300) % 20)


@pytest.mark.parametrize("share", [0.0, 2.0])
def test_zero_vectors_do_not_pass_for_near_ones(share, monkeypatch):
    monkeypatch.setattr(squared_some, "_MOST", share)
    away = np.random.default_rng(0).normal(size=(60, 4)) * 0.02 + [0.3, 0.95, 0, 0]  # nearer than what has no direction
    x = np.vstack([np.tile([1.0, 0, 0, 0], (2, 1)), np.zeros((60, 4)), away])
    y = np.concatenate([[0, 0], np.arange(120) + 1])
    how = {"distance": "cosine", "zero_rows": "far", "margins": [0.0]}
    one, two = (te.evaluate(x, y, kernel=kernel, **how) for kernel in ("numpy", "reference"))
    assert one.neighbors.equals(two.neighbors)
    assert one.result_hash == two.result_hash


@pytest.mark.parametrize(("classes", "tile"), [(40, 200), (4, 60)])  # fewer edges than negatives, and more
def test_edges_that_negatives_share_are_told_apart_by_row(classes, tile, monkeypatch):
    monkeypatch.setattr(kernel_numpy, "TILE", tile)
    x = np.random.default_rng(0).integers(0, 3, size=(400, 2)).astype(np.int8)  # nine places, hundreds of ties each
    assert one_hash(x, np.arange(400) % classes, margins=[0.0, 1.0], ties="index", verification=False)


def test_a_small_set_is_counted_without_compiling():
    code = (
        "import sys, numpy as np, tripleteval as te\n"
        "te.evaluate(np.random.default_rng(0).normal(size=(300, 4)), np.arange(300) % 30)\n"
        "assert 'numba' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


NORMAL = np.random.default_rng(0).normal(size=(1536, 2))


@pytest.mark.parametrize(
    ("points", "classes", "queries", "tile"),
    [(NORMAL, 300, 512, 1024), (np.ones((1536, 2)), 300, 512, 1024), (NORMAL, 2, 64, 64)],
)
def test_a_tile_takes_what_is_planned_for_it_however_many_tie_or_are_asked_for(points, classes, queries, tile):
    comparison = compare(Embeddings(points, np.arange(1536) % classes), None, ignore=None, relevance=None)
    distance = distance_for("euclidean", points)
    engine = Pass(comparison, distance, np.array([0.2]), np.zeros(0), 11, "numpy")
    block, searched = engine.block(0, queries), distance.prepare(points[:tile])
    tally = engine.empty(block)
    tracemalloc.start()
    kernel_numpy.count(block.queries, searched, 0, block.hidden, block.edges, distance, tally)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < BYTES_PER_PAIR["numpy"] * queries * tile + 24 * len(block.hidden.rows)
