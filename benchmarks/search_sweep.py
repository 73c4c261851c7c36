"""How long does a sweep of search libraries take at 100,000 × 128?

Five backends with three settings each, 10,000 queries asked, exact lists made by the engine, one seed per index.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np
from clusters import clusters, report

import tripleteval as te
from tripleteval.errors import MissingExtra
from tripleteval.search import find_backend

BACKENDS = ("faiss-ivf", "faiss-ivfpq", "faiss-hnsw", "annoy", "hnswlib")


def installed(names: list[str]) -> list[str]:
    """Return the backends whose library is there."""
    found = []
    for name in names:
        try:
            find_backend(name).require_installed()
        except MissingExtra:
            continue
        found.append(name)
    return found


def processor_of_children() -> float:
    """Return the processor seconds of the libraries, which a busy machine changes less than those of the clock."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Run one sweep and print one line per setting and one about the whole."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("-n", type=int, default=100_000)
    options.add_argument("--dim", type=int, default=128)
    options.add_argument("--classes", type=int, default=10_000)
    options.add_argument("--noise", type=float, default=0.5)
    options.add_argument("--queries", type=int, default=10_000)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--seeds", type=int, default=1)
    options.add_argument("--backends", nargs="*", default=BACKENDS)
    given = options.parse_args()
    points, labels = clusters(given.n, given.dim, given.classes, given.noise)
    ids = np.arange(given.n)
    asked = np.random.default_rng(0).choice(given.n, min(given.queries, given.n), replace=False)
    queries = te.Embeddings(points[asked], labels[asked], ids=ids[asked], name="queries")
    gallery = te.Embeddings(points, labels, ids=ids, name="gallery")
    started = time.perf_counter()
    exact: list[float] = []

    def progress(done: int, whole: int) -> None:
        print(f"{done}/{whole} after {time.perf_counter() - started:.0f} s", flush=True)
        if done == len(queries):
            exact.append(time.perf_counter() - started)

    found = te.evaluate_search(
        queries,
        gallery=gallery,
        backends=installed(given.backends),
        seeds=given.seeds,
        threads=given.threads,
        progress=progress,
    )
    sizes = {"n": given.n, "dim": given.dim, "queries": len(queries), "threads": given.threads, "seeds": given.seeds}
    for entry in found:
        if "error" in entry:
            report(setting=entry["label"], error=entry["error"]["found"], **sizes)
            continue
        report(
            setting=entry["label"],
            tie_aware_recall=round(entry["overlap"]["tie_aware_recall"], 4),
            recall_at_10_lost=round(entry["metrics"]["recall@10"]["loss"], 5),
            queries_per_second=round(entry["speed"]["queries_per_second"]),
            p50_ms=round(entry["speed"]["p50_ms"], 3),
            build_seconds=round(entry["build"]["seconds"], 1),
            file_mb=round(entry["build"]["file_bytes"] / 1e6, 1),
            **sizes,
        )
    report(
        question="a sweep of search libraries",
        seconds=round(time.perf_counter() - started, 1),
        processor_seconds=round(time.process_time() + processor_of_children(), 1),
        seconds_of_exact_lists=round(exact[0], 1),
        settings=len(found),
        verdict=found.verdict,
        **sizes,
    )


if __name__ == "__main__":
    main()
