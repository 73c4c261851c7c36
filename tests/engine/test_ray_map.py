"""A cluster gives the numbers of one process, whatever dies on the way: a real one, of small nodes on this machine."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tripleteval as te
from cluster import ENVIRONMENT, Deadly, Failing, Slow, through
from tripleteval.engine import plan
from tripleteval.errors import BackendError, DataError, ParameterError
from tripleteval.journal.folder import unfinished

ray = pytest.importorskip("ray")
ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
RUNS = int(os.environ.get("TRIPLETEVAL_CLUSTER_RUNS", "1"))  # of each kind in which something dies
N = 120
RNG = np.random.default_rng(0)
POINTS, CLASSES = RNG.normal(size=(N, 3)).round(1), np.arange(N) % 9
GALLERY = te.Embeddings(RNG.normal(size=(80, 3)).round(1), np.arange(80) % 9)
WAYS: dict[str, dict[str, Any]] = {
    "gallery": {"gallery": GALLERY},
    "among the others": {"metrics": ["silhouette", "uniformity"]},
    "some, and thresholds": {"gallery": GALLERY, "sample": 60, "calibrate_on": 0.5, "distance": "cosine"},
}
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::FutureWarning")


@pytest.fixture(autouse=True)
def small_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "MOST_QUERIES", 8)


def evaluated(way: str, **more: Any) -> str:
    return te.evaluate(POINTS, CLASSES, **WAYS[way], **more).result_hash


@pytest.mark.parametrize(
    ("workers", "way", "block"),
    [(1, "gallery", 8), (2, "among the others", 8), (2, "some, and thresholds", 40)]
    + [(4, way, block) for way, block in itertools.product(WAYS, (3, 512))],
)
def test_any_number_of_workers_and_any_cut_give_the_numbers_of_one_process(nodes, monkeypatch, workers, way, block):
    want = evaluated(way)
    monkeypatch.setattr(plan, "MOST_QUERIES", block)
    assert evaluated(way, map=nodes.workers(workers)) == want


@pytest.mark.parametrize("seed", range(RUNS))
@pytest.mark.parametrize("way", WAYS)
def test_workers_that_are_killed_change_nothing(nodes, tmp_path, way, seed):
    want = evaluated(way)
    mapping = through(nodes.workers(2), lambda function: Deadly(function, tmp_path, 0.05, seed=seed))
    assert evaluated(way, map=mapping) == want
    assert list(tmp_path.iterdir())


@pytest.mark.parametrize("seed", range(RUNS))
def test_an_error_of_the_operating_system_is_tried_again(nodes, tmp_path, seed):
    mapping = through(nodes.workers(2), lambda function: Failing(function, tmp_path, 0.2, times=2, seed=seed))
    assert evaluated("gallery", map=mapping) == evaluated("gallery")
    assert list(tmp_path.iterdir())


@pytest.mark.parametrize("seed", range(RUNS))
def test_a_node_that_goes_away_changes_nothing(nodes, tmp_path, seed):
    mapping = nodes.workers(3)

    def lose() -> None:
        while len(list(tmp_path.iterdir())) < 4 + seed % 12:
            time.sleep(0.01)
        nodes.lose_one()

    loser = threading.Thread(target=lose)
    loser.start()
    found = evaluated("gallery", map=through(mapping, lambda function: Slow(function, tmp_path)))
    loser.join()
    assert found == evaluated("gallery")


class Once(Deadly):
    """Kills one worker, in the third order or, when the run goes on, in the eleventh."""

    def drawn(self, item: Any) -> bool:
        return item[0] == (80 if self.seed else 16)


@pytest.mark.parametrize("files", [1, 5, 16])
def test_files_on_disk_interrupted_and_resumed_while_workers_die(nodes, tmp_path, monkeypatch, files):
    """Everything at once: shards, a journal, a cluster, an end in the middle, and SIGKILL on both ways."""
    monkeypatch.setattr("tripleteval.journal.folder.AFTER", 0.0)
    monkeypatch.chdir(tmp_path)  # where no worker is
    for number, rows in enumerate(np.array_split(GALLERY.vectors, files)):
        np.save(f"part-{number}.npy", rows)
    gallery = te.read("part-*.npy", labels=np.arange(80) % 9, name=GALLERY.name, memory=1024)
    assert len(gallery.vectors.parts) == files
    mapping = nodes.workers(2)

    def dying(seed: int, most: int) -> Any:
        def some(function: Any, items: Any) -> Iterator[Any]:
            yield from islice(mapping(Once(function, tmp_path, 1, seed=seed), items), most)
            if most == 6:
                raise InterruptedError

        some.workers = mapping.workers
        return some

    how = {"gallery": gallery, "verification": False}
    with pytest.raises(InterruptedError):
        te.evaluate(POINTS, CLASSES, map=dying(0, 6), resume=tmp_path / "run", **how)
    assert (unfinished(tmp_path / "run") / "journal").exists()
    found = te.evaluate(POINTS, CLASSES, map=dying(1, 1000), resume=tmp_path / "run", **how)
    assert found.result_hash == evaluated("gallery", verification=False)
    assert all(list(tmp_path.glob(f"*-{seed}-0")) for seed in (0, 1))  # of either way


# Evaluates on the cluster, keeps every order from the first on, and takes its time.
DRIVER = """
import sys, time, numpy as np, ray, tripleteval as te
from tripleteval.engine import plan
from tripleteval.journal import folder
from pathlib import Path
folder.AFTER, plan.MOST_QUERIES = 0.0, 8
ray.init(address=sys.argv[1], log_to_driver=False, logging_level="error")
points, labels, gallery, of = (np.load(f"{sys.argv[2]}/{name}.npy") for name in ("points", "labels", "gallery", "of"))
mapping = te.ray_map()
def slowly(function, items):
    for result in mapping(function, items):
        yield result
        print("done", flush=True)
        time.sleep(0.02)
slowly.workers = mapping.workers
te.evaluate(points, labels, gallery=te.Embeddings(gallery, of), map=slowly, resume=Path(sys.argv[2]) / "run")
"""


@pytest.mark.parametrize("seed", range(RUNS))
def test_a_driver_that_is_killed_is_resumed(nodes, tmp_path, monkeypatch, seed):
    mapping = nodes.workers(2)
    for name, array in {
        "points": POINTS,
        "labels": CLASSES,
        "gallery": GALLERY.vectors,
        "of": np.arange(80) % 9,
    }.items():
        np.save(tmp_path / name, array)
    command = [sys.executable, "-c", DRIVER, nodes.cluster.address, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as driver:
        for _ in range(5 + seed % 20):
            assert driver.stdout.readline() == "done\n"
        driver.kill()
    assert (unfinished(tmp_path / "run") / "journal").exists()
    monkeypatch.setattr("tripleteval.journal.folder.AFTER", 0.0)
    ran = []

    def counting(function: Any, items: Any) -> Any:
        items = list(items)
        ran.append(len(items))
        return mapping(function, items)

    counting.workers = mapping.workers
    assert evaluated("gallery", map=counting, resume=tmp_path / "run") == evaluated("gallery")
    assert ran[0] <= 15 - 4  # of the first pass, the orders that were handed on before the end


class Poisoned:
    """A function with one order that nobody survives."""

    def __init__(self, function: Any, how: str) -> None:
        self.function, self.how = function, how

    def __call__(self, item: Any) -> Any:
        if item.start == 40:
            if self.how == "kills":
                os.kill(os.getpid(), signal.SIGKILL)
            raise {"raises": ZeroDivisionError("of its own"), "refuses": DataError("E206", "a value", fix="look")}[
                self.how
            ]
        return self.function(item)


ORDER = "queries 40:48 and gallery rows 0:80"


@pytest.mark.parametrize(
    ("how", "kind", "words"),
    [
        ("raises", BackendError, rf"E707 an order failed: ZeroDivisionError: of its own · order of {ORDER}, on node"),
        ("refuses", DataError, "E206 a value · look"),
        ("kills", BackendError, rf"E702 the workers that had an order were lost 4 times .*· order of {ORDER}"),
    ],
)
def test_an_order_that_cannot_be_done_ends_the_run_and_is_named(nodes, how, kind, words):
    mapping = through(nodes.workers(2), lambda function: Poisoned(function, how))
    with pytest.raises(kind, match=words):
        te.evaluate(POINTS, CLASSES, gallery=GALLERY, map=mapping)


def test_results_come_in_order_and_few_are_on_their_way(nodes):
    mapping, taken = nodes.workers(2), []

    def items() -> Iterator[int]:
        for item in range(25):
            taken.append(item)
            yield item

    given = []
    for result in mapping(str, items()):
        given.append(result)
        assert len(taken) - len(given) <= 4
    assert given == [str(item) for item in range(25)]
    assert list(mapping(str, [])) == []


def test_leaving_early_leaves_nothing_running(nodes, tmp_path):
    mapping = nodes.workers(2)
    results = mapping(Slow(str, tmp_path), range(100))
    next(results)
    results.close()
    time.sleep(0.3)
    before = len(list(tmp_path.iterdir()))
    time.sleep(0.5)
    assert len(list(tmp_path.iterdir())) == before <= 6


def briefly(item: int) -> int:
    time.sleep(random.random() * 0.01)
    return item


@pytest.mark.timeout(60)
def test_a_map_that_was_left_early_many_times_still_serves(nodes):
    """Cancelling what is on its way can make Ray abort this process, or never answer again; rarely (decision 082)."""
    mapping = nodes.workers(2)
    for taken in range(20):
        results = mapping(briefly, range(50))
        list(islice(results, 1 + taken % 6))
        results.close()
    assert list(mapping(briefly, range(10))) == list(range(10))


def test_a_node_without_the_package_is_named(nodes, tmp_path):
    (tmp_path / "tripleteval").mkdir()
    (tmp_path / "tripleteval" / "__init__.py").write_text("raise ImportError('not on this machine')")
    bare = nodes.cluster.add_node(num_cpus=1, env_vars={"PYTHONPATH": str(tmp_path)})
    try:
        with pytest.raises(
            BackendError, match=r"E709 a node without this tripleteval: .*not on this machine.* · node \d"
        ):
            te.ray_map()
    finally:
        nodes.cluster.remove_node(bare, allow_graceful=False)


@pytest.mark.usefixtures("nodes")
def test_a_cluster_without_a_gpu_has_no_workers_with_one():
    with pytest.raises(BackendError, match=r"E708 a cluster of \d CPUs and 0 GPUs"):
        te.ray_map(gpus=0.25)


@pytest.mark.parametrize(
    "wrong", [{"workers": 0}, {"workers": True}, {"gpus": -1.0}, {"gpus": float("inf")}, {"gpus": "1"}]
)
def test_what_is_no_number_of_workers_or_gpus_is_refused(wrong):
    with pytest.raises(ParameterError, match="E101"):
        te.ray_map(**wrong)


def test_a_worker_takes_up_the_comparison_once(nodes):
    """Not once per order: what it makes ready would be made again."""

    class Counting:
        def __init__(self) -> None:
            self.calls = 0

        def __call__(self, _: int) -> tuple[int, int]:
            self.calls += 1
            return os.getpid(), self.calls

    found = list(nodes.workers(2)(Counting(), range(8)))
    assert len({pid for pid, _ in found}) < len(found)
    assert max(calls for _, calls in found) > 1


def tripleteval(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tripleteval.cli", "evaluate", "val.npz", "--no-save", "--json-errors", *arguments]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
        env={**os.environ, **ENVIRONMENT, **environment},
    )


@pytest.fixture
def val(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez("val.npz", vectors=POINTS, labels=CLASSES)


@pytest.mark.usefixtures("val")
def test_the_command_line_joins_a_cluster(nodes):
    done = tripleteval("--ray", "auto", "--json", "-", RAY_ADDRESS=nodes.cluster.address)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["values"]["map@r"]["value"] == te.evaluate(POINTS, CLASSES)["map@r"]


@pytest.mark.usefixtures("val")
def test_a_cluster_of_its_own_is_gone_afterwards_and_sigterm_still_unwinds():
    """The handler of SIGTERM is the same before and after; no process that was started is left."""
    code = """
import signal, subprocess, sys, numpy as np, tripleteval as te
before = lambda *_: sys.exit(143)
signal.signal(signal.SIGTERM, before)
val = te.read("val.npz")
with te.ray_map("local", workers=2) as cluster:
    assert signal.getsignal(signal.SIGTERM) is before
    one = te.evaluate(val, map=cluster).result_hash
import ray
assert not ray.is_initialized()
print(one == te.evaluate(val).result_hash)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env={**os.environ, **ENVIRONMENT}
    )
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr


@pytest.mark.parametrize("times", [1, 2])
def test_an_interrupt_while_a_cluster_starts_waits_for_it_once_and_shuts_it_down(
    monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """A start that is cut off leaves processes of Ray behind."""
    done = []

    def start(*_: Any, **__: Any) -> None:
        for _press in range(times):
            signal.raise_signal(signal.SIGINT)
        done.append("started")

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", start)
    monkeypatch.setattr(ray, "shutdown", lambda: done.append("shut down"))
    with pytest.raises(KeyboardInterrupt):
        te.ray_map("local", workers=1)
    assert done == (["started", "shut down"] if times == 1 else [])
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.usefixtures("val")
@pytest.mark.parametrize(
    ("arguments", "code", "exit_code", "words"),
    [
        (["--ray", "127.0.0.1:1"], "E708", 6, "no Ray cluster can be reached: [Errno 111] Connection refused"),
        (["--ray", "somewhere"], "E101", 2, "the address 'somewhere'"),
        (["--ray-gpus", "0.5"], "E101", 2, "--ray-gpus without --ray"),
        (["--ray", "auto", "--threads", "2"], "E101", 2, "--threads with --ray auto"),
    ],
)
def test_a_cluster_that_cannot_be_is_refused(arguments, code, exit_code, words):
    done = tripleteval(*arguments)
    said = json.loads(done.stderr)
    assert (done.returncode, said["code"], done.stdout) == (exit_code, code, "")
    assert words in said["found"]
