"""Thumbnails for a report: small, few, and never a way into the machine that makes them.

1. Only files below the folder of pictures are opened, whatever a path says.
2. The size in the header is checked before a picture is decoded; what is too large, or no picture, is counted.
3. When the budget is spent, no more pictures are taken; the page says so.
"""

from __future__ import annotations

import base64
import os
import warnings
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from tripleteval.data.material import Material
from tripleteval.data.section import Item, Side
from tripleteval.errors import FileError, MissingExtra

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 96
_MOST_PIXELS = 64 * 2**20
_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")


class Pictures:
    """The thumbnails of one page, each kept once.

    Args:
        material: The sets and their folder of pictures; ``None`` for a page without any.
        budget: Bytes that all thumbnails may take in the page.
    """

    def __init__(self, material: Material | None, budget: int) -> None:
        self._material, self._left = material, budget
        self._kept: dict[str, int] = {}
        self.encoded: list[str] = []
        self.missed: Counter[str] = Counter()

    def take(self, item: Item) -> int | None:
        """Return the place of the item's thumbnail in ``encoded``, or ``None`` if it has none."""
        if self._material is None or self._left <= 0:
            return None
        picture = thumbnail(self._material, item.side, item.row, self.missed)
        if picture is None:
            return None
        text = base64.b64encode(picture).decode()
        if text not in self._kept:
            self._left -= len(text)
            if self._left < 0:
                self.missed["over the budget, and all after it"] += 1
                return None
            self._kept[text] = len(self.encoded)
            self.encoded.append(text)
        return self._kept[text]


def require_any(material: Material) -> None:
    """Refuse a folder that holds the picture of no row at all: the page would look as if nobody had asked for them.

    Raises:
        FileError: No row has a path, or no path leads to a file (E601).
    """
    if material.images is None:
        return
    sides: list[Side] = ["queries"] if material.gallery is None else ["queries", "gallery"]
    paths = (material.path(side, row) for side in sides for row in range(len(material.of(side))))
    first = None
    for path in paths:
        if path is not None and os.path.isfile(path):  # noqa: PTH113  # of Path it raises for a name too long
            return
        first = first or path
    found = (
        "no item has a path to a picture" if first is None else f"no picture of any item; the first would be {first}"
    )
    fix = "give the folder in which the paths start, and the column that holds them: image_column= (--image-column)"
    raise FileError("E601", found, where=str(material.images), fix=fix)


def thumbnail(material: Material, side: Side, row: int, missed: Counter[str] | None = None) -> bytes | None:
    """Return the picture behind a row as a small WebP; ``None`` where there is none, counted in ``missed``."""
    path = material.path(side, row)
    missed = Counter() if missed is None else missed
    if path is None or material.images is None:
        return None
    try:
        if path.resolve().is_relative_to(material.images.resolve()):
            return _webp(path)
        missed["outside the folder of pictures"] += 1
    except FileNotFoundError:
        missed["not found"] += 1
    except (OSError, ValueError, SyntaxError, RuntimeError, Warning):
        missed["not a picture that can be shown"] += 1
    return None


def _webp(path: Path) -> bytes:
    try:
        from PIL import Image
    except ImportError:
        raise MissingExtra("pictures in a report", "PIL", extra="report") from None
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Pillow only warns about a decompression bomb
        try:
            with Image.open(path, formats=_FORMATS) as picture:
                if picture.width * picture.height > _MOST_PIXELS:
                    raise ValueError("too many pixels")
                return _encoded(picture)
        except Image.DecompressionBombError as error:
            raise ValueError("far too many pixels") from error


def _encoded(picture: Image) -> bytes:
    from io import BytesIO

    picture.draft("RGB", (2 * SIDE, 2 * SIDE))
    small = picture.convert("RGBA" if picture.mode in {"RGBA", "LA", "P"} else "RGB")
    small.thumbnail((SIDE, SIDE))
    stream = BytesIO()
    small.save(stream, "WEBP", quality=70, method=4)
    return stream.getvalue()
