"""Which settings of which backends are tried: every combination of the values of every parameter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from tripleteval.errors import ParameterError, nearest
from tripleteval.search import Backend, Grid, find_backend

Params = dict[str, Any]
_MOST_SETTINGS = 500


@dataclass(frozen=True)
class Plan:
    """What is tried of one backend: each build is searched with every setting.

    Attributes:
        backend: Which.
        builds: Build parameters, one index each.
        searches: Search parameters tried on every index.
    """

    backend: Backend
    builds: tuple[Params, ...]
    searches: tuple[Params, ...]

    @property
    def varied(self) -> set[str]:
        """The parameters of which more than one value is tried."""
        return {
            name
            for each in (self.builds, self.searches)
            for name in each[0]
            if len({params[name] for params in each}) > 1
        }


def plans(names: Sequence[str], params: Mapping[str, Sequence[Any]]) -> list[Plan]:
    """Return what to try.

    Args:
        names: Backends, in the order of the table.
        params: Values of a parameter in place of its usual ones; ``"efSearch"`` holds for every backend that
            knows it, ``"faiss-hnsw:efSearch"`` for one.

    Raises:
        ParameterError: No backend or an unknown one, a parameter none of them knows (E510), or values that are
            none (E101).
        MissingExtra: The library of a backend is not installed (E103).
    """
    if isinstance(names, str) or not names:
        raise ParameterError("E101", f"backends={names!r}", fix="give a list such as ['annoy', 'faiss-hnsw']")
    backends = [find_backend(name) for name in dict.fromkeys(names)]
    for backend in backends:
        backend.require_installed()
    given = {name: _values(name, values) for name, values in params.items()}
    known = {key for backend in backends for name in backend.grid for key in (name, f"{backend.name}:{name}")}
    for name in given:
        if name not in known:
            raise ParameterError("E510", f"no backend asked for knows the parameter {name!r}", fix=nearest(name, known))
    made = [_plan(backend, given) for backend in backends]
    count = sum(len(plan.builds) * len(plan.searches) for plan in made)
    if count > _MOST_SETTINGS:
        raise ParameterError(
            "E101", f"{count:,} settings", fix=f"give fewer values; at most {_MOST_SETTINGS} are tried"
        )
    return made


def _plan(backend: Backend, given: Mapping[str, tuple[Any, ...]]) -> Plan:
    def chosen(grid: Grid) -> tuple[Params, ...]:
        values = [given.get(f"{backend.name}:{name}", given.get(name, usual)) for name, usual in grid.items()]
        return tuple(dict(zip(grid, each, strict=True)) for each in product(*values))

    return Plan(backend, chosen(backend.build_grid), chosen(backend.search_grid))


def _values(name: str, values: Any) -> tuple[Any, ...]:
    listed = tuple(dict.fromkeys([values] if isinstance(values, (int, float, str)) else values))
    if not listed or not all(isinstance(value, (int, float, str)) for value in listed):
        raise ParameterError("E101", f"{name}={values!r}", fix="give one number or word, or a list of them")
    return listed
