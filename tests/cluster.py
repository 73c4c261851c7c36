"""A real cluster of small nodes on this machine, one for all tests, and what may happen to the work on it."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tripleteval as te

ENVIRONMENT = {"RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}


class Nodes:
    """The cluster of all tests here: a head with one worker, and nodes that come and go."""

    def __init__(self) -> None:
        import ray
        from ray.cluster_utils import Cluster

        self.ray = ray
        self.cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        ray.init(address=self.cluster.address, log_to_driver=False)
        self.more: list[Any] = []

    def workers(self, count: int) -> Any:
        """Return a map over so many workers."""
        while 1 + len(self.more) < count:
            self.more.append(self.cluster.add_node(num_cpus=1))
        while 1 + len(self.more) > count:
            self.cluster.remove_node(self.more.pop())
        while self.ray.cluster_resources().get("CPU") != count:
            time.sleep(0.05)
        found = te.ray_map()
        assert found.workers == count
        return found

    def lose_one(self) -> None:
        """Take a node away, with all that runs on it."""
        self.cluster.remove_node(self.more.pop(), allow_graceful=False)


@pytest.fixture(scope="session")
def nodes() -> Iterator[Nodes]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        here = str(Path(__file__).parent)  # so that workers find this file, and the backends of tests
        patch.setenv("PYTHONPATH", os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])]))
        found = Nodes()
        yield found
        found.ray.shutdown()
        found.cluster.shutdown()


class Deadly:
    """A function that kills its worker, or raises, the first times that it is given some of the items; one at least."""

    def __init__(self, function: Any, folder: Path, share: float, times: int = 1, seed: int = 0) -> None:
        self.function, self.folder, self.share, self.times, self.seed = function, folder, share, times, seed

    def __call__(self, item: Any) -> Any:
        name = f"{type(self.function).__name__}-{item}-{self.seed}"
        for attempt in range(self.times if self.drawn(item) else 0):
            path = self.folder / f"{name}-{attempt}"
            if not path.exists():
                path.touch()
                self.strike()
        return self.function(item)

    def drawn(self, item: Any) -> bool:
        return random.Random(f"{self.seed} {item}").random() < self.share or item[0] == 16

    def strike(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


class Failing(Deadly):
    """The same with an error of the operating system, such as a network disk that was away for a moment."""

    def strike(self) -> None:
        raise OSError("stale file handle")


class Slow:
    """A function that takes its time, so that something can happen meanwhile."""

    def __init__(self, function: Any, folder: Path) -> None:
        self.function, self.folder = function, folder

    def __call__(self, item: Any) -> Any:
        (self.folder / f"{os.getpid()}-{time.monotonic_ns()}").touch()
        time.sleep(0.05)
        return self.function(item)


def through(mapping: Any, wrap: Any) -> Any:
    def wrapped(function: Any, items: Any) -> Any:
        return mapping(wrap(function), items)

    wrapped.workers = mapping.workers
    return wrapped
