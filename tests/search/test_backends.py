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
UNSEEDED = {"lancedb", "scann"}
BETTER = {"binary": {"rescore": 4}}  # 16 bits alone are too few


def question(queries, gallery, own_row=None, distance="euclidean") -> Question:
    frame = Frame.around(distance_for(distance, queries, gallery), queries, gallery)
    own = np.full(len(queries), -1) if own_row is None else own_row
    return Question(queries, gallery, own, frame)


def how(name: str, dim: int) -> How:
    usual = {key: values[0] for key, values in BACKENDS[name].build_grid.items()}
    return How(usual | BETTER.get(name, {}), 0, 1, dim)


def widest(name: str) -> dict:
    return {key: values[-1] for key, values in BACKENDS[name].search_grid.items()}


def brute(queries, gallery, k):
    """Rows and distances in plain float64."""
    far = np.sqrt(np.square(queries[:, None].astype(float) - gallery[None].astype(float)).sum(axis=2))
    order = np.lexsort((np.broadcast_to(np.arange(len(gallery)), far.shape), far), axis=1)[:, :k]
    return order, np.take_along_axis(far, order, axis=1)


@pytest.fixture(params=BACKENDS.names(), scope="module")
def name(request) -> str:
    try:
        BACKENDS[request.param].require_installed()
    except MissingExtra as error:
        pytest.skip(str(error))
    return request.param


@pytest.fixture(scope="module")
def clusters():
    rng = np.random.default_rng(5)
    gallery = (rng.normal(size=(30, 16))[np.arange(600) % 30] + 0.3 * rng.normal(size=(600, 16))).astype(np.float32)
    return gallery[:50] + np.float32(0.05), gallery


@pytest.fixture(scope="module")
def alive(name, clusters):
    """One index that several tests search, and what it was built of."""
    asked = question(*clusters)
    with Searcher(BACKENDS[name], how(name, 16), timeout=120, memory=None) as searcher:
        searcher.build(asked.searched)
        yield searcher, asked


def require_right(name, asked, found, queries, gallery, power):
    rows, _ = brute(queries, gallery, 10)
    right = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(found.rows.tolist(), rows.tolist(), strict=True)])
    assert right > (0.999 if name in EXACT else 0.6), right
    assert found.as_returned is not BACKENDS[name].faithful
    assert found.as_returned or np.all(np.diff(found.squared, axis=1) >= 0)
    true = np.sqrt(np.square(queries[:, None] - gallery[found.rows]).sum(axis=2)) ** power
    mine = asked.frame.distance.from_squared(found.squared)
    assert np.allclose(true / power, mine, rtol=1e-9, atol=1e-12)


def test_a_backend_answers_in_our_units_in_order_and_nearly_right(name, alive):
    searcher, asked = alive
    queries, gallery = asked.queries.astype(float), asked.gallery.astype(float)
    require_right(name, asked, neighbors(searcher, asked, 10, widest(name)), queries, gallery, 1)


def test_cosine_is_half_the_squared_distance_of_unit_vectors(name, clusters):
    asked = question(*clusters, distance="cosine")
    with Searcher(BACKENDS[name], how(name, 16), timeout=120, memory=None) as searcher:
        searcher.build(asked.searched)
        found = neighbors(searcher, asked, 10, widest(name))
    unit = [x / np.linalg.norm(x.astype(float), axis=1, keepdims=True) for x in clusters]
    require_right(name, asked, found, *unit, 2)


def test_the_query_itself_is_left_out_also_where_it_is_not_found(name, alive):
    searcher, asked = alive
    itself = Question(asked.gallery[:40], asked.gallery, np.arange(40), asked.frame)
    found = neighbors(searcher, itself, 5, widest(name))
    assert found.rows.shape == (40, 5)
    assert not (found.rows == np.arange(40)[:, None]).any()
    assert (found.rows[:, 0] >= 0).all()


def test_one_query_gets_what_it_gets_in_a_batch(name, alive):
    searcher, asked = alive
    together = neighbors(searcher, asked, 5, widest(name)).rows[:8]
    one_by_one = [Question(asked.queries[i : i + 1], asked.gallery, np.full(1, -1), asked.frame) for i in range(8)]
    alone = [neighbors(searcher, one, 5, widest(name)).rows[0] for one in one_by_one]
    assert np.mean(np.stack(alone) == together) > 0.9  # float32 sums another way may swap two that nearly tie


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


def test_a_saved_index_answers_as_before(name, alive, tmp_path):
    searcher, asked = alive
    before = neighbors(searcher, asked, 5, widest(name))
    sealed = save(searcher, tmp_path / "index")
    assert sealed.bytes > 0
    with Searcher(BACKENDS[name], how(name, 16), timeout=120, memory=None) as another:
        assert load(another, tmp_path / "index") == sealed
        assert np.array_equal(neighbors(another, asked, 5, widest(name)).rows, before.rows)


def test_one_seed_builds_one_index(name, alive):
    if name in UNSEEDED:
        assert BACKENDS[name].randomised
        return
    searcher, asked = alive
    narrow = {key: values[0] for key, values in BACKENDS[name].search_grid.items()}
    with Searcher(BACKENDS[name], how(name, 16), timeout=120, memory=None) as another:
        another.build(asked.searched)
        assert np.array_equal(*(neighbors(each, asked, 5, narrow).rows for each in (searcher, another)))


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
