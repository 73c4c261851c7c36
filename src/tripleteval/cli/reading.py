"""Files into the two sets of an evaluation, by the options that say where things are."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tripleteval.cli.paths import PATH
from tripleteval.errors import EvalError, FileError, ParameterError, one_line

if TYPE_CHECKING:
    import pyarrow as pa

    from tripleteval.data.embeddings import Embeddings

Command = TypeVar("Command", bound=Callable[..., Any])

_COLUMNS = ("embedding_column", "label_column", "id_column", "group_column")
_INTEGER = re.compile(r"\s*[+-]?[0-9]{1,40}\s*")  # int() itself takes 1_000 and digits of other scripts


def reading_options(
    command: Command, gallery: str = "Who is searched; by default the queries themselves.", *, relevance: bool = True
) -> Command:
    """Add the options that `read_sets` and `read_relevance` understand; ``gallery`` explains that one.

    Without ``relevance``, labels alone say who is who.
    """
    of_relevance = click.option(
        "--relevance",
        type=PATH,
        metavar="FILE",
        help="Query id, gallery id, grade: columns in this order, whatever their names; or TREC's qrels.",
    )
    for option in reversed(
        [
            click.option("--labels", type=PATH, metavar="FILE", help="Labels of the queries: .txt, .npy or a table."),
            click.option("--gallery", type=PATH, metavar="FILE", help=gallery),
            click.option("--gallery-labels", type=PATH, metavar="FILE", help="Labels of the gallery."),
            click.option("--embedding-column", metavar="NAME", help="Column (array in .npz) of the vectors."),
            click.option("--label-column", metavar="NAME", help="Column of the labels."),
            click.option("--id-column", metavar="NAME", help="Column of the ids."),
            click.option("--group-column", metavar="NAME", help="Column of the camera, session or listing."),
            click.option("--where", metavar="EXPR", help="Rows of FILE to keep, such as \"split = 'test'\"."),
            click.option("--gallery-where", metavar="EXPR", help="Rows of the gallery file to keep."),
            *([of_relevance] if relevance else []),
            click.option("--allow-huge", is_flag=True, help="Accept magnitudes beyond 1e18."),
        ]
    ):
        command = option(command)
    return command


def read_sets(
    file: str, chosen: dict[str, Any], *, memory: str | None = None, of_gallery: str | None = None
) -> tuple[Embeddings, Embeddings | None]:
    """Read queries and gallery, taking the reading options out of ``chosen``.

    What is beyond ``memory`` stays on disk; of the gallery, what is beyond ``of_gallery`` if that is given.

    Raises:
        ParameterError: An option about the gallery, but no gallery, or a filter that is none (E101).
        FileError: A folder of pictures (E604), or whatever reading raises.
    """
    columns = {name: chosen.pop(name) for name in _COLUMNS}
    columns |= {"allow_huge": chosen.pop("allow_huge"), "memory": memory}
    gallery, labels, where = (chosen.pop(name) for name in ("gallery", "gallery_labels", "gallery_where"))
    if gallery is None and (labels or where):
        raise ParameterError(
            "E101", "--gallery-labels or --gallery-where without --gallery", fix="name the gallery file"
        )
    of_queries = chosen.pop("where")
    for text, option in ((of_queries, "--where"), (where, "--gallery-where")):
        _require_filter(text, option)
    queries = _read(file, labels=chosen.pop("labels"), where=of_queries, **columns)
    if gallery is None:
        return queries, None
    return queries, _read(gallery, labels=labels, where=where, **columns | {"memory": of_gallery or memory})


def _read(path: str, **how: Any) -> Embeddings:
    """Read a set; where it is a folder of pictures, say what makes embeddings of these."""
    from tripleteval.readers import read

    try:
        return read(path, **how)
    except FileError as error:
        if error.where != one_line(path) or not _holds_pictures(path):
            raise
        into = f"{os.path.basename(os.path.abspath(path))}.parquet"
        embed = f"tripleteval embed MODEL {shlex.quote(path)} -o {shlex.quote(into)}"
        raise FileError(
            error.code, error.found, where=path, fix=f"embed pictures first: {embed}; else {error.fix}"
        ) from None


def _holds_pictures(folder: str) -> bool:
    """Return whether pictures stand in a folder, or in the folders in it, as those of classes do."""
    from tripleteval.readers.pair_list import PICTURES

    if not os.path.isdir(folder):  # a name that is too long is none either
        return False
    files = (file for inner in ("*", "*/*") for file in Path(folder).glob(inner))
    return any(file.suffix.lower() in PICTURES for file in files)


def _require_filter(text: str | None, option: str, other: str = "") -> None:
    from tripleteval.readers.where import OPERATORS, parse_filter

    try:
        if text is not None:
            parse_filter(text)
    except ParameterError as error:
        fix = f"{error.fix}; a test has {', '.join(OPERATORS)}; 'and' joins tests, and there is no or, in or like"
        raise ParameterError("E101", error.found, where=option, fix=other + fix) from None


def read_calibration(file: str, text: str, chosen: dict[str, Any]) -> Embeddings | float:
    """Return the share that ``text`` is, or the rows of ``file`` that pass it as a filter.

    Raises:
        ParameterError: No filter says which rows are judged, so that these are among them (E520).
    """
    try:
        return float(text)
    except ValueError:
        _require_filter(text, "--calibrate-on", "a share such as 0.5, or ")
        _require_filter(chosen["where"], "--where")
        if chosen["where"] is None:
            found = f"--calibrate-on {text!r} without --where: the rows it names are judged as well"
            fix = "say which rows are judged, such as --where \"split = 'test'\""
            raise ParameterError("E520", found, fix=fix) from None
        columns = {name: chosen[name] for name in (*_COLUMNS, "allow_huge", "labels", "memory")}
        return _read(file, where=text, **columns)


def whole_numbers(column: Any, role: str, of: str, path: str) -> Any:
    """Return text from CSV as integers; from other formats values come with their type, and stay as they are.

    Raises:
        ParameterError: Other text (E501), by the ``role`` it has and what it is a part ``of``.
    """
    if not all(isinstance(value, str) for value in column):
        return column
    wrong = next((row for row, value in enumerate(column) if not _INTEGER.fullmatch(value)), None)
    if wrong is not None:
        found = f"{role} {column[wrong]!r} of {of} {wrong} (0-based) is no whole number"
        fix = "write rows of the embeddings, or their ids where these are whole numbers; or give them ids of text"
        raise ParameterError("E501", found, where=path, fix=fix)
    return [int(value) for value in column]


@contextmanager
def named_in(file: str, columns: Mapping[str, str]) -> Iterator[None]:
    """Let errors about an argument name the column of the file that it was read from; without one, the file."""
    try:
        yield
    except EvalError as error:
        if error.where not in columns:
            raise
        column = columns[error.where]
        where = f"{column} of {file}" if column else file
        raise type(error)(error.code, error.found, where=where, fix=error.fix) from None


def read_relevance(path: str) -> pa.Table:
    """Read which gallery ids are relevant to which query ids.

    Raises:
        FileError: The file cannot be read, or is of none of the known kinds (E601-E610).
    """
    from tripleteval.readers import relevance_list

    table: pa.Table = relevance_list.read_relevance(path)
    return table
