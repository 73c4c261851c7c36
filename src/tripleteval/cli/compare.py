"""``tripleteval compare``: is the second run better than the first."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tripleteval.cli.output import quiet_option
from tripleteval.cli.paths import PATH, require_apart, require_new_file
from tripleteval.cli.reading import read_sets
from tripleteval.errors import ParameterError, visible

if TYPE_CHECKING:
    from tripleteval.data.embeddings import Embeddings

Command = TypeVar("Command", bound=Callable[..., Any])

_COLUMNS = ("embedding_column", "label_column", "id_column", "group_column")
_FILES = ("new_queries", "old_gallery", "labels", "gallery_labels")
_READING = ("labels", "gallery_labels", "where", "gallery_where", *_COLUMNS)


def given_options(command: Command) -> Command:
    """Add the options by which the embeddings behind the two runs are given."""
    options = [
        click.option("--new-queries", type=PATH, metavar="FILE", help="The queries as the model of RUN_B embeds them."),
        click.option("--old-gallery", type=PATH, metavar="FILE", help="The gallery (or all items) by that of RUN_A."),
        click.option("--labels", type=PATH, metavar="FILE", help="With --new-queries: labels, as when evaluated."),
        click.option("--gallery-labels", type=PATH, metavar="FILE", help="With --old-gallery: labels, likewise."),
        click.option("--where", metavar="EXPR", help="With --new-queries: rows to keep, likewise."),
        click.option("--gallery-where", metavar="EXPR", help="With --old-gallery: rows to keep, likewise."),
        *(
            click.option(f"--{name.replace('_', '-')}", metavar="NAME", help="With --new-queries: as when evaluated.")
            for name in _COLUMNS
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def read_given(chosen: dict[str, Any]) -> tuple[Embeddings | None, Embeddings | None]:
    """Read the new queries and the old gallery, taking the options about them out of ``chosen``.

    Raises:
        ParameterError: One of the two without the other, or options about them without either (E101).
    """
    new, old = chosen.pop("new_queries"), chosen.pop("old_gallery")
    reading = {name: chosen.pop(name) for name in _READING}
    if new is None and old is None and not any(reading.values()):
        return None, None
    if new is None or old is None:
        found = f"{'--new-queries' if new else '--old-gallery' if old else 'options about embeddings'} alone"
        raise ParameterError("E101", found, fix="give both --new-queries FILE and --old-gallery FILE")
    return read_sets(new, {**reading, "gallery": old, "allow_huge": True})


@click.command("compare")
@click.argument("first", metavar="RUN_A", type=PATH)
@click.argument("second", metavar="RUN_B", type=PATH)
@click.option(
    "--metric", "metrics", multiple=True, metavar="NAME", help="Compare this one, not the usual list. May be repeated."
)
@click.option("--primary", metavar="NAME", help="The one that decides: map@r, or the first of the list, unless named.")
@click.option("--unpaired", is_flag=True, help="The runs have different queries.")
@click.option("--confidence", type=float, help="Of every interval. By default as both were evaluated, else 0.95.")
@click.option("--unit", type=click.Choice(["class", "query", "group"]),
              help="What intervals take for independent. By default as both were evaluated, else class.")  # fmt: skip
@click.option("--seed", type=int, help="Of whatever is drawn. By default as both were evaluated, else 0.")
@given_options
@click.option(
    "-o", "--output", type=PATH, metavar="DIR", help="New folder for compare.json and the changed queries and classes."
)
@click.option("--json", "json_", type=PATH, metavar="-|FILE", help="Write the JSON document; - prints it alone.")
@click.option("--overwrite", is_flag=True, help="Replace the JSON file that is there.")
@quiet_option
@click.option("--json-errors", is_flag=True, expose_value=False, help="Print errors as one JSON object on stderr.")
def command(first: str, second: str, **chosen: Any) -> None:
    """Say whether one run is better than another, and which queries it broke.

    RUN_B is compared with RUN_A on the same queries, matched by id or, without ids, by row. The verdict (better, worse,
    not distinguishable) is about one metric; every other is listed with its interval. It does not change the exit
    code: for continuous integration there is tripleteval gate. With --new-queries and --old-gallery, new queries are
    also searched in the old gallery: may it stay when the model is replaced? Two runs of tripleteval identify are
    compared by cmc@k and tpir@fpir, two of tripleteval pairs by cv_accuracy and the numbers of pairs, and two of
    tripleteval triplets by all their numbers, on triplets of the same ids or rows (or, given as vectors, places).

    \b
    Examples:
        tripleteval compare runs/baseline runs/candidate
        tripleteval compare runs/baseline runs/candidate --primary recall@10 -o runs/compared
        tripleteval compare runs/baseline runs/candidate --metric tar@far=0.001 --metric eer
        tripleteval compare runs/faces runs/faces-new --primary tpir@fpir=0.01
        tripleteval compare runs/old runs/new --new-queries new.parquet --old-gallery old.parquet
        tripleteval compare runs/baseline runs/candidate --json - | jq .verdict
    """  # noqa: D301  # \b is how click keeps lines as they are
    from tripleteval.differences.door import compare
    from tripleteval.differences.result import DOCUMENT, require_new
    from tripleteval.runs import RUN, TABLES, load

    output, json_ = chosen["output"], chosen["json_"]
    if json_ not in {None, "-"}:
        inputs = [os.path.join(folder, name) for folder in (first, second) for name in (RUN, *TABLES)]
        inputs += [chosen[name] for name in _FILES if chosen[name] is not None]
        require_new_file(json_, tuple(inputs), overwrite=chosen["overwrite"])
    if output is not None:
        require_new(output)
        if json_ not in {None, "-"}:
            require_apart(json_, output, DOCUMENT)
    runs = load(first), load(second)
    new_queries, old_gallery = read_given(chosen)
    found = compare(
        *runs,
        new_queries=new_queries,
        old_gallery=old_gallery,
        metrics=chosen["metrics"] or None,
        primary=chosen["primary"],
        paired=not chosen["unpaired"],
        confidence=chosen["confidence"],
        unit=chosen["unit"],
        seed=chosen["seed"],
        names=(os.path.normpath(first), os.path.normpath(second)),
    )
    if output is not None:
        saved = found.save(output)
        if not chosen["quiet"]:
            click.echo(f"saved in {visible(str(saved))}", err=True)
    document = json.dumps(found.to_dict(), indent=1, allow_nan=False)
    if json_ not in {None, "-"}:
        from tripleteval.disk import atomic_write

        atomic_write(os.path.realpath(json_), f"{document}\n".encode())
    if json_ == "-":
        click.echo(document)
        return
    from tripleteval.report.console import screen

    screen().print(found)
