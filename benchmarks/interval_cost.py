"""What do intervals cost: every metric of a large evaluation, from per-query columns to two ends each?"""

from __future__ import annotations

import argparse
import time
from statistics import median

import numpy as np
from clusters import report

from tripleteval.evaluation.intervals import with_intervals
from tripleteval.evaluation.summary import Measured, summarise
from tripleteval.metrics import Column, parse
from tripleteval.uncertainty.sums import Units


def main() -> None:
    """Time one size, five times."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("-n", type=int, default=60_000)
    options.add_argument("--classes", type=int, default=11_000)
    options.add_argument("--metrics", type=int, default=25)
    given = options.parse_args()
    random = np.random.default_rng(0)
    codes = random.integers(0, given.classes, given.n)
    named = [parse(f"recall@{k}") for k in range(1, given.metrics + 1)]
    measured = [Measured(name, Column(random.random(given.n), np.ones(given.n, np.int64))) for name in named]
    entries = {each.named.spelling: summarise(each, codes, "query") for each in measured}
    seconds, cpu = [], []
    for _ in range(5):
        started, busy = time.perf_counter(), time.process_time()
        with_intervals(entries, measured, Units(codes), classes=codes, confidence=0.95, seed=0)
        seconds.append(time.perf_counter() - started)
        cpu.append(time.process_time() - busy)
    report(
        question="cost of intervals",
        n=given.n,
        classes=given.classes,
        metrics=given.metrics,
        seconds=round(median(seconds), 3),
        cpu_seconds=round(median(cpu), 3),
    )


if __name__ == "__main__":
    main()
