"""How far a long pass is, on stderr: a bar where somebody looks, JSON lines for machines.

What a run had done before it was interrupted counts as done, and not as speed.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import NamedTuple

import click

KINDS = ("auto", "bar", "json", "none")
_BETWEEN_LINES = 1.0  # seconds
_BETWEEN_SENTENCES = 10.0

progress_option = click.option(
    "--progress",
    type=click.Choice(KINDS),
    default="auto",
    show_default=True,
    help="On stderr; auto: a bar in a terminal. json: a line a second.",
)


class Standing(NamedTuple):
    """Where a pass stands.

    Attributes:
        done: Pairs compared.
        whole: Pairs in all.
        resumed: Those of ``done`` that were compared before the run was interrupted.
        seconds: Since this run began.
    """

    done: int
    whole: int
    resumed: int
    seconds: float

    @property
    def pace(self) -> float:
        """Pairs per second."""
        return (self.done - self.resumed) / max(self.seconds, 1e-9)

    @property
    def left(self) -> float | None:
        """Seconds; ``None`` where nothing tells."""
        if self.done >= self.whole:
            return 0.0
        return (self.whole - self.done) / self.pace if self.pace else None


Say = Callable[[Standing], None]


class Teller:
    """What `tripleteval.evaluate` calls with pairs done and pairs in all.

    Args:
        say: Shows it.
    """

    def __init__(self, say: Say) -> None:
        self._say, self._started, self._resumed = say, time.monotonic(), 0

    def __call__(self, done: int, whole: int) -> None:
        """Say how far it is."""
        self._say(Standing(done, whole, self._resumed, time.monotonic() - self._started))

    def resumed(self, pairs: int) -> None:
        """Take so many pairs of the next report for done before."""
        self._resumed += pairs


@contextmanager
def progress_bar(quiet: bool, kind: str = "auto", dim: int = 0) -> Iterator[Teller | None]:
    """Yield what `tripleteval.evaluate` calls with pairs done and pairs in all; ``None`` where nobody looks.

    Args:
        quiet: Whether nobody wants to see it, unless ``kind`` says so.
        kind: One of `KINDS`.
        dim: Coordinates of a vector, for GFLOP/s; 0 where they are unknown.
    """
    if kind == "json":
        yield Teller(_lines(dim))
    elif kind == "none" or (kind == "auto" and (quiet or not sys.stderr.isatty())):
        yield None
    elif kind == "auto" and _still():
        yield Teller(_sentences())
    else:
        with _bar(forced=kind == "bar") as say:
            yield Teller(say)


def _still() -> bool:
    from tripleteval.report.console import still

    return still()


@contextmanager
def _bar(*, forced: bool) -> Iterator[Say]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    # Not rich's own time left: it knows the last 30 seconds only, in which a long order never ends.
    told = TextColumn("{task.fields[told]}")
    columns = (TextColumn("comparing"), BarColumn(), TaskProgressColumn(), told)
    with Progress(*columns, console=Console(stderr=True, force_terminal=forced or None), transient=True) as bar:
        task = bar.add_task("comparing", total=None, told="")
        yield lambda at: bar.update(task, completed=at.done, total=at.whole, told=_told(at))


def _told(at: Standing) -> str:
    left = "" if at.left is None else f", {timedelta(seconds=round(at.left))} left"
    return f"{at.pace / 1e6:,.0f} M pairs/s{left}"


def _sentences() -> Say:
    """Write a line now and then where a bar would need escape sequences; nothing of a short run."""
    said = 0.0

    def say(at: Standing) -> None:
        nonlocal said
        if at.done < at.whole and at.seconds >= said + _BETWEEN_SENTENCES:
            said = at.seconds
            sys.stderr.write(f"comparing: {at.done / at.whole:.0%}, {_told(at)}\n")
            sys.stderr.flush()

    return say


def _lines(dim: int) -> Say:
    """Write where a pass stands as one JSON object per line, at most one a second, and the last one always.

    ``gflops`` is what a matrix product of the same pairs would have done: 2 · dim operations per pair.
    """
    said = -_BETWEEN_LINES

    def say(at: Standing) -> None:
        nonlocal said
        if at.done < at.whole and at.seconds < said + _BETWEEN_LINES:
            return
        said = at.seconds
        line = {
            "pairs_done": at.done,
            "pairs": at.whole,
            "pairs_resumed": at.resumed,
            "seconds": round(at.seconds, 3),
            "seconds_left": None if at.left is None else round(at.left, 3),
            "pairs_per_second": round(at.pace),
            "gflops": round(2 * dim * at.pace / 1e9, 3) if dim else None,
        }
        sys.stderr.write(json.dumps(line) + "\n")
        sys.stderr.flush()

    return say
