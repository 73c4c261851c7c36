"""``tripleteval demo``: the whole way, from training to a report."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import click

from tripleteval.cli.paths import PATH


@click.command("demo")
@click.option(
    "-o", "--output", default="tripleteval-demo", show_default=True, type=PATH, metavar="DIR", help="Where results go."
)
@click.option("--quick", is_flag=True, help="Train for seconds instead of a minute.")
@click.option("--json-errors", is_flag=True, expose_value=False, help="Print errors as one JSON object on stderr.")
def command(output: str, quick: bool) -> None:
    """Train a small Siamese network, evaluate it and write a report.

    \b
    Examples:
        tripleteval demo
        tripleteval demo --quick --output /tmp/demo
    """  # noqa: D301  # \b is how click keeps lines as they are
    import_module("tripleteval.demo").run(output=Path(output), quick=quick)
