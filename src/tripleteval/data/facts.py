"""What one reading of a set shows: which rows can be used, where its values lie, and their middle."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from tripleteval.arrays import AnyArray, Bools, Floats, row_blocks

UNIT_TOLERANCE = 1e-3
_LEAST = 1e-300


class Facts(NamedTuple):
    """What is known of a set once every row was seen.

    Attributes:
        finite: (n,) whether every value of the row is finite.
        zero: (n,) whether every value of the row is 0.
        unit: (n,) whether the row has length 1, to within 1e-3.
        lowest: (dim,) least value of each coordinate, NaN where one is not a number.
        highest: (dim,) likewise the largest.
        centre: (dim,) about the mean row.
        direction: (dim,) about the mean of the rows as unit vectors.
    """

    finite: Bools
    zero: Bools
    unit: Bools
    lowest: Floats
    highest: Floats
    centre: Floats
    direction: Floats

    @classmethod
    def of(cls, rows: AnyArray) -> Facts:
        """Return the facts of a block of rows (n, dim)."""
        wide = rows.astype(np.float64)
        with np.errstate(invalid="ignore", over="ignore", divide="ignore", under="ignore"):
            squares = np.einsum("ij,ij->i", wide, wide)
            usual = (squares > _LEAST) & (squares < 1 / _LEAST)
            # Elsewhere squares may have vanished or overflowed where the row has not.
            odd = np.flatnonzero(~usual)
            largest = np.abs(wide[odd]).max(axis=1, initial=0.0)
            finite, zero = np.ones(len(rows), dtype=bool), np.zeros(len(rows), dtype=bool)
            finite[odd], zero[odd] = np.isfinite(largest), largest == 0
            norms = np.sqrt(squares)
            return cls(
                finite,
                zero,
                np.abs(norms - 1) <= UNIT_TOLERANCE,
                rows.min(axis=0).astype(np.float64),
                rows.max(axis=0).astype(np.float64),
                np.full(len(rows), 1 / len(rows)) @ wide,
                np.where(usual, 1 / norms, 0.0) @ wide / len(rows),
            )

    @classmethod
    def joined(cls, parts: Iterable[Facts]) -> Facts:
        """Return the facts of consecutive blocks together."""
        finite, zero, unit, lows, highs, centres, directions = zip(*parts, strict=True)
        shares = np.array([len(part) for part in finite]) / sum(map(len, finite))
        with np.errstate(invalid="ignore", over="ignore"):
            return cls(
                np.concatenate(finite),
                np.concatenate(zero),
                np.concatenate(unit),
                np.min(lows, axis=0),
                np.max(highs, axis=0),
                shares @ np.array(centres),
                shares @ np.array(directions),
            )


def facts_of(vectors: AnyArray) -> Facts:
    """Return the facts of a set; of one on disk they are remembered, for reading it takes a while."""
    remembered = getattr(vectors, "facts", None)
    return remembered() if remembered else Facts.joined(Facts.of(rows) for rows in row_blocks(vectors))


def extremes(vectors: AnyArray) -> tuple[Floats, Floats]:
    """Return the lowest and the highest value of each coordinate."""
    if hasattr(vectors, "facts"):
        facts = facts_of(vectors)
        return facts.lowest, facts.highest
    both = [(rows.min(axis=0), rows.max(axis=0)) for rows in row_blocks(vectors)]
    lows, highs = (np.array(side, dtype=np.float64) for side in zip(*both, strict=True))
    return lows.min(axis=0), highs.max(axis=0)
