"""How far a long pass is, on stderr: a bar where somebody looks, JSON lines for machines."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

Progress = Callable[[int, int], None]

KINDS = ("auto", "bar", "json", "none")
_BETWEEN_LINES = 1.0  # seconds

progress_option = click.option(
    "--progress",
    type=click.Choice(KINDS),
    default="auto",
    show_default=True,
    help="On stderr; auto: a bar in a terminal. json: a line a second.",
)


@contextmanager
def progress_bar(quiet: bool, kind: str = "auto", dim: int = 0) -> Iterator[Progress | None]:
    """Yield what `tripleteval.evaluate` calls with pairs done and pairs in all; ``None`` where nobody looks.

    Args:
        quiet: Whether nobody wants to see it, unless ``kind`` says so.
        kind: One of `KINDS`.
        dim: Coordinates of a vector, for GFLOP/s; 0 where they are unknown.
    """
    if kind == "json":
        yield _Lines(dim)
    elif kind == "none" or (kind == "auto" and (quiet or not sys.stderr.isatty())):
        yield None
    else:
        with _bar(forced=kind == "bar") as tell:
            yield tell


@contextmanager
def _bar(*, forced: bool) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    speed = TextColumn("{task.fields[speed]}")
    columns = (TextColumn("comparing"), BarColumn(), TaskProgressColumn(), speed, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True, force_terminal=forced or None), transient=True) as bar:
        task = bar.add_task("comparing", total=None, speed="")
        started = time.monotonic()

        def tell(done: int, whole: int) -> None:
            pace = done / max(time.monotonic() - started, 1e-9)
            bar.update(task, completed=done, total=whole, speed=f"{pace / 1e6:,.0f} M pairs/s")

        yield tell


class _Lines:
    """Writes where a pass stands as one JSON object per line, at most one a second, and the last one always.

    ``gflops`` is what a matrix product of the same pairs would have done: 2 · dim operations per pair.
    """

    def __init__(self, dim: int) -> None:
        self.dim, self.started, self.said = dim, time.monotonic(), -_BETWEEN_LINES

    def __call__(self, done: int, whole: int) -> None:
        took = time.monotonic() - self.started
        if done < whole and took - self.said < _BETWEEN_LINES:
            return
        self.said = took
        pace = done / max(took, 1e-9)
        line = {
            "pairs_done": done,
            "pairs": whole,
            "seconds": round(took, 3),
            "seconds_left": round((whole - done) / pace, 3) if done else None,
            "pairs_per_second": round(pace),
            "gflops": round(2 * self.dim * pace / 1e9, 3) if self.dim else None,
        }
        sys.stderr.write(json.dumps(line) + "\n")
        sys.stderr.flush()
