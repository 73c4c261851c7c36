"""What does a gallery that does not fit into memory cost, in time over a bare matrix product, and in memory?

The gallery is made once, seeded, as shards on disk; queries are drawn from it. Everything runs in a child process,
whose peak resident set is compared with the budget.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from clusters import report

CHILD = """
import json, sys, time
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from threadpoolctl import threadpool_limits
import tripleteval as te
from tripleteval.search.child import memory_held

folder, sample, memory, threads = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
rng = np.random.default_rng(0)
te.evaluate(rng.normal(size=(300, 8)), rng.integers(0, 20, 300), kernel="cpu")  # load the libraries

def peak():
    return memory_held("VmHWM") / 2**20  # needs /proc

before = peak()

def product():
    # Half of the pairs: once before and once after, so that what else runs weighs on both alike. As fast as it gets:
    # a thread per core, each with tiles that stay in its cache, and BLAS without threads of its own.
    queries = rng.normal(size=(sample, gallery.dim)).astype(np.float32)
    tile = rng.normal(size=(512, gallery.dim)).astype(np.float32)

    def multiply(times):
        room = np.empty((512, 512), np.float32)
        for _ in range(times):
            for start in range(0, sample, 512):
                some = queries[start : start + 512]
                np.matmul(some, tile.T, out=room[: len(some)])

    tiles = -(-len(gallery) // 1024)
    started, processor = time.perf_counter(), time.process_time()
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(threads) as pool:
        list(pool.map(multiply, [-(-tiles // threads)] * threads))
    return time.perf_counter() - started, time.process_time() - processor

gallery = te.read(f"{folder}/part-*.npy", labels=f"{folder}/labels-*.npy", memory=memory)
products = [product()]
started, processor = time.perf_counter(), time.process_time()
run = te.evaluate(gallery, sample=sample, verification=False, memory=memory, threads=threads)
took = time.perf_counter() - started, time.process_time() - processor
after = peak()
products.append(product())
clock, spent = (sum(p[i] for p in products) for i in (0, 1))
print(json.dumps({
    "rows": len(gallery), "dim": gallery.dim, "shards": len(getattr(gallery.vectors, "parts", [0])),
    "seconds": round(took[0], 1), "product_seconds": round(clock, 1),
    "processor_seconds": round(took[1], 1), "product_processor_seconds": round(spent, 1),
    "over_product": round(took[0] / clock, 2), "over_product_by_processor": round(took[1] / spent, 2),
    "pairs_in_float64": run.environment["pairs_in_float64"], "peak_mib": round(after - before),
    "map@r": run["map@r"], "result_hash": run.result_hash,
}))
"""


def make(folder: Path, rows: int, dim: int, classes: int, shards: int, noise: float = 1.0) -> None:
    """Write the gallery as float32 shards with their labels, class centres N(0, I) plus ``noise`` N(0, I)."""
    folder.mkdir(parents=True, exist_ok=True)
    centres = np.random.default_rng(0).normal(size=(classes, dim)).astype(np.float32)
    for shard, count in enumerate(np.diff(np.linspace(0, rows, shards + 1).astype(int)).tolist()):
        rng = np.random.default_rng([1, shard])
        labels = rng.integers(0, classes, count)
        points = centres[labels] + np.float32(noise) * rng.standard_normal((count, dim), dtype=np.float32)
        np.save(folder / f"part-{shard}.npy", points)
        np.save(folder / f"labels-{shard}.npy", labels)


def main() -> None:
    """Make the gallery where it is not there yet, and measure each budget."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("-n", type=int, default=10_000_000)
    options.add_argument("--dim", type=int, default=64)
    options.add_argument("--classes", type=int, default=1_000_000)
    options.add_argument("--sample", type=int, default=5000)
    options.add_argument("--noise", type=float, default=1.0, help="beside centres of size 1")
    options.add_argument("--shards", type=int, default=10)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--memory", nargs="*", default=["1GiB"])
    options.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "tripleteval-gallery")
    given = options.parse_args()
    folder = given.folder / f"{given.n}x{given.dim}x{given.classes}x{given.noise:g}-{given.shards}"
    if not folder.exists():
        make(folder, given.n, given.dim, given.classes, given.shards, given.noise)
    for memory in given.memory:
        arguments = [str(folder), str(given.sample), memory, str(given.threads)]
        ran = subprocess.run(  # noqa: S603  # our own child
            [sys.executable, "-c", CHILD, *arguments], capture_output=True, text=True, check=True
        )
        report(
            question="gallery on disk", sample=given.sample, noise=given.noise, budget=memory, **json.loads(ran.stdout)
        )


if __name__ == "__main__":
    main()
