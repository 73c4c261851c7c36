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
from typing import Any, NoReturn

import click

from tripleteval.errors import EvalError, ResourceError, visible

INTERRUPTED, BROKEN_PIPE, TERMINATED = 130, 141, 143


class InterruptedLate(KeyboardInterrupt):
    """Somebody pressed Ctrl-C when the result was already safe; the message says where."""


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
    sys.exit(code)


def _end(error: BaseException, as_json: bool) -> int:
    if _is_broken_pipe(error):
        _silence_stdout()
        return BROKEN_PIPE
    if os.environ.get("TRIPLETEVAL_DEBUG") == "1" and not isinstance(error, SystemExit):
        traceback.print_exception(error)
    with suppress(OSError):  # nobody reads stderr any more: the exit code still says it
        return _told(error, as_json)
    return 1


def _told(error: BaseException, as_json: bool) -> int:
    if isinstance(error, SystemExit):
        return _code(error.code)
    if isinstance(error, EvalError):
        return _say(error, as_json)
    if isinstance(error, click.ClickException):
        return _usage(error, as_json)
    if isinstance(error, (click.Abort, KeyboardInterrupt)) and not isinstance(error.__cause__, EOFError):
        late = next((e for e in (error, error.__cause__) if isinstance(e, InterruptedLate)), None)
        click.echo(visible(str(late)) if late else "interrupted, nothing was saved", err=True)
        return INTERRUPTED
    if isinstance(error, (MemoryError, OSError)):
        return _say(_as_resource(error), as_json)
    return _bug(error, as_json)


def _as_resource(error: MemoryError | OSError) -> ResourceError:
    if isinstance(error, MemoryError):
        found, fix = f"out of memory {error}".strip(), "give a smaller --memory, or a smaller set"
        return ResourceError("E802", found, fix=fix)
    found = f"the operating system refused: {error.strerror or error}"
    fix = "check permissions and free space; TRIPLETEVAL_DEBUG=1 shows where it happened"
    return ResourceError("E811", found, where=str(error.filename or ""), fix=fix)


def _say(error: EvalError, as_json: bool) -> int:
    if as_json:
        _say_json(error.code, type(error).__name__, error.found, error.where, error.fix, error.exit_code)
    else:
        click.echo(error.lines(), err=True)
    return error.exit_code


def _usage(error: click.ClickException, as_json: bool) -> int:
    if as_json:
        context = getattr(error, "ctx", None)
        where = "" if context is None else context.command_path
        said = visible(error.format_message())
        _say_json("E101", type(error).__name__, said, where, f"see: {where} --help".lstrip(), error.exit_code)
    else:
        shown = io.StringIO()
        error.show(shown)
        click.echo(visible(shown.getvalue()), err=True, nl=False)
    return error.exit_code


def _bug(error: BaseException, as_json: bool) -> int:
    what = visible(f"{type(error).__name__}: {error}")
    fix = "set TRIPLETEVAL_DEBUG=1 to see where, and please report it"
    if as_json:
        _say_json("E999", type(error).__name__, f"this is a bug in tripleteval: {what}", "", fix, 1)
    else:
        click.echo(f"this is a bug in tripleteval ({what}); {fix}", err=True)
    return 1


def _say_json(code: str, kind: str, found: str, where: str, fix: str, exit_code: int) -> None:
    said = {"code": code, "error": kind, "found": found, "where": where, "fix": fix, "exit_code": exit_code}
    click.echo(json.dumps(said), err=True)


def _is_broken_pipe(error: BaseException) -> bool:
    # click turns EPIPE into SystemExit(1) while handling it; the pipe is then only in the context.
    causes = (error, error.__context__)
    return any(isinstance(e, OSError) and e.errno == errno.EPIPE for e in causes)


def _silence_stdout() -> None:
    # Python flushes stdout once more at exit; into the closed pipe that would be a second complaint.
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno())  # type: ignore[union-attr]


def _flush() -> None:
    try:
        sys.stdout.flush()
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise
        _silence_stdout()
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
