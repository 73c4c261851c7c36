"""``tripleteval compare``: is the second run better than the first."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import click

from tripleteval.cli.measuring import confidence_option, seed_option
from tripleteval.cli.paths import PATH, require_new_file
from tripleteval.errors import visible

_WIDTH = 100


@click.command("compare")
@click.argument("first", metavar="RUN_A", type=PATH)
@click.argument("second", metavar="RUN_B", type=PATH)
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="Compare this one. May be repeated.")
@click.option("--primary", metavar="NAME", help="The metric that decides; map@r unless named.")
@click.option("--unpaired", is_flag=True, help="The runs have different queries.")
@confidence_option
@click.option("--unit", type=click.Choice(["class", "query", "group"]), default="class", show_default=True,
              help="What intervals take for independent.")  # fmt: skip
@seed_option
@click.option(
    "-o", "--output", type=PATH, metavar="DIR", help="New folder for compare.json and the changed queries and classes."
)
@click.option("--json", "json_", type=PATH, metavar="-|FILE", help="Write the JSON document; - prints it alone.")
@click.option("--overwrite", is_flag=True, help="Replace the JSON file that is there.")
@click.option("--json-errors", is_flag=True, expose_value=False, help="Print errors as one JSON object on stderr.")
def command(first: str, second: str, **chosen: Any) -> None:
    """Say whether one run is better than another, and which queries it broke.

    RUN_B is compared with RUN_A on the same queries, matched by id or, without ids, by row.

    \b
    Examples:
        tripleteval compare runs/baseline runs/candidate
        tripleteval compare runs/baseline runs/candidate --primary recall@10 -o runs/compared
        tripleteval compare runs/baseline runs/candidate --json - | jq .verdict
    """  # noqa: D301  # \b is how click keeps lines as they are
    from tripleteval.differences.door import compare
    from tripleteval.runs import load, require_free

    output, json_ = chosen["output"], chosen["json_"]
    if json_ not in {None, "-"}:
        require_new_file(json_, (), overwrite=chosen["overwrite"])
    if output is not None:
        require_free(output)
    found = compare(
        load(first),
        load(second),
        metrics=chosen["metrics"] or None,
        primary=chosen["primary"],
        paired=not chosen["unpaired"],
        confidence=chosen["confidence"],
        unit=chosen["unit"],
        seed=chosen["seed"],
        names=(os.path.normpath(first), os.path.normpath(second)),
    )
    if output is not None:
        click.echo(f"saved in {visible(str(found.save(output)))}", err=True)
    document = json.dumps(found.to_dict(), indent=1, allow_nan=False)
    if json_ not in {None, "-"}:
        from tripleteval.disk import atomic_write

        atomic_write(os.path.realpath(json_), f"{document}\n".encode())
    if json_ == "-":
        click.echo(document)
        return
    from rich.console import Console

    Console(file=sys.stdout, width=None if sys.stdout.isatty() else _WIDTH).print(found)
