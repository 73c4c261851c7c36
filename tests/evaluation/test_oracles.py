"""Other people's code on data without ties: scikit-learn and trec_eval must say the same."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, ndcg_score, roc_auc_score
from sklearn.neighbors import NearestNeighbors

import tripleteval as te

RNG = np.random.default_rng(7)
N, DIM = 120, 6
POINTS = RNG.normal(size=(8, DIM))[np.arange(N) % 8] + RNG.normal(size=(N, DIM))
LABELS = np.arange(N) % 8


def others(query: int) -> tuple[np.ndarray, np.ndarray]:
    """Return relevance and similarity of everyone but the query."""
    rest = np.arange(N) != query
    return LABELS[rest] == LABELS[query], -np.linalg.norm(POINTS[rest] - POINTS[query], axis=1)


@pytest.fixture(scope="module")
def run() -> te.Evaluation:
    return te.evaluate(POINTS, LABELS, ks=(1, 5, 10), metrics=["ndcg", "map@10"])


def test_map_is_scikit_learns_average_precision(run):
    expected = [average_precision_score(*others(q)) for q in range(N)]
    np.testing.assert_allclose(run.per_query["map"].to_numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("k", [1, 5, 10, None])
def test_ndcg_is_scikit_learns(run, k):
    expected = [ndcg_score([others(q)[0].astype(int)], [others(q)[1]], k=k) for q in range(N)]
    np.testing.assert_allclose(run.per_query[f"ndcg@{k}" if k else "ndcg"].to_numpy(), expected, rtol=1e-12)


def test_ndcg_with_ties_is_scikit_learns():
    points = np.round(POINTS[:, :1])
    ours = te.evaluate(points, LABELS, ks=(5,)).per_query["ndcg@5"].to_numpy()
    for q in range(N):
        rest = np.arange(N) != q
        similarity = -np.abs(points[rest, 0] - points[q, 0])
        expected = ndcg_score([(LABELS[rest] == LABELS[q]).astype(int)], [similarity], k=5)
        assert ours[q] == pytest.approx(expected, rel=1e-12)


def test_per_anchor_triplet_accuracy_is_roc_auc(run):
    expected = [roc_auc_score(*others(q)) for q in range(N)]
    np.testing.assert_allclose(run.per_query["triplet_accuracy"].to_numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize(("distance", "theirs"), [("euclidean", "euclidean"), ("cosine", "cosine")])
def test_neighbours_are_scikit_learns(distance, theirs):
    found = te.evaluate(POINTS, LABELS, distance=distance, neighbors=7).neighbors
    distances, rows = NearestNeighbors(n_neighbors=8, metric=theirs, algorithm="brute").fit(POINTS).kneighbors()
    assert np.array_equal(found["gallery"].to_numpy().reshape(N, 7), rows[:, :7])
    np.testing.assert_allclose(found["distance"].to_numpy().reshape(N, 7), distances[:, :7], rtol=1e-9)


def test_trec_eval_says_the_same(run):
    import pytrec_eval

    qrel = {str(q): {str(g): int(LABELS[g] == LABELS[q]) for g in range(N) if g != q} for q in range(N)}
    # Ranks, not distances: trec_eval keeps scores in float32.
    scores = {}
    for q in range(N):
        order = np.argsort(np.linalg.norm(POINTS - POINTS[q], axis=1))
        scores[str(q)] = {str(g): float(N - rank) for rank, g in enumerate(order) if g != q}
    names = {
        "map": "map",
        "recip_rank": "mrr",
        "Rprec": "r_precision",
        "P_5": "precision@5",
        "recall_10": "recall@10",
        "success_5": "hit_rate@5",
        "ndcg_cut_10": "ndcg@10",
        "map_cut_10": "map@10",
    }
    theirs = pytrec_eval.RelevanceEvaluator(qrel, set(names)).evaluate(scores)
    for name, ours in names.items():
        expected = [theirs[str(q)][name] for q in range(N)]
        np.testing.assert_allclose(run.per_query[ours].to_numpy(), expected, rtol=1e-9, atol=1e-12, err_msg=name)
