"""An engine is a ``map``: it decides where orders run, and nothing else knows."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from itertools import islice
from typing import Protocol, TypeVar

from threadpoolctl import ThreadpoolController

from tripleteval.errors import ParameterError

Item = TypeVar("Item")
Result = TypeVar("Result")


class Map(Protocol):
    """What the built-in ``map`` does: results in the order of the items, wherever they are made."""

    def __call__(self, function: Callable[[Item], Result], items: Iterable[Item], /) -> Iterable[Result]:
        """Return ``function`` of every item, in order."""
        ...


def shares_memory(mapping: Map) -> bool:
    """Return whether the workers of a map are threads of this process."""
    return bool(getattr(mapping, "shares_memory", False))


def available_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def thread_count(threads: int | None) -> int:
    """Return the number of threads asked for, by default one per core.

    Raises:
        ParameterError: Fewer than one (E101).
    """
    if threads is None:
        return available_cores()
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise ParameterError("E101", f"threads={threads!r}", fix="give a whole number, 1 or more")
    return threads


@lru_cache(maxsize=1)
def _libraries() -> ThreadpoolController:
    """Return the libraries with threads of their own: NumPy's is loaded with it, and looking for them takes a while."""
    return ThreadpoolController()


def threads(count: int) -> Map:
    """Return a map over ``count`` threads; at most twice as many results wait as there are threads."""

    def thread_map(function: Callable[[Item], Result], items: Iterable[Item], /) -> Iterator[Result]:
        # One BLAS thread per worker: tiles are small, and workers are what keeps the cores busy.
        limits = _libraries().limit(limits=1, user_api="blas")
        pool = ThreadPoolExecutor(count)
        try:
            rest = iter(items)
            flying: list[Future[Result]] = [pool.submit(function, item) for item in islice(rest, 2 * count)]
            while flying:
                yield flying.pop(0).result()
                flying.extend(pool.submit(function, item) for item in islice(rest, 1))
        finally:  # after an error or Ctrl-C nobody waits for orders under way, whose results nobody reads
            pool.shutdown(wait=False, cancel_futures=True)
            limits.restore_original_limits()

    thread_map.shares_memory = True  # type: ignore[attr-defined]  # functions may carry attributes
    return thread_map
