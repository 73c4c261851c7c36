"""How far a long pass is, on stderr: a bar where somebody looks, JSON lines for machines.

What a run had done before it was interrupted counts as done, and not as speed. Nor does the time count in which no
pairs are compared, or so few that they tell nothing: there is no time left to be known of it, but it has a name.
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
COMPARING, DONE = "comparing", "done"  # as `tripleteval.evaluate` calls them; all others take a time of their own
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
    """Where a run stands.

    Attributes:
        stage: What is being done.
        done: Pairs compared.
        whole: Pairs in all.
        resumed: Those of ``done`` that were compared before the run was interrupted.
        seconds: Since this run began.
        pace: Pairs per second, while comparing.
    """

    stage: str
    done: int
    whole: int
    resumed: int
    seconds: float
    pace: float

    @property
    def left(self) -> float | None:
        """Seconds; ``None`` where nothing tells."""
        if self.stage not in {COMPARING, DONE}:
            return None
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
        self._say, self._stage = say, COMPARING
        self._started = self._last = time.monotonic()
        self._done = self._resumed = 0
        self._compared, self._comparing = 0, 0.0  # pairs of this run, and the seconds they took

    def __call__(self, done: int, whole: int) -> None:
        """Say how far it is."""
        self._pass_time()
        if self._stage == COMPARING:
            self._compared += done - self._done
        self._done = done
        pace = self._compared / max(self._comparing, 1e-9)
        self._say(Standing(self._stage, done, whole, self._resumed, self._last - self._started, pace))

    def resumed(self, pairs: int) -> None:
        """Take so many pairs of the next report for done before."""
        self._resumed += pairs
        self._compared -= pairs

    def stage(self, name: str) -> None:
        """Take what follows for something else."""
        self._pass_time()
        self._stage = name

    def _pass_time(self) -> None:
        now = time.monotonic()
        if self._stage == COMPARING:
            self._comparing += now - self._last
        self._last = now


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
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), told)
    with Progress(*columns, console=Console(stderr=True, force_terminal=forced or None), transient=True) as bar:
        task = bar.add_task(COMPARING, total=None, told="")
        yield lambda at: bar.update(task, description=at.stage, completed=at.done, total=at.whole, told=_told(at))


def _told(at: Standing) -> str:
    if at.stage != COMPARING:
        return ""
    left = "" if at.left is None else f", {timedelta(seconds=round(at.left))} left"
    return f"{at.pace / 1e6:,.0f} M pairs/s{left}"


def _sentences() -> Say:
    """Write a line now and then where a bar would need escape sequences; nothing of a short run."""
    said, stage = 0.0, COMPARING

    def say(at: Standing) -> None:
        nonlocal said, stage
        begun = at.stage not in {stage, COMPARING, DONE} and at.seconds >= _BETWEEN_SENTENCES
        due = at.stage == COMPARING and at.done < at.whole and at.seconds >= said + _BETWEEN_SENTENCES
        stage = at.stage
        if begun or due:
            said = at.seconds
            share = f"{at.stage}: {at.done / at.whole:.0%}"
            sys.stderr.write(", ".join(filter(None, [share, _told(at)])) + "\n")
            sys.stderr.flush()

    return say


def _lines(dim: int) -> Say:
    """Write where a run stands as one JSON object per line: one a second at most, and whenever a stage begins or ends.

    ``stage`` says what is done: ``"comparing"``, ``"measuring the space"``, ``"first look"`` at the pairs,
    ``"intervals"`` or, in the last line, ``"done"``. ``pairs_per_second`` and ``seconds_left`` are of comparing; in all
    other stages but the last nothing tells how much is left, and it is null.
    ``gflops`` is what a matrix product of the same pairs would have done: 2 · dim operations per pair.
    """
    said, stage = -_BETWEEN_LINES, ""

    def say(at: Standing) -> None:
        nonlocal said, stage
        if at.stage == stage and at.done < at.whole and at.seconds < said + _BETWEEN_LINES:
            return
        said, stage = at.seconds, at.stage
        line = {
            "stage": at.stage,
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
