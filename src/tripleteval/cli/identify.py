"""``tripleteval identify``: who is it, and is it anybody we know?"""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from tripleteval.cli.measuring import confidence_option, distance_of_pairs_option, seed_option
from tripleteval.cli.output import chosen_output, output_options
from tripleteval.cli.reading import read_sets, reading_options
from tripleteval.errors import ParameterError


@click.command("identify")
@click.argument("file")
@partial(reading_options, gallery="Enrolled items, among whom probes are searched.  [required]", relevance=False)
@click.option(
    "-k", "--k", "ks", type=int, multiple=True, default=(1, 5, 10), show_default=True, help="Rank. May be repeated."
)
@click.option(
    "--fpir",
    "fpirs",
    type=float,
    multiple=True,
    default=(0.1, 0.01),
    show_default=True,
    help="Rate of false positives per search of a stranger. May be repeated.",
)
@click.option(
    "--fusion",
    type=click.Choice(["min", "mean"]),
    default="min",
    show_default=True,
    help="An identity is as close as its closest item, or as the mean of its items.",
)
@distance_of_pairs_option
@confidence_option
@seed_option
@click.option("--memory", default="1GiB", show_default=True, help="Memory to use beyond the input.")
@click.option("--threads", type=int, help="Worker threads; by default one per core.")
@output_options
def command(file: str, **chosen: Any) -> None:
    """Identify probes among the identities of a gallery, enrolled or not.

    FILE holds the probes. A probe whose label the gallery does not have is a stranger, who should find nobody;
    the threshold is chosen on strangers. The size of the gallery belongs to every number; intervals say what other
    people, enrolled and strangers, would give in it.

    \b
    Examples:
        tripleteval identify probes.parquet --gallery enrolled.parquet --distance cosine
        tripleteval identify probes.npy --labels probes.txt --gallery enrolled.npy --gallery-labels enrolled.txt \\
            -k 1 -k 20 --fpir 0.01 --fusion mean --json -
    """  # noqa: D301  # \b is how click keeps lines as they are
    output = chosen_output(file, [chosen[name] for name in ("labels", "gallery", "gallery_labels")], chosen)
    output.require_possible()
    if chosen["gallery"] is None:
        raise ParameterError("E101", "no --gallery to search", fix="name the file of the enrolled items")
    probes, gallery = read_sets(file, chosen, memory=chosen["memory"])
    from tripleteval import evaluate_identification

    output.deliver(evaluate_identification(probes, gallery, **chosen))
