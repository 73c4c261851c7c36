"""Approximate search: one narrow seam, one file per library.

1. A backend sees float32 rows within [−1, 1] and squared Euclidean distances, nothing else; the rows were scaled,
   and for cosine normalised, before. Its answer is a claim: ``contract`` checks it and measures every distance again.
2. A library never runs in our process: ``child`` loads it in a fresh one, and ``process`` watches that with a
   clock and a memory limit. No pickle crosses the border, only JSON lines and ``.npy`` files.
3. A file here that registers a backend is found by being here; ``package.module:NAME`` names one from elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple, Protocol, TypeVar

from tripleteval.arrays import AnyArray
from tripleteval.errors import MissingExtra, ParameterError
from tripleteval.registry import Registry

LADDER = ("float16", "int8", "pca", "truncate", "binary")

Params = Mapping[str, Any]
Grid = Mapping[str, tuple[Any, ...]]


class How(NamedTuple):
    """How an index is built.

    Attributes:
        params: The build parameters of the backend, all of them.
        seed: What a randomised build draws from.
        threads: How many threads may build and search.
        dim: Coordinates per row.
    """

    params: Params
    seed: int
    threads: int
    dim: int


class Index(Protocol):
    """A built index. It lives in the child process and may do there what it likes."""

    def search(self, queries: AnyArray, k: int, params: Params) -> tuple[AnyArray, AnyArray]:
        """Return (queries, k) gallery rows, nearest first, −1 where nothing was found, and their squared distances."""
        ...

    def save(self, path: str) -> None:
        """Write the index to a file."""
        ...


class IndexType(Protocol):
    """What a backend's file defines: a class with two ways to come into being."""

    def build(self, gallery: AnyArray, how: How) -> Index:
        """Return an index of (n, dim) float32 rows."""
        ...

    def load(self, path: str, how: How) -> Index:
        """Return the index that `Index.save` wrote."""
        ...


@dataclass(frozen=True)
class Backend:
    """One way to search, as registered.

    Attributes:
        name: What the user calls it.
        index: Builds and loads its index.
        module: The Python module that must be installed; empty for none.
        extra: Our extra that installs it.
        build_grid: Every build parameter with its default values. Where these are whole numbers, or ``"auto"`` alone,
            only whole numbers from 1 (or the lowest of them) can be given; where some are shares, only numbers.
        search_grid: Every search parameter with its default values.
        randomised: Whether two seeds build two indexes.
        faithful: Whether its own distances are true to float32; quantised ones are not compared.
    """

    name: str
    index: IndexType
    module: str = ""
    extra: str = ""
    build_grid: Grid = field(default_factory=dict)
    search_grid: Grid = field(default_factory=dict)
    randomised: bool = False
    faithful: bool = True

    @property
    def grid(self) -> Grid:
        """Every parameter with its default values."""
        return {**self.build_grid, **self.search_grid}

    def require_installed(self) -> None:
        """Refuse a backend whose library is not there, without importing it.

        Raises:
            MissingExtra: The module cannot be found (E103).
        """
        if self.module and find_spec(self.module) is None:
            raise MissingExtra(f"the {self.name} backend", self.module, extra=self.extra)


BACKENDS: Registry[Backend] = Registry("tripleteval.search", "search backend")

Made = TypeVar("Made")


def backend(name: str, **facts: Any) -> Callable[[Made], Made]:
    """Register the decorated index type as a backend; see `Backend` for the facts."""

    def register(index: Made) -> Made:
        BACKENDS.add(name)(Backend(name, index, **facts))  # type: ignore[arg-type]  # a class is an IndexType
        return index

    return register


def find_backend(name: str) -> Backend:
    """Return a registered backend, or the one that ``package.module:NAME`` names.

    Raises:
        ParameterError: No backend has this name, or that module has none (E510).
    """
    if ":" not in name:
        return BACKENDS[name]
    module, _, attribute = name.partition(":")
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ParameterError("E510", f"unknown search backend {name!r}: {error}", fix="name it module:NAME") from error
    if not isinstance(found, Backend):
        raise ParameterError("E510", f"{name!r} is not a search Backend", fix="see tripleteval.search.Backend")
    return replace(found, name=name)
