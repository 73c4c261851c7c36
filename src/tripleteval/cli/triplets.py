"""``tripleteval triplets``: triplets that somebody else has chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tripleteval.cli.measuring import confidence_option, distance_option, margins_option, seed_option
from tripleteval.cli.output import chosen_output, output_options
from tripleteval.cli.paths import PATH
from tripleteval.cli.reading import named_in, whole_numbers
from tripleteval.errors import FileError, ParameterError

if TYPE_CHECKING:
    from tripleteval.arrays import AnyArray
    from tripleteval.data.embeddings import Embeddings

VECTORS = ("anchors", "positives", "negatives")
ROWS = ("anchor", "positive", "negative")


@click.command("triplets")
@click.argument("file", type=PATH, metavar="FILE")
@click.option("--embeddings", type=PATH, metavar="FILE", help="Embeddings that FILE names rows or ids of.")
@click.option("--embedding-column", metavar="NAME", help="Column (array in .npz) of the vectors.")
@distance_option
@margins_option
@click.option("--allow-huge", is_flag=True, help="Accept magnitudes beyond 1e18.")
@confidence_option
@seed_option
@click.option("--drop-degenerate", is_flag=True, help="Drop and count triplets that name a row twice.")
@output_options
def command(file: str, embeddings: str | None, embedding_column: str | None, allow_huge: bool, **chosen: Any) -> None:
    """Evaluate given anchors, positives and negatives.

    FILE is an .npz with the arrays anchors, positives and negatives, row by row one triplet. With
    --embeddings it is an .npz, .csv, .tsv or .parquet with the columns anchor, positive and negative, which name
    items of the embeddings: by id, where these have ids and the values are of their type; else whole numbers are
    rows, 0-based. In .csv and .tsv a value is always an id where there are ids.

    \b
    Examples:
        tripleteval triplets triplets.npz --margin 0.2
        tripleteval triplets triplets.csv --embeddings val.parquet --distance cosine --margin 0.1 --json -
    """  # noqa: D301  # \b is how click keeps lines as they are
    output = chosen_output(file, [embeddings], chosen)
    if embeddings is None and (embedding_column is not None or chosen["drop_degenerate"]):
        said = "--embedding-column or --drop-degenerate without --embeddings"
        raise ParameterError("E101", said, fix="name the file that the rows point into")
    output.require_possible()
    from tripleteval import evaluate_triplets
    from tripleteval.readers import read

    if embeddings is None:
        evaluation = evaluate_triplets(*_vectors(file, allow_huge=allow_huge), **chosen)
    else:
        found = read(embeddings, embedding_column=embedding_column, allow_huge=allow_huge, memory=None)
        with named_in(file, dict(zip((*VECTORS, "triplets"), (*ROWS, ""), strict=True))):
            evaluation = evaluate_triplets(*read_rows(file, found), embeddings=found, **chosen)
    output.deliver(evaluation)


def _vectors(path: str, *, allow_huge: bool) -> list[AnyArray]:
    from tripleteval.readers import read

    try:
        return [read(path, embedding_column=name, allow_huge=allow_huge, memory=None).vectors for name in VECTORS]
    except FileError as error:
        if error.code != "E605":
            raise
        fix = f"if it names rows or ids, name the file of vectors with --embeddings; else write {', '.join(VECTORS)}"
        raise FileError("E605", error.found, where=error.where, fix=fix) from None


def read_rows(path: str, embeddings: Embeddings) -> list[Any]:
    """Return the columns anchor, positive and negative of a file: rows of the embeddings, or ids.

    What they are is told by their type (`rows_of`). Text of a table is that of ids of text, else a whole number.

    Raises:
        FileError: The file cannot be read, or lacks a column (E601-E606).
        ParameterError: Text where rows are wanted (E501).
    """
    if path.lower().endswith(".npz"):
        return _from_npz(path)
    from tripleteval.readers.column_file import read_columns

    columns = read_columns(path, dict.fromkeys(ROWS, "ids"))
    named = embeddings.ids is not None and isinstance(embeddings.ids.classes[0], str)
    if named:
        return columns
    return [whole_numbers(column, role, "triplet", path) for column, role in zip(columns, ROWS, strict=True)]


def _from_npz(path: str) -> list[AnyArray]:
    import zipfile

    from tripleteval.readers.archive import column, members
    from tripleteval.readers.files import opened, require_content

    with opened(path) as source:
        require_content(source, b"PK\x03\x04")
        with zipfile.ZipFile(source.file) as archive:
            found = members(archive, source)
            missing = [name for name in ROWS if name not in found]
            if missing:
                listed = f"no array {missing[0]!r}; the archive has {', '.join(map(repr, found)) or 'no arrays'}"
                fix = "write anchor=, positive= and negative= with np.savez"
                raise FileError("E605", listed, where=path, fix=fix)
            columns = [column(archive, found[name], path) for name in ROWS]
        source.require_unchanged(len(columns[0]))
    return columns
