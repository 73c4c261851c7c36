"""The options that say what is measured, named as the parameters of `tripleteval.evaluate`."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

import click

from tripleteval.errors import ParameterError

Command = TypeVar("Command", bound=Callable[..., Any])

_MOST_POINTS = 200
_AGAIN = "May be repeated."
_SHOWN: dict[str, Any] = {"show_default": True}


def _choice(name: str, known: tuple[str, ...], what: str) -> Callable[[Command], Command]:
    return click.option(name, type=click.Choice(known), default=known[0], help=what, **_SHOWN)


_DISTANCES = ("euclidean", "sqeuclidean", "cosine")
distance_option = _choice("--distance", _DISTANCES, "Margins and thresholds are in its unit.")
distance_of_pairs_option = _choice("--distance", _DISTANCES, "Thresholds are in its unit.")
margins_option = click.option(
    "--margin", "margins", type=float, multiple=True, default=(0.2,), **_SHOWN, help=f"Margin of triplets. {_AGAIN}"
)
confidence_option = click.option("--confidence", type=float, default=0.95, **_SHOWN, help="Of every interval.")
seed_option = click.option("--seed", type=int, default=0, **_SHOWN, help="Of whatever is drawn at random.")
fars_option = click.option(
    "--far",
    "fars",
    type=float,
    multiple=True,
    default=(0.1, 0.01, 0.001),
    **_SHOWN,
    help=f"False accept rate. {_AGAIN}",
)


def measuring_options(command: Command) -> Command:
    """Add the options whose names `tripleteval.evaluate` takes as they are."""
    for option in reversed(
        [
            distance_option,
            click.option(
                "-k", "--k", "ks", type=int, multiple=True, default=(1, 5, 10), **_SHOWN, help=f"Cut-off. {_AGAIN}"
            ),
            margins_option,
            click.option("--margin-curve", metavar="LOW:HIGH:STEP", help="Share of satisfied triplets along margins."),
            fars_option,
            click.option(
                "--verification/--no-verification", default=True, **_SHOWN, help="Measure all pairs: AUC, EER, TAR."
            ),
            click.option(
                "--calibrate-on",
                metavar="EXPR|SHARE",
                help="Choose thresholds on these rows, or a share.",
            ),
            click.option(
                "--metric",
                "metrics",
                multiple=True,
                metavar="NAME",
                help=f"One more, as map@100 or silhouette. {_AGAIN}",
            ),
            _choice("--ties", ("expected", "index", "optimistic", "pessimistic"), "Order of equal distances."),
            _choice("--average", ("query", "class", "pooled"), "What every number weighs alike."),
            click.option("--ignore", type=click.Choice(["group"]), help="Remove the query's own label and group."),
            click.option("--ignore-label", metavar="LABEL", help="Drop the rows with this label."),
            _choice("--nonfinite", ("refuse", "drop"), "Rows with NaN or infinite values."),
            _choice("--zero-rows", ("refuse", "exclude", "far"), "Zero vectors, under cosine."),
            click.option("--neighbors", type=int, default=10, **_SHOWN, help="Nearest items kept per query."),
            confidence_option,
            _choice("--unit", ("class", "query", "group"), "What intervals take for independent."),
            seed_option,
            click.option("--by", multiple=True, metavar="NAME", help=f"Column to repeat the numbers by. {_AGAIN}"),
            click.option("--sample", type=int, metavar="N", help="Ask N queries only, drawn by class."),
            click.option("--precision", type=float, metavar="H", help="Ask until headline intervals are within ±H."),
            click.option("--memory", default="1GiB", **_SHOWN, help="Memory to use beyond the input."),
            click.option("--threads", type=int, help="Worker threads; by default one per core."),
            _choice(
                "--kernel",
                ("auto", "cpu", "numpy", "reference"),
                "How distances are computed; the numbers are the same.",
            ),
        ]
    ):
        command = option(command)
    return command


def margin_curve(text: str | None) -> tuple[float, ...]:
    """Return the margins of ``LOW:HIGH:STEP``, both ends included.

    Raises:
        ParameterError: It is not three finite numbers, runs backwards, or is too fine (E505).
    """
    if text is None:
        return ()
    try:
        # Decimal, so that -1:1:0.1 meets 0 and 0.3 exactly as they are written.
        low, high, step = (Decimal(part) for part in text.split(":"))
        count = int((high - low) / step) + 1
    except (ValueError, ArithmeticError, InvalidOperation):
        count = 0
    if count < 1 or step <= 0 or high < low:
        found = f"--margin-curve {text!r}"
        raise ParameterError("E505", found, fix="give LOW:HIGH:STEP with a STEP above 0, such as -1:1:0.1")
    if count > _MOST_POINTS:
        found = f"--margin-curve {text!r}, which is {count:,} margins"
        raise ParameterError("E505", found, fix=f"give a larger STEP; at most {_MOST_POINTS} margins are measured")
    return tuple(float(low + step * point) for point in range(count))
