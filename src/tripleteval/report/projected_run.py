"""The queries of a run in TensorBoard's projector, with what became of each."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tripleteval.arrays import AnyArray
from tripleteval.data.evaluation import Evaluation
from tripleteval.data.material import Material
from tripleteval.report.atlas import nearest
from tripleteval.report.findings.neighborhood import neighborhood
from tripleteval.report.pictures import SIDE, thumbnail
from tripleteval.report.projector import WIDEST, export_projector

if TYPE_CHECKING:
    from PIL import Image

_SMALLEST = 12


def project(evaluation: Evaluation, material: Material, folder: Path) -> Path:
    """Write the queries into a log folder, for ``tensorboard --logdir FOLDER``.

    Besides labels and ids the table has ``nearest`` (``right`` or ``wrong``) and the text behind each query, where
    these are known. Pictures shrink so that all fit into one sprite, and are left out where nothing could be seen.

    Args:
        evaluation: The run.
        material: The sets it was made from.
        folder: Made where it is not there; an earlier export is replaced.

    Raises:
        MissingExtra: Pictures, but Pillow is not installed (E103).
    """
    queries = material.queries
    columns = {}
    near = neighborhood(evaluation)
    if near is not None:
        columns["nearest"] = [said or "not asked" for said in nearest(near, len(queries))]
    if material.text_column is not None:
        columns["text"] = [material.text("queries", row) for row in range(len(queries))]
    side = min(SIDE, WIDEST // math.ceil(math.sqrt(len(queries))))
    pictures = _pictures(material, side) if material.images is not None and side >= _SMALLEST else None
    return export_projector(queries, folder, pictures=pictures, name="queries", columns=columns)


def _pictures(material: Material, most: int) -> AnyArray:
    """Return (n, side, side, 4) pictures, each whole and in the middle of its transparent square."""
    small = [_small(thumbnail(material, "queries", row), most) for row in range(len(material.queries))]
    side = max([_SMALLEST, *(max(picture.size) for picture in small if picture is not None)])
    canvas = np.zeros((len(small), side, side, 4), np.uint8)
    for square, picture in zip(canvas, small, strict=True):
        if picture is None:
            continue
        top, left = (side - picture.height) // 2, (side - picture.width) // 2
        square[top : top + picture.height, left : left + picture.width] = np.asarray(picture)
    return canvas


def _small(data: bytes | None, most: int) -> Image.Image | None:
    from PIL import Image

    if data is None:
        return None
    with Image.open(io.BytesIO(data)) as picture:
        small = picture.convert("RGBA")
    small.thumbnail((most, most))
    return small
