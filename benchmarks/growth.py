"""How does the time grow: with the number of items, of coordinates and of threads?"""

from __future__ import annotations

import argparse
import time

from clusters import clusters, report

import tripleteval as te


def main() -> None:
    """Time one size after the other, each against the first, and print a line for each."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("-n", type=int, default=20_000)
    options.add_argument("--dim", type=int, default=128)
    options.add_argument("--classes", type=int, default=3_700)
    given = options.parse_args()
    whole = (given.n, given.dim, None)
    sizes = [(given.n // 4, given.dim, None), (given.n // 2, given.dim, None), whole]
    sizes += [(given.n, given.dim // 4, None), (given.n, given.dim * 4, None), (given.n, given.dim, 1)]
    te.evaluate(*clusters(500, 8, 50), kernel="cpu")
    for n, dim, threads in sizes:
        points, labels = clusters(n, dim, max(2, given.classes * n // given.n))
        clock, processor = time.perf_counter(), time.process_time()
        te.evaluate(points, labels, kernel="cpu", threads=threads)
        report(
            question="growth",
            n=n,
            dim=dim,
            threads=threads or "all",
            seconds=round(time.perf_counter() - clock, 3),
            processor_seconds=round(time.process_time() - processor, 3),
        )


if __name__ == "__main__":
    main()
