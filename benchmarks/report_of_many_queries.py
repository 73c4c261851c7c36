"""How long does the report of a million queries take, and how large is it?

The run is saved and loaded first, as on the command line; the bars are 60 s and 10 MB.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from clusters import clusters, report

from tripleteval import Embeddings, evaluate, load
from tripleteval.report.html import page


def main() -> None:
    """Evaluate, save, load and draw; print the seconds of the last two."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("-n", type=int, default=1_000_000)
    options.add_argument("--gallery", type=int, default=2_000)
    options.add_argument("--dim", type=int, default=16)
    options.add_argument("--classes", type=int, default=500)
    given = options.parse_args()
    vectors, labels = clusters(given.n + given.gallery, given.dim, given.classes, noise=0.7)
    names = np.array([f"class {name}" for name in labels.tolist()])
    queries = Embeddings(vectors[: given.n], names[: given.n], name="queries")
    run = evaluate(queries, gallery=Embeddings(vectors[given.n :], names[given.n :], name="gallery"), memory="4GiB")
    with tempfile.TemporaryDirectory() as folder:
        saved = run.save(Path(folder) / "run")
        started = time.monotonic()
        loaded = load(saved)
        read = time.monotonic()
        written = page([("run", loaded)]).encode()
        done = time.monotonic()
    report(
        question="report of many queries",
        n=given.n,
        gallery=given.gallery,
        dim=given.dim,
        classes=given.classes,
        read_s=round(read - started, 1),
        drawn_s=round(done - read, 1),
        page_mb=round(len(written) / 1e6, 2),
    )


if __name__ == "__main__":
    main()
