"""One set of promises, kept by every backend that is installed."""

from __future__ import annotations

import numpy as np
import pytest

from tripleteval.distance.formula import distance_for
from tripleteval.engine.run import Pass
from tripleteval.errors import MissingExtra
from tripleteval.search import BACKENDS, How
from tripleteval.search.answers import Question, neighbors
from tripleteval.search.files import load, save
from tripleteval.search.process import Searcher
from tripleteval.search.rows import Frame

EXACT = {"exact", "faiss-flat"}
UNSEEDED = {"scann"}


def question(queries, gallery, own_row=None, distance="euclidean") -> Question:
    frame = Frame.around(distance_for(distance, queries, gallery), queries, gallery)
    own = np.full(len(queries), -1) if own_row is None else own_row
    return Question(queries, gallery, own, frame)


def how(name: str, dim: int, seed: int = 0) -> How:
    return How({key: values[0] for key, values in BACKENDS[name].build_grid.items()}, seed, 1, dim)


def widest(name: str) -> dict:
    return {key: values[-1] for key, values in BACKENDS[name].search_grid.items()}


def brute(queries, gallery, k):
    """Rows and distances in plain float64."""
    far = np.sqrt(np.square(queries[:, None].astype(float) - gallery[None].astype(float)).sum(axis=2))
    order = np.lexsort((np.broadcast_to(np.arange(len(gallery)), far.shape), far), axis=1)[:, :k]
    return order, np.take_along_axis(far, order, axis=1)


@pytest.fixture(params=BACKENDS.names())
def name(request) -> str:
    try:
        BACKENDS[request.param].require_installed()
    except MissingExtra as error:
        pytest.skip(str(error))
    return request.param


@pytest.fixture
def clusters():
    rng = np.random.default_rng(5)
    gallery = (rng.normal(size=(30, 16))[np.arange(600) % 30] + 0.3 * rng.normal(size=(600, 16))).astype(np.float32)
    return gallery[:50] + np.float32(0.05), gallery


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_a_backend_answers_in_our_units_in_order_and_nearly_right(name, clusters, distance):
    queries, gallery = clusters
    asked = question(queries, gallery, distance=distance)
    with Searcher(BACKENDS[name], how(name, 16), timeout=120, memory=None) as searcher:
        searcher.build(asked.searched)
        found = neighbors(searcher, asked, 10, widest(name))
    if distance == "cosine":
        queries, gallery = (x / np.linalg.norm(x.astype(float), axis=1, keepdims=True) for x in (queries, gallery))
    rows, _ = brute(queries, gallery, 10)
    right = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(found.rows.tolist(), rows.tolist(), strict=True)])
    assert right > (0.999 if name in EXACT else 0.6), right
    true = brute(queries, gallery, len(gallery))[1] ** (2 if distance == "cosine" else 1)
    true = true / 2 if distance == "cosine" else true
    assert np.all(np.diff(found.squared, axis=1) >= 0)
    mine = asked.frame.distance.from_squared(found.squared)
    for i in range(len(queries)):
        assert np.isclose(true[i][:, None], mine[i][None, :], rtol=1e-9, atol=1e-12).any(axis=0).all()


def test_the_query_itself_is_left_out_also_where_it_is_not_found(name, clusters):
    _, gallery = clusters
    asked = question(gallery[:40], gallery, np.arange(40))
    with Searcher(BACKENDS[name], how(name, 16), timeout=120, memory=None) as searcher:
        searcher.build(asked.searched)
        found = neighbors(searcher, asked, 5, widest(name))
    assert found.rows.shape == (40, 5)
    assert not (found.rows == np.arange(40)[:, None]).any()
    assert (found.rows[:, 0] >= 0).all()


def test_more_neighbours_than_there_are_rows_are_nobody(name):
    gallery = np.random.default_rng(0).normal(size=(7, 8)).astype(np.float32)
    asked = question(gallery[:3], gallery)
    with Searcher(BACKENDS[name], how(name, 8), timeout=120, memory=None) as searcher:
        searcher.build(asked.searched)
        found = neighbors(searcher, asked, 20, widest(name))
    assert found.rows.shape == (3, 7)
    for row in found.rows.tolist():
        there = [r for r in row if r >= 0]
        assert len(set(there)) == len(there)
        assert row[len(there) :] == [-1] * (7 - len(there))


def test_one_query_gets_what_it_gets_in_a_batch(name, clusters):
    queries, gallery = clusters
    both = question(queries[:8], gallery)
    with Searcher(BACKENDS[name], how(name, 16), timeout=120, memory=None) as searcher:
        searcher.build(both.searched)
        together = neighbors(searcher, both, 5, widest(name)).rows
        alone = [neighbors(searcher, question(queries[i : i + 1], gallery), 5, widest(name)).rows[0] for i in range(8)]
    assert np.mean(np.stack(alone) == together) > 0.9  # float32 sums another way may swap two that nearly tie


def test_a_saved_index_answers_as_before(name, clusters, tmp_path):
    queries, gallery = clusters
    asked = question(queries, gallery)
    with Searcher(BACKENDS[name], how(name, 16), timeout=120, memory=None) as searcher:
        searcher.build(asked.searched)
        before = neighbors(searcher, asked, 5, widest(name))
        sealed = save(searcher, tmp_path / "index")
    assert sealed.bytes > 0
    with Searcher(BACKENDS[name], how(name, 16), timeout=120, memory=None) as searcher:
        assert load(searcher, tmp_path / "index") == sealed
        assert np.array_equal(neighbors(searcher, asked, 5, widest(name)).rows, before.rows)


def test_one_seed_builds_one_index(name, clusters):
    if name in UNSEEDED:
        assert BACKENDS[name].randomised
        return
    queries, gallery = clusters
    asked = question(queries, gallery)
    found = []
    for _ in range(2):
        with Searcher(BACKENDS[name], how(name, 16, seed=3), timeout=120, memory=None) as searcher:
            searcher.build(asked.searched)
            found.append(neighbors(searcher, asked, 5, {k: v[0] for k, v in BACKENDS[name].search_grid.items()}).rows)
    assert np.array_equal(*found)


def test_exact_search_is_the_engine_bit_for_bit(clusters):
    from tripleteval import Embeddings
    from tripleteval.engine.plan import Order
    from tripleteval.evaluation.relevance import compare

    _, gallery = clusters
    tight = 1 + 1e-4 * gallery.astype(np.float32)
    asked = question(tight, tight, np.arange(len(tight)))
    with Searcher(BACKENDS["exact"], how("exact", 16), timeout=120, memory=None) as searcher:
        searcher.build(asked.searched)
        found = neighbors(searcher, asked, 10, {})
    everyone = compare(Embeddings(tight, np.arange(600) % 30), None, ignore=None, relevance=None)
    engine = Pass(everyone, asked.frame.distance, np.zeros(0), np.zeros(0), 10)
    true = engine.measure(Order(0, 600, 0, 600)).neighbors
    assert np.array_equal(found.rows, true.rows)
    assert np.array_equal(found.squared, true.squared)
