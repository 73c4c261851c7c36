"""What becomes of an evaluation: a table or a JSON document on stdout, and a run folder."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tripleteval.cli.errors import InterruptedLate
from tripleteval.cli.paths import PATH, require_apart, require_new_file
from tripleteval.cli.resuming import COMPLETE, resumable, tidied
from tripleteval.errors import EvalError, ParameterError, ResourceError, one_line, printable

if TYPE_CHECKING:
    from tripleteval.data.evaluation import Evaluation
    from tripleteval.journal.folder import Journal

Command = TypeVar("Command", bound=Callable[..., Any])

RUNS = "runs"
_SIGN = re.compile(r"[*?\[]")  # of a pattern

quiet_option = click.option("--quiet", is_flag=True, help="Nothing on stderr but errors.")


@dataclass(frozen=True)
class Output:
    """Where an evaluation goes.

    Attributes:
        stem: Name of the run folder under ``runs`` where no other was asked for.
        inputs: Files that are read, and must never be written to.
        folder: Run folder asked for.
        save: Whether to keep a run folder at all.
        overwrite: Whether a run folder, or a JSON file, that is there may be replaced.
        json: ``"-"`` for stdout, or a file; ``None`` for a table.
        quiet: Whether to say nothing on stderr.
        preset: Which numbers come first; nothing else depends on it.
        resumed: Whether the run was begun before.
    """

    stem: str
    inputs: tuple[str, ...]
    folder: str | None
    save: bool
    overwrite: bool
    json: str | None
    quiet: bool
    preset: str | None = None
    resumed: bool = False

    def resuming(self, run: str) -> Output:
        """Return where the same goes as a run that was begun before.

        Raises:
            ParameterError: Another folder was given, or that none is wanted (E101).
        """
        if self.folder not in {None, run} or not self.save:
            raise ParameterError("E101", "--resume together with --output or --no-save", fix="leave one of them out")
        return replace(self, folder=run, resumed=True)

    def require_possible(self) -> None:
        """Refuse, before anything is computed, what could not be written afterwards.

        Raises:
            ParameterError: A folder was given, and that none is wanted (E101).
            FileError: The JSON file is there already, or cannot be written (E611).
            ResourceError: Likewise the run folder (E801).
        """
        from tripleteval.journal.folder import unfinished
        from tripleteval.runs import RUN, new_run_folder, require_free, saved_before

        if self.folder is not None and not self.save:
            raise ParameterError("E101", "--output together with --no-save", fix="leave one of them out")
        if self.json not in {None, "-"}:
            require_new_file(str(self.json), self.inputs, overwrite=self.overwrite)
        if self.save:
            fixed = self.folder is not None or self.overwrite
            if not self.resumed:
                tidied(self._named())
            folder = self._named() if fixed else new_run_folder(RUNS, self.stem)
            if not (self.resumed and saved_before(folder)):
                require_free(folder, overwrite=self.overwrite)
            if not (self.resumed or self.overwrite) and unfinished(folder).exists():
                fix = "--resume it, --overwrite it, or give a new name"
                raise ResourceError("E801", "an unfinished run is there", where=str(folder), fix=fix)
            if self.json not in {None, "-"}:
                require_apart(str(self.json), str(folder), RUN)

    def journal(self) -> Journal | None:
        """Return where finished parts of a long run are kept until it is saved; ``None`` if it never will be."""
        from tripleteval.journal.folder import Journal
        from tripleteval.runs import new_run_folder

        if not self.save:
            return None
        if self.folder is not None or self.overwrite:
            return Journal(self._named(), afresh=not self.resumed)
        return Journal(new_run_folder(RUNS, self.stem), elsewhere=partial(new_run_folder, RUNS, self.stem))

    def deliver(self, evaluation: Evaluation, journal: Journal | None = None) -> None:
        """Save the run, then print; a disk that is full must not cost the numbers."""
        from tripleteval.report.presets import with_preset
        from tripleteval.runs import saved_before

        evaluation = with_preset(evaluation, self.preset)
        failures: list[EvalError] = []
        kept = None
        begun = None if journal is None or not journal.kept else journal.run  # this name is taken, by us
        complete = begun is not None and not self.overwrite and saved_before(begun) is not None
        try:
            with resumable(journal):
                kept = self._keep(evaluation, begun) if self.save else None
        except ResourceError as error:
            failures.append(error)
        if journal is not None and journal.failure is not None and not (kept and journal.failure.code == "E803"):
            failures.append(journal.failure)  # but where another process held the name, and lost it to us, nothing did
        with _saved(kept):
            try:
                self._write_json(evaluation)
            except ResourceError as error:
                failures.append(error)
            if kept is not None and not self.quiet:
                click.echo(
                    f"{one_line(str(kept))} {COMPLETE}" if complete else f"saved in {one_line(str(kept))}", err=True
                )
            self._show(evaluation)
        if failures:
            raise failures[0]

    def _keep(self, evaluation: Evaluation, begun: Path | None) -> Path:
        from tripleteval.runs import new_run_folder

        if begun is not None or self.folder is not None or self.overwrite:
            return self._keep_there(evaluation, begun or self._named())
        while True:  # another process may take the name between asking and saving
            folder = new_run_folder(RUNS, self.stem)
            try:
                return evaluation.save(folder)
            except ResourceError:
                if not os.path.lexists(folder):
                    raise

    def _keep_there(self, evaluation: Evaluation, folder: Path) -> Path:
        try:
            return evaluation.save(folder, overwrite=self.overwrite)
        except ResourceError as error:
            if self.overwrite or not os.path.lexists(folder):
                raise
            # Nothing was there when the work began, or `require_possible` would have said so.
            found = "something is there by now, though nothing was when this began"
            fix = "give a new name, or overwrite=True (--overwrite)"
            raise ResourceError("E801", found, where=error.where, fix=fix) from error

    def _named(self) -> Path:
        return Path(self.folder) if self.folder is not None else Path(RUNS) / self.stem

    def _write_json(self, evaluation: Evaluation) -> None:
        from tripleteval.disk import atomic_write

        if self.json not in {None, "-"}:
            atomic_write(os.path.realpath(str(self.json)), f"{_document(evaluation)}\n".encode())

    def _show(self, evaluation: Evaluation) -> None:
        if self.json == "-":
            click.echo(_document(evaluation))
            return
        from tripleteval.report.console import screen

        screen().print(evaluation)


def output_options(command: Command) -> Command:
    """Add the options that `chosen_output` understands."""
    for option in reversed(
        [
            click.option(
                "-o",
                "--output",
                type=PATH,
                metavar="DIR",
                help="Run folder to write; by default a new one under runs/.",
            ),
            click.option("--overwrite", is_flag=True, help="Replace the run folder or JSON file that is there."),
            click.option("--no-save", is_flag=True, help="Keep no run folder."),
            click.option(
                "--json", "json_", type=PATH, metavar="-|FILE", help="Write the JSON document; - prints it alone."
            ),
            click.option("--preset", type=click.Choice(["face", "product", "reid"]), help="Which numbers come first."),
            click.option("--quiet", is_flag=True, help="No progress bar, nothing on stderr but errors."),
            click.option(
                "--json-errors", is_flag=True, expose_value=False, help="Print errors as one JSON object on stderr."
            ),
        ]
    ):
        command = option(command)
    return command


def chosen_output(file: str, inputs: list[str | None], chosen: dict[str, Any]) -> Output:
    """Take the output options out of ``chosen``."""
    return Output(
        stem=_stem(file),
        inputs=tuple(name for path in (file, *inputs) if path is not None for name in _files(path)),
        folder=chosen.pop("output"),
        save=not chosen.pop("no_save"),
        overwrite=chosen.pop("overwrite"),
        json=chosen.pop("json_"),
        quiet=chosen.pop("quiet"),
        preset=chosen.pop("preset"),
    )


def _stem(file: str) -> str:
    """Return what a run is called after: the file, the folder of a pattern, or without one how its names begin."""
    path = Path(file)
    plain = next(part for part in (path, *path.parents) if not _SIGN.search(str(part)))
    begin = _SIGN.split(str(path.relative_to(plain)))[0].rstrip("-_. ")
    return printable(plain.stem if plain is path else plain.name or begin) or "run"


def _files(path: str) -> list[str]:
    """Return the files that are read under a name, as far as that can be told before they are."""
    from tripleteval.readers.shards import shards

    try:
        return [os.fspath(name) for name in shards(path, (Path(path).suffix,))]
    except EvalError:
        return [path]


@contextmanager
def _saved(folder: Path | None) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        if folder is None:
            raise
        raise InterruptedLate(f"interrupted; the run is complete in {folder}") from None


def _document(evaluation: Evaluation) -> str:
    # ASCII only: a label that would move the cursor arrives as an escape sequence of JSON, and does nothing.
    return json.dumps(evaluation.to_dict(), indent=1, allow_nan=False)
