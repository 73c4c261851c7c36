"""``tripleteval runs``: what there is, and how it moved."""

from __future__ import annotations

import json

import click

from tripleteval.cli.paths import PATH

_PIPED_WIDTH = 120


@click.command("runs")
@click.argument("folder", default="runs", type=PATH, metavar="[DIR]")
@click.option("-m", "--metric", "metrics", multiple=True, metavar="NAME", help="Column to show. May be repeated.")
@click.option("--where", "tests", multiple=True, metavar="TEST", help="Such as 'recall@10>=0.9'. May be repeated.")
@click.option("--sort", "by", default="saved", show_default=True, help="saved, name, or a metric, shown first.")
@click.option("--descending", is_flag=True, help="Highest, or latest, first.")
@click.option("--last", type=click.IntRange(min=1), metavar="N", help="Only the N that were saved last.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array instead of a table.")
@click.option("--json-errors", is_flag=True, expose_value=False, help="Print errors as one JSON object on stderr.")
def command(
    folder: str,
    metrics: tuple[str, ...],
    tests: tuple[str, ...],
    by: str,
    descending: bool,
    last: int | None,
    as_json: bool,
) -> None:
    """List the runs in DIR with their headline numbers, and how these moved.

    Reads the run folders themselves; there is no database to fall behind them.

    \b
    Examples:
        tripleteval runs
        tripleteval runs runs/ --sort map@r --descending
        tripleteval runs runs/ -m recall@10 -m triplet_accuracy --where "recall@10>=0.9"
        tripleteval runs runs/ --json | jq '.[-1].values["map@r"]'
    """  # noqa: D301  # \b is how click keeps lines as they are
    from tripleteval.report.history import (
        arranged,
        chosen,
        fitted,
        found,
        headlines,
        history,
        known_in,
        searches,
        unfinished_runs,
    )

    runs = found(folder)
    metrics = tuple(known_in(runs, metrics))
    kept = chosen(runs, tests)
    kept = arranged(kept[-last:] if last else kept, by, descending=descending)
    if as_json:
        rows = [
            {"run": run.name, "saved": run.saved, "problem": run.problem, "values": dict(_values(run.evaluation))}
            for run in kept
        ]
        click.echo(json.dumps(rows, indent=1, allow_nan=False))
        return
    from tripleteval.report.console import draw, screen

    console = screen(_PIPED_WIDTH)
    first = [] if by in {"saved", "name"} else known_in(runs, [by])  # the column that stays in a narrow window
    shown = list(dict.fromkeys([*first, *(metrics or headlines(kept))]))
    section = history(kept, shown, searches(folder), unfinished_runs(folder))
    for drawn in draw(fitted(section, console.width)):
        console.print(drawn)


def _values(evaluation: object) -> list[tuple[str, float | None]]:
    from tripleteval.data.evaluation import Evaluation

    if not isinstance(evaluation, Evaluation):
        return []
    return [(name, entry["value"]) for name, entry in evaluation.metrics.items()]
