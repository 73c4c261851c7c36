"""``tripleteval triplets``: triplets that somebody else has chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tripleteval.cli.measuring import distance_option, margins_option
from tripleteval.cli.output import chosen_output, output_options
from tripleteval.errors import FileError

if TYPE_CHECKING:
    from tripleteval.arrays import AnyArray
    from tripleteval.data.embeddings import Embeddings

VECTORS = ("anchors", "positives", "negatives")
ROWS = ("anchor", "positive", "negative")
_BOMB_RATIO, _BOMB_BYTES = 100, 64 * 2**20


@click.command("triplets")
@click.argument("file")
@click.option("--embeddings", metavar="FILE", help="Embeddings that the rows in FILE point into (0-based).")
@click.option("--embedding-column", metavar="NAME", help="Column (array in .npz) of the vectors.")
@distance_option
@margins_option
@click.option("--drop-degenerate", is_flag=True, help="Drop and count triplets that name a row twice.")
@output_options
def command(file: str, embeddings: str | None, embedding_column: str | None, **chosen: Any) -> None:
    """Evaluate given anchors, positives and negatives.

    FILE is an .npz with the arrays anchors, positives and negatives, row by row one triplet. With
    --embeddings it is an .npz, .csv, .tsv or .parquet with the columns anchor, positive and negative:
    rows of the embeddings.

    \b
    Examples:
        tripleteval triplets triplets.npz --margin 0.2
        tripleteval triplets triplets.csv --embeddings val.parquet --distance cosine --margin 0.1 --json -
    """  # noqa: D301  # \b is how click keeps lines as they are
    output = chosen_output(file, [embeddings], chosen)
    output.require_possible()
    from tripleteval import evaluate_triplets
    from tripleteval.readers import read

    if embeddings is None:
        sides = [read(file, embedding_column=name).vectors for name in VECTORS]
        evaluation = evaluate_triplets(*sides, **chosen)
    else:
        found = read(embeddings, embedding_column=embedding_column)
        evaluation = evaluate_triplets(*read_rows(file, found), embeddings=found, **chosen)
    output.deliver(evaluation)


def read_rows(path: str, embeddings: Embeddings) -> list[Any]:
    """Return the columns anchor, positive and negative of a file: rows of the embeddings, or ids.

    Raises:
        FileError: The file cannot be read, or lacks a column (E601-E605).
    """
    if path.lower().endswith(".npz"):
        return _from_npz(path)
    from tripleteval.readers.column_file import read_column

    columns = [read_column(path, "ids", name) for name in ROWS]
    named = embeddings.ids is not None and isinstance(embeddings.ids.classes[0], str)
    return columns if named else [_whole_numbers(column) for column in columns]


def _whole_numbers(column: Any) -> Any:
    """Return text from CSV as integers where all of it is; whatever else stays, to be judged as it is."""
    try:
        return [int(value) for value in column] if all(isinstance(value, str) for value in column) else column
    except ValueError:
        return column


def _from_npz(path: str) -> list[AnyArray]:
    import zipfile

    import numpy as np

    from tripleteval.readers.files import opened, require_content

    with opened(path) as source:
        require_content(source, b"PK\x03\x04")
        with zipfile.ZipFile(source.file) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > max(_BOMB_BYTES, _BOMB_RATIO * source.size):
            raise FileError("E606", f"an archive that unpacks to {unpacked:,} bytes", where=path, fix="save it again")
        source.file.seek(0)
        with np.load(source.file, allow_pickle=False) as arrays:
            missing = [name for name in ROWS if name not in arrays]
            if missing:
                found = f"no array {missing[0]!r}; the archive has {', '.join(map(repr, arrays.files)) or 'no arrays'}"
                raise FileError("E605", found, where=path, fix="write anchor=, positive= and negative= with np.savez")
            return [arrays[name] for name in ROWS]
