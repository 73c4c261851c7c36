"""Indexes on a cluster: the answers of one process, whatever dies on the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tripleteval as te
from cluster import ENVIRONMENT, Deadly, through
from tripleteval.errors import BackendError

ray = pytest.importorskip("ray")
ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::FutureWarning")
LABELS = np.arange(60) % 6
POINTS = np.random.default_rng(3).normal(size=(60, 4)).astype(np.float32)
HOW: dict[str, Any] = {"backends": ["exact", "faiss-ivf"], "shards": 3, "k": 4, "seeds": 1, "repeats": 1}


def numbers(found: te.SearchEvaluation) -> list[Any]:
    return [(entry["overlap"], entry["metrics"], entry["unreached"]) for entry in found]


class Second(Deadly):
    """Kills whoever is given the second of three shards."""

    def drawn(self, item: Any) -> bool:
        return getattr(item, "shard", None) == (2, 3)


def test_shards_on_workers_that_are_killed_answer_as_here(nodes, tmp_path: Path):
    mapping = nodes.workers(2)
    found = te.evaluate_search(POINTS, LABELS, map=through(mapping, lambda each: Second(each, tmp_path, 1)), **HOW)
    assert len(list(tmp_path.iterdir())) == 2  # of either backend
    assert numbers(found) == numbers(te.evaluate_search(POINTS, LABELS, **HOW))
    assert found[0]["overlap"]["tie_aware_recall"] == 1.0
    assert "built and timed by 2 workers" in " ".join(found.notes)


def test_a_shard_that_nobody_survives_is_named(nodes, tmp_path: Path):
    mapping = through(nodes.workers(2), lambda each: Second(each, tmp_path, 1, times=9))
    with pytest.raises(
        BackendError, match=r"E702 .*lost 4 times.*order of backend exact, shard 2 of 3 \(gallery rows 20:40\)"
    ):
        te.evaluate_search(POINTS, LABELS, map=mapping, **HOW | {"backends": ["exact"]})


def test_a_library_that_dies_on_a_node_costs_its_setting_only(nodes):
    how = HOW | {"backends": ["search.fakes:aborts_always", "exact"], "shards": 2}
    dead, exact = te.evaluate_search(POINTS, LABELS, map=nodes.workers(2), **how)
    assert dead["error"]["code"] == "E702"
    assert "SIGABRT" in dead["error"]["found"]
    assert dead["error"]["where"].endswith("shard 1 of 2 (gallery rows 0:30)")
    assert exact["overlap"]["tie_aware_recall"] == 1.0


def test_the_command_line_joins_a_cluster(nodes, tmp_path: Path):
    np.savez(tmp_path / "val.npz", vectors=POINTS, labels=LABELS)
    given = ["search", "val.npz", "--backend", "exact", "--shards", "3", "--repeats", "1", "-k", "4", "--ray", "auto"]
    done = subprocess.run(
        [sys.executable, "-m", "tripleteval.cli", *given, "--json", "-"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, **ENVIRONMENT, "RAY_ADDRESS": nodes.cluster.address},
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["settings"]["shards"] == 3
    here = te.evaluate_search(POINTS, LABELS, **HOW | {"backends": ["exact"]})
    assert said["entries"][0]["metrics"]["recall@4"]["value"] == here[0]["metrics"]["recall@4"]["value"]
