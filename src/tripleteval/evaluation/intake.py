"""What is refused, and what is repaired when asked: every repair is counted in the accounting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tripleteval.arrays import AnyArray, Bools, Ints, row_blocks
from tripleteval.data.embeddings import Embeddings
from tripleteval.data.facts import facts_of
from tripleteval.data.labels import Labels
from tripleteval.data.origin import NO_FILES, origin_of
from tripleteval.errors import DataError, LabelError, ParameterError, counted, nearest

NONFINITE = ("refuse", "drop")
ZERO_ROWS = ("refuse", "exclude", "far")
_COINCIDENCE = 2  # so few vectors of length 1, or of another, are no habit of the model


class Intake(NamedTuple):
    """A set that may be evaluated, and what it cost to get there."""

    embeddings: Embeddings
    dropped: dict[str, int]
    zero_rows: int
    unit_norm: bool


def admit(
    embeddings: Embeddings,
    *,
    distance: str,
    nonfinite: str = "refuse",
    zero_rows: str = "refuse",
    ignore_label: object = None,
) -> Intake:
    """Return the rows that can be evaluated.

    Raises:
        DataError: Non-finite values (E201), zero vectors under cosine (E202), nothing left (E301).
        LabelError: ``ignore_label`` without labels (E401).
        ParameterError: An unknown option (E510).
    """
    _require_option("nonfinite", nonfinite, NONFINITE)
    _require_option("zero_rows", zero_rows, ZERO_ROWS)
    dropped: dict[str, int] = {}
    given = embeddings
    kept: Any = slice(None)
    if ignore_label is not None:
        ignored = _labelled(embeddings, ignore_label)
        embeddings, kept = _drop(embeddings, ignored, "ignored_label", dropped), ~ignored
    facts = facts_of(embeddings.vectors)
    finite = facts.finite
    zero, unit = facts.zero[finite], facts.unit[finite]
    if not finite.all():
        if nonfinite == "refuse":
            raise _nonfinite(embeddings, ~finite, given, np.arange(len(given))[kept][~finite])
        embeddings = _drop(embeddings, ~finite, "nonfinite", dropped)
    zeros = int(zero.sum())
    if zeros and distance == "cosine" and zero_rows != "far":
        if zero_rows == "refuse":
            rows = np.arange(len(given))[kept][finite][zero]
            raise DataError(
                "E202",
                f"{counted(zeros, 'zero vector')} without a direction; "
                f"first rows: {origin_of(given).listed(rows)} (0-based)",
                where=given.name + _of_the_set(given, rows),
                fix="remove them, or zero_rows= (--zero-rows): exclude drops and counts them; evaluate takes "
                "far as well, distance 1 to all",
            )
        embeddings = _drop(embeddings, zero, "zero_vectors", dropped)
        unit = unit[~zero]
    return Intake(embeddings, dropped, zeros, len(unit) > _COINCIDENCE and bool(unit.all()))


def require_comparable(queries: Intake, gallery: Intake, distance: str) -> None:
    """Refuse two sets that cannot have come from one model, or that are one set passed twice.

    Raises:
        DataError: Different dimensions (E306), one side normalised and the other not (E507), the same
            vectors on both sides without ids on both (E509).
    """
    q, g = queries.embeddings, gallery.embeddings
    require_one_size(q, g)
    if distance != "cosine" and min(len(q), len(g)) > _COINCIDENCE and queries.unit_norm != gallery.unit_norm:
        unit, other = (q, g) if queries.unit_norm else (g, q)
        raise DataError(
            "E507",
            f"{unit.name} has unit vectors, {other.name} has not",
            where=f"{q.name} and {g.name}",
            fix="normalise both or neither, or use distance='cosine' (--distance cosine)",
        )
    if None in (q.ids, g.ids) and _equal(q.vectors, g.vectors):
        raise DataError(
            "E509",
            "the same vectors as queries and as gallery: every query would find itself",
            where=f"{q.name} and {g.name}",
            fix="leave out the gallery (each query is then searched among the others), or give ids to both",
        )


def require_one_size(queries: Embeddings, gallery: Embeddings) -> None:
    """Refuse vectors of different lengths.

    Raises:
        DataError: E306.
    """
    q, g = queries, gallery
    if q.dim != g.dim:
        raise DataError(
            "E306",
            f"queries of {q.dim} dimensions, a gallery of {g.dim}",
            where=f"{q.name} ({len(q):,} × {q.dim}) and {g.name} ({len(g):,} × {g.dim})",
            fix="both must come from the same model",
        )


def _require_option(what: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise ParameterError("E510", f"{what}={value!r}", fix=nearest(str(value), known))


def _equal(one: AnyArray, two: AnyArray) -> bool:
    return one.shape == two.shape and all(map(np.array_equal, row_blocks(one), row_blocks(two)))


def _nonfinite(embeddings: Embeddings, bad_rows: Bools, given: Embeddings, named: Ints) -> DataError:
    """Return the error about rows of what is left of a set, which are ``named`` in the whole of it."""
    rows = np.flatnonzero(bad_rows)
    first = embeddings.vectors[rows[:1]].astype(np.float64)[0]
    column = int(np.argmax(~np.isfinite(first)))
    stretches = (rows[start : start + 4096] for start in range(0, len(rows), 4096))
    bad = sum(int((~np.isfinite(embeddings.vectors[some].astype(np.float64))).sum()) for some in stretches)
    origin = origin_of(given)
    return DataError(
        "E201",
        f"{counted(bad, 'non-finite value')} in {len(rows):,} of {counted(len(embeddings), 'row')}; "
        f"{first[column]} at row {origin.listed(named[:1])}, column {column} (first, 0-based); "
        f"rows: {origin.listed(named)}",
        where=f"{given.name} ({len(given):,} × {given.dim} {given.vectors.dtype}){_of_the_set(given, named)}",
        fix="remove these rows, or drop and count them, with their labels: nonfinite='drop' (--nonfinite drop)",
    )


def _labelled(embeddings: Embeddings, label: object) -> Bools:
    if not isinstance(embeddings.labels, Labels):
        raise LabelError(
            "E401",
            "an ignored label but no single label per row",
            where=embeddings.name,
            fix="give one label per row, or ignore none",
        )
    wanted = [code for code, known in enumerate(embeddings.labels.classes) if str(known) == str(label)]
    return np.isin(embeddings.labels.codes, wanted)


def _drop(embeddings: Embeddings, rows: Bools, why: str, dropped: dict[str, int]) -> Embeddings:
    if not rows.any():
        return embeddings
    dropped[why] = int(rows.sum())
    if rows.all():
        raise DataError(
            "E301", f"no rows left: all {len(rows):,} are {why}", where=embeddings.name, fix="check what made this set"
        )
    return embeddings.take(~rows)


def _of_the_set(given: Embeddings, rows: Ints) -> str:
    """Say which rows of the set they are, where an error names those of its files."""
    return f"; rows of the set: {NO_FILES.listed(rows)}" if origin_of(given).files else ""
