"""Approximate search on real embeddings: questions of Banking77 asked, 10,003 others searched."""

from __future__ import annotations

import faiss
import numpy as np
import pytest

import tripleteval as te
from test_banking77 import BANKING, pytestmark, vectors  # noqa: F401  # the mark skips here as well
from tripleteval.errors import MissingExtra
from tripleteval.search import BACKENDS

K = 10
ASKED = 250  # of 3,080, to save a minute


@pytest.fixture(scope="module")
def searched():
    installed = []
    for name, backend in BACKENDS.items():
        try:
            backend.require_installed()
        except MissingExtra:
            continue
        installed.append(name)
    queries, gallery = (te.read(BANKING, where=f"split = '{split}'") for split in ("test", "train"))
    queries = queries.take(np.arange(ASKED))
    params = {"efSearch": [64], "ef": [64], "expansion_search": [64], "search_k": [2000], "leaves_to_search": [16]}
    params |= {"nprobe": [8], "efConstruction": [40], "ef_construction": [40], "n_trees": [10], "expansion_add": [40]}
    known = {name for backend in installed for name in BACKENDS[backend].grid}
    given = {name: values for name, values in params.items() if name in known}
    return te.evaluate_search(queries, gallery=gallery, backends=installed, k=K, seeds=1, repeats=1, params=given)


def entry(searched, backend: str) -> dict:
    return next(each for each in searched if each["backend"] == backend)


def test_every_backend_that_is_installed_runs(searched):
    assert {each["label"]: each["error"] for each in searched if "error" in each} == {}
    assert {"exact", "faiss-flat", "faiss-ivf", "faiss-ivfpq", "faiss-hnsw"} <= {each["backend"] for each in searched}
    assert all(each["overlap"]["tie_aware_recall"] > 0.4 for each in searched)


def test_exact_agrees_with_faiss_flat_wherever_float32_can_tell(searched):
    assert entry(searched, "exact")["overlap"]["tie_aware_recall"] == 1.0
    flat = entry(searched, "faiss-flat")["overlap"]
    assert flat["tie_aware_recall"] > 0.9999
    assert flat["excess_ratio"] < 1 + 1e-6  # what it has instead is as near as float32 can see


def test_the_losses_are_those_of_a_direct_recomputation(searched):
    queries, asked = (side[:ASKED] for side in vectors("test"))
    gallery, labels = vectors("train")
    exact = 2 - 2 * (queries @ gallery.T)
    true = np.argsort(exact, axis=1, kind="stable")[:, :K]
    cells = int(min(4 * len(gallery) ** 0.5, len(gallery) // 39))
    index = faiss.IndexIVFFlat(faiss.IndexFlatL2(queries.shape[1]), queries.shape[1], cells)
    index.cp.seed = 1234
    rows = gallery.astype(np.float32)
    index.train(rows)
    index.add(rows)
    index.nprobe = 8
    _, found = index.search(queries.astype(np.float32), K)
    classes = np.bincount(np.unique(labels, return_inverse=True)[1])
    relevant = classes[np.searchsorted(np.unique(labels), asked)]
    expected = {}
    for name, lists in (("true", true), ("found", found)):
        hits = (labels[lists] == asked[:, None]) & (lists >= 0)
        before = np.cumsum(hits, axis=1)
        expected[name] = {
            f"recall@{K}": (before[:, -1] / relevant).mean(),
            "hit_rate@1": hits[:, 0].mean(),
            f"precision@{K}": (before[:, -1] / K).mean(),
            f"map@{K}": ((before / np.arange(1, K + 1) * hits).sum(axis=1) / relevant).mean(),
        }
    told = entry(searched, "faiss-ivf")["metrics"]
    for name, value in expected["true"].items():
        assert told[name]["exact"] == pytest.approx(value, rel=0, abs=1e-12), name
        lost = value - expected["found"][name]
        assert told[name]["loss"] == pytest.approx(lost, rel=0, abs=1e-12), name
