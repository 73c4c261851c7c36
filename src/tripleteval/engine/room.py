"""The memory a worker computes in: one tile, whatever is done with it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tripleteval.arrays import Floats, Ints
from tripleteval.engine.frame import Marks, Numbers, Singles

EIGHT = 8
BYTES_PER_PAIR = {"cpu": 26, "numpy": 48, "reference": 24}  # of a tile, by kernel
BYTES_PER_PAIR_TURNED = 14
_FLAT = 4
_LINES_LEFT = 8


class Desk(NamedTuple):
    """Room for what is not certain, and for one line.

    Attributes:
        places: (width,) int32, of the items of a line.
        asked: (left,) int64, queries of pairs that are not certain.
        searched: (left,) int64, who they were compared with.
        exact: (left,) float64.
    """

    places: Numbers
    asked: Ints
    searched: Ints
    exact: Floats


class Answers(NamedTuple):
    """Room for what is asked about each pair of a row.

    Attributes:
        single: (width,) uint8, 0 or 1; a multiple of eight of them.
        eights: (width / 8,) uint64, the same memory.
        some: (width / 8,) int32, for a number per eight.
    """

    single: npt.NDArray[np.uint8]
    eights: npt.NDArray[np.uint64]
    some: Numbers


class Room(NamedTuple):
    """Room for all pairs of a tile, by row and, where columns ask as well, by column.

    Attributes:
        products: (pairs,) float32, of rows that are a multiple of eight wide.
        listed: (pairs + 8,) int32.
        squared: (pairs,) float64.
        steps: (pairs,) int64.
        numbers: (pairs,) float64, the same memory.
        turned_steps: (pairs,) int64, the same by column.
        turned_rows: (pairs,) int32, the row of each of them.
        coarse: (pairs,) int16, of rows that are a multiple of eight wide.
        turned_coarse: (pairs,) int16, likewise by column.
        others: (longer side,) int32, 0, 1, 2 and so on.
        answers: For a row.
        desk: For some lines.
    """

    products: Singles
    listed: Numbers
    squared: Floats
    steps: Ints
    numbers: Floats
    turned_steps: Ints
    turned_rows: Numbers
    coarse: Marks
    turned_coarse: Marks
    others: Numbers
    answers: Answers
    desk: Desk


def room_for(height: int, width: int, *, both: bool) -> Room:
    """Return the room for a tile of ``height`` by ``width``; ``both``: whether columns ask as well."""
    longer = max(height, width)
    pairs, turned, left = height * width, height * width if both else 0, _LINES_LEFT * longer
    products, steps = np.zeros(height * padded(width), np.float32), np.empty(pairs, np.int64)
    single = np.empty(padded(longer), np.uint8)
    return Room(
        products,
        np.empty(products.size + EIGHT, np.int32),
        np.empty(pairs),
        steps,
        steps.view(np.float64),
        np.empty(turned, np.int64),
        np.empty(turned, np.int32),
        np.empty(products.size, np.int16),
        np.empty(width * padded(height) if both else 0, np.int16),
        np.arange(longer, dtype=np.int32),
        Answers(single, single.view(np.uint64), np.empty(len(single) // EIGHT, np.int32)),
        Desk(np.empty(longer, np.int32), np.empty(left, np.int64), np.empty(left, np.int64), np.empty(left)),
    )


def flat(width: int) -> tuple[int, int]:
    """Return the height and width of a tile whose queries are much to read: it is read for more columns at a time."""
    return max(width // _FLAT, 1), width * _FLAT


def padded(width: int) -> int:
    """Return the next multiple of eight."""
    return -(-width // EIGHT) * EIGHT
