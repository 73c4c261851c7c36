"""Given triplets at the door: vectors, positions or ids become rows, or are refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import blake2b
from typing import Any, NamedTuple

import numpy as np

from tripleteval.arrays import AnyArray, Bools, Floats, Ints, as_column, row_blocks
from tripleteval.data.embeddings import Embeddings
from tripleteval.data.labels import Labels, LabelSets, encode
from tripleteval.data.origin import origin_of, remember
from tripleteval.errors import DataError, LabelError, ParameterError, counted
from tripleteval.evaluation.intake import Intake, admit

ROLES = ("anchors", "positives", "negatives")
PARTS = ("anchor", "positive", "negative")  # of one triplet


class Given(NamedTuple):
    """Triplets as rows of three sets of vectors.

    Attributes:
        intakes: The sets that anchors, positives and negatives are rows of; one and the same with ``embeddings``.
        rows: (triplets, 3) int64, the row of each in its set.
        items: (triplets, 3) int64, equal where the item is.
        weights: (triplets,) float64 or ``None``.
        numbers: (triplets,) int64, the place of each in what was given.
    """

    intakes: list[Intake]
    rows: Ints
    items: Ints
    weights: Floats | None
    numbers: Ints

    @property
    def placed(self) -> bool:
        """Whether positions were given rather than vectors."""
        return self.intakes[0] is self.intakes[1]

    @property
    def anchors(self) -> tuple[Ints, Ints]:
        """The first triplet of each anchor, and which of the anchors each triplet has."""
        _, first, anchor = np.unique(self.items[:, 0], return_index=True, return_inverse=True)
        return first, anchor

    def take(self, which: Bools) -> Given:
        """Return some of the triplets."""
        weights = None if self.weights is None else self.weights[which]
        return Given(self.intakes, self.rows[which], self.items[which], weights, self.numbers[which])


def by_vectors(three: tuple[Any, ...], distance: str) -> Given:
    """Return triplets given as three sets of vectors.

    Raises:
        DataError: Vectors that cannot be evaluated (E2xx, E3xx).
        LabelError: Not one of each per triplet (E401).
    """
    named = zip(three, ROLES, strict=True)
    intakes = [admitted(vectors_of(values, role), role, distance) for values, role in named]
    rows = _together([np.arange(len(intake.embeddings)) for intake in intakes])
    dims = [intake.embeddings.dim for intake in intakes]
    if len(set(dims)) > 1:
        found = ", ".join(f"{role} of {dim}" for role, dim in zip(ROLES, dims, strict=True)) + " dimensions"
        raise DataError("E306", found, where="triplets", fix="all three must come from the same model")
    seen: dict[bytes, int] = {}
    items = np.stack([alike(intake.embeddings.vectors, seen) for intake in intakes], axis=1)
    return Given(intakes, rows, items, None, rows[:, 0])


def by_rows(three: tuple[Any, ...], embeddings: Any, distance: str) -> Given:
    """Return triplets given as positions or ids in one set of vectors.

    Raises:
        DataError: Vectors that cannot be evaluated (E2xx, E3xx), no triplets (E301).
        LabelError: Not one of each per triplet (E401).
        ParameterError: A row or id that does not exist (E501).
    """
    intake = admitted(embeddings, "embeddings", distance)
    rows = _together([rows_of(values, intake.embeddings, role) for values, role in zip(three, ROLES, strict=True)])
    return Given([intake] * 3, rows, rows, None, np.arange(len(rows)))


def checked_weights(values: Any, count: int) -> Floats | None:
    """Return one finite weight >= 0 per triplet, or ``None`` where none were given.

    Raises:
        LabelError: Not one per triplet (E401).
        ParameterError: Weights that are no numbers, not finite, negative, or all 0 (E505).
    """
    if values is None:
        return None
    try:
        weights = as_column(values, "weights").astype(np.float64)
    except (TypeError, ValueError):
        raise ParameterError("E505", "weights that are no numbers", fix="give one number >= 0 per triplet") from None
    if len(weights) != count:
        found = f"{counted(len(weights), 'weight')} for {counted(count, 'triplet')}"
        raise LabelError("E401", found, fix="give one per triplet")
    bad = ~(np.isfinite(weights) & (weights >= 0))
    if bad.any() or not weights.any():
        first = int(np.argmax(bad))
        found = f"weight {weights[first]} of triplet {first} (0-based)" if bad.any() else "weights that are all 0"
        raise ParameterError("E505", found, where="weights", fix="give one finite number >= 0 per triplet")
    return weights


def sound(given: Given, *, drop: bool) -> Given:
    """Return the triplets of three different rows, whose labels agree that they are triplets.

    Raises:
        DataError: All are degenerate (E301).
        ParameterError: A degenerate triplet and not ``drop`` (E502), one against the labels (E503).
    """
    a, p, n = given.rows.T
    degenerate = (a == p) | (a == n) | (p == n)
    if degenerate.any() and not drop:
        first = int(np.argmax(degenerate))
        raise ParameterError(
            "E502",
            f"{counted(int(degenerate.sum()), 'triplet')} with a row named twice; first: triplet {first} (0-based), "
            f"anchor {a[first]}, positive {p[first]}, negative {n[first]}",
            where="triplets",
            fix="remove them, or drop and count them: drop_degenerate=True (--drop-degenerate)",
        )
    if degenerate.all():
        raise DataError(
            "E301", f"no triplets left: all {len(a):,} are degenerate", where="triplets", fix="check what made them"
        )
    given, labels = given.take(~degenerate), given.intakes[0].embeddings.labels
    if labels is not None:
        _require_agreement(given, labels)
    return given


def vectors_of(values: Any, role: str) -> Any:
    """Return what was given for a role without labels and ids; errors still name the files of its rows."""
    if not isinstance(values, Embeddings):
        return values
    found = Embeddings(values.vectors, name=role)
    remember(found, origin_of(values))
    return found


def admitted(values: Any, name: str, distance: str, of: str = "triplet") -> Intake:
    """Return vectors that may be measured, and are those ``of`` triplets or pairs; nothing is repaired.

    Raises:
        DataError: Vectors that cannot be evaluated (E2xx, E3xx).
    """
    remove = f"remove these rows and the {of}s they are part of"
    fixes = {
        "E201": remove,
        "E202": f"{remove}, or use another distance",
        "E304": "pass (n, dim) vectors; or row positions, together with embeddings=",
    }
    with fixed_by(fixes):
        return admit(values if isinstance(values, Embeddings) else Embeddings(values, name=name), distance=distance)


@contextmanager
def fixed_by(fixes: Mapping[str, str]) -> Iterator[None]:
    """Let errors of these codes offer what can be done here, instead of the repairs that `evaluate` offers."""
    try:
        yield
    except DataError as error:
        fix = fixes.get(error.code, error.fix)
        raise type(error)(error.code, error.found, where=error.where, fix=fix) from None


def _together(columns: list[Ints]) -> Ints:
    lengths = [len(column) for column in columns]
    if len(set(lengths)) > 1:
        found = ", ".join(f"{length:,} {role}" for role, length in zip(ROLES, lengths, strict=True))
        raise LabelError("E401", found, where="triplets", fix="a triplet has one of each, in the same order")
    return np.stack(columns, axis=1)


def rows_of(values: Any, embeddings: Embeddings, role: str, of: str = "triplet") -> Ints:
    """Return the row of each position or id.

    Raises:
        DataError: None, or vectors (E301, E304).
        ParameterError: One that does not exist, or is of another type than the ids (E501).
    """
    column = as_column(values, role)
    if not len(column):
        raise DataError("E301", f"no {of}s", where=role, fix="check the filter or the file that made them")
    if np.ndim(column[0]):
        raise DataError("E304", "vectors beside embeddings", where=role, fix="pass positions or ids, or no embeddings")
    given, ids, size = encode(column, role), embeddings.ids, len(embeddings)
    classes: tuple[Any, ...] = given.classes
    kind = type(classes[0])
    if ids is not None and kind is type(ids.classes[0]):
        place = dict(zip(ids.values(), range(size), strict=True))
        where = f"{counted(size, 'id')} of {embeddings.name}"
        fix = f"write ids of the embeddings, such as {ids.classes[0]!r}"
        if kind is str:
            fix += "; rows (0-based) are integers, which only .parquet and .npz hold beside ids of text"
    elif kind is int:
        place = {row: row for row in classes if 0 <= row < size}
        where = f"{embeddings.name}: positions 0 to {size - 1}"
        fix = f"write rows from 0 to {size - 1}" + ("" if ids is None else f", or ids such as {ids.classes[0]!r}")
    else:
        known = "no ids" if ids is None else f"ids of type {type(ids.classes[0]).__name__}"
        fix = f"the embeddings have {known}; positions are integers; or name others: id_column= (--id-column)"
        raise ParameterError("E501", f"{role} of type {kind.__name__}", where=embeddings.name, fix=fix)
    rows = np.array([place.get(value, -1) for value in classes], dtype=np.int64)[given.codes]
    if (rows < 0).any():
        first = int(np.argmax(rows < 0))
        found = f"{role[:-1]} {classes[given.codes[first]]!r} of {of} {first} (0-based) does not exist"
        wrong = int((rows < 0).sum())
        raise ParameterError(
            "E501", found + (f", one of {wrong:,} such {role}" if wrong > 1 else ""), where=where, fix=fix
        )
    return rows


def alike(vectors: AnyArray, seen: dict[bytes, int]) -> Ints:
    """Return one integer per row, equal where the rows are, also from one set to another."""
    codes = [
        seen.setdefault(blake2b(row.tobytes(), digest_size=16).digest(), len(seen))
        for block in row_blocks(vectors)
        for row in block.astype(np.float64) + 0.0  # -0.0 and 0.0 are one value
    ]
    return np.array(codes, dtype=np.int64)


def _require_agreement(given: Given, labels: Labels | LabelSets) -> None:
    a, p, n = given.rows.T
    wrong = ~share(labels, a, p) | share(labels, a, n)
    if wrong.any():
        first = int(np.argmax(wrong))
        listed = dict(zip(PARTS, labels.take(given.rows[first]).values(), strict=True))
        raise ParameterError(
            "E503",
            f"{counted(int(wrong.sum()), 'triplet')} against the labels; "
            f"first: triplet {given.numbers[first]} (0-based), "
            + ", ".join(f"{role} {label!r}" for role, label in listed.items()),
            where="triplets",
            fix="anchor and positive share a class, anchor and negative do not; or leave the labels out: Embeddings "
            "without labels, at the command line a file without their column",
        )


def share(labels: Labels | LabelSets, left: Ints, right: Ints) -> Bools:
    """Return whether the items of each two rows have a label in common."""
    if isinstance(labels, Labels):
        same: Bools = labels.codes[left] == labels.codes[right]
        return same
    sets = [set(row) for row in labels.values()]
    return np.array([bool(sets[i] & sets[j]) for i, j in zip(left.tolist(), right.tolist(), strict=True)])
