"""Plug-ins found by folder: a file in the folder is the registration."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Generic, TypeVar

from tripleteval.errors import ParameterError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


T = TypeVar("T")


class Registry(Generic[T]):
    """A mapping from names to plug-ins; looking up imports every module of ``package`` once.

    Args:
        package: Dotted name of the folder whose modules register themselves on import.
        what: What one plug-in is called in an error message.
    """

    def __init__(self, package: str, what: str) -> None:
        self._package, self._what = package, what
        self._found: dict[str, T] = {}
        self._complete = False

    def add(self, *names: str) -> Callable[[T], T]:
        """Register the decorated plug-in under every one of ``names``."""

        def register(plugin: T) -> T:
            for name in names:
                if name in self._found:
                    raise ValueError(f"two plug-ins call themselves {name!r} in {self._package}")
                self._found[name] = plugin
            return plugin

        return register

    def names(self) -> list[str]:
        """Return every registered name, in the order of registration."""
        self._import_folder()
        return list(self._found)

    def items(self) -> Iterator[tuple[str, T]]:
        """Yield (name, plug-in) in the order of registration."""
        self._import_folder()
        yield from self._found.items()

    def __getitem__(self, name: str) -> T:
        self._import_folder()
        if name not in self._found:
            raise ParameterError("E510", f"unknown {self._what} {name!r}", fix=nearest(name, self._found))
        return self._found[name]

    def __contains__(self, name: str) -> bool:
        self._import_folder()
        return name in self._found

    def _import_folder(self) -> None:
        if self._complete:
            return
        folder = import_module(self._package)
        for module in sorted(m.name for m in iter_modules(folder.__path__)):
            import_module(f"{self._package}.{module}")
        self._complete = True
