"""A disk that is full while an index is saved; hnswlib says nothing of it, and writes half a file."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from search.test_backends import how
from tripleteval.errors import BackendError, MissingExtra
from tripleteval.search import BACKENDS
from tripleteval.search.files import SEAL, save
from tripleteval.search.process import Searcher

resource = pytest.importorskip("resource", reason="this system has no limit on the size of files")


@pytest.fixture
def small_files():
    """Let no file grow beyond 250 kB: what a library meets is what it meets on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (250_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.skipif(sys.platform == "darwin", reason="the limit ends the process there")
@pytest.mark.usefixtures("small_files")
@pytest.mark.parametrize("name", ["annoy", "faiss-hnsw", "hnswlib", "usearch"])
def test_half_an_index_gets_no_seal(name, tmp_path):
    try:
        BACKENDS[name].require_installed()
    except MissingExtra as error:
        pytest.skip(str(error))
    rows = np.random.default_rng(0).uniform(-1, 1, size=(3000, 16)).astype(np.float32)
    with Searcher(BACKENDS[name], how(name, 16), timeout=120, memory=None) as searcher:
        searcher.build(rows)
        with pytest.raises(BackendError, match="E70"):
            save(searcher, tmp_path / "index")
    assert not (tmp_path / f"index{SEAL}").exists()
