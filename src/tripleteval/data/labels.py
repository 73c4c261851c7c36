"""Labels, ids and groups as integer codes; a class never passes through a float."""

from __future__ import annotations

import datetime
import math
from collections.abc import Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np

from tripleteval.arrays import AnyArray, Ints, as_column
from tripleteval.errors import LabelError, counted

_SETS = (set, frozenset, list)


@dataclass(frozen=True)
class Labels:
    """One class per row, dictionary-encoded.

    Attributes:
        codes: (n,) int64, the position of each row's class in ``classes``.
        classes: The distinct classes, sorted where they can be, as Python objects of one type.
    """

    codes: Ints
    classes: tuple[Hashable, ...]

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: AnyArray) -> Labels:
        """Return the labels of ``rows``; the classes stay, so codes keep their meaning."""
        return Labels(self.codes[rows], self.classes)

    def values(self) -> list[Hashable]:
        """Return the class of each row as a Python object."""
        return [self.classes[code] for code in self.codes.tolist()]


@dataclass(frozen=True)
class LabelSets:
    """Several classes per row: row ``i`` has ``codes[indptr[i]:indptr[i + 1]]``, ascending."""

    indptr: Ints
    codes: Ints
    classes: tuple[Hashable, ...]

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def take(self, rows: AnyArray) -> LabelSets:
        """Return the sets of ``rows``."""
        starts, lengths = self.indptr[:-1][rows], np.diff(self.indptr)[rows]
        indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        within = np.arange(indptr[-1]) - np.repeat(indptr[:-1], lengths)
        return LabelSets(indptr, self.codes[np.repeat(starts, lengths) + within], self.classes)

    def values(self) -> list[tuple[Hashable, ...]]:
        """Return the classes of each row as a tuple."""
        bounds = self.indptr.tolist()
        return [tuple(self.classes[c] for c in self.codes[a:b]) for a, b in pairwise(bounds)]


def encode(values: Any, where: str = "labels") -> Labels:
    """Dictionary-encode one column of integers, text or other hashables of one type.

    Args:
        values: (n,) integers of any width, text, bytes (UTF-8) or hashable objects of one type.
        where: What to call the column in an error.

    Raises:
        LabelError: A value is missing (E402), values are floats, of several types, bytes that are not UTF-8, or text
            with half a character, which no file can hold (E403), or a value cannot be hashed (E408).
    """
    if isinstance(values, Labels):
        return values
    column = as_column(values, where)
    if column.dtype.kind in "iub":
        classes, codes = np.unique(column, return_inverse=True)
        return Labels(codes.astype(np.int64).reshape(-1), tuple(classes.tolist()))
    if column.dtype.kind in "fc":
        raise _floats(where)
    return _encode_objects(_plain(column.tolist(), where), where)


def encode_sets(values: Sequence[Any], where: str = "labels") -> LabelSets:
    """Encode one collection of classes per row (multi-label); an empty collection is refused (E402)."""
    single = [row for row, classes in enumerate(values) if not isinstance(classes, (*_SETS, tuple))]
    if single:
        raise LabelError(
            "E403",
            f"sets of labels, but {values[single[0]]!r} at row {single[0]} (0-based)",
            where=where,
            fix="give every row a set, also where it has one label",
        )
    try:
        members = [sorted(set(row), key=repr) for row in values]
    except TypeError:
        raise LabelError(
            "E408", "a label inside a set that cannot be hashed", where=where, fix="use text or integers"
        ) from None
    empty = [row for row, classes in enumerate(members) if not classes]
    if empty:
        raise _missing(empty, "an empty set of labels", where)
    flat = encode([label for row in members for label in row], where)
    lengths = np.array([len(row) for row in members], dtype=np.int64)
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return LabelSets(indptr, flat.codes, flat.classes)


def is_label_sets(values: Any) -> bool:
    """Return whether ``values`` holds a set (or list) of labels per row rather than one label."""
    return isinstance(values, (list, tuple)) and len(values) > 0 and isinstance(values[0], _SETS)


def join(
    left: tuple[Hashable, ...], right: tuple[Hashable, ...], where: str
) -> tuple[Ints, Ints, tuple[Hashable, ...]]:
    """Map two sets of classes onto one.

    Returns:
        The new code of each left class, of each right class, and the joint classes.

    Raises:
        LabelError: One side has text, the other integers (E403), so that nothing could ever match.
    """
    kinds = {_kind(side[0]) for side in (left, right) if side}
    if len(kinds) > 1:
        raise LabelError(
            "E403",
            f"one side has labels of type {' and the other of type '.join(sorted(kinds))}",
            where=where,
            fix="nothing could match; make both sides text or both integers",
        )
    classes = _sorted(set(left) | set(right))
    code = {label: position for position, label in enumerate(classes)}
    return (
        np.array([code[c] for c in left], dtype=np.int64),
        np.array([code[c] for c in right], dtype=np.int64),
        classes,
    )


def _encode_objects(values: list[Any], where: str) -> Labels:
    missing = [row for row, value in enumerate(values) if _is_missing(value)]
    if missing:
        raise _missing(missing, repr(values[missing[0]]), where)
    kinds: dict[str, int] = {}
    for row, value in enumerate(values):
        kinds.setdefault(_kind(value), row)
    if not kinds.keys().isdisjoint(("float", "complex")):
        raise _floats(where)
    if len(kinds) > 1:
        (one, a), (two, b) = list(kinds.items())[:2]
        raise LabelError(
            "E403",
            f"labels of several types: {one} at row {a}, {two} at row {b} (0-based)",
            where=where,
            fix="make every label text, or every label an integer",
        )
    try:
        distinct = set(values)
    except TypeError:
        raise LabelError(
            "E408",
            f"labels of type {next(iter(kinds))}, which cannot be told apart by hash",
            where=where,
            fix="one label per row is an integer or text; several labels per row are sets",
        ) from None
    if "str" in kinds:
        _require_unicode(distinct, values, where)
    classes = _sorted(distinct)
    code = {label: position for position, label in enumerate(classes)}
    return Labels(np.array([code[value] for value in values], dtype=np.int64), classes)


def _require_unicode(distinct: set[str], values: list[str], where: str) -> None:
    try:
        "".join(distinct).encode()
    except UnicodeEncodeError:
        row = next(row for row, value in enumerate(values) if any("\ud800" <= letter <= "\udfff" for letter in value))
        raise LabelError(
            "E403",
            f"text that is not Unicode, {values[row]!r} at row {row} (0-based)",
            where=where,
            fix="it cannot be saved: read the file with its own encoding, or with errors='backslashreplace'",
        ) from None


def _plain(values: list[Any], where: str) -> list[Any]:
    try:
        # np.bytes_ is both, and decodes as bytes do.
        return [v.decode() if isinstance(v, bytes) else v.item() if isinstance(v, np.generic) else v for v in values]
    except UnicodeDecodeError as error:
        wrong = error.object
    row = next(row for row, value in enumerate(values) if isinstance(value, bytes) and value == wrong)
    raise LabelError(
        "E403",
        f"bytes that are not text in UTF-8, {wrong[:40]!r} at row {row} (0-based)",
        where=where,
        fix="escaped, they could be the text of another label: decode them as what they are, or write value.hex()",
    )


def _kind(value: Any) -> str:
    # bool is an int in Python, but True among 0, 1, 2 is a mistake worth naming.
    return type(value).__name__


def _is_missing(value: Any) -> bool:
    if value is None or value == "":
        return True
    return (isinstance(value, (float, Decimal)) and math.isnan(value)) or type(value).__name__ in ("NaTType", "NAType")


def _sorted(classes: set[Any]) -> tuple[Hashable, ...]:
    if all(isinstance(c, (int, str, datetime.date)) for c in classes):
        with suppress(TypeError):  # times with and without a zone have no order
            return tuple(sorted(classes))
    return tuple(sorted(classes, key=repr))


def _missing(rows: list[int], example: str, where: str) -> LabelError:
    shown = ", ".join(map(str, rows[:5])) + (" …" if len(rows) > 5 else "")
    return LabelError(
        "E402",
        f"{counted(len(rows), 'row')} without a value ({example}); first rows: {shown} (0-based)",
        where=where,
        fix="drop these rows, or give them a value",
    )


def _floats(where: str) -> LabelError:
    return LabelError(
        "E403",
        "labels that are floating-point numbers",
        where=where,
        fix="floats merge ids beyond 2**53 and cannot mean a class: pass labels.astype('int64') or text",
    )
