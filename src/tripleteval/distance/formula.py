"""The only file that knows a distance formula; everything above works with ``squared``.

Every distance is a monotone function of one number per pair: the squared Euclidean distance of two
*prepared* rows, called ``squared``. Preparing converts to float64 and, for cosine, normalises
(``cosine = ½ ‖q̂ − ĝ‖²``, which unlike ``1 − q̂·ĝ`` keeps near neighbours apart and is 0 for equal
directions). Ranks and ties are decided on ``squared``, margins and losses on the distance.

``squared`` is accumulated over the coordinates in order, without fused multiply-add, so that every
kernel, tile size and machine gets the same bits, and exact ties are exact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import numpy as np

from tripleteval.arrays import AnyArray, Bools, Floats, Ints
from tripleteval.data.facts import extremes
from tripleteval.errors import DataError, ParameterError, nearest

DistanceName = Literal["euclidean", "sqeuclidean", "cosine"]
DISTANCES: tuple[str, ...] = get_args(DistanceName)

# A zero vector under cosine has similarity 0, so distance 1, to everything (spec 0.8): squared is 2.
FAR_SQUARED = 2.0

# A distance enters a sum as a whole number of steps, 2**36 of which span the data: the sum is an integer, so no order
# of work shows in it. Beyond a gallery of 2**26 rows each doubling costs a bit; below 2**11 there is room for 50.
_STEP_BITS = 36
_FINE_STEP_BITS = 50
_FEW_ROWS = 2**11
_SUM_BITS = 62

# Beyond these exponents the square of a coordinate, or of a difference, may leave the range of float64.
_SAFE_EXPONENT = 300
_WIDEST_EXPONENT = 960
_LARGEST_EXPONENT = 1000  # beyond, so may the sum of many distances

_IN_CACHE = 2**14  # pairs whose sums, and what is added to them, stay near the processor


class Prepared(NamedTuple):
    """Rows ready to be compared.

    Attributes:
        columns: (dim, n) float64, one row of this array per coordinate.
        far: (n,) true where the row is a zero vector under cosine.
    """

    columns: Floats
    far: Bools


@dataclass(frozen=True)
class Distance:
    """One distance, on data whose magnitude is known.

    Attributes:
        name: ``"euclidean"``, ``"sqeuclidean"`` or ``"cosine"``.
        exponent: Vectors are multiplied by ``2**-exponent`` (exactly) before they are squared; 0 but
            for data near the ends of float64's range.
        span: A power of two no smaller than any distance before it is scaled back, and not much larger
            than the data are wide.
        step_bits: Distances are told apart in steps of ``span * 2**-step_bits``.
        dropped_bits: Sums of distances are added up in steps ``2**dropped_bits`` times as wide.
    """

    name: str
    exponent: int = 0
    span: float = 8.0
    step_bits: int = _STEP_BITS
    dropped_bits: int = 0

    @property
    def rooted(self) -> bool:
        """Whether the distance is the square root of ``squared``."""
        return self.name == "euclidean"

    @property
    def step(self) -> float:
        """What a sum of distances is counted in, before it is scaled back: a power of two."""
        return math.ldexp(self.fine_step, self.dropped_bits)

    @property
    def fine_step(self) -> float:
        """What distances are told apart in: a power of two, no larger than ``step``."""
        return math.ldexp(self.span, -self.step_bits)

    @property
    def factor(self) -> float:
        """What ``squared`` (or its root) is multiplied by to give the distance; a power of two."""
        if self.name == "cosine":
            return 0.5
        return math.ldexp(1.0, self.exponent if self.rooted else 2 * self.exponent)

    def prepare(self, rows: AnyArray) -> Prepared:
        """Return ``rows`` (n, dim) in float64, scaled or normalised, one coordinate per row."""
        columns = np.ascontiguousarray(rows.T, dtype=np.float64)
        if self.name == "cosine":
            return _normalise(columns)
        if self.exponent:
            columns = np.ldexp(columns, -self.exponent)
        return Prepared(columns, np.zeros(columns.shape[1], dtype=bool))

    def from_squared(self, squared: Floats) -> Floats:
        """Return the distances that belong to ``squared``; +inf stays +inf."""
        return (np.sqrt(squared) if self.rooted else squared) * self.factor

    def steps(self, squared: Floats) -> Floats:
        """Return the distances that belong to finite ``squared`` in whole steps of ``step``, as float64."""
        fine = np.rint((np.sqrt(squared) if self.rooted else squared) * (1.0 / self.fine_step))
        if not self.dropped_bits:
            return fine
        return np.floor(np.ldexp(fine, -self.dropped_bits) + 0.5)

    def first_at_least(self, distance: Floats) -> Floats:
        """Return the smallest ``squared`` whose distance is >= ``distance``, so that < means nearer."""
        with np.errstate(over="ignore"):  # a margin far beyond every distance is beyond them all
            target = distance / self.factor
        return _first_root_at_least(target) if self.rooted else np.maximum(target, 0.0)

    def first_above(self, distance: Floats) -> Floats:
        """Return the smallest ``squared`` whose distance is > ``distance``."""
        return self.first_at_least(np.nextafter(distance, np.inf))


def distance_for(name: str, *sets: AnyArray) -> Distance:
    """Return the distance ``name`` fitted to the magnitude of the vectors it will compare.

    Raises:
        ParameterError: No distance has this name (E510).
        DataError: Squared distances of such vectors, or sums of them, would leave the range of float64 (E206).
    """
    if name not in DISTANCES:
        raise ParameterError("E510", f"unknown distance {name!r}", fix=nearest(name, DISTANCES))
    rows = max(len(vectors) for vectors in sets)
    step_bits = _FINE_STEP_BITS if rows < _FEW_ROWS else min(_STEP_BITS, _SUM_BITS - rows.bit_length())
    if name == "cosine":
        return Distance(name, step_bits=step_bits)
    lowest, highest = _ranges(sets)
    exponent = math.frexp(max(np.abs(lowest).max(), np.abs(highest).max()))[1]
    scale = exponent if abs(exponent) > _SAFE_EXPONENT else 0
    if name == "sqeuclidean" and abs(2 * scale) > _WIDEST_EXPONENT:
        raise DataError(
            "E206",
            f"values up to {max(-lowest.min(), highest.max()):.3g}, whose squared distances leave the range of float64",
            fix="rescale the vectors, or use distance='euclidean' (--distance euclidean), which ranks alike",
        )
    if exponent > _LARGEST_EXPONENT:
        raise DataError(
            "E206",
            f"values up to {max(-lowest.min(), highest.max()):.3g}, the sums of whose distances leave the range of "
            "float64",
            fix="rescale the vectors",
        )
    widths = np.ldexp(highest, -scale) - np.ldexp(lowest, -scale)
    longest = float((widths * widths).sum())
    # Twice over, for what rounding adds; far from the ends of float64, where all distances are 0 or nearly so.
    bits = max(math.frexp(longest)[1] + 1, _SAFE_EXPONENT - 1000) if longest else 0
    return Distance(name, scale, math.ldexp(1.0, (bits + 1) // 2 if name == "euclidean" else bits), step_bits)


def squared_block(queries: Prepared, gallery: Prepared) -> Floats:
    """Return (n_queries, n_gallery) ``squared``, coordinate by coordinate, in float64."""
    total = np.zeros((queries.columns.shape[1], gallery.columns.shape[1]))
    rows = max(1, _IN_CACHE // max(total.shape[1], 1))
    for start in range(0, len(total), rows):
        here = total[start : start + rows]
        difference = np.empty_like(here)
        for q, g in zip(queries.columns[:, start : start + rows], gallery.columns, strict=True):
            np.subtract(q[:, None], g, out=difference)
            difference *= difference
            here += difference
    total[queries.far[:, None] | gallery.far[None, :]] = FAR_SQUARED
    return total


def squared_pairs(queries: Prepared, of_query: Ints, gallery: Prepared) -> Floats:
    """Return ``squared`` of gallery row ``i`` and query ``of_query[i]``, bit-equal to `squared_block`."""
    total = np.zeros(len(of_query))
    for q, g in zip(queries.columns, gallery.columns, strict=True):
        difference = q.take(of_query) - g
        total += difference * difference
    total[queries.far[of_query] | gallery.far] = FAR_SQUARED
    return total


def _ranges(sets: tuple[AnyArray, ...]) -> tuple[Floats, Floats]:
    """Return the lowest and highest value of each coordinate, over all sets."""
    lows, highs = zip(*map(extremes, sets), strict=True)
    return np.min(lows, axis=0), np.max(highs, axis=0)


def _normalise(columns: Floats) -> Prepared:
    # A power of two per row first: exact, and the squares can neither overflow nor vanish.
    exponents = np.frexp(np.max(np.abs(columns), axis=0))[1]
    columns = np.ldexp(columns, -exponents)
    squares = np.zeros(columns.shape[1])
    for column in columns:
        squares += column * column
    far = squares == 0.0
    return Prepared(columns / np.sqrt(np.where(far, 1.0, squares)), far)


def _first_root_at_least(target: Floats) -> Floats:
    """Return the smallest float whose correctly rounded square root is >= ``target``."""
    flat = np.maximum(target, 0.0).reshape(-1)
    squared = np.empty_like(flat)
    with np.errstate(over="ignore", under="ignore"):
        for start in range(0, len(flat), _IN_CACHE):
            roots, found = flat[start : start + _IN_CACHE], squared[start : start + _IN_CACHE]
            np.multiply(roots, roots, out=found)
            # Half an ulp of a root is 0.7 to 1.4 of its square, and the product is half of one off: 1.9 in all, so that
            # the float sought is the one before the product, or a later one.
            bits = found.view(np.int64)
            np.maximum(bits - 1, 0, out=bits)
            while (low := np.sqrt(found) < roots).any():
                bits += low
    return squared.reshape(np.shape(target))
