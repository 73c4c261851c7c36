"""The index people really run: a live store, asked read-only, that already holds the gallery.

Nothing is built. A store answers with ids, and these are looked up among the ids of the gallery that was
exported from it; distances are measured here, from the exported vectors, as for every backend.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from tripleteval.arrays import AnyArray, Bools, Ints
from tripleteval.errors import BackendError, ParameterError
from tripleteval.search import Grid, Params
from tripleteval.search.answers import Question
from tripleteval.search.contract import Found, in_order, measured, require_contract, without_own
from tripleteval.search.process import place

_WARM_UP, _COMPARED = 10, 100
_HALF = 2.0**-10  # a store may keep half precision


@runtime_checkable
class Store(Protocol):
    """A connection to a store. Its class is made by whoever knows where the store is, and passed as a backend."""

    name: str
    distance: str
    settings: tuple[str, ...]

    @property
    def faithful(self) -> bool:
        """Whether it ranks by distances true to float32."""
        ...

    @property
    def grid(self) -> Grid:
        """Those of its ``settings`` that are tried unasked, with their usual values."""
        ...

    def search(self, vectors: AnyArray, k: int, params: Params) -> Iterable[list[str]]:
        """Yield, for each (dim,) vector, the ids of at most ``k`` neighbours, nearest first."""
        ...

    def stored(self, ids: Sequence[str]) -> dict[str, list[float]]:
        """Return the vectors the store holds under these ids."""
        ...

    def describe(self) -> dict[str, Any]:
        """Return what the store is: versions, rows, indexes, their bytes."""
        ...


class Answered(NamedTuple):
    """What a store found, and the seconds each query took, round trip included."""

    found: Found
    seconds: list[float]


@dataclass(frozen=True)
class Asked:
    """A question, in the words of a store.

    Attributes:
        question: Who asks, who is searched.
        ids: Identity of every gallery row, as text.
    """

    question: Question
    ids: tuple[str, ...]

    def require_ids(self, store: Store, distance: str) -> None:
        """Refuse what cannot be compared with this store.

        Raises:
            ParameterError: The gallery has no ids, or another distance than the store (E101).
        """
        if not self.ids:
            raise ParameterError("E101", f"a gallery without ids, searched in {store.name}", fix="name the id column")
        if {store.distance, distance} - {"euclidean", "sqeuclidean"} and store.distance != distance:
            found = f"distance={distance!r}, but {store.name} is asked for {store.distance}"
            raise ParameterError("E101", found, fix="give both the same distance")

    def ask(self, store: Store, k: int, params: Params) -> Answered:
        """Return the neighbours a store finds, without the query itself.

        Raises:
            BackendError: It answers with too many ids, one twice, or one the gallery does not have (E701), or
                refuses (E704).
        """
        question, where = self.question, place(store.name, params)
        width = question.width(k)
        vectors = question.queries[:].astype(np.float32)
        row = {identity: number for number, identity in enumerate(self.ids)}
        for _ in store.search(vectors[:_WARM_UP], width, params):
            pass
        rows, seconds = np.full((len(vectors), width), -1, np.int64), []
        started = time.perf_counter()
        for query, ids in enumerate(store.search(vectors, width, params)):
            seconds.append(time.perf_counter() - started)
            rows[query, : len(ids)] = _rows(ids, row, width, f"{where}, query row {query} (0-based)")
            started = time.perf_counter()
        claimed = np.broadcast_to(np.arange(width, dtype=np.float64), rows.shape)  # a store tells no distances
        require_contract(rows, claimed, (len(vectors), width), len(question.gallery), where)
        true = measured(rows, question.queries, question.gallery, question.frame.distance)
        return Answered(
            without_own(in_order(rows, true, claimed, faithful=store.faithful), question.own_row, min(k, width)),
            seconds,
        )

    def stale(self, store: Store) -> tuple[int, int, int]:
        """Return of how many rows, evenly spread, the store holds none, or another vector than was exported."""
        some = np.unique(np.linspace(0, len(self.ids) - 1, min(_COMPARED, len(self.ids))).astype(int))
        there = store.stored([self.ids[row] for row in some.tolist()])
        known = [row for row in some.tolist() if self.ids[row] in there]
        if not known:
            return len(some), len(some), 0
        return len(some), len(some) - len(known), int(self._differs(known, there).sum())

    def _differs(self, known: list[int], there: dict[str, list[float]]) -> Bools:
        mine = self.question.gallery[known].astype(np.float64)
        theirs = np.array([there[self.ids[row]] for row in known])
        if theirs.shape != mine.shape:
            return np.ones(len(known), dtype=bool)
        return np.asarray((np.abs(mine - theirs) > _HALF * np.abs(mine).max()).any(axis=1))


def _rows(ids: list[str], row: dict[str, int], width: int, where: str) -> Ints:
    if len(ids) > width:
        raise BackendError(
            "E701", f"{len(ids)} neighbours where {width} were asked for", where=where, fix="check the connector"
        )
    unknown = [identity for identity in ids if identity not in row]
    if unknown:
        raise BackendError(
            "E701",
            f"the id {unknown[0]!r}, which the gallery does not have",
            where=where,
            fix="export the gallery again, with the same filter",
        )
    return np.array([row[identity] for identity in ids], dtype=np.int64)
