"""How long does a small set take that is counted without compiling, against the reference and what was compiled?"""

from __future__ import annotations

import argparse
from functools import partial

from clusters import clusters, report
from timing import alternately

import tripleteval as te


def main() -> None:
    """Time the kernels alternately, without and with all pairs, and print a line each."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("-n", type=int, default=1_999)
    options.add_argument("--dim", type=int, default=64)
    options.add_argument("--classes", type=int, default=400)
    options.add_argument("--noise", type=float, default=1.0)
    options.add_argument("--repeats", type=int, default=9)
    given = options.parse_args()
    points, labels = clusters(given.n, given.dim, given.classes, given.noise)
    for verification in (False, True):
        once = {
            kernel: partial(te.evaluate, points, labels, kernel=kernel, verification=verification)
            for kernel in ("numpy", "reference", "cpu")
        }
        hashes = {run().result_hash for run in once.values()}  # and what is compiled is loaded
        report(
            question="small sets",
            **{name: value for name, value in vars(given).items() if name != "repeats"},
            all_pairs=verification,
            hashes=len(hashes),
            **alternately(once, given.repeats),
        )


if __name__ == "__main__":
    main()
