"""Embeddings where TensorBoard's projector shows them: points one can turn, with their labels and pictures."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tripleteval.arrays import AnyArray
from tripleteval.data.embeddings import Embeddings
from tripleteval.data.labels import Labels
from tripleteval.disk import atomic_write
from tripleteval.errors import DataError, MissingExtra

CONFIG = "projector_config.pbtxt"
WIDEST = 8192  # what browsers take as one texture
_CONTROL = str.maketrans({"\t": " ", "\n": " ", "\r": " "})


def export_projector(
    embeddings: Embeddings,
    folder: str | os.PathLike[str],
    *,
    pictures: Any = None,
    name: str = "embeddings",
    columns: Mapping[str, Sequence[str]] | None = None,
) -> Path:
    """Write embeddings into a log folder, for ``tensorboard --logdir FOLDER`` to show in its projector.

    TensorBoard looks for them in ``--logdir`` itself and in the folders below that hold event files, as
    `write_scalars` and Keras's own callback leave them; so give one of those.

    What is written: ``projector_config.pbtxt``, the vectors as raw float32, a table of labels and ids, and, where
    pictures are given, one sprite of them all. The browser keeps everything in memory: some ten thousand points
    are comfortable.

    Args:
        embeddings: Vectors, and whatever labels and ids there are.
        folder: Made where it is not there; an earlier export of the same name is replaced.
        pictures: (n, height, width), or (n, height, width, 1, 3 or 4), values from 0 to 255 (integers) or 0 to 1.
        name: Of the set, in file names and in the projector's menu.
        columns: Further texts to colour points by or to search for, one per vector.

    Returns:
        The folder.

    Raises:
        DataError: Not one picture per vector, or of an impossible shape (E305), or all together larger than
            8192 × 8192 pixels (E206).
        MissingExtra: Pictures, but Pillow is not installed (E103).
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    vectors = np.ascontiguousarray(embeddings.vectors, "<f4")
    lines = [
        f"tensor_name: {_quoted(name)}",
        f"tensor_path: {_quoted(f'{name}.bytes')}",
        f"tensor_shape: {vectors.shape[0]}",
        f"tensor_shape: {vectors.shape[1]}",
    ]
    if pictures is not None:
        sprite, (height, width) = _sprite(np.asarray(pictures), len(embeddings))
        atomic_write(target / f"{name}.png", sprite)
        lines.append(
            f"sprite {{ image_path: {_quoted(f'{name}.png')} single_image_dim: {width} single_image_dim: {height} }}"
        )
    metadata = _metadata(embeddings, columns or {})
    if metadata:
        atomic_write(target / f"{name}.tsv", metadata.encode())
        lines.append(f"metadata_path: {_quoted(f'{name}.tsv')}")
    atomic_write(target / f"{name}.bytes", vectors.tobytes())
    config = "embeddings {\n" + "".join(f"  {line}\n" for line in lines) + "}\n"
    atomic_write(target / CONFIG, config.encode())
    return target


def _metadata(embeddings: Embeddings, further: Mapping[str, Sequence[str]]) -> str:
    """Return one line per vector; with two columns a header, which TensorBoard expects then and only then."""
    known = (("label", embeddings.labels), ("id", embeddings.ids))
    columns = {title: column.values() for title, column in known if isinstance(column, Labels)} | dict(further)
    columns = {title: [str(value).translate(_CONTROL) for value in values] for title, values in columns.items()}
    rows = ["\t".join(row) for row in zip(*columns.values(), strict=True)]
    header = ["\t".join(columns)] if len(columns) > 1 else []
    return "".join(f"{line}\n" for line in header + rows)


def _sprite(pictures: AnyArray, number: int) -> tuple[bytes, tuple[int, int]]:
    """Return a PNG of all pictures in a square, row by row, and the size of one."""
    if pictures.ndim == 3:
        pictures = pictures[..., None]
    if pictures.ndim != 4 or len(pictures) != number or pictures.shape[3] not in {1, 3, 4}:
        raise DataError(
            "E305",
            f"pictures of shape {pictures.shape} for {number:,} vectors",
            where="pictures",
            fix="give (n, height, width) or (n, height, width, channels), one per vector",
        )
    height, width, channels = pictures.shape[1:]
    side = math.ceil(math.sqrt(number))
    if max(side * height, side * width) > WIDEST:
        found = (
            f"{number:,} pictures of {height} × {width} make a sprite of {side * height:,} × {side * width:,} pixels"
        )
        raise DataError(
            "E206", found, where="pictures", fix=f"at most {WIDEST} × {WIDEST}: give smaller ones, or fewer"
        )
    values = pictures if pictures.dtype.kind in "iu" else np.round(np.clip(pictures, 0, 1) * 255)
    canvas = np.zeros((side * side, height, width, channels), np.uint8)
    canvas[:number] = values
    square = canvas.reshape(side, side, height, width, channels).swapaxes(1, 2)
    return _png(square.reshape(side * height, side * width, channels)), (height, width)


def _png(values: AnyArray) -> bytes:
    try:
        from PIL import Image
    except ImportError:
        raise MissingExtra("a sprite of pictures", "PIL", extra="tensorflow") from None
    written = io.BytesIO()
    Image.fromarray(values[..., 0] if values.shape[2] == 1 else values).save(written, "PNG")
    return written.getvalue()


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
