"""One picture file into an array: looked at before it is decoded, and never turned, cropped or guessed at."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tripleteval.arrays import AnyArray
from tripleteval.errors import FileError, MissingExtra, ParameterError, nearest

MOST_PIXELS = 64_000_000
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
_RESIZE = ("bilinear", "nearest")
_ORIENTATION = 0x0112
_DEEPEST = 65_535
_DEEP = ("I", "I;16", "I;16B", "I;16L", "I;16N", "F")


@dataclass
class Pictures:
    """How pictures become arrays, and how often something worth knowing was met.

    Attributes:
        height: Rows of the array.
        width: Columns.
        channels: 1, 3 or 4.
        scale: What values from 0 to 255 are multiplied by.
        resize: ``"bilinear"`` (with antialiasing) or ``"nearest"``.
        bit_depth: 8; or 16 to accept 16-bit pictures, brought down to 0 to 255 without losing the fraction.
        counts: How many pictures were resized, had a transparency that was dropped, and so on.
        channels_first: Whether the array is (channels, height, width).
    """

    height: int
    width: int
    channels: int = 3
    scale: float = 1.0
    resize: str = "bilinear"
    bit_depth: int = 8
    counts: Counter[str] = field(default_factory=Counter)
    channels_first: bool = False

    def __post_init__(self) -> None:
        if self.channels not in _MODES or self.bit_depth not in {8, 16} or min(self.height, self.width) < 1:
            found = f"{self.height} × {self.width} × {self.channels} at {self.bit_depth} bits"
            layout = "(n, height, width, channels) or (n, channels, height, width)"
            fix = f"the input of a model of pictures is {layout}, of 1, 3 or 4 channels; 8 or 16 bits"
            raise ParameterError("E308", found, fix=fix)
        if self.resize not in _RESIZE:
            raise ParameterError("E510", f"resize={self.resize!r}", fix=nearest(self.resize, _RESIZE))

    def load(self, path: Path) -> AnyArray:
        """Return a float32 array (height, width, channels), or with the channels first.

        An orientation in the EXIF data is ignored, and counted.

        Raises:
            FileError: More than 64 million pixels (E606), no picture or a damaged one (E614), or one of 16 bits
                where 8 are expected, of more than 16, or of floats (E615).
        """
        image_module = _pillow()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of sizes; they are looked at below
                with image_module.open(path) as picture:
                    _require_size(picture, path)
                    return self._array(picture, path, image_module)
        except FileError:
            raise
        except Exception as error:
            why = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
            raise FileError("E614", f"no picture that can be read: {why}", where=str(path), fix=_SKIP) from error

    def _array(self, picture: Any, path: Path, image_module: Any) -> AnyArray:
        self._count(picture)
        size = (self.width, self.height)
        if picture.mode in _DEEP:
            picture = self._deep(picture, path, image_module)
        elif picture.mode != _MODES[self.channels]:
            picture = picture.convert(_MODES[self.channels])
        if picture.size != size:
            self.counts["resized"] += 1
            picture = picture.resize(size, getattr(image_module.Resampling, self.resize.upper()))
        values = np.asarray(picture, np.float32).reshape(self.height, self.width, -1)
        array = np.broadcast_to(values, (self.height, self.width, self.channels)) * np.float32(self.scale)
        return np.moveaxis(array, -1, 0) if self.channels_first else array

    def _deep(self, picture: Any, path: Path, image_module: Any) -> Any:
        if self.bit_depth != 16:
            found = f"a picture of mode {picture.mode}, more than 8 bits per value"
            raise FileError("E615", found, where=str(path), fix="bit_depth=16 (--bit-depth 16) makes it 0 … 255")
        if self.channels == 4:
            found = "a deep picture without colours, for a model of 4 channels"
            raise FileError("E615", found, where=str(path), fix="save it with 8 bits per value and 4 channels")
        values = np.asarray(picture, np.float32)
        if picture.mode == "F" or values.min() < 0 or values.max() > _DEEPEST:
            kind = "floats" if picture.mode == "F" else "more than 16 bits per value"
            found = f"a picture of {kind}, from {values.min():g} to {values.max():g}"
            raise FileError("E615", found, where=str(path), fix=f"save it as integers from 0 to {_DEEPEST:,}")
        self.counts["16 bits scaled to 0 … 255"] += 1
        return image_module.fromarray(values / (_DEEPEST / 255))

    def _count(self, picture: Any) -> None:
        if picture.getexif().get(_ORIENTATION, 1) != 1:
            self.counts["turned by EXIF, which is ignored"] += 1
        if picture.has_transparency_data and self.channels != 4:
            self.counts["transparency dropped"] += 1
        if picture.mode in {"P", "CMYK", "YCbCr", "LAB", "HSV"}:
            self.counts[f"converted from {picture.mode}"] += 1
        if getattr(picture, "n_frames", 1) > 1:
            self.counts["first of several frames"] += 1


_SKIP = "repair or remove it, or on_bad='skip' (--on-bad-image skip)"


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError:
        raise MissingExtra("reading pictures", "PIL", extra="tensorflow") from None
    return Image


def _require_size(picture: Any, path: Path) -> None:
    width, height = picture.size
    if width * height > MOST_PIXELS:
        raise FileError(
            "E606",
            f"a picture of {width:,} × {height:,} pixels, beyond {MOST_PIXELS:,}",
            where=str(path),
            fix="scale it down first",
        )
