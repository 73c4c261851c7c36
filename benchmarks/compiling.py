"""What does it take to compile, in a process that finds nothing compiled before it?

Processor time of a first evaluation less that of a second one, with and without all pairs.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from statistics import median

from clusters import report

CHILD = """
import sys, time
sys.path.insert(0, sys.argv[1])
from clusters import clusters
import tripleteval as te
n, dim, classes, verification = int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5] == "True"
points, labels = clusters(n, dim, classes)
te.evaluate(points[:200], labels[:200] % 20)  # imports, and compiles nothing
took = []
for _ in range(2):
    began = time.process_time()
    te.evaluate(points, labels, verification=verification, threads=1)
    took.append(time.process_time() - began)
print(took[0] - took[1])
"""


def seconds(arguments: list[str]) -> float:
    """Return what compiling took in a process of its own."""
    with tempfile.TemporaryDirectory() as empty:
        ran = subprocess.run(  # noqa: S603  # our own child
            [sys.executable, "-c", CHILD, sys.path[0], *arguments],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "NUMBA_CACHE_DIR": empty},
        )
    return float(ran.stdout)


def main() -> None:
    """Measure with and without all pairs."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("-n", type=int, default=6_000, help="below 2,000 nothing is compiled")
    options.add_argument("--dim", type=int, default=128)
    options.add_argument("--classes", type=int, default=1_100)
    options.add_argument("--repeats", type=int, default=3)
    given = options.parse_args()
    for verification in (False, True):
        arguments = [*map(str, (given.n, given.dim, given.classes)), str(verification)]
        took = [seconds(arguments) for _ in range(given.repeats)]
        report(
            question="compiling",
            **{name: value for name, value in vars(given).items() if name != "repeats"},
            verification=verification,
            processor_seconds=[round(each, 2) for each in took],
            median_processor_seconds=round(median(took), 2),
        )


if __name__ == "__main__":
    main()
