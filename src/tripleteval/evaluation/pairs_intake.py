"""Given pairs at the door: vectors, positions or ids become rows, and contradictions are refused."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tripleteval.arrays import AnyArray, Bools, Floats, Ints, as_column
from tripleteval.data.labels import Labels
from tripleteval.distance.formula import distance_for, squared_pairs
from tripleteval.errors import DataError, LabelError, ParameterError, counted
from tripleteval.evaluation.given_intake import admitted, alike, rows_of, share, vectors_of
from tripleteval.evaluation.intake import Intake

ROLES = ("firsts", "seconds")
_AT_ONCE = 2**21
_TRUTHS = {"1": True, "true": True, "same": True, "0": False, "false": False, "different": False}


class GivenPairs(NamedTuple):
    """Pairs as rows of two sets of vectors.

    Attributes:
        intakes: The sets that the two sides are rows of; one and the same with ``embeddings``.
        rows: (pairs, 2) int64, the row of each in its set.
        who: (pairs, 2) int64, equal where the identity is.
        named: What each identity is called.
        same: (pairs,) bool, whether the two are of one identity.
    """

    intakes: list[Intake]
    rows: Ints
    who: Ints
    named: list[Any]
    same: Bools

    @property
    def placed(self) -> bool:
        """Whether positions or ids were given rather than vectors."""
        return self.intakes[0] is self.intakes[1]


def pairs_by_vectors(two: tuple[Any, Any], same: Any, distance: str) -> GivenPairs:
    """Return pairs given as two sets of vectors; vectors that are equal are taken for one identity.

    Raises:
        DataError: Vectors that cannot be evaluated (E2xx, E3xx).
        LabelError: Not one of each per pair (E401), or no truth for one (E403).
    """
    intakes = [
        admitted(vectors_of(values, role), role, distance, "pair") for values, role in zip(two, ROLES, strict=True)
    ]
    sizes = [len(intake.embeddings) for intake in intakes]
    _require_equal(*sizes)
    dims = [intake.embeddings.dim for intake in intakes]
    if dims[0] != dims[1]:
        found = f"{dims[0]} dimensions on one side, {dims[1]} on the other"
        raise DataError("E306", found, where="pairs", fix="both must come from the same model")
    seen: dict[bytes, int] = {}
    who = np.stack([alike(intake.embeddings.vectors, seen) for intake in intakes], axis=1)
    first = [f"the vector of pair {int(row)}" for row in np.unique(who[:, 0], return_index=True)[1]]
    named = first + [f"the vector of pair {int(np.argmax(who[:, 1] == code))}" for code in range(len(first), len(seen))]
    rows = np.repeat(np.arange(sizes[0])[:, None], 2, axis=1)
    return GivenPairs(intakes, rows, who, named, truths(same, sizes[0]))


def pairs_by_rows(two: tuple[Any, Any], same: Any, embeddings: Any, distance: str) -> GivenPairs:
    """Return pairs given as positions or ids; an identity is a label where items have one each, else an item.

    Raises:
        DataError: Vectors that cannot be evaluated (E2xx, E3xx), no pairs (E301).
        LabelError: Not one of each per pair, or neither truths nor labels (E401), or no truth for one (E403).
        ParameterError: A row or id that does not exist (E501), a pair of an item with itself (E502), one
            against the labels (E503), or one given as same and as different (E504).
    """
    intake = admitted(embeddings, "embeddings", distance, "pair")
    found = intake.embeddings
    columns = [rows_of(values, found, role, "pair") for values, role in zip(two, ROLES, strict=True)]
    _require_equal(*map(len, columns))
    rows = np.stack(columns, axis=1)
    agreed = None if found.labels is None else share(found.labels, *rows.T)
    if same is None and agreed is None:
        raise LabelError("E401", "neither labels nor who is the same", where="pairs", fix="give same=, one per pair")
    truth = agreed if same is None or agreed is None else truths(same, len(rows))
    truth = truths(same, len(rows)) if truth is None else truth
    _require_two_items(rows)
    _require_one_truth(rows, truth)
    if agreed is not None:
        _require_agreement(rows, truth, agreed)
    if isinstance(found.labels, Labels):
        return GivenPairs([intake] * 2, rows, found.labels.codes[rows], list(found.labels.classes), truth)
    named = list(range(len(found))) if found.ids is None else list(found.ids.values())
    return GivenPairs([intake] * 2, rows, rows, named, truth)


def truths(values: Any, count: int) -> Bools:
    """Return whether each pair is the same: booleans, 0 and 1, or those words.

    Raises:
        LabelError: Not one per pair (E401), or one that is missing or says something else (E403).
    """
    if values is None:
        raise LabelError("E401", "no truth about the pairs", where="same", fix="give same=, one per pair")
    column = as_column(values, "same")
    if len(column) != count:
        found = f"{counted(len(column), 'truth')} for {counted(count, 'pair')}"
        raise LabelError("E401", found, where="same", fix="give one per pair")
    if column.dtype.kind == "b":
        return np.asarray(column, dtype=bool)
    said = column.tolist()
    known = [_TRUTHS.get(_word(value)) for value in said]
    if None in known:
        row = known.index(None)
        raise LabelError("E403", f"{said[row]!r} of pair {row} (0-based)", where="same", fix="write 1 or 0")
    return np.array(known, dtype=bool)


def pair_distances(given: GivenPairs, distance: str) -> Floats:
    """Return (pairs,) the distance of each pair, block by block."""
    fitted = distance_for(distance, *(intake.embeddings.vectors for intake in given.intakes))
    squared = np.empty(len(given.rows))
    step = max(1, _AT_ONCE // given.intakes[0].embeddings.dim)
    for start in range(0, len(squared), step):
        cut = slice(start, start + step)
        sides: list[AnyArray] = [
            intake.embeddings.vectors[rows] for intake, rows in zip(given.intakes, given.rows[cut].T, strict=True)
        ]
        one, two = map(fitted.prepare, sides)
        squared[cut] = squared_pairs(one, np.arange(len(sides[0])), two)
    return fitted.from_squared(squared)


def repeated(given: GivenPairs) -> int:
    """Return how many pairs were given before, either way round."""
    if not given.placed:
        return len(given.who) - len(np.unique(np.sort(given.who, axis=1), axis=0))
    return len(given.rows) - len(np.unique(np.sort(given.rows, axis=1), axis=0))


def _word(value: Any) -> str:
    return str(int(value)) if isinstance(value, (int, float)) and value in (0, 1) else str(value).strip().lower()


def _require_equal(first: int, second: int) -> None:
    if first != second:
        found = f"{counted(first, 'first')}, {counted(second, 'second')}"
        raise LabelError("E401", found, where="pairs", fix="a pair has one of each")


def _require_two_items(rows: Ints) -> None:
    itself = rows[:, 0] == rows[:, 1]
    if itself.any():
        first = int(np.argmax(itself))
        raise ParameterError(
            "E502",
            f"{counted(int(itself.sum()), 'pair')} of an item with itself; first: pair {first} (0-based), "
            f"row {rows[first, 0]}",
            where="pairs",
            fix="remove them: their distance is 0 whatever the model",
        )


def _require_one_truth(rows: Ints, same: Bools) -> None:
    pairs, which = np.unique(np.sort(rows, axis=1), axis=0, return_inverse=True)
    which = which.reshape(-1)
    as_same, times = np.bincount(which[same], minlength=len(pairs)), np.bincount(which)
    torn = (as_same > 0) & (as_same < times)
    if torn.any():
        first = int(np.argmax(torn[which]))
        other = int(np.argmax((which == which[first]) & (same != same[first])))
        a, b = pairs[which[first]].tolist()
        raise ParameterError(
            "E504",
            f"{counted(int(torn.sum()), 'pair')} given as same and as different; first: pairs {first} and {other} "
            f"(0-based), of rows {a} and {b}",
            where="pairs",
            fix="remove one of the two, or correct it",
        )


def _require_agreement(rows: Ints, same: Bools, agreed: Bools) -> None:
    wrong = same != agreed
    if wrong.any():
        first = int(np.argmax(wrong))
        said = "same" if same[first] else "different"
        raise ParameterError(
            "E503",
            f"{counted(int(wrong.sum()), 'pair')} against the labels; first: pair {first} (0-based), rows "
            f"{rows[first, 0]} and {rows[first, 1]}, given as {said}",
            where="pairs",
            fix="correct them, or leave the labels out: Embeddings without labels, at the command line a file without "
            "their column",
        )
