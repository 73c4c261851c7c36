"""Where sums are of coarse steps, float32 counts almost everything, and every bit is still that of the reference."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.test_agreement import EVIDENCE, HOSTILE, agree, clusters
from tripleteval.data.embeddings import Embeddings
from tripleteval.distance.formula import DISTANCES, distance_for
from tripleteval.engine import coarse_tile, kernel_cpu, mutual
from tripleteval.engine.plan import Order
from tripleteval.engine.run import Pass
from tripleteval.evaluation.relevance import compare

LABELS = np.arange(400) % 40


def engine(x, distance, bits, kernel, tile=None, labels=LABELS, k=3, queries=None):
    """Return a pass whose sums are of steps that are ``2**-bits`` of a power of two around a typical distance."""
    gallery = Embeddings(x, labels[: len(x)])
    comparison = compare(queries or gallery, gallery if queries else None, ignore=None, relevance=None)
    fitted = replace(distance_for(distance, x, x if queries is None else queries.vectors), step_bits=36)
    with np.errstate(over="ignore"):
        squared = ((x[:50, None].astype(float) - x[None, :50]) ** 2).sum(2)
    typical = np.sqrt(np.median(squared)) if distance == "euclidean" else np.median(squared)
    if distance == "cosine":
        typical = 1.0
    wanted = np.frexp(typical)[1] - bits - (np.frexp(fitted.fine_step)[1] - 1)
    fitted = replace(fitted, dropped_bits=int(np.clip(wanted, 11, 30)))
    return Pass(comparison, fitted, np.array([0.2, 1.0]), np.linspace(-1, 1, 3), k, kernel, tile)


def whole(run):
    """Return the evidence of all queries."""
    return run.measure(Order(0, len(run.comparison.queries), 0, len(run.comparison.gallery)))


def met(run, blocks=3):
    """Return the evidence of all queries, searched among each other, a tile serving both sides."""
    count = len(run.comparison.queries)
    cuts = np.linspace(0, count, blocks + 1).astype(int).tolist()
    orders = [Order(a, b, 0, count) for a, b in pairwise(cuts)]
    return [run.evidence(of.block, of.tally, 0, count) for of in mutual.sweep(run, orders, map, lambda _: None)]


def agree_in_parts(oracle, parts):
    """Assert that the evidence of blocks is that of all queries."""
    for part, names in EVIDENCE:
        for name in names:
            both = np.concatenate([getattr(getattr(some, part), name) for some in parts])
            assert np.array_equal(getattr(getattr(oracle, part), name), both), name


@pytest.fixture
def counted(monkeypatch):
    """Return a list of what becomes of each tile that is counted at sight."""
    seen, found = kernel_cpu.count_seen, []
    monkeypatch.setattr(kernel_cpu, "count_seen", lambda *of: found.append(seen(*of)) or found[-1])
    return found


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("noise", [0.3, 1.0, 3.0])
@pytest.mark.parametrize("bits", [5, 9, 12])
def test_every_kernel_and_tile_counts_the_same(distance, noise, bits):
    x = clusters(400, 24, 40, noise)
    oracle = whole(engine(x, distance, bits, "reference"))
    agree(oracle, whole(engine(x, distance, bits, "numpy", 64)), "numpy")
    for tile in (None, 129, 61, 8):
        agree(oracle, whole(engine(x, distance, bits, "cpu", tile)), tile)
    for tile in (None, 50):
        agree_in_parts(oracle, met(engine(x, distance, bits, "cpu", tile)))


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_sets_count_the_same_although_nobody_would_round_them(name, distance):
    x = HOSTILE[name]
    oracle = whole(engine(x, distance, 9, "reference"))
    for tile in (None, 24):
        agree(oracle, whole(engine(x, distance, 9, "cpu", tile)), (name, tile))
        agree_in_parts(oracle, met(engine(x, distance, 9, "cpu", tile)))


def test_queries_of_another_set_count_the_same():
    x, labels = clusters(400, 24, 40, 1.5), np.arange(400) % 40
    asked = Embeddings(clusters(90, 24, 40, 2.0), labels[:90])
    oracle = whole(engine(x, "euclidean", 10, "reference", queries=asked))
    agree(oracle, whole(engine(x, "euclidean", 10, "cpu", 64, queries=asked)), "another set")


def test_almost_nothing_takes_float64(counted):
    x = clusters(2000, 32, 400, 1.0)
    labels = np.arange(2000) % 400
    run = engine(x, "euclidean", 11, "cpu", 256, labels)
    found = met(run, 2)
    assert min(counted) >= 0
    assert sum(of.settled for of in found) == sum(counted) < 0.05 * 2000**2 / 2
    agree_in_parts(whole(engine(x, "euclidean", 11, "reference", labels=labels)), found)


def test_a_step_that_float32_may_get_wrong_is_computed(counted, monkeypatch):
    x = clusters(400, 131, 40, 3.0)
    monkeypatch.setattr(kernel_cpu, "_MOST", 1.0)  # nothing is refused
    x[::3] += 30.0  # far from the middle of all, and near to each other
    asked = {"distance": "euclidean", "bits": 11}
    agree(whole(engine(x, **asked, kernel="reference")), whole(engine(x, **asked, kernel="cpu", tile=128)), "far")
    assert min(counted) > 0


def test_a_tile_of_which_float32_is_sure_of_little_is_left_to_float64(counted):
    x = clusters(400, 24, 40, 3.0)
    oracle = whole(engine(x, "euclidean", 22, "reference"))
    agree(oracle, whole(engine(x, "euclidean", 22, "cpu", 64)), "too fine")
    assert coarse_tile.REFUSED in counted


def test_margins_beyond_everything_and_steps_beyond_two_bytes_count_the_same():
    x = clusters(400, 24, 40, 1.0)
    x[13] *= 300  # tens of thousands of steps away
    for margin in (1e3, 1e30):
        runs = [engine(x, "euclidean", 10, kernel) for kernel in ("reference", "cpu")]
        agree(*(whole(replace(run, margins=np.array([0.2, margin]))) for run in runs), margin)


@pytest.mark.parametrize(("least", "most", "classes"), [(4, 60, 8), (40, 90, 2)])  # the latter have many levels
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_small_set_counts_the_same(least, most, classes, data):
    n, dim = data.draw(st.integers(least, most)), data.draw(st.integers(1, 12))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    x = rng.normal(size=(n, dim)) + data.draw(st.sampled_from([0.0, 30.0]))
    x[: n // 4] = x[n // 2 : n // 2 + n // 4] + data.draw(st.sampled_from([0.0, 1e-9, 1e-3]))
    labels = rng.integers(0, data.draw(st.integers(1, classes)), n)
    labels[1] = labels[0]  # somebody has something to find
    bits, k = data.draw(st.integers(3, 14)), data.draw(st.integers(1, 12))
    distance = data.draw(st.sampled_from(DISTANCES))
    oracle = whole(engine(x, distance, bits, "reference", labels=labels, k=k))
    tile = data.draw(st.sampled_from([None, 7, 16]))
    agree(oracle, whole(engine(x, distance, bits, "cpu", tile, labels, k)), "one side")
    agree_in_parts(oracle, met(engine(x, distance, bits, "cpu", tile, labels, k), 2))
