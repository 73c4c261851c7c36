"""The compression ladder: vectors stored smaller and searched one and all, so that only the storage costs recall.

What is saved is what would be stored; it is decoded once, and never again looked up in the original.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tripleteval.arrays import AnyArray
from tripleteval.search import How, Index, Params, backend
from tripleteval.search.brute import Brute

_DIM = {"dim": (0.5, 0.25)}
_ONE_LENGTH = 1e-3


class Stored:
    """Stored arrays, the rows they decode to, and what is done to a query first."""

    def __init__(self, stored: dict[str, AnyArray], rows: AnyArray, asked: Callable[[AnyArray], AnyArray]) -> None:
        self.stored, self.brute, self.asked = stored, Brute(rows), asked

    def search(self, queries: AnyArray, k: int, params: Params) -> tuple[AnyArray, AnyArray]:  # noqa: ARG002
        """Return the k nearest of the decoded rows."""
        return self.brute.nearest(self.asked(queries), k)

    def save(self, path: str) -> None:
        """Write what is stored."""
        _write(path, self.stored)


@backend("float16", faithful=False)
class Float16:
    """Half the bytes of float32; queries stay as they are."""

    @staticmethod
    def build(gallery: AnyArray, how: How) -> Index:
        """Return the rows rounded to 11 significant bits."""
        return Float16.open({"rows": gallery.astype(np.float16)}, how)

    @staticmethod
    def load(path: str, how: How) -> Index:
        """Return saved rows."""
        return Float16.open(_read(path), how)

    @staticmethod
    def open(stored: dict[str, AnyArray], how: How) -> Index:  # noqa: ARG004
        """Return what is stored, decoded."""
        return Stored(stored, stored["rows"].astype(np.float32), lambda queries: queries)


@backend("int8", faithful=False)
class Int8:
    """A quarter of the bytes: each coordinate in 255 steps between its extremes; queries stay as they are."""

    @staticmethod
    def build(gallery: AnyArray, how: How) -> Index:
        """Return the rows in steps of their own, coordinate by coordinate."""
        low, high = gallery.min(axis=0), gallery.max(axis=0)
        step = np.where(high > low, (high - low) / 255, 1).astype(np.float32)
        codes = np.rint((gallery - low) / step).clip(0, 255).astype(np.uint8)
        return Int8.open({"rows": codes, "low": low, "step": step}, how)

    @staticmethod
    def load(path: str, how: How) -> Index:
        """Return saved rows."""
        return Int8.open(_read(path), how)

    @staticmethod
    def open(stored: dict[str, AnyArray], how: How) -> Index:  # noqa: ARG004
        """Return what is stored, decoded."""
        decoded = (stored["low"] + stored["step"] * stored["rows"]).astype(np.float32)
        return Stored(stored, decoded, lambda queries: queries)


@backend("pca", build_grid=_DIM, faithful=False)
class Pca:
    """The ``dim`` directions of largest variance of the gallery (a share of all below 1), in float32."""

    @staticmethod
    def build(gallery: AnyArray, how: How) -> Index:
        """Return the rows turned into those directions."""
        centre = gallery.mean(axis=0, dtype=np.float64)
        centred = gallery - centre
        directions = np.linalg.eigh(centred.T @ centred)[1]
        kept = directions[:, ::-1][:, : _dims(how)].astype(np.float32)
        rows = centred.astype(np.float32) @ kept
        return Pca.open({"rows": rows, "centre": centre.astype(np.float32), "kept": kept}, how)

    @staticmethod
    def load(path: str, how: How) -> Index:
        """Return saved rows and directions."""
        return Pca.open(_read(path), how)

    @staticmethod
    def open(stored: dict[str, AnyArray], how: How) -> Index:  # noqa: ARG004
        """Return what is stored."""
        return Stored(stored, stored["rows"], lambda queries: (queries - stored["centre"]) @ stored["kept"])


@backend("truncate", build_grid=_DIM, faithful=False)
class Truncate:
    """The first ``dim`` coordinates (a share of all below 1), as Matryoshka models are made for.

    Where all rows have one length, as under cosine, what is left is brought back to one length.
    """

    @staticmethod
    def build(gallery: AnyArray, how: How) -> Index:
        """Return the first coordinates of the rows."""
        lengths = np.linalg.norm(gallery, axis=1)
        alike = bool(np.all(np.abs(lengths - lengths[0]) <= _ONE_LENGTH * lengths[0]))
        rows = _cut(gallery, _dims(how), float(lengths[0]) if alike else 0.0)
        return Truncate.open({"rows": rows, "length": np.array(lengths[0] if alike else 0.0)}, how)

    @staticmethod
    def load(path: str, how: How) -> Index:
        """Return saved rows."""
        return Truncate.open(_read(path), how)

    @staticmethod
    def open(stored: dict[str, AnyArray], how: How) -> Index:  # noqa: ARG004
        """Return what is stored."""
        dims, length = stored["rows"].shape[1], float(stored["length"])
        return Stored(stored, stored["rows"], lambda queries: _cut(queries, dims, length))


def _cut(rows: AnyArray, dims: int, length: float) -> AnyArray:
    kept = np.ascontiguousarray(rows[:, :dims])
    if not length:
        return kept
    own = np.linalg.norm(kept, axis=1, keepdims=True)
    return np.asarray(kept * (length / np.where(own > 0, own, 1)), np.float32)


def _dims(how: How) -> int:
    asked = how.params["dim"]
    dims = round(asked * how.dim) if asked < 1 else int(asked)
    if not 1 <= dims <= how.dim or (asked >= 1 and dims != asked):
        raise ValueError(f"dim={asked} of {how.dim} dimensions")
    return dims


def _write(path: str, stored: dict[str, Any]) -> None:
    with open(path, "wb") as file:  # noqa: PTH123  # np.savez would add a suffix to a name
        np.savez(file, **stored)


def _read(path: str) -> dict[str, AnyArray]:
    with open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:  # noqa: PTH123
        return dict(stored)
