"""What do the numbers of all pairs add to an evaluation, counted in passing and in a pass of their own?"""

from __future__ import annotations

import argparse
from unittest.mock import patch

from clusters import clusters, report
from timing import alternately

import tripleteval as te
from tripleteval.evaluation import measure


def main() -> None:
    """Time all three alternately and print one line."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("-n", type=int, default=60_000)
    options.add_argument("--dim", type=int, default=128)
    options.add_argument("--classes", type=int, default=11_000)
    options.add_argument("--noise", type=float, default=1.0)
    options.add_argument("--repeats", type=int, default=3)
    given = options.parse_args()
    points, labels = clusters(given.n, given.dim, given.classes, given.noise)

    def alone() -> te.Evaluation:
        with patch.object(measure, "may_watch", lambda *_: False):
            return te.evaluate(points, labels, kernel="cpu")

    def in_passing() -> te.Evaluation:
        return te.evaluate(points, labels, kernel="cpu")

    if in_passing().result_hash != alone().result_hash:
        raise SystemExit("the numbers differ")
    ways = {
        "in_passing": in_passing,
        "without": lambda: te.evaluate(points, labels, kernel="cpu", verification=False),
        "alone": alone,
    }
    sizes = {name: value for name, value in vars(given).items() if name != "repeats"}
    report(question="all pairs", **sizes, **alternately(ways, given.repeats))


if __name__ == "__main__":
    main()
