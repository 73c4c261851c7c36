"""Where every error of the command line ends: one message on stderr, one exit code, never a traceback.

1. stdout carries results only, stderr everything else.
2. An error made on purpose prints its four fields; an impossible option prints the usage; an operating
   system that refuses is an error of the surroundings (E811); whatever is left is a bug, and says so.
3. ``TRIPLETEVAL_DEBUG=1`` adds the traceback to any of them.
"""

from __future__ import annotations

import errno
import io
import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, NoReturn, TextIO

import click

from tripleteval.errors import EvalError, ResourceError, one_line, visible

BUG, INTERRUPTED, BROKEN_PIPE, TERMINATED = 70, 130, 141, 143  # 1 is the answer of `tripleteval gate`


class PipeClosedError(Exception):
    """Nobody reads stdout any more, as after ``| head``."""


class InterruptedLate(KeyboardInterrupt):
    """Somebody pressed Ctrl-C when something was already safe; the message says what, and where."""


def guarded(run: Callable[[], Any], args: Sequence[str] | None) -> NoReturn:
    """Call ``run`` and exit with its code; whatever it raises becomes a message and an exit code."""
    as_json = "--json-errors" in (sys.argv[1:] if args is None else args)
    _open_missing_streams()
    with _terminable():
        try:
            code = _code(run())
            _flush()
        except BaseException as error:  # noqa: BLE001  # this is the last place anything can be said
            code = _end(error, as_json)
    if args is None and code in {INTERRUPTED, TERMINATED}:
        # A program of its own, told to stop: sys.exit would first wait for threads in the middle of their work.
        os._exit(code)
    sys.exit(code)


@contextmanager
def pipe_kept_apart() -> Iterator[None]:
    """Let a closed pipe pass click, which would end the program with exit code 1."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.EPIPE:
            raise
        raise PipeClosedError from error


def _end(error: BaseException, as_json: bool) -> int:
    if _is_broken_pipe(error):
        _silence(sys.__stdout__)
        return BROKEN_PIPE
    code, say = _ending(error, as_json)
    try:
        if os.environ.get("TRIPLETEVAL_DEBUG") == "1" and not isinstance(error, SystemExit):
            traceback.print_exception(error)
        say()
        sys.stderr.flush()
    except OSError:  # nobody reads stderr any more: the exit code still says it
        _silence(sys.__stderr__)
    except (KeyboardInterrupt, SystemExit):  # told to stop once more, while saying so
        pass
    return code


def _ending(error: BaseException, as_json: bool) -> tuple[int, Callable[[], None]]:
    """Return the exit code, and what says why."""
    if isinstance(error, SystemExit):
        return _code(error.code), lambda: None
    if isinstance(error, (MemoryError, OSError)) and not isinstance(error, EvalError):
        error = _as_resource(error)
    if isinstance(error, EvalError):
        return error.exit_code, partial(_say, error, as_json)
    if isinstance(error, click.ClickException):
        return error.exit_code, partial(_usage, error, as_json)
    if isinstance(error, (click.Abort, KeyboardInterrupt)) and not isinstance(error.__cause__, EOFError):
        late = next((e for e in (error, error.__cause__) if isinstance(e, InterruptedLate)), None)
        said = one_line(str(late)) if late else "interrupted, nothing was saved"
        return INTERRUPTED, partial(click.echo, said, err=True)
    return BUG, partial(_bug, error, as_json)


def _as_resource(error: MemoryError | OSError) -> ResourceError:
    if isinstance(error, MemoryError):
        found, fix = f"out of memory {error}".strip(), "give a smaller --memory, or a smaller set"
        return ResourceError("E802", found, fix=fix)
    found = f"the operating system refused: {error.strerror or error}"
    fix = "check permissions and free space; TRIPLETEVAL_DEBUG=1 shows where it happened"
    return ResourceError("E811", found, where=str(error.filename or ""), fix=fix)


def _say(error: EvalError, as_json: bool) -> None:
    if as_json:
        _say_json(error.code, type(error).__name__, error.found, error.where, error.fix, error.exit_code)
    else:
        click.echo(error.lines(), err=True)


def _usage(error: click.ClickException, as_json: bool) -> None:
    if _may_be_a_pattern(error):
        said = f"{error.message}: put a pattern in quotes, as 'part-*.npy'"
        error = click.UsageError(said, ctx=getattr(error, "ctx", None))
    if as_json:
        context = getattr(error, "ctx", None)
        where = "" if context is None else context.command_path
        said = visible(error.format_message())
        _say_json("E101", type(error).__name__, said, where, f"see: {where or 'tripleteval'} --help", error.exit_code)
    else:
        shown = io.StringIO()
        error.show(shown)
        click.echo(visible(shown.getvalue()), err=True, nl=False)


def _may_be_a_pattern(error: click.ClickException) -> bool:
    """Return whether a command that reads sets was given several files: the shell makes that of an unquoted pattern."""
    context = getattr(error, "ctx", None)
    names = set() if context is None else {parameter.name for parameter in context.command.params}
    return {"file", "gallery"} <= names and error.message.startswith("Got unexpected extra argument")


def _bug(error: BaseException, as_json: bool) -> None:
    what = one_line(f"{type(error).__name__}: {error}")
    fix = "set TRIPLETEVAL_DEBUG=1 to see where, and please report it"
    if as_json:
        _say_json("E999", type(error).__name__, f"this is a bug in tripleteval: {what}", "", fix, BUG)
    else:
        click.echo(f"this is a bug in tripleteval ({what}); {fix}", err=True)


def _say_json(code: str, kind: str, found: str, where: str, fix: str, exit_code: int) -> None:
    said = {"code": code, "error": kind, "found": found, "where": where, "fix": fix, "exit_code": exit_code}
    click.echo(json.dumps(said), err=True)


def _is_broken_pipe(error: BaseException) -> bool:
    # rich turns EPIPE into SystemExit(1) while handling it; the pipe is then only in the context.
    causes = (error, error.__context__)
    return any(isinstance(e, PipeClosedError) or (isinstance(e, OSError) and e.errno == errno.EPIPE) for e in causes)


def _silence(stream: TextIO | None) -> None:
    # Python flushes once more at exit; into what cannot be written that would be a second complaint.
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # type: ignore[union-attr]


def _flush() -> None:
    try:
        sys.stdout.flush()
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise
        _silence(sys.__stdout__)
        found = f"stdout cannot be written: {error.strerror}"
        raise ResourceError("E811", found, fix="check where the output is sent to") from error


def _open_missing_streams() -> None:
    # With stdout closed (``>&-``) the next file we open would become descriptor 1, and prints end up in it.
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115  # open to the end
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character of a label shows its number instead of ending the program.
        getattr(stream, "reconfigure", lambda **_: None)(errors="backslashreplace")


@contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM unwind the stack, so that temporary folders are removed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _code(code: object) -> int:
    return code if isinstance(code, int) else 0
