"""What does certainty cost: the same evaluation with the proven bound, and with none (and wrong ranks)?"""

from __future__ import annotations

import argparse
from unittest.mock import patch

from clusters import clusters, report
from timing import alternately

import tripleteval as te
from tripleteval.engine.frame import Frame


def main() -> None:
    """Time both alternately and print one line."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("-n", type=int, default=20_000)
    options.add_argument("--dim", type=int, default=128)
    options.add_argument("--classes", type=int, default=3_700)
    options.add_argument("--noise", type=float, default=1.0)
    options.add_argument("--repeats", type=int, default=5)
    given = options.parse_args()
    points, labels = clusters(given.n, given.dim, given.classes, given.noise)

    def uncertified() -> None:
        with patch.object(Frame, "relative", 0.0), patch.object(Frame, "least", 0.0):
            te.evaluate(points, labels, kernel="cpu")

    evaluation = te.evaluate(points, labels, kernel="cpu")
    report(
        question="cost of certification",
        **{name: value for name, value in vars(given).items() if name != "repeats"},
        **alternately(
            {"certified": lambda: te.evaluate(points, labels, kernel="cpu"), "uncertified": uncertified}, given.repeats
        ),
        pairs_in_float64=evaluation.environment["pairs_in_float64"] / evaluation.accounting["pairs_compared"],
    )


if __name__ == "__main__":
    main()
