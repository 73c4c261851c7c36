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
from tripleteval.data.origin import NO_FILES, Origin
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


def encode(values: Any, where: str = "labels", origin: Origin = NO_FILES) -> Labels:
    """Dictionary-encode one column of integers, text or other hashables of one type.

    Args:
        values: (n,) integers of any width, text, bytes (UTF-8) or hashable objects of one type.
        where: What to call the column in an error.
        origin: Where its rows came from, for an error about some of them.

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
    return _encode_objects(_plain(column.tolist(), where, origin), where, origin)


def encode_sets(values: Sequence[Any], where: str = "labels", origin: Origin = NO_FILES) -> LabelSets:
    """Encode one collection of classes per row (multi-label); an empty collection is refused (E402)."""
    if none := [row for row, classes in enumerate(values) if classes is None]:
        raise _missing(none, "None", where, origin)
    single = [row for row, classes in enumerate(values) if not isinstance(classes, (*_SETS, tuple))]
    if single:
        raise LabelError(
            "E403",
            f"sets of labels, but {values[single[0]]!r} at row {origin.listed(single[:1])} (0-based)",
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
        raise _missing(empty, "an empty set of labels", where, origin)
    lengths = np.array([len(row) for row in members], dtype=np.int64)
    each = origin.take(np.repeat(np.arange(len(members)), lengths))
    flat = encode([label for row in members for label in row], where, each)
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return LabelSets(indptr, flat.codes, flat.classes)


def is_label_sets(values: Any) -> bool:
    """Return whether ``values`` holds a set (or list) of labels per row rather than one label."""
    return isinstance(values, (list, tuple)) and len(values) > 0 and isinstance(values[0], _SETS)


def encode_labels(values: Any, where: str = "labels", origin: Origin = NO_FILES) -> Labels | LabelSets:
    """Encode one class per row, or one set of classes per row; what is encoded stays as it is."""
    if isinstance(values, LabelSets):
        return values
    return (encode_sets if is_label_sets(values) else encode)(values, where, origin)


def require_unique(ids: Labels, where: str, origin: Origin = NO_FILES) -> None:
    """Refuse ids of which two rows have the same.

    Raises:
        LabelError: E407.
    """
    repeated = np.bincount(ids.codes, minlength=len(ids.classes)) > 1
    if repeated.any():
        code = int(np.argmax(repeated))
        rows = origin.listed(np.flatnonzero(ids.codes == code))
        raise LabelError(
            "E407",
            f"{counted(int(repeated.sum()), 'id')} used more than once; first: {ids.classes[code]!r} in rows {rows} "
            "(0-based)",
            where=where,
            fix="an id names one item; use groups for what several items share",
        )


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


def _encode_objects(values: list[Any], where: str, origin: Origin) -> Labels:
    missing = [row for row, value in enumerate(values) if _is_missing(value)]
    if missing:
        raise _missing(missing, repr(values[missing[0]]), where, origin)
    kinds: dict[str, int] = {}
    for row, value in enumerate(values):
        kinds.setdefault(_kind(value), row)
    if len(kinds) > 1:
        (one, a), (two, b) = ((kind, origin.listed([row])) for kind, row in list(kinds.items())[:2])
        raise LabelError(
            "E403",
            f"values of several types: {one} at row {a}, {two} at row {b} (0-based)",
            where=where,
            fix="make all of them text, or all of them integers",
        )
    if not kinds.keys().isdisjoint(("float", "complex")):
        raise _floats(where)
    try:
        distinct = set(values)
    except TypeError:
        raise LabelError(
            "E408",
            f"values of type {next(iter(kinds))}, which cannot be told apart by hash",
            where=where,
            fix="give every row an integer or text; labels alone may be several, in one set or list per row",
        ) from None
    if "str" in kinds:
        _require_unicode(distinct, values, where, origin)
    classes = _sorted(distinct)
    code = {label: position for position, label in enumerate(classes)}
    return Labels(np.array([code[value] for value in values], dtype=np.int64), classes)


def _require_unicode(distinct: set[str], values: list[str], where: str, origin: Origin) -> None:
    try:
        "".join(distinct).encode()
    except UnicodeEncodeError:
        row = next(row for row, value in enumerate(values) if any("\ud800" <= letter <= "\udfff" for letter in value))
        raise LabelError(
            "E403",
            f"text that is not Unicode, {values[row]!r} at row {origin.listed([row])} (0-based)",
            where=where,
            fix="it cannot be saved: read the file with its own encoding, or with errors='backslashreplace'",
        ) from None


def _plain(values: list[Any], where: str, origin: Origin) -> list[Any]:
    try:
        # np.bytes_ is both, and decodes as bytes do.
        return [v.decode() if isinstance(v, bytes) else v.item() if isinstance(v, np.generic) else v for v in values]
    except UnicodeDecodeError as error:
        wrong = error.object
    row = next(row for row, value in enumerate(values) if isinstance(value, bytes) and value == wrong)
    raise LabelError(
        "E403",
        f"bytes that are not text in UTF-8, {wrong[:40]!r} at row {origin.listed([row])} (0-based)",
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


def _missing(rows: list[int], example: str, where: str, origin: Origin) -> LabelError:
    return LabelError(
        "E402",
        f"{counted(len(rows), 'row')} without a value ({example}); first rows: {origin.listed(rows)} (0-based)",
        where=where,
        fix="drop these rows, or give them a value",
    )


def _floats(where: str) -> LabelError:
    return LabelError(
        "E403",
        "values that are floating-point numbers",
        where=where,
        fix="floats merge whole numbers beyond 2**53, and cannot name anything: pass integers, as .astype('int64') "
        "makes them, or text",
    )
