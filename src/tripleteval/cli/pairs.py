"""``tripleteval pairs``: pairs that somebody else has chosen."""

from __future__ import annotations

from typing import Any

import click

from tripleteval.cli.measuring import confidence_option, distance_of_pairs_option, fars_option, seed_option
from tripleteval.cli.output import chosen_output, output_options
from tripleteval.cli.reading import named_in, whole_numbers
from tripleteval.errors import ParameterError


@click.command("pairs")
@click.argument("file")
@click.option("--embeddings", required=True, metavar="FILE", help="Embeddings that the pairs name items of.")
@click.option("--embedding-column", metavar="NAME", help="Column (array in .npz) of the vectors.")
@click.option("--id-column", metavar="NAME", help="Column of the ids.")
@click.option("--label-column", metavar="NAME", help="Column of the labels, which the pairs must agree with.")
@click.option("--folds", metavar="NAME|N", help="Measure cv_accuracy too: column of the folds, or how many to make.")
@distance_of_pairs_option
@fars_option
@confidence_option
@seed_option
@output_options
def command(file: str, embeddings: str, folds: str | None, **chosen: Any) -> None:
    """Evaluate given pairs: same or different?

    FILE is a table (.csv, .tsv, .parquet) with the columns id_a, id_b and same (1 or 0), or LFW's pairs.txt,
    whose folds are used. Ids are those of the embeddings; whole numbers are rows, 0-based, where these have none, and
    in .parquet also where the ids are text. Folds must not share an identity; a number makes as many that do not.
    Intervals take identities for independent, not pairs.

    \b
    Examples:
        tripleteval pairs pairs.csv --embeddings faces.parquet --folds fold
        tripleteval pairs pairs.csv --embeddings faces.parquet --folds 10 --distance cosine --far 0.001
        tripleteval pairs pairs.txt --embeddings lfw.parquet --json -
    """  # noqa: D301  # \b is how click keeps lines as they are
    output = chosen_output(file, [embeddings], chosen)
    output.require_possible()
    from tripleteval import evaluate_pairs
    from tripleteval.readers import read
    from tripleteval.readers.pair_list import matched, read_pairs

    columns = {name: chosen.pop(name) for name in ("embedding_column", "id_column", "label_column")}
    found = read(embeddings, memory=None, **columns)
    count = None if folds is None or not folds.isdecimal() else int(folds)
    column = folds if count is None else None
    if column is not None:
        _require_column_of_folds(column, file)
    listed = read_pairs(file, column)
    of_text = found.ids is not None and isinstance(found.ids.classes[0], str)
    one, two = (
        matched(side, found) if of_text else whole_numbers(side, role, "pair", file)
        for side, role in ((listed.firsts, "first"), (listed.seconds, "second"))
    )
    with named_in(file, _columns(file, column)):
        evaluation = evaluate_pairs(
            one,
            two,
            listed.same,
            embeddings=found,
            folds=listed.folds if count is None else count,
            **chosen,
        )
    output.deliver(evaluation)


def _require_column_of_folds(name: str, file: str) -> None:
    from tripleteval.readers.pair_list import FIRST, SAME, SECOND

    if file.lower().endswith(".txt"):
        fix = "leave it out: the list has folds of its own; or give a number of folds to make"
        raise ParameterError("E101", f"--folds {name!r}, and a list without columns", where=file, fix=fix)
    if name in ("", FIRST, SECOND, SAME):
        fix = "name another column, or give a number of folds to make"
        raise ParameterError("E101", f"--folds {name!r}, which names no folds", where=file, fix=fix)


def _columns(file: str, folds: str | None) -> dict[str, str]:
    """Return which column each argument was read from; a list without columns has none."""
    from tripleteval.readers.pair_list import FIRST, SAME, SECOND

    of_folds = {} if folds is None else {"folds": folds}
    columns = {"firsts": FIRST, "seconds": SECOND, "same": SAME, "pairs": ""} | of_folds
    return dict.fromkeys(columns, "") if file.lower().endswith(".txt") else columns
