"""A progress bar on stderr, where somebody is there to see it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[int, int | None], None]


@contextmanager
def shown(what: str, *, progress: Progress | bool) -> Iterator[Progress]:
    """Yield what is called with items done and items in all (``None`` where nobody knows).

    Args:
        what: What the bar says.
        progress: Such a function; or whether to show a bar, which happens in a terminal only.
    """
    if callable(progress):
        yield progress
        return
    if not progress or not sys.stderr.isatty() or _still():
        yield lambda _done, _whole: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, whole: bar.update(task, completed=done, total=whole)


def _still() -> bool:
    from tripleteval.report.console import still

    return still()
