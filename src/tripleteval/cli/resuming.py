"""Going on with a run that was interrupted, and saying how when one is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tripleteval.cli.errors import InterruptedLate
from tripleteval.cli.paths import PATH
from tripleteval.errors import EvalError, FileError, nearest, one_line

if TYPE_CHECKING:
    from tripleteval.journal.folder import Journal

COMPLETE = "is complete: it was saved before it was interrupted, and what was left of its journal is removed"

Command = TypeVar("Command", bound=Callable[..., Any])

resume_option = click.option("--resume", type=PATH, metavar="RUN", help="Go on with this run, which was interrupted.")


def unfinished_run(name: str) -> str:
    """Return the run folder that an interrupted run was to become.

    Raises:
        FileError: There is nothing to go on with (E604).
    """
    from tripleteval.journal.folder import JOURNAL, SUFFIX, unfinished

    run = Path(name.removesuffix("/").removesuffix(SUFFIX))
    begun = (unfinished(run) / JOURNAL).exists()
    if not unfinished(run).is_dir() or (not begun and tidied(run)):
        beside = [path.name.removesuffix(SUFFIX) for path in run.parent.glob(f"*{SUFFIX}")]
        found = "a run that is complete" if run.is_dir() else "no unfinished run of this name"
        fix = nearest(run.name, beside) if beside else "start it without --resume"
        raise FileError("E604", found, where=str(run), fix=fix)
    return str(run)


def tidied(run: Path) -> bool:
    """Remove what is left of the journal of a run that is complete, say so, and return whether there was something."""
    from tripleteval.runs import tidy

    there = tidy(run)
    if there:
        click.echo(f"{one_line(str(run))} {COMPLETE}", err=True)
    return there


@contextmanager
def resumable(journal: Journal | None) -> Iterator[None]:
    """Say how to go on, whatever ends the work, where something of it is kept."""
    try:
        yield
    except BaseException as error:
        # Another process, given the same name at the same moment, may have saved the run and tidied up.
        if journal is None or not journal.kept or not journal.folder.is_dir():
            raise
        how = f"what is finished is kept: give the same command with --resume {one_line(str(journal.run))}"
        if isinstance(error, KeyboardInterrupt):
            raise InterruptedLate(f"interrupted; {how}") from None
        if isinstance(error, EvalError):
            error.fix = f"{error.fix}; {how}"
        else:
            click.echo(how, err=True)
        raise
