"""The set that is evaluated: vectors with their labels, ids and groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tripleteval.arrays import AnyArray, as_vectors
from tripleteval.data.labels import Labels, LabelSets, encode, encode_labels, require_unique
from tripleteval.data.origin import origin_of, remember
from tripleteval.data.stored import StoredVectors
from tripleteval.errors import DataError, LabelError, ParameterError, counted


@dataclass(frozen=True, eq=False, init=False)
class Embeddings:
    """Vectors with what is known about each row.

    Args:
        vectors: (n, dim) array of any real dtype and framework, or `StoredVectors`; kept as it is, never written to.
        labels: (n,) class of each row (integers of any size, text, hashables of one type), or one set
            of classes per row. ``None`` where relevance is given explicitly.
        ids: (n,) identity of each item, unique. A query never finds the gallery item with its own id.
        groups: (n,) camera, session or listing, for ``ignore="group"``.
        name: What errors and reports call this set.
        meta: Further columns by name, each of length n; a mapping or a table. Carried along, never computed with.

    Raises:
        DataError: The vectors are not an (n, dim) array of real numbers (E203-E205, E301-E305).
        LabelError: A column does not have one value per row (E401), misses values (E402), mixes types
            (E403), or an id appears twice (E407).
        ParameterError: ``meta`` is no columns by name (E101).

    Example:
        >>> Embeddings([[0.0, 1.0], [1.0, 0.0]], ["cat", "dog"]).dim
        2
    """

    vectors: AnyArray
    labels: Labels | LabelSets | None = None
    ids: Labels | None = None
    groups: Labels | None = None
    name: str = "embeddings"
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __init__(
        self,
        vectors: Any,
        labels: Any = None,
        *,
        ids: Any = None,
        groups: Any = None,
        name: str = "embeddings",
        meta: Mapping[str, Any] | None = None,
    ) -> None:
        put = object.__setattr__  # a frozen dataclass whose fields are converted once, here
        put(self, "name", name)
        put(self, "vectors", vectors if isinstance(vectors, StoredVectors) else as_vectors(vectors, name))
        put(self, "labels", None if labels is None else encode_labels(labels, f"labels of {name}"))
        put(self, "ids", None if ids is None else encode(ids, f"ids of {name}"))
        put(self, "groups", None if groups is None else encode(groups, f"groups of {name}"))
        put(self, "meta", _by_name(meta, name))
        for what in ("labels", "ids", "groups"):
            self._require_one_per_row(what)
        if not hasattr(self.meta, "take"):  # columns of a file are as long as its rows
            self._require_whole_columns()
        if self.ids is not None:
            require_unique(self.ids, f"ids of {name}")

    def __len__(self) -> int:
        return len(self.vectors)

    @property
    def dim(self) -> int:
        """Number of coordinates of each vector."""
        return int(self.vectors.shape[1])

    def __repr__(self) -> str:
        known = [what for what in ("labels", "ids", "groups") if getattr(self, what) is not None]
        carried = f", with {', '.join(known)}" if known else ""
        return f"Embeddings({self.name!r}, {len(self):,} × {self.dim} {self.vectors.dtype}{carried})"

    def take(self, rows: AnyArray) -> Embeddings:
        """Return the given rows (positions or a boolean mask) with everything that belongs to them."""
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows
        taken = {name: None if c is None else c.take(rows) for name, c in self._columns()}
        ids = taken["ids"]
        vectors = self.vectors.take(rows) if isinstance(self.vectors, StoredVectors) else self.vectors[rows]
        found = Embeddings(
            vectors,
            taken["labels"],
            ids=None if ids is None else ids.values(),
            groups=taken["groups"],
            name=self.name,
            meta=_taken(self.meta, rows),
        )
        if (origin := origin_of(self)).files:
            held = vectors.chosen if isinstance(vectors, StoredVectors) else None  # one list of rows serves both
            remember(found, origin.take(rows) if held is None else replace(origin, chosen=held))
        return found

    def _columns(self) -> list[tuple[str, Labels | LabelSets | None]]:
        return [("labels", self.labels), ("ids", self.ids), ("groups", self.groups)]

    def _require_one_per_row(self, what: str) -> None:
        column = getattr(self, what)
        if column is None or len(column) == len(self):
            return
        if what == "labels" and len(column) == self.dim:
            raise DataError(
                "E305",
                f"{counted(len(column), 'label')} for vectors of shape {self.vectors.shape}",
                where=self.name,
                fix="the array looks transposed: pass vectors.T",
            )
        raise LabelError(
            "E401",
            f"{counted(len(column), what[:-1])} for {counted(len(self), 'vector')}",
            where=self.name,
            fix=f"give one of the {what} per row, in the same order",
        )

    def _require_whole_columns(self) -> None:
        for column, values in self.meta.items():
            count = len(values) if hasattr(values, "__len__") else 1
            if count != len(self):
                raise LabelError(
                    "E401",
                    f"{counted(count, 'value')} of column {column!r} for {counted(len(self), 'vector')}",
                    where=self.name,
                    fix="give one value per row, in the same order",
                )


def _by_name(meta: Any, name: str) -> Mapping[str, Any]:
    if isinstance(meta, Mapping) and hasattr(meta, "take"):  # columns that are read when they are asked for
        return meta
    if hasattr(meta, "column_names"):  # an Arrow table has columns by number too
        return {column: meta[column] for column in meta.column_names}
    if meta is None or hasattr(meta, "keys"):
        return dict(() if meta is None else meta)
    fix = "give columns by name, such as meta={'year': years}"
    raise ParameterError("E101", f"meta of type {type(meta).__name__}", where=name, fix=fix)


def _taken(meta: Mapping[str, Any], rows: AnyArray) -> Mapping[str, Any]:
    if hasattr(meta, "take"):
        taken: Mapping[str, Any] = meta.take(rows)
        return taken
    return {name: _take(column, rows) for name, column in meta.items()}


def _take(column: Any, rows: AnyArray) -> Any:
    return column.take(rows) if hasattr(column, "take") else [column[row] for row in rows.tolist()]
