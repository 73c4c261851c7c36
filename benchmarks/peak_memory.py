"""How much memory does an evaluation take beyond its input and the libraries?

Measured in a child process as the growth of the peak resident set over a tiny evaluation.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from clusters import report

CHILD = """
import sys
sys.path.insert(0, sys.argv[1])
from clusters import clusters
import tripleteval as te
from tripleteval.search.child import memory_held
n, dim, classes, memory = int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
points, labels = clusters(n, dim, classes)
te.evaluate(points[:200], labels[:200] % 20, kernel="cpu")
before = memory_held("VmHWM")  # needs /proc
te.evaluate(points, labels, memory=memory)
print((memory_held("VmHWM") - before) / 2**20)
"""


def main() -> None:
    """Measure one size under several budgets."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("-n", type=int, default=60_000)
    options.add_argument("--dim", type=int, default=128)
    options.add_argument("--classes", type=int, default=11_000)
    options.add_argument("--memory", nargs="*", default=["256MiB", "1GiB"])
    given = options.parse_args()
    for memory in given.memory:
        arguments = [sys.path[0], *map(str, (given.n, given.dim, given.classes)), memory]
        ran = subprocess.run(  # noqa: S603  # our own child
            [sys.executable, "-c", CHILD, *arguments], capture_output=True, text=True, check=True
        )
        report(
            question="peak memory beyond input and libraries",
            n=given.n,
            dim=given.dim,
            classes=given.classes,
            budget=memory,
            peak_mib=round(float(ran.stdout), 1),
            full_float32_matrix_mib=round(given.n**2 * 4 / 2**20),
        )


if __name__ == "__main__":
    main()
