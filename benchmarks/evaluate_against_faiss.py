"""What does the whole evaluation cost, against faiss.knn alone?

Every default metric, all triplets and ten neighbours per query, exact in float64, against the eleven
nearest neighbours (k = 11, to drop the item itself) in float32. Both use all cores, alternately.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import faiss
import numpy as np
from clusters import clusters, report

import tripleteval as te


def seconds(function: Callable[..., object], *arguments: object) -> float:
    """Return how long one call takes."""
    started = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - started


def main() -> None:
    """Time both alternately and print one line."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("-n", type=int, default=60_000)
    options.add_argument("--dim", type=int, default=128)
    options.add_argument("--classes", type=int, default=11_000)
    options.add_argument("--noise", type=float, default=1.0)
    options.add_argument("--repeats", type=int, default=3)
    given = options.parse_args()
    points, labels = clusters(given.n, given.dim, given.classes, given.noise)
    te.evaluate(points[:200], labels[:200] % 20, kernel="cpu")  # compile, or load what was compiled
    faiss.knn(points[:200], points[:200], 11)
    pairs = [
        (seconds(te.evaluate, points, labels), seconds(faiss.knn, points, points, 11)) for _ in range(given.repeats)
    ]
    ours, theirs = zip(*pairs, strict=True)
    report(
        question="evaluate against faiss.knn(k=11)",
        **vars(given),
        ratio=round(statistics.median(a / b for a, b in pairs), 2),
        ratios=[round(a / b, 2) for a, b in pairs],
        evaluate_seconds=round(statistics.median(ours), 3),
        faiss_seconds=round(statistics.median(theirs), 3),
        faiss=faiss.__version__,
        blas_threads=faiss.omp_get_max_threads(),
        dtype=np.dtype(points.dtype).name,
    )


if __name__ == "__main__":
    main()
