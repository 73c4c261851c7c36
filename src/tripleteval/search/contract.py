"""What every answer of a backend must be, checked before a single id is used; then measured again.

A backend answers for each query with gallery rows, nearest first, and squared distances. Allowed is to find fewer
than asked for: −1 at the end, which counts as not found and never as a match. Everything else is refused, with
the row of the query: a row that does not exist or appears twice, a gap, a distance that is NaN, infinite,
negative, out of order, or, where the library claims float32, not the distance of those two rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from tripleteval.arrays import AnyArray, Bools, Floats, Ints
from tripleteval.distance.formula import Distance, squared_pairs
from tripleteval.errors import BackendError

NOBODY = -1
_UNIT = 2.0**-24
_PAIRS_AT_ONCE = 2**16


class Found(NamedTuple):
    """The nearest gallery rows found for each query, nearest first.

    Attributes:
        rows: (queries, k) int64, ``NOBODY`` where fewer were found.
        squared: (queries, k) float64, the engine's own measure of each pair, bit for bit; +inf for nobody.
        own: (queries, k) float64, what the library orders by, +inf for nobody, where the order is its own. Else
            the order is by (squared, row), and equal is tied.
    """

    rows: Ints
    squared: Floats
    own: Floats | None = None

    @property
    def as_returned(self) -> bool:
        """Whether the order is the library's own."""
        return self.own is not None

    def take(self, queries: Ints | slice) -> Found:
        """Return the lists of some queries."""
        return self.each(lambda values: values[queries])

    def each(self, of: Callable[[AnyArray], AnyArray]) -> Found:
        """Return ``of`` every array there is."""
        return Found(of(self.rows), of(self.squared), None if self.own is None else of(self.own))


def require_contract(rows: AnyArray, squared: AnyArray, shape: tuple[int, int], gallery: int, where: str) -> None:
    """Refuse an answer that is not one.

    Args:
        rows: What the backend claims to have found.
        squared: Its own squared distances.
        shape: (queries, k) that were asked for.
        gallery: Rows there are.
        where: How to name backend and parameters.

    Raises:
        BackendError: The answer breaks the contract (E701).
    """
    if rows.shape != shape or squared.shape != shape or rows.dtype.kind not in "iu" or squared.dtype.kind not in "fiu":
        found = f"rows {rows.dtype.name} {rows.shape} and distances {squared.dtype.name} {squared.shape}, not {shape}"
        raise _broken(found, where)
    there = rows != NOBODY
    own = squared.astype(np.float64)
    _refuse((rows < NOBODY) | (rows >= gallery), "a row that does not exist", rows, where)
    _refuse(there[:, 1:] & ~there[:, :-1], "a neighbour after the end of the list", rows[:, 1:], where)
    ordered = np.sort(rows, axis=1)
    repeated = (ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] != NOBODY)
    _refuse(repeated, "a row twice", ordered[:, 1:], where)
    _refuse(there & ~np.isfinite(own), "a distance that is not finite", own, where)
    smallest = -64 * _UNIT * max(1.0, float(np.abs(own[there]).max(initial=0.0)))  # what cancellation may leave
    _refuse(there & (own < smallest), "a negative distance", own, where)
    slack = 8 * _UNIT * np.abs(own[:, 1:]) - smallest
    with np.errstate(invalid="ignore"):
        unsorted = there[:, 1:] & (own[:, 1:] < own[:, :-1] - slack)
    _refuse(unsorted, "distances out of order", own[:, 1:], where)


def measured(rows: AnyArray, queries: AnyArray, gallery: AnyArray, distance: Distance) -> Floats:
    """Return (queries, k) float64: the squared distance of every pair, as the engine measures it; +inf for nobody."""
    squared = np.full(rows.shape, np.inf)
    step = max(1, _PAIRS_AT_ONCE // max(rows.shape[1], 1))
    for start in range(0, len(rows), step):
        of_query, place = np.nonzero(rows[start : start + step] != NOBODY)
        asked = distance.prepare(queries[start : start + step])
        found = distance.prepare(gallery[rows[start + of_query, place]])
        squared[start + of_query, place] = squared_pairs(asked, of_query, found)
    return squared


def require_honest(own: Floats, true: Floats, largest: float, dim: int, where: str) -> None:
    """Refuse distances of a library that claims float32 and is further off than float32 can be.

    Args:
        own: What the library claims, in the unit of ``true``.
        true: What the distances are.
        largest: The largest squared length of a row.
        dim: Coordinates per row; a sum of so many float32 products may be off by that many roundings.
        where: How to name backend and parameters.

    Raises:
        BackendError: A distance is wrong (E701).
    """
    slack = 16 * (dim + 8) * _UNIT * largest
    with np.errstate(invalid="ignore"):
        _refuse(np.isfinite(true) & ~(np.abs(own - true) <= slack), "a wrong distance", own, where)


def in_order(rows: AnyArray, squared: Floats, own: AnyArray, *, faithful: bool) -> Found:
    """Return the answer by (squared, row), nobody last, if the library's own distances are true to float32.

    What ranks by quantised distances keeps its own order: to put it right would be a second look at the vectors,
    which whoever runs the index does not have.
    """
    if not faithful:
        return Found(rows.astype(np.int64), squared, np.where(rows == NOBODY, np.inf, own.astype(np.float64)))
    found = Found(rows.astype(np.int64), squared)
    return _reordered(found, _by_distance(found))


def merged(parts: Sequence[Found], first: Sequence[int], k: int) -> Found:
    """Return the ``k`` nearest of several stretches of a gallery, as one list per query.

    Args:
        parts: What was found in each, in rows of its own.
        first: The gallery row that is row 0 of each.
        k: How many to keep.

    Returns:
        By (squared, row); or, where the order is the library's own, by its own distances, earlier stretches first
        where they are equal, as whoever asks several indexes would do.
    """
    rows = [np.where(part.rows == NOBODY, NOBODY, part.rows + at) for part, at in zip(parts, first, strict=True)]
    own = [part.own for part in parts if part.own is not None]
    together = Found(np.hstack(rows), np.hstack([part.squared for part in parts]), np.hstack(own) if own else None)
    theirs = together.own
    order = _by_distance(together) if theirs is None else np.argsort(theirs, axis=1, kind="stable")
    return _reordered(together, order[:, :k])


def without_own(found: Found, own_row: Ints, k: int) -> Found:
    """Return the first ``k`` of each list, the query itself left out; it may well be absent.

    Args:
        found: Lists of ``k`` or more.
        own_row: (queries,) the gallery row that is the query itself, −1 for none.
        k: How many to keep.
    """
    itself = (found.rows == own_row[:, None]) & (found.rows != NOBODY)
    order = np.argsort(itself, axis=1, kind="stable")  # the query itself to the end
    others = Found(
        np.where(itself, NOBODY, found.rows),
        np.where(itself, np.inf, found.squared),
        None if found.own is None else np.where(itself, np.inf, found.own),
    )
    return _reordered(others, order[:, :k])


def _reordered(found: Found, order: Ints) -> Found:
    return found.each(lambda values: np.take_along_axis(values, order, axis=1))


def _by_distance(found: Found) -> Ints:
    """Return the order by (squared, row), nobody last."""
    last = np.where(found.rows == NOBODY, np.iinfo(np.int64).max, found.rows)
    return np.lexsort((last, found.squared), axis=1)


def _refuse(wrong: Bools, what: str, values: AnyArray, where: str) -> None:
    if wrong.any():
        query, place = (int(axis[0]) for axis in np.nonzero(wrong))
        count = int(wrong.any(axis=1).sum())
        raise _broken(
            f"{what} ({values[query, place]}) in {count:,} answers; first", f"{where}, query row {query} (0-based)"
        )


def _broken(found: str, where: str) -> BackendError:
    return BackendError(
        "E701", f"the answer of a search library is not one: {found}", where=where, fix="do not use this library so"
    )
