"""``tripleteval export``: one table of a run, as Parquet or CSV."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any

import click

from tripleteval.cli.material import material_options, read_material
from tripleteval.cli.output import quiet_option
from tripleteval.cli.paths import PATH, require_new_file
from tripleteval.disk import writing
from tripleteval.errors import FileError, ParameterError, counted, one_line

_TABLES = (
    "metrics",
    "queries",
    "classes",
    "units",
    "neighbors",
    "suspects",
    "confusions",
    "hubs",
    "duplicates",
    "map",
    "projector",
)


@click.command("export")
@click.argument("run", type=PATH)
@click.argument("table", type=click.Choice(_TABLES))
@click.option(
    "-o",
    "--output",
    type=PATH,
    metavar="FILE",
    required=True,
    help="File to write: .parquet or .csv; - prints CSV. Of projector, a folder.",
)
@material_options
@click.option("--raw-csv", is_flag=True, help="Leave texts that a spreadsheet would run as a formula as they are.")
@click.option("--overwrite", is_flag=True, help="Replace FILE.")
@quiet_option
@click.option("--json-errors", is_flag=True, expose_value=False, help="Print errors as one JSON object on stderr.")
def command(run: str, table: str, output: str, raw_csv: bool, overwrite: bool, quiet: bool, **chosen: Any) -> None:
    """Write one TABLE of a RUN as Parquet or CSV.

    suspects lists labels to look at again, confusions which classes are taken for each other, hubs how often
    each item is found, duplicates what is there twice. map and projector need the embeddings: Embedding Atlas
    opens the one, and the other is a folder for TensorBoard.

    \b
    Examples:
        tripleteval export runs/val suspects -o suspects.csv
        tripleteval export runs/val metrics -o - | column -s, -t
        tripleteval export runs/val map --embeddings val.parquet --images photos/ -o map.parquet
        embedding-atlas map.parquet --x x --y y --neighbors neighbors --image image
        tripleteval export runs/val projector --embeddings val.parquet -o logs
    """  # noqa: D301  # \b is how click keeps lines as they are
    from tripleteval.disk import atomic_write
    from tripleteval.report.exports import as_csv, as_parquet, exported
    from tripleteval.runs import load

    if table == "projector":
        queries = _project(run, output, chosen, overwrite=overwrite)
        if not quiet:
            shown = one_line(output)
            opened = f"tensorboard --logdir {shlex.quote(shown)}"
            click.echo(f"{counted(queries, 'query')} written to {shown}: {opened}", err=True)
        return
    suffix = ".csv" if output == "-" else os.path.splitext(output)[1].lower()
    if suffix not in {".csv", ".parquet"}:
        raise FileError("E602", f"the unknown suffix {suffix!r}", where=output, fix="name a .parquet or a .csv file")
    if output != "-":
        require_new_file(output, _inputs(run, chosen), overwrite=overwrite)
    evaluation = load(run)
    (material,) = read_material([evaluation], chosen)
    found = exported(evaluation, table, material)
    written = as_csv(found, raw=raw_csv) if suffix == ".csv" else as_parquet(found)
    if output == "-":
        click.echo(written, nl=False)
        return
    atomic_write(os.path.realpath(output), written)
    if not quiet:
        click.echo(f"{counted(found.num_rows, 'row')} written to {one_line(output)}", err=True)


def _inputs(run: str, chosen: dict[str, Any]) -> tuple[str, ...]:
    from tripleteval.runs import RUN, TABLES

    found = [*(os.path.join(run, name) for name in (RUN, *TABLES)), chosen["embeddings"], chosen["gallery"]]
    return tuple(path for path in found if path)


def _project(run: str, output: str, chosen: dict[str, Any], *, overwrite: bool) -> int:
    """Write the folder; return how many queries it holds."""
    from tripleteval.report.projected_run import project
    from tripleteval.report.projector import CONFIG
    from tripleteval.runs import load

    folder = Path(output)
    if os.path.lexists(folder) and not folder.is_dir():
        raise FileError("E611", "not a folder", where=output, fix="name a folder for TensorBoard's logs")
    if (folder / CONFIG).exists() and not overwrite:
        raise FileError(
            "E611", f"it holds {CONFIG} already", where=output, fix="name another folder, or --overwrite it"
        )
    evaluation = load(run)
    (material,) = read_material([evaluation], chosen)
    if material is None:
        raise ParameterError("E101", "a projector without embeddings", fix="name their file with --embeddings")
    with writing(folder):
        project(evaluation, material, folder)
    return len(material.queries)
