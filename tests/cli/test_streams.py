"""Real pipes, full devices, closed descriptors and terminals: what only a process of its own can show."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys

import pytest

PRINTING = {
    "help": "tripleteval --help",
    "help of a command": "tripleteval evaluate --help",
    "version": "tripleteval --version",
    "completion": "tripleteval completion bash",
    "table": "tripleteval evaluate val.npz --no-save",
    "document": "tripleteval evaluate val.npz --no-save --json -",
}
E811 = b"E811 ResourceError\n  found: "


@pytest.fixture
def unread():
    """Return the end of a pipe whose other end is closed."""
    ours, theirs = os.pipe()
    os.close(ours)
    yield theirs
    os.close(theirs)


@pytest.mark.parametrize("name", PRINTING)
def test_a_pipe_that_nobody_reads_ends_quietly_with_141(program, unread, name):
    done = program(PRINTING[name], stdout=unread)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize("name", PRINTING)
def test_a_device_without_space_is_an_error_of_the_surroundings(program, name):
    done = program(f"{PRINTING[name]} > /dev/full")
    assert (done.returncode, done.stdout) == (5, b"")
    assert done.stderr.startswith(E811)
    assert b"No space left on device" in done.stderr
    assert b"Exception ignored" not in done.stderr


def test_a_reader_that_leaves_early_has_a_run_all_the_same(program, folder):
    done = program("tripleteval evaluate val.npz --json - --output new | head -c 21; exit ${PIPESTATUS[0]}")
    assert done.returncode in (0, 141)  # whether the pipe had room for the rest is the system's affair
    assert (done.stdout, done.stderr) == (b'{\n "schema": "triplet', b"saved in new\n")
    assert (folder / "new" / "run.json").exists()


@pytest.mark.parametrize(
    ("streams", "stdout"), [(">&-", b""), ("2>&-", None), ("<&-", None), (">&- 2>&- <&-", b""), ("2>/dev/full", None)]
)
def test_closed_streams_do_not_stop_a_run_nor_end_up_in_its_files(program, folder, streams, stdout):
    done = program(f"tripleteval evaluate val.npz --json - --output new {streams}")
    assert done.returncode == (5 if "full" in streams else 0)
    if stdout is None and "full" not in streams:
        json.loads(done.stdout)
    document = json.loads((folder / "new" / "run.json").read_text(encoding="utf-8"))
    assert document["accounting"]["queries"] == 6


@pytest.mark.parametrize("streams", ["2>&-", "2>/dev/full", ""])
@pytest.mark.parametrize(
    ("line", "code"), [("evaluate nothing.npz", 4), ("evaluate val.npz -k 0", 2), ("nothing", 2), ("report val.npz", 4)]
)
def test_the_exit_code_is_the_same_when_nobody_can_read_why(program, unread, line, code, streams):
    done = program(f"tripleteval {line} {streams}", stderr=unread)
    assert (done.returncode, done.stdout) == (code, b"")


POOR = {
    "an ASCII locale": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
    "no home": {"HOME": ""},
    "no place for temporary files": {"TMPDIR": "/proc"},
    "a narrow terminal": {"COLUMNS": "1"},
}


@pytest.mark.parametrize("name", POOR)
def test_poor_surroundings_change_nothing_but_the_letters(program, folder, name):
    """F21 of the faults."""
    os.rename("val.npz", "Zoë–猫.npz")
    done = program("tripleteval evaluate Zoë*.npz --output new && tripleteval report new", **POOR[name])
    assert done.returncode == 0, done.stderr
    assert done.stderr == b"saved in new\nwritten to report.html\n"
    assert done.stdout.startswith(b"Evaluation of ")
    assert (folder / "new" / "run.json").exists()


def test_a_name_that_is_not_utf8_is_read_saved_and_reported(program):
    os.rename("val.npz", b"caf\xe9.npz")
    done = program("tripleteval evaluate caf*.npz && tripleteval report runs/caf*")
    assert (done.returncode, done.stderr) == (0, b"saved in runs/caf%E9\nwritten to report.html\n")
    assert b"caf%E9.npz" in done.stdout


def test_a_file_like_an_option_is_read_after_two_dashes(program):
    os.rename("val.npz", "-val.npz")
    done = program("tripleteval evaluate --no-save --quiet --json - -- -val.npz")
    assert (done.returncode, done.stderr) == (0, b"")


def _on_a_terminal(arguments: list[str], **environment: str) -> tuple[int, bytes]:
    """Run with all streams on a terminal; return the exit code and everything that was shown."""
    ours, theirs = pty.openpty()
    names = {**os.environ, "TERM": "xterm-256color", **environment}
    command = [sys.executable, "-W", "error", "-m", "tripleteval.cli", *arguments]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=names) as process:
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(ours, 65536):
                shown += part
        except OSError:  # how Linux says that the other end is gone
            pass
        os.close(ours)
        return process.wait(), shown


def test_a_terminal_gets_colours_and_a_bar_that_goes_away():
    code, shown = _on_a_terminal(["evaluate", "val.npz", "--no-save"])
    assert code == 0
    assert b"comparing" in shown
    assert b"\x1b[1m" in shown


@pytest.mark.parametrize("unwanted", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
@pytest.mark.parametrize("arguments", [[], ["--quiet"], ["--quiet", "-k", "0"], ["--help"]])
def test_no_color_on_a_terminal_means_no_escape_sequence_at_all(arguments, unwanted):
    _, shown = _on_a_terminal(["evaluate", "val.npz", "--no-save", *arguments], **unwanted)
    assert shown
    assert b"\x1b" not in shown


@pytest.mark.parametrize("command", ["compare kept kept", "gate kept --require map@r>=2", "runs", "runs kept"])
@pytest.mark.usefixtures("kept")
def test_no_command_has_more_than_letters_where_colours_are_unwanted(command):
    _, shown = _on_a_terminal(command.split(), NO_COLOR="1")
    assert shown
    assert b"\x1b" not in shown


@pytest.mark.usefixtures("kept")
def test_piped_tables_are_as_wide_as_columns_says(program):
    wide, narrow = (
        program("tripleteval compare kept kept", COLUMNS=columns).stdout.decode() for columns in ("100", "50")
    )
    assert 80 < max(map(len, wide.splitlines())) <= 100
    assert max(map(len, narrow.splitlines())) <= 50


def test_quiet_shows_no_bar():
    code, shown = _on_a_terminal(["evaluate", "val.npz", "--no-save", "--quiet", "--json", "-"])
    assert code == 0
    json.loads(shown)


def test_there_is_no_bar_where_stderr_is_no_terminal(program):
    done = program("tripleteval evaluate val.npz --no-save --json -", TERM="xterm-256color")
    assert (done.returncode, done.stderr) == (0, b"")
