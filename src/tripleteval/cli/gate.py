"""``tripleteval gate``: an exit code for continuous integration."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import click

from tripleteval.cli.output import quiet_option
from tripleteval.cli.paths import PATH, require_new_file
from tripleteval.errors import FileError, visible

if TYPE_CHECKING:
    from tripleteval.gates.result import Gate

FAILED = 1


@click.command("gate")
@click.argument("run", metavar="RUN", type=PATH)
@click.option("--require", multiple=True, metavar="TEXT", help="Such as 'low(map@r) >= 0.5'. May be repeated.")
@click.option("--baseline", type=PATH, metavar="RUN", help="A run on the same queries that must not be undercut.")
@click.option(
    "--no-worse",
    multiple=True,
    metavar="NAME",
    help="map@r, low(map@r), or where lower is better high(eer). May be repeated.",
)
@click.option(
    "--margin",
    type=float,
    default=0.0,
    show_default=True,
    help="How much worse is still allowed, in units of the metric.",
)
@click.option("--unpaired", is_flag=True, help="The baseline has other queries.")
@click.option("--junit", type=PATH, metavar="FILE", help="Write JUnit XML, replacing what is there.")
@click.option("--json", "json_", type=PATH, metavar="-|FILE", help="Write the JSON document; - prints it alone.")
@click.option("--overwrite", is_flag=True, help="Replace the JSON file that is there.")
@quiet_option
@click.option("--json-errors", is_flag=True, expose_value=False, help="Print errors as one JSON object on stderr.")
@click.pass_context
def command(context: click.Context, /, run: str, **chosen: Any) -> None:
    """Check a run against requirements, for continuous integration.

    Exit with 0 if all are met, 1 if not, 2 if they make no sense. A requirement is about the value, or about an
    end of its interval, at the confidence that the run was evaluated with: low(recall@10) >= 0.9 holds only if chance
    is ruled out. --no-worse map@r compares values with the baseline, --no-worse 'low(map@r)' asks the interval of the
    paired difference. Under GitHub Actions, failures become annotations and a summary.

    \b
    Examples:
        tripleteval gate runs/new --require 'recall@10 >= 0.90' --require 'low(map@r) >= 0.5'
        tripleteval gate runs/new --require 'low(tar@far=0.001) >= 0.8' --require 'high(eer) <= 0.05'
        tripleteval gate runs/new --baseline runs/old --no-worse map@r --margin 0.005 --junit gate.xml
    """  # noqa: D301  # \b is how click keeps lines as they are
    from tripleteval.disk import atomic_write
    from tripleteval.gates.door import gate
    from tripleteval.runs import RUN, TABLES, load

    folders = [run, *([] if chosen["baseline"] is None else [chosen["baseline"]])]
    inputs = tuple(os.path.join(folder, name) for folder in folders for name in (RUN, *TABLES))
    junit, json_ = chosen["junit"], chosen["json_"]
    if junit is not None:
        require_new_file(junit, inputs, overwrite=True)  # CI runs again and again in one place
    if json_ not in {None, "-"}:
        require_new_file(json_, inputs, overwrite=chosen["overwrite"])
        if junit is not None and os.path.realpath(junit) == os.path.realpath(json_):
            raise FileError("E611", "one file for --junit and --json", where=json_, fix="name two")
    found = gate(
        load(run),
        chosen["require"],
        baseline=None if chosen["baseline"] is None else load(chosen["baseline"]),
        no_worse=chosen["no_worse"],
        margin=chosen["margin"],
        paired=not chosen["unpaired"],
        name=os.path.normpath(run),
    )
    document = json.dumps(found.to_dict(), indent=1, allow_nan=False)
    if junit is not None:
        from tripleteval.gates.junit import junit as as_junit

        atomic_write(os.path.realpath(junit), as_junit(found))
    if json_ not in {None, "-"}:
        atomic_write(os.path.realpath(json_), f"{document}\n".encode())
    _say(found, document if json_ == "-" else None)
    context.exit(0 if found.passed else FAILED)


def _say(found: Gate, document: str | None) -> None:
    if document is not None:
        click.echo(document)
    else:
        from tripleteval.report.console import screen

        screen().print(found)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        from tripleteval.gates.github import error_lines, summary

        for line in error_lines(found):  # on stderr too they are read, and stdout may be a JSON document
            click.echo(line, err=document is not None)
        if path := os.environ.get("GITHUB_STEP_SUMMARY"):
            _append(path, summary(found))


def _append(path: str, text: str) -> None:
    try:
        with open(path, "a", encoding="utf-8") as file:
            file.write(text + "\n")
    except OSError as error:  # the verdict is worth more than its summary
        click.echo(f"the summary of the step cannot be written: {visible(str(error))}", err=True)
