"""Does the time that `tripleteval plan` foresees hold where workers differ, storage is shared and orders are lost?

Nothing is evaluated: orders are scheduled in a simulation, whoever is free takes the next. Each takes what its pairs
and its rows take, times a luck of its own; all read from one storage; some orders are lost and done again.
"""

from __future__ import annotations

import argparse
import heapq

import numpy as np
from clusters import report

from tripleteval.evaluation.forecast import Forecast, Rates, Size, forecast

STRETCHES = 8  # orders per worker that a block of queries is cut into, as the planner cuts


def simulated(size: Size, rates: Rates, foreseen: Forecast, luck: float, lost: float, storage: float) -> float:
    """Return the seconds until the last order is done.

    Args:
        size: Of the sets.
        rates: Of one worker.
        foreseen: Blocks and workers.
        luck: Standard deviation of the logarithm of what an order takes.
        lost: Share of orders whose worker dies half-way; a fresh one needs 10 s.
        storage: Bytes per second that all readers together get.
    """
    rng = np.random.default_rng(0)
    workers = foreseen.workers
    pieces = max(1, -(-STRETCHES * workers // foreseen.blocks))
    pairs = foreseen.pairs / foreseen.blocks / pieces
    rows = size.gallery / pieces
    row_bytes = size.dim * size.itemsize
    reading = rows * row_bytes * workers / storage  # where all read at once
    usual = max(pairs * rates.pair + rows * rates.ready, reading)
    free = [0.0] * workers
    waiting = foreseen.blocks * pieces
    while waiting:
        start = heapq.heappop(free)
        took = usual * float(np.exp(rng.normal(0, luck) - luck**2 / 2))
        if rng.random() < lost:
            heapq.heappush(free, start + took / 2 + 10)
        else:
            heapq.heappush(free, start + took)
            waiting -= 1
    first = size.gallery * max(rates.seen, row_bytes * workers / storage / workers)
    moments = size.gallery * max(rates.moments / workers, row_bytes / storage)
    return first + moments + max(free)


def main() -> None:
    """Foresee and simulate galleries from a million to a thousand million items."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("-n", nargs="*", type=float, default=[1e6, 1e7, 1e8, 1e9], help="items in the gallery")
    options.add_argument("--classes", type=float, default=0, help="of no account; items per class are")
    options.add_argument("--workers", nargs="*", type=int, default=[2, 32, 256])
    options.add_argument("--sample", type=int, default=10_000)
    options.add_argument("--dim", type=int, default=128)
    options.add_argument("--gflops", type=float, default=30.0, help="of one worker")
    options.add_argument("--storage", type=float, default=5e9, help="bytes per second of all readers together")
    given = options.parse_args()
    per_number = 1.5e-8  # seconds to see a coordinate, measured; moments take twice that, making ready a third
    rates = Rates(
        2 * given.dim / given.gflops / 1e9,
        4 * given.dim / given.gflops / 1e9,
        per_number * given.dim,
        2 * per_number * given.dim,
        per_number * given.dim / 3,
    )
    for gallery in given.n:
        for workers in given.workers:
            size = Size(given.sample, int(gallery), given.dim)
            foreseen = forecast(size, rates, workers=workers, memory=workers * 2**31)
            how = {"luck": 0.3, "lost": 0.01, "storage": given.storage}
            took = simulated(size, rates, foreseen, **how)
            report(
                question="does the model hold",
                gallery=int(gallery),
                sample=given.sample,
                dim=given.dim,
                workers=workers,
                pairs=foreseen.pairs,
                bytes_read=foreseen.bytes_read,
                blocks=foreseen.blocks,
                foreseen_seconds=round(foreseen.seconds, 1),
                simulated_seconds=round(took, 1),
                simulated_over_foreseen=round(took / foreseen.seconds, 2),
                **how,
            )


if __name__ == "__main__":
    main()
