"""Which settings of which backends are tried: every combination of the values of every parameter."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from tripleteval.errors import ParameterError, nearest
from tripleteval.search import Backend, Grid, find_backend
from tripleteval.search.store import Store

Params = dict[str, Any]
_MOST_SETTINGS = 500
_AUTO = "auto"


@dataclass(frozen=True)
class Plan:
    """What is tried of one backend: each build is searched with every setting.

    Attributes:
        backend: Which; a store has nothing to build.
        builds: Build parameters, one index each.
        searches: Search parameters tried on every index.
    """

    backend: Backend | Store
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


def plans(names: Sequence[str | Store], params: Mapping[str, Sequence[Any]]) -> list[Plan]:
    """Return what to try.

    Args:
        names: Backends, in the order of the table; a store is passed as it is.
        params: Values of a parameter in place of its usual ones; ``"efSearch"`` holds for every backend that
            knows it, ``"faiss-hnsw:efSearch"`` for one.

    Raises:
        ParameterError: No backend or an unknown one, a parameter none of them knows (E510), values that are none
            or impossible, or two stores of one name (E101).
        MissingExtra: The library of a backend is not installed (E103).
    """
    _require_kinds(names, params)
    backends = [each if isinstance(each, Store) else find_backend(each) for each in dict.fromkeys(names)]
    for backend in backends:
        if isinstance(backend, Backend):
            backend.require_installed()
    for name, times in Counter(each.name for each in backends).items():
        if times > 1:
            raise ParameterError("E101", f"{times} stores of the name {name!r}", fix="give each a name= of its own")
    given = {name: _values(name, values) for name, values in params.items()}
    known = {key for each in backends for name in _known(each) for key in (name, f"{each.name}:{name}")}
    for name in given:
        if name not in known:
            raise ParameterError("E510", f"no backend asked for knows the parameter {name!r}", fix=nearest(name, known))
    _require_possible([each for each in backends if isinstance(each, Backend)], given)
    made = [_plan(backend, given) for backend in backends]
    count = sum(len(plan.builds) * len(plan.searches) for plan in made)
    if count > _MOST_SETTINGS:
        raise ParameterError(
            "E101", f"{count:,} settings", fix=f"give fewer values; at most {_MOST_SETTINGS} are tried"
        )
    return made


def _require_kinds(names: Any, params: Any) -> None:
    if isinstance(names, str) or not names:
        raise ParameterError("E101", f"backends={names!r}", fix="give a list such as ['annoy', 'faiss-hnsw']")
    for each in names:
        if not isinstance(each, (str, Store)):
            fix = "give the name of a backend, or a store such as Pgvector"
            raise ParameterError("E101", f"a backend of type {type(each).__name__}", fix=fix)
    if not isinstance(params, Mapping):
        fix = "give names and their values, such as {'efSearch': [16, 64]}"
        raise ParameterError("E101", f"params={params!r}", fix=fix)


def _known(backend: Backend | Store) -> tuple[str, ...]:
    return tuple(backend.grid) if isinstance(backend, Backend) else backend.settings


def _require_possible(backends: Sequence[Backend], given: Mapping[str, tuple[Any, ...]]) -> None:
    """Refuse, before anything is built, what a parameter cannot be, as its usual values tell.

    Libraries take some of it without a word: a graph told to keep −3 candidates answers, with nearly anything.
    """
    for backend, name, usual in ((each, *of) for each in backends for of in each.grid.items()):
        numbers = [value for value in usual if not isinstance(value, str)]
        if not numbers and usual != (_AUTO,):
            continue  # the library's own words
        whole, least = all(isinstance(value, int) for value in numbers), min([1, *numbers])
        kind = f"a whole number, {least} or more" if whole else "a number above 0" if least > 0 else "a number"
        for value in given.get(f"{backend.name}:{name}", given.get(name, ())):
            if value not in usual and not _is_number(value, least, whole=whole):
                found = f"{name}={value!r} for {backend.name}, where it is {kind}"
                such = f"{name}={','.join(map(str, usual))}" if numbers else f"{name}=16 or {name}={_AUTO}"
                raise ParameterError("E101", found, fix=f"give {kind}, such as {such}")


def _is_number(value: Any, least: float, *, whole: bool) -> bool:
    if isinstance(value, (bool, str)) or not math.isfinite(value):
        return False
    return value >= least and isinstance(value, int) if whole else value > 0 or least <= 0


def _plan(backend: Backend | Store, given: Mapping[str, tuple[Any, ...]]) -> Plan:
    def chosen(grid: Grid) -> tuple[Params, ...]:
        values = [given.get(f"{backend.name}:{name}", given.get(name, usual)) for name, usual in grid.items()]
        return tuple(dict(zip(grid, each, strict=True)) for each in product(*values))

    if isinstance(backend, Backend):
        return Plan(backend, chosen(backend.build_grid), chosen(backend.search_grid))
    usual = backend.grid
    asked = [name for name in backend.settings if name in usual or name in given or f"{backend.name}:{name}" in given]
    return Plan(backend, ({},), chosen({name: usual.get(name, ()) for name in asked}))


def _values(name: str, values: Any) -> tuple[Any, ...]:
    several = [values] if isinstance(values, (int, float, str)) else values
    listed = tuple(dict.fromkeys(several)) if isinstance(several, Iterable) else ()
    if not listed or not all(isinstance(value, (int, float, str)) for value in listed):
        raise ParameterError("E101", f"{name}={values!r}", fix="give one number or word, or a list of them")
    return listed
