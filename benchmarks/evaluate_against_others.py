"""What does the whole evaluation cost, against what people wait for today?

Every default metric, all triplets and ten neighbours per query, ranks exact in float64, against the eleven nearest
neighbours (k = 11, to drop the item itself) of FAISS and scikit-learn, and against the bare matrix product of all
rows with all rows in float32. All use all cores.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib.util import find_spec

import faiss
import numpy as np
from clusters import clusters, report
from timing import alternately

import tripleteval as te


def bare_product(points: np.ndarray) -> None:
    """Multiply all rows with all rows, 1,024 at a time."""
    room = np.empty((1024, len(points)), np.float32)
    for start in range(0, len(points), 1024):
        rows = points[start : start + 1024]
        np.matmul(rows, points.T, out=room[: len(rows)])


def contenders(points: np.ndarray, labels: np.ndarray, *, slow: bool) -> dict[str, Callable[[], object]]:
    """Return what is timed, ourselves first."""
    found: dict[str, Callable[[], object]] = {
        "evaluate": lambda: te.evaluate(points, labels, verification=False),
        "faiss": lambda: faiss.knn(points, points, 11),
        "product": lambda: bare_product(points),
    }
    if slow:
        from sklearn.neighbors import NearestNeighbors

        found["scikit_learn"] = lambda: NearestNeighbors(n_neighbors=11, algorithm="brute").fit(points).kneighbors()
        if find_spec("pytorch_metric_learning"):
            from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator

            found["pytorch_metric_learning"] = lambda: AccuracyCalculator(k="max_bin_count").get_accuracy(
                points, labels
            )
    return found


def main() -> None:
    """Time all of them and print one line."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("-n", type=int, default=60_000)
    options.add_argument("--dim", type=int, default=128)
    options.add_argument("--classes", type=int, default=11_000)
    options.add_argument("--noise", type=float, default=1.0, help="over the size of the class centres")
    options.add_argument("--repeats", type=int, default=5)
    options.add_argument("--slow", action="store_true", help="scikit-learn and pytorch-metric-learning too")
    given = options.parse_args()
    points, labels = clusters(given.n, given.dim, given.classes, given.noise)
    te.evaluate(points[:500], labels[:500] % 50, kernel="cpu")  # compile, or load what was compiled
    faiss.knn(points[:200], points[:200], 11)
    report(
        question="evaluate against others",
        **{name: value for name, value in vars(given).items() if name not in {"slow", "repeats"}},
        **alternately(contenders(points, labels, slow=given.slow), given.repeats),
        pytorch_metric_learning="measured" if find_spec("pytorch_metric_learning") else "not installed",
        faiss=faiss.__version__,
    )


if __name__ == "__main__":
    main()
