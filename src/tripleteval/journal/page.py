"""One pass of a run: which of its orders are finished, and what it has added up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from tripleteval.journal.folder import Journal

Item = TypeVar("Item", bound=tuple[int, ...])
Result = TypeVar("Result")
Mapping = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]


class Pages:
    """Hands out the pages of a journal, or of none; passes follow each other alike in every run of the same."""

    def __init__(self, journal: Journal | None = None) -> None:
        self._journal, self._count = journal, 0

    def next(self) -> Page[Any]:
        """Return the page of the pass that begins."""
        self._count += 1
        return Page(self._journal, self._count - 1)


class Page(Generic[Result]):
    """The part of a journal that belongs to one pass; without a journal, nothing is ever known."""

    def __init__(self, journal: Journal | None, number: int) -> None:
        self._journal, self._number = journal, number

    def has(self, orders: Sequence[Item]) -> bool:
        """Return whether all these orders are finished."""
        journal = self._journal
        return journal is not None and all(journal.known(self._number, tuple(order)) for order in orders)

    def each(self, function: Callable[[Item], Result], orders: Sequence[Item], mapping: Mapping) -> Iterator[Result]:
        """Yield the result of every order, in order; only what is not finished yet is computed."""
        journal = self._journal
        if journal is None:
            yield from mapping(function, orders)
            return
        made = iter(mapping(function, [order for order in orders if not self.has([order])]))
        for order in orders:
            if self.has([order]):
                yield journal.read(self._number, tuple(order))
                continue
            result = next(made)
            self.keep(order, result)
            yield result

    def keep(self, order: Item, result: Result) -> None:
        """Keep the result of an order, unless it is known."""
        if self._journal is not None and not self.has([order]):
            self._journal.append(self._number, tuple(order), result)

    def standing(self) -> tuple[int, Any] | None:
        """Return how many orders are added up already, and to what."""
        return None if self._journal is None else self._journal.standing(self._number)

    def stand(self, done: int, value: Any, *, last: bool = False) -> None:
        """Keep what is added up now and then, or because it is complete."""
        if self._journal is not None:
            self._journal.stand(self._number, done, value, last=last)
