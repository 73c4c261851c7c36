"""How long does the report of a million queries take, and how large is it?

The run is saved and loaded first, as on the command line; the bars are 60 s and 10 MB.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tripleteval import Embeddings, evaluate, load
from tripleteval.report.html import page

QUERIES, GALLERY, DIM, CLASSES = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000, 2_000, 16, 500


def clustered(rows: int, rng: np.random.Generator, centres: np.ndarray) -> Embeddings:
    """Return rows around the centres, some of them nearer to another."""
    labels = rng.integers(0, CLASSES, rows)
    vectors = (centres[labels] + rng.normal(size=(rows, DIM))).astype(np.float32)
    return Embeddings(vectors, [f"class {label}" for label in labels], name=f"{rows:,} rows")


def main() -> None:
    """Evaluate, save, load and draw; print the seconds of the last two."""
    rng = np.random.default_rng(0)
    centres = 2 * rng.normal(size=(CLASSES, DIM))
    run = evaluate(clustered(QUERIES, rng, centres), gallery=clustered(GALLERY, rng, centres), memory="4GiB")
    with tempfile.TemporaryDirectory() as folder:
        saved = run.save(Path(folder) / "run")
        del run
        started = time.monotonic()
        loaded = load(saved)
        read = time.monotonic()
        written = page([("million", loaded)])
        done = time.monotonic()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{QUERIES:,} queries: read in {read - started:.1f} s, drawn in {done - read:.1f} s,", end=" ")
    print(f"{len(written.encode()) / 1e6:.2f} MB, peak of the whole benchmark {peak:.1f} GiB")


if __name__ == "__main__":
    main()
