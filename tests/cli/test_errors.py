"""Every way to end: one message on stderr, one exit code, never a traceback unless it is asked for."""

from __future__ import annotations

import errno
import json

import pytest

import tripleteval as te

FIELDS = {"code", "error", "found", "where", "fix", "exit_code"}
ENDS = {
    "parameter": (te.ParameterError("E505", "f", where="w", fix="x"), 2, "E505"),
    "data": (te.DataError("E201", "f", where="w", fix="x"), 3, "E201"),
    "label": (te.LabelError("E402", "f", where="w", fix="x"), 3, "E402"),
    "file": (te.FileError("E601", "f", where="w", fix="x"), 4, "E601"),
    "resource": (te.ResourceError("E801", "f", where="w", fix="x"), 5, "E801"),
    "backend": (te.BackendError("E701", "f", where="w", fix="x"), 6, "E701"),
    "extra": (te.MissingExtra("a demo", "keras", extra="tensorflow"), 2, "E103"),
    "memory": (MemoryError("Unable to allocate 1 TiB"), 5, "E802"),
    "disk": (OSError(errno.EIO, "Input/output error", "some.file"), 5, "E811"),
    "a bug": (ZeroDivisionError("division by zero"), 70, "E999"),
    "an odd bug": (EOFError("odd"), 70, "E999"),
}


@pytest.fixture
def raising(monkeypatch):
    def patch(error: BaseException) -> None:
        def fail(*_, **__):
            raise error

        monkeypatch.setattr(te, "evaluate", fail, raising=False)

    return patch


@pytest.mark.parametrize("name", ENDS)
def test_an_error_has_one_exit_code_and_says_what_where_and_what_to_do(run, raising, name):
    error, exit_code, code = ENDS[name]
    raising(error)
    result = run("evaluate", "val.npz", "--output", "new")
    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert "Traceback" not in result.stderr
    if code == "E999":
        assert result.stderr.count("\n") == (2 if isinstance(error, EOFError) else 1)  # click ends a line first
        assert "this is a bug in tripleteval" in result.stderr
        assert "TRIPLETEVAL_DEBUG=1" in result.stderr
        return
    assert result.stderr.startswith(f"{code} ")
    assert "\n  found: " in result.stderr
    assert "\n  fix: " in result.stderr


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("name", ENDS)
def test_json_errors_prints_the_same_as_one_object(run, raising, name, place):
    error, exit_code, code = ENDS[name]
    raising(error)
    arguments = ["evaluate", "val.npz", "--no-save"]
    arguments = ["--json-errors", *arguments] if place == "before" else [*arguments, "--json-errors"]
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (exit_code, "")
    said = json.loads(result.stderr)
    assert set(said) == FIELDS
    assert (said["code"], said["exit_code"]) == (code, exit_code)
    assert said["found"]
    assert said["fix"]


USAGE = {
    "an unknown option": (["evaluate", "--galery", "x", "val.npz"], "--gallery"),
    "an unknown command": (["evalute"], "No such command 'evalute': did you mean 'evaluate'?"),
    "a command like no other": (["frobnicate"], "No such command 'frobnicate'"),
    "no command": (["--json-errors"], "Missing command"),
    "no file": (["evaluate"], "FILE"),
    "two files": (["evaluate", "a", "b"], "unexpected extra argument (b): put a pattern in quotes, as 'part-*.npy'"),
    "two files of pairs": (["pairs", "a", "b", "--embeddings", "c"], "unexpected extra argument (b)"),
    "no value": (["evaluate", "val.npz", "--margin"], "--margin"),
    "no number": (["evaluate", "val.npz", "-k", "ten"], "'ten' is not a valid integer"),
    "no choice": (["evaluate", "val.npz", "--ties", "random"], "'random' is not one of"),
    "a file like an option": (["evaluate", "-val.npz"], "No such option"),
}


@pytest.mark.parametrize("name", USAGE)
def test_an_impossible_command_line_prints_the_usage_and_ends_with_2(run, name):
    arguments, said = USAGE[name]
    if arguments != ["--json-errors"]:
        result = run(*arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith(("Usage: ", "Error: "))
        assert said in result.stderr
    result = run("--json-errors", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    document = json.loads(result.stderr)
    assert set(document) == FIELDS
    assert document["code"] == "E101"
    assert said in document["found"]
    assert document["fix"].startswith("see: tripleteval ")


def test_debugging_adds_the_traceback_to_the_same_message(run, raising, monkeypatch):
    raising(ENDS["data"][0])
    monkeypatch.setenv("TRIPLETEVAL_DEBUG", "1")
    result = run("evaluate", "val.npz", "--no-save")
    assert result.exit_code == 3
    assert result.stderr.startswith("Traceback (most recent call last):")
    assert result.stderr.endswith("E201 DataError\n  found: f\n  where: w\n  fix: x\n")


def test_an_interruption_says_that_nothing_was_saved(run, raising, contents):
    before = contents()
    raising(KeyboardInterrupt())
    result = run("evaluate", "val.npz", "--output", "new")
    assert result.exit_code == 130
    assert result.stderr.strip() == "interrupted, nothing was saved"
    assert contents() == before


def test_names_cannot_speak_for_us(run):
    """Control characters, line ends and reversed text in a name arrive escaped, so they neither act nor pose."""
    result = run("evaluate", "no\x1b[31m\n  fix: run this\u202e.npz", "--no-save")
    assert result.exit_code == 4
    assert r"where: no\x1b[31m\n  fix: run this\u202e.npz" in result.stderr
    assert [line.strip().partition(":")[0] for line in result.stderr.splitlines()[1:]] == ["found", "where", "fix"]


def test_the_message_of_a_bug_is_one_line(run, raising):
    raising(RuntimeError("a\nb\x1b[31m"))
    result = run("evaluate", "val.npz", "--no-save")
    assert result.exit_code == 70
    assert result.stderr.count("\n") == 1
    assert "\x1b" not in result.stderr
