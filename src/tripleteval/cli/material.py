"""The options by which a report is given the sets behind a run, and their pictures and texts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tripleteval.cli.paths import PATH
from tripleteval.cli.reading import read_sets
from tripleteval.errors import FileError, ParameterError, nearest

if TYPE_CHECKING:
    from tripleteval.data.embeddings import Embeddings
    from tripleteval.data.evaluation import Evaluation
    from tripleteval.data.material import Material

Command = TypeVar("Command", bound=Callable[..., Any])

_MEMORY = "1GiB"
_READING = ("labels", "gallery", "gallery_labels", "where", "gallery_where")
_COLUMNS = ("embedding_column", "label_column", "id_column", "group_column")


def material_options(command: Command) -> Command:
    """Add the options that `read_material` understands."""
    for option in reversed(
        [
            click.option(
                "--embeddings", type=PATH, metavar="FILE", help="The queries of the run, for a map, pictures and texts."
            ),
            click.option("--gallery", type=PATH, metavar="FILE", help="The gallery of the run, if it had one."),
            click.option(
                "--labels", type=PATH, metavar="FILE", help="Labels of the queries, as when it was evaluated."
            ),
            click.option("--gallery-labels", type=PATH, metavar="FILE", help="Labels of the gallery, likewise."),
            click.option("--where", metavar="EXPR", help="Rows of the queries, likewise."),
            click.option("--gallery-where", metavar="EXPR", help="Rows of the gallery, likewise."),
            *(
                click.option(f"--{name.replace('_', '-')}", metavar="NAME", help="As when it was evaluated.")
                for name in _COLUMNS
            ),
            click.option(
                "--images", type=PATH, metavar="DIR", help="Folder of the pictures, to which their paths are relative."
            ),
            click.option("--image-column", metavar="NAME", help="Column of those paths; by default the ids are paths."),
            click.option("--text-column", metavar="NAME", help="Column of the text behind each vector."),
            click.option("--map", "projection", type=click.Choice(["pca", "umap"]), default="pca", help="Kind of map."),
        ]
    ):
        command = option(command)
    return command


def read_material(evaluations: list[Evaluation], chosen: dict[str, Any]) -> list[Material | None]:
    """Read the sets behind runs, taking the options about them out of ``chosen``.

    Returns:
        One per run: ``None`` where no sets were named, or where these are not its own but those of another run.

    Raises:
        ParameterError: Pictures or texts without embeddings, an unknown column, or sets of no run (E101).
        FileError: The folder of pictures is none (E601), or whatever reading raises.
    """
    file, projection = chosen.pop("embeddings"), chosen.pop("projection")
    enrolled = chosen.pop("enrolment", False)
    images, image, text = (chosen.pop(name) for name in ("images", "image_column", "text_column"))
    reading = {name: chosen.pop(name) for name in (*_READING, *_COLUMNS)}
    if file is None:
        if images or image or text or enrolled or any(reading.values()):
            found = "options about the embeddings of the run, but not the embeddings"
            raise ParameterError("E101", found, fix="name their file with --embeddings")
        return [None] * len(evaluations)
    _require_sense(evaluations, images, image)
    from tripleteval.data.material import Material
    from tripleteval.report.matching import matched

    queries, gallery = read_sets(file, {**reading, "allow_huge": True}, memory=_MEMORY)
    for column, option in ((image, "--image-column"), (text, "--text-column")):
        if column is not None:
            _require_column(queries, column, option)
    folder = None if images is None else Path(images)
    given = Material(queries, gallery, image, folder, text, projection, enrolled)
    behind: list[Material | None] = []
    refused: list[ParameterError] = []
    for evaluation in evaluations:
        try:
            behind.append(matched(evaluation, given))
        except ParameterError as error:
            refused.append(error)
            behind.append(None)
    if len(refused) == len(evaluations):
        raise refused[0]
    return behind


def _require_sense(evaluations: list[Evaluation], images: str | None, image: str | None) -> None:
    if not evaluations:
        raise ParameterError("E101", "--embeddings without the run they belong to", fix="name the run as well")
    if images is not None and not Path(images).is_dir():
        raise FileError("E601", "no such folder of pictures", where=images, fix="check its name")
    if image is not None and images is None:
        raise ParameterError("E101", "--image-column without --images", fix="name the folder the paths start in")


def _require_column(embeddings: Embeddings, column: str, option: str) -> None:
    if column not in embeddings.meta:
        fix = nearest(column, embeddings.meta) if embeddings.meta else "the file has no further columns"
        raise ParameterError("E101", f"{option} {column!r}, a column that is not there", where=embeddings.name, fix=fix)
