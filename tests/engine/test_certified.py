"""float32 never decides what it cannot know: the bound holds, the answer is one, and it is that of exact arithmetic."""

import os
from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tripleteval as te
from tripleteval.data.embeddings import Embeddings
from tripleteval.distance.formula import distance_for, squared_block
from tripleteval.engine import plan, run
from tripleteval.engine.frame import Frame
from tripleteval.engine.plan import Order
from tripleteval.engine.squared_product import lifted
from tripleteval.evaluation.relevance import compare

RNG = np.random.default_rng(5)
SPREAD = RNG.normal(size=(1200, 12))
LABELS = np.arange(150) % 12
# 10,000 here, 100,000 by night: TRIPLETEVAL_CASES=100000.
CASES = int(os.environ.get("TRIPLETEVAL_CASES", "10000"))


def hostile(points: np.ndarray) -> dict[str, np.ndarray]:
    """Return what breaks float32, made of ``points``."""
    half = points[: len(points) // 2]
    return {
        "duplicates": np.repeat(points[: len(points) // 3], 3, axis=0),
        "offset": points + 1e3,
        "huge": points * 1e20,
        "tiny": points * 1e-30,
        "subnormal": points * 1e-310,
        "collapsed": np.ones_like(points) + 1e-8 * points,
        "all equal": np.ones_like(points),
        "two identical halves": np.concatenate([half, half]),
        "one far away": np.concatenate([points[:-1], 1e6 + points[-1:]]),
    }


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
@pytest.mark.parametrize("name", hostile(SPREAD))
def test_float32_is_never_further_off_than_its_bound(name, distance):
    points = hostile(SPREAD)[name]
    fitted = distance_for(distance, points)
    frame = Frame.around(fitted, points, points)
    rows = frame.rows(points)
    exact = frame.scaled(squared_block(fitted.prepare(points), fitted.prepare(points)))
    seen = (-2 * rows.single @ rows.single.T) + rows.norms.astype(np.float32)
    off = np.abs(rows.norms[:, None] + seen - exact)
    assert np.all(off <= frame.relative * (rows.norms[:, None] + rows.norms) + frame.least)


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
@pytest.mark.parametrize("name", hostile(SPREAD))
def test_a_product_in_float64_is_never_further_off_than_its_bound(name, distance):
    points = hostile(SPREAD)[name]
    prepared = distance_for(distance, points).prepare(points)
    rows = prepared.columns.T
    asked, searched = (lifted(rows, rows.mean(axis=0), asks=asks) for asks in (True, False))
    off = np.abs(asked.rows @ searched.rows.T - squared_block(prepared, prepared))
    near = ~(prepared.far[:, None] | prepared.far)  # a zero vector has a distance of its own
    assert np.all((off <= asked.doubts[:, None] + searched.doubts)[near])


@pytest.mark.parametrize("name", hostile(SPREAD))
def test_threads_tiles_and_blocks_leave_no_trace(name, monkeypatch):
    points = hostile(SPREAD[:150])[name]
    hashes = {te.evaluate(points, LABELS[: len(points)], kernel="reference").result_hash}
    for threads, tile, most in product((1, 2, 3, 4), (8, 56), (40, 2048)):
        monkeypatch.setattr(run, "_TILE", tile)
        monkeypatch.setattr(plan, "MOST_QUERIES_MUTUAL", most)
        monkeypatch.setattr(plan, "MOST_QUERIES", most)
        for mapping in (None, map):  # blocks in pairs, and blocks against the whole gallery
            hashes.add(
                te.evaluate(points, LABELS[: len(points)], kernel="cpu", threads=threads, map=mapping).result_hash
            )
    assert len(hashes) == 1


@pytest.mark.parametrize("name", hostile(SPREAD))
def test_the_order_of_the_rows_leaves_no_trace_in_the_numbers(name):
    points = hostile(SPREAD[:150])[name]
    order = RNG.permutation(len(points))
    labels = LABELS[: len(points)]
    one = te.evaluate(points, labels, kernel="cpu")
    two = te.evaluate(points[order], labels[order], kernel="cpu")
    assert one.metrics == two.metrics
    assert one.accounting == two.accounting


@given(
    points=st.lists(st.lists(st.integers(-3, 3), min_size=2, max_size=2), min_size=3, max_size=6),
    exponent=st.integers(-12, 0),
    offset=st.sampled_from([0.0, 1.0, 1024.0, -3.0e6]),
)
@settings(max_examples=CASES)
def test_ranks_are_those_of_exact_arithmetic(points, exponent, offset):
    # Far from the origin and close together: float32 sees one point, float64 is exact.
    vectors = np.ldexp(np.array(points, dtype=float), exponent) + offset
    labels = [i % 2 for i in range(len(points))]
    comparison = compare(Embeddings(vectors, labels), None, ignore=None, relevance=None)
    nothing = np.zeros(0)
    engine = run.Pass(comparison, distance_for("sqeuclidean", vectors), nothing, nothing, 1, "cpu", 8)
    ranks, plain = (
        replace(engine, kernel=kernel).measure(Order(0, len(points), 0, len(points))).ranks
        for kernel in ("cpu", "numpy")
    )
    assert np.array_equal(ranks.closer, plain.closer)
    assert np.array_equal(ranks.tied, plain.tied)
    exact = [[sum((Fraction(a) - Fraction(b)) ** 2 for a, b in zip(p, q, strict=True)) for q in points] for p in points]
    for query in range(len(points)):
        others = [exact[query][n] for n in range(len(points)) if labels[n] != labels[query]]
        for i in range(ranks.positives.indptr[query], ranks.positives.indptr[query + 1]):
            here = exact[query][ranks.positives.rows[i]]
            assert ranks.closer[i] == sum(n < here for n in others)
            assert ranks.tied[i] == sum(n == here for n in others)


def test_a_collapsed_network_gets_its_true_recall():
    # Unit vectors whose mean cosine is 1 − 1e-8: products in float32 see nothing but rounding.
    classes = np.arange(600) % 60
    shape = RNG.normal(size=(60, 128))[classes] + 0.3 * RNG.normal(size=(600, 128))
    points = RNG.normal(size=128) + 1e-4 * shape
    points = (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)
    fast = te.evaluate(points, classes, distance="cosine", kernel="cpu")
    assert fast["recall@1"] == te.evaluate(points, classes, distance="cosine", kernel="reference")["recall@1"]
    assert fast["hit_rate@1"] > 0.99


def test_neighbors_nearer_than_the_norm_can_tell_are_found_in_whatever_blocks(monkeypatch):
    monkeypatch.setattr(plan, "MOST_QUERIES_MUTUAL", 60)
    random = np.random.default_rng(0)
    where = random.integers(0, 20, 600)
    points = random.normal(size=(20, 8))[where] + 1e-9 * random.normal(size=(600, 8))
    labels = random.integers(0, 3, 600) + 3 * where
    how = {"margins": [0.0], "verification": False, "threads": 1}
    plain, fast = (te.evaluate(points, labels, kernel=kernel, **how) for kernel in ("reference", "cpu"))
    assert plain.neighbors.equals(fast.neighbors)
    assert plain.result_hash == fast.result_hash
