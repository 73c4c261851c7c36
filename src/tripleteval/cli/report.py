"""``tripleteval report``: run folders into a page."""

from __future__ import annotations

import os
from typing import Any

import click

from tripleteval.cli.material import material_options, read_material
from tripleteval.errors import FileError, ParameterError

_MARK = b'<meta name="generator" content="tripleteval">'


@click.command("report")
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option("-o", "--output", default="report.html", show_default=True, metavar="FILE", help="Page to write.")
@material_options
@click.option("--report-budget", default="5MB", show_default=True, help="What all pictures together may take.")
@click.option("--overwrite", is_flag=True, help="Replace FILE even if it is not a report of ours.")
@click.option("--json-errors", is_flag=True, expose_value=False, help="Print errors as one JSON object on stderr.")
def command(runs: tuple[str, ...], output: str, report_budget: str, overwrite: bool, **chosen: Any) -> None:
    """Write an HTML page about one run, or several side by side.

    The page is one file; it asks nothing of the network and may be mailed or archived. With the embeddings of
    the run (and --gallery, --where as they were evaluated) it has a map, and pictures or texts of what failed.

    \b
    Examples:
        tripleteval report runs/val -o report.html
        tripleteval report runs/val --embeddings val.parquet --images photos/ --image-column path
        tripleteval report runs/banking --embeddings banking.parquet --text-column text
        tripleteval report runs/baseline runs/candidate -o compared.html
    """  # noqa: D301  # \b is how click keeps lines as they are
    from tripleteval.disk import atomic_write
    from tripleteval.engine.plan import parse_memory
    from tripleteval.report.html import page
    from tripleteval.runs import RUN, TABLES, load

    inputs = [*runs, *(os.path.join(run, name) for run in runs for name in (RUN, *TABLES))]
    inputs += [chosen[name] for name in ("embeddings", "gallery", "labels", "gallery_labels") if chosen[name]]
    require_new_file(output, tuple(inputs), overwrite=overwrite or _is_report(output))
    budget = parse_memory(report_budget)
    if len(runs) > 1 and chosen["embeddings"] is not None:
        raise ParameterError("E101", "--embeddings with several runs", fix="give one run, or leave the embeddings out")
    loaded = [(os.path.normpath(run), load(run)) for run in runs]
    material = read_material(loaded[0][1], chosen)
    written = page(loaded, material=material, budget=budget)
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
