"""What does a cluster of workers on this machine cost, over as many threads in one process?

Start-up aside: the workers have been at work before. Queries are searched in a gallery, order by order, on both; among
each other (``--alone``), threads let every tile serve both its sides, which workers without a common memory do not.
Processor time is that of the process itself, and on the cluster that of every worker besides.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from typing import Any

from clusters import clusters, report

import tripleteval as te


class Metered:
    """A function that says how much processor time its worker had used before and after."""

    def __init__(self, function: Any) -> None:
        self.function = function

    def __call__(self, item: Any) -> tuple[Any, int, float, float]:
        """Return the result, the process, and its processor time before and after."""
        before = time.process_time()
        result = self.function(item)
        return result, os.getpid(), before, time.process_time()


def on(cluster: Any, used: dict[int, tuple[float, float]]) -> Any:
    """Return the map of a cluster that notes what its workers use, from their first order to their last."""

    def mapping(function: Any, items: Any) -> Iterator[Any]:
        for result, worker, before, after in cluster(Metered(function), items):
            low, high = used.get(worker, (before, after))
            used[worker] = min(low, before), max(high, after)
            yield result

    mapping.workers = cluster.workers  # type: ignore[attr-defined]
    return mapping


def main() -> None:
    """Time both alternately and print one line."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("-n", type=int, default=30_000, help="gallery; a quarter as many queries")
    options.add_argument("--dim", type=int, default=128)
    options.add_argument("--classes", type=int, default=3_000)
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--repeats", type=int, default=1)
    options.add_argument("--alone", action="store_true")
    given = options.parse_args()
    os.environ.setdefault("RAY_worker_niceness", "0")  # or other people's work would come first, for workers only
    points, labels = clusters(given.n + given.n // 4, given.dim, given.classes)
    items = te.Embeddings(points[: given.n], labels[: given.n])
    others = te.Embeddings(points[given.n :], labels[given.n :])
    how: dict[str, Any] = {"queries": items} if given.alone else {"queries": others, "gallery": items}
    small = [te.Embeddings(*clusters(1000, given.dim, 50, seed=seed)) for seed in (1, 2)]
    took: dict[str, list[tuple[float, float]]] = {"cluster": [], "threads": []}
    hashes = set()
    started = time.perf_counter()
    with te.ray_map("local", workers=given.workers) as cluster:
        start = time.perf_counter() - started
        for ready in (cluster, None):
            te.evaluate(small[0], gallery=small[1], kernel="cpu", map=ready)
        for _ in range(given.repeats):
            for name, times in took.items():
                used: dict[int, tuple[float, float]] = {}
                mapping = on(cluster, used) if name == "cluster" else None
                clock, processor = time.perf_counter(), time.process_time()
                found = te.evaluate(**how, kernel="cpu", map=mapping, threads=given.workers)
                workers = sum(high - low for low, high in used.values())
                times.append((time.perf_counter() - clock, time.process_time() - processor + workers))
                hashes.add(found.result_hash)
    clock, processor = ([sum(each[i] for each in times) for times in took.values()] for i in (0, 1))
    report(
        question="cost of a local cluster over threads",
        **vars(given),
        cluster_seconds=round(clock[0], 1),
        threads_seconds=round(clock[1], 1),
        over_threads=round(clock[0] / clock[1], 3),
        over_threads_by_processor=round(processor[0] / processor[1], 3),
        threads_processor_seconds=round(processor[1], 1),
        start_seconds=round(start, 1),
        same_hash=len(hashes) == 1,
    )


if __name__ == "__main__":
    main()
