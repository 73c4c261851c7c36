"""``tripleteval report``: run folders into a page."""

from __future__ import annotations

import os

import click

from tripleteval.cli.paths import PATH, require_new_file
from tripleteval.errors import FileError, one_line, printable

_MARK = b'<meta name="generator" content="tripleteval">'


@click.command("report")
@click.argument("runs", nargs=-1, required=True, type=PATH, metavar="RUN...")
@click.option(
    "-o", "--output", default="report.html", show_default=True, type=PATH, metavar="FILE", help="Page to write."
)
@click.option("--overwrite", is_flag=True, help="Replace FILE even if it is not a report of ours.")
@click.option("--json-errors", is_flag=True, expose_value=False, help="Print errors as one JSON object on stderr.")
def command(runs: tuple[str, ...], output: str, overwrite: bool) -> None:
    """Write an HTML page about one run, or several side by side.

    The page is one file without scripts; it asks nothing of the network and may be mailed or archived.

    \b
    Examples:
        tripleteval report runs/val -o report.html
        tripleteval report runs/baseline runs/candidate -o compared.html
    """  # noqa: D301  # \b is how click keeps lines as they are
    from tripleteval.disk import atomic_write
    from tripleteval.report.html import page
    from tripleteval.runs import RUN, TABLES, load

    inputs = [*runs, *(os.path.join(run, name) for run in runs for name in (RUN, *TABLES))]
    require_new_file(output, tuple(inputs), overwrite=overwrite or _is_report(output))
    written = page([(printable(os.path.normpath(run)), load(run)) for run in runs])
    atomic_write(os.path.realpath(output), written.encode())
    click.echo(f"written to {one_line(output)}", err=True)


def _is_report(path: str) -> bool:
    """Return whether the file is a page of ours, which a new one may replace unasked."""
    if not os.path.isfile(path):
        return False
    try:
        with open(path, "rb") as file:
            return _MARK in file.read(4096)
    except OSError as error:
        raise FileError("E611", f"it cannot be read: {error.strerror}", where=path, fix="give a new name") from None
