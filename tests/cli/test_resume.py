"""A run that was interrupted says how to go on, and goes on; what it was to become is never there by halves."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tripleteval import load
from tripleteval.engine import plan
from tripleteval.evaluation import measure
from tripleteval.journal import folder as journal

# Two queries per order, kept from the first one on; the third order says so, and never ends.
SLOW = """
import threading, tripleteval.evaluation.measure as measure
from tripleteval.cli import main
from tripleteval.engine import maps, plan
from tripleteval.journal import folder
folder.AFTER, plan.MOST_QUERIES = 0.0, 2
read = measure.Reading.__call__
def reading(self, order):
    if order.start == 4:
        print("working", flush=True)
        threading.Event().wait(600)
    return read(self, order)
measure.Reading.__call__ = reading
main(prog_name="tripleteval")
"""
COMMAND = ["evaluate", "val.npz", "--threads", "1"]
HOW = "what is finished is kept: give the same command with --resume runs/val"
ENDS = {signal.SIGINT: (130, f"interrupted; {HOW}"), signal.SIGTERM: (143, HOW), signal.SIGKILL: (-9, "")}


def ended_by(sent: int, *more: str) -> tuple[int, str]:
    """Return how a run ended that was sent a signal in the middle of its last order, and what it said."""
    command = [sys.executable, "-W", "error", "-c", SLOW, *COMMAND, *more]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "working\n"
        while not os.path.exists("runs/val.unfinished/journal"):  # the two before it are kept
            pass
        process.send_signal(sent)
        try:
            _, said = process.communicate(timeout=60)
        finally:
            process.kill()
    return process.returncode, said.strip()


@pytest.fixture
def small_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "MOST_QUERIES", 2)


@pytest.mark.usefixtures("small_orders")
@pytest.mark.parametrize("sent", ENDS)
def test_it_says_how_to_go_on_and_goes_on(run, document, sent):
    want = document(*COMMAND)
    assert ended_by(sent) == ENDS[sent]
    assert os.listdir("runs") == ["val.unfinished"]
    with pytest.raises(Exception, match=r"not finished yet; .*--resume"):
        load("runs/val")
    result = run(*COMMAND, "--resume", "runs/val")
    assert (result.exit_code, result.stderr) == (0, "saved in runs/val\n")
    assert load("runs/val").result_hash == want["result_hash"]
    assert os.listdir("runs") == ["val"]


@pytest.mark.usefixtures("small_orders")
def test_an_unfinished_run_is_not_in_the_way_of_the_next_and_is_not_overwritten_by_accident(run):
    ended_by(signal.SIGKILL)
    result = run(*COMMAND)
    assert (result.exit_code, result.stderr) == (0, "saved in runs/val-2\n")
    refused = run(*COMMAND, "--output", "runs/val")
    assert refused.exit_code == 5
    assert "an unfinished run is there" in refused.stderr
    assert "--resume it, --overwrite it" in refused.stderr
    assert sorted(os.listdir("runs")) == ["val-2", "val.unfinished"]
    assert run(*COMMAND, "--output", "runs/val", "--overwrite").exit_code == 0
    assert sorted(os.listdir("runs")) == ["val", "val-2"]


@pytest.mark.usefixtures("small_orders")
def test_other_options_are_refused_and_cost_nothing(run):
    ended_by(signal.SIGKILL)
    result = run(*COMMAND, "-k", "3", "--resume", "runs/val", "--json-errors")
    said = json.loads(result.stderr)
    assert (result.exit_code, said["code"]) == (5, "E805")
    assert "settings.ks was [1, 5, 10], is [3]" in said["found"]
    assert run(*COMMAND, "--resume", "runs/val.unfinished/").exit_code == 0


# Killed when the run has been saved and its journal is still there, or without its first file.
SAVED = """
import os, signal, sys, types, tripleteval.runs
from tripleteval.cli import main
from tripleteval.engine import plan
from tripleteval.journal import folder
folder.AFTER, plan.MOST_QUERIES = 0.0, 2
def killed(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
if sys.argv.pop() == "before":
    tripleteval.runs.finish = killed
else:
    folder.shutil = types.SimpleNamespace(rmtree=killed)
main(prog_name="tripleteval")
"""
COMPLETE = "runs/val is complete: it was saved before it was interrupted, and what was left of its journal is removed\n"


def contents(folder: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


@pytest.fixture(params=["before", "within"])
def when(request, run) -> str:  # noqa: ARG001  # which makes the files
    """Return when a run was killed that had just been saved: before its journal was removed, or within that."""
    done = subprocess.run([sys.executable, "-c", SAVED, *COMMAND, "--quiet", request.param], check=False)
    assert done.returncode == -signal.SIGKILL
    assert sorted(os.listdir("runs")) == ["val", "val.unfinished"]
    assert os.path.exists("runs/val.unfinished/journal") == (request.param == "before")
    return str(request.param)


@pytest.mark.usefixtures("small_orders")
def test_a_run_that_was_saved_before_it_was_killed_is_complete(run, when, document):
    before = contents("runs/val")
    result = run(*COMMAND, "--resume", "runs/val", "--json", "-")
    if when == "before":  # the journal is read, and says the same
        assert (result.exit_code, result.stderr) == (0, COMPLETE)
        assert json.loads(result.stdout)["result_hash"] == document(*COMMAND)["result_hash"]
    else:  # nothing tells what was asked for, so nothing is done
        assert result.exit_code == 4, result.stderr
        assert result.stderr.startswith(COMPLETE + "E604 FileError\n  found: a run that is complete\n")
        assert not result.stdout
    assert os.listdir("runs") == ["val"]
    assert contents("runs/val") == before


@pytest.mark.usefixtures("small_orders", "when")
@pytest.mark.parametrize("when", ["before"], indirect=True)
def test_the_next_run_of_this_name_removes_what_was_left(run):
    before = contents("runs/val")
    refused = run(*COMMAND, "--output", "runs/val")
    assert refused.exit_code == 5
    assert refused.stderr.startswith(COMPLETE + "E801 ResourceError\n  found: something is there already\n")
    assert os.listdir("runs") == ["val"]
    assert contents("runs/val") == before


@pytest.mark.usefixtures("small_orders", "when")
@pytest.mark.parametrize("when", ["before"], indirect=True)
def test_a_journal_beside_a_complete_run_stays_where_it_is_of_another(run):
    os.rename("runs/val.unfinished", "runs/other.unfinished")
    assert run(*COMMAND, "-k", "3", "--output", "runs/other.of").exit_code == 0
    os.rename("runs/other.of", "runs/other")
    refused = run(*COMMAND, "--resume", "runs/other")
    assert refused.exit_code == 5
    assert "something is there already" in refused.stderr
    assert sorted(os.listdir("runs")) == ["other", "other.unfinished", "val"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--resume", "runs/none"], "E604", "no unfinished run of this name"),
        (["--resume", "kept"], "E604", "a run that is complete"),
        (["--resume", "runs/val", "--no-save"], "E101", "--resume together with"),
        (["--resume", "runs/val", "--output", "other"], "E101", "--resume together with"),
    ],
)
def test_what_cannot_be_resumed_is_refused(run, kept, arguments, code, words):
    Path("runs/val.unfinished").mkdir(parents=True)
    result = run(*COMMAND, *arguments, "--json-errors")
    said = json.loads(result.stderr)
    assert said["code"] == code
    assert words in said["found"]
    assert kept.exists()


def test_nothing_was_finished_yet(run):
    Path("runs/val.unfinished").mkdir(parents=True)  # killed between making the folder and its journal
    assert run(*COMMAND, "--resume", "runs/val").exit_code == 0
    assert os.listdir("runs") == ["val"]


@pytest.mark.usefixtures("small_orders")
def test_a_disk_that_is_full_costs_the_journal_and_not_the_numbers(run, document, monkeypatch):
    want = document(*COMMAND)
    monkeypatch.setattr(journal, "AFTER", 0.0)

    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        result = run(*COMMAND, "--json", "-")
    assert result.exit_code == 5
    assert json.loads(result.stdout)["result_hash"] == want["result_hash"]
    assert "E801" in result.stderr
    assert not Path("runs").exists() or os.listdir("runs") == []


@pytest.mark.usefixtures("small_orders")
def test_a_run_that_cannot_be_saved_can_be_resumed(run, document, monkeypatch):
    want = document(*COMMAND)
    monkeypatch.setattr(journal, "AFTER", 0.0)

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("tripleteval.runs._write_table", full)
        result = run(*COMMAND, "--json", "-")
    assert (result.exit_code, json.loads(result.stdout)["result_hash"]) == (5, want["result_hash"])
    assert HOW in " ".join(result.stderr.split())
    monkeypatch.setattr("tripleteval.evaluation.measure.Reading.__call__", None)  # nothing is computed again
    assert run(*COMMAND, "--resume", "runs/val").exit_code == 0
    assert load("runs/val").result_hash == want["result_hash"]


# The same as SLOW, but its last order ends when the file is there.
WAITING = SLOW.replace(
    "threading.Event().wait(600)",
    "import os, time\n        while not os.path.exists('go'):\n            time.sleep(0.01)",
)


@pytest.fixture
def beside(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., tuple[Result, int, str]]]:
    """Return a function that runs here and, begun while nothing is on disk yet, another that ends later."""
    monkeypatch.setattr(journal, "AFTER", 0.0)
    others: list[subprocess.Popen[str]] = []
    read = measure.Reading.__call__

    def both(run: Callable[..., Result], here: list[str], there: list[str]) -> tuple[Result, int, str]:
        def reading(self: Any, order: Any) -> Any:
            if not others:
                command = [sys.executable, "-W", "error", "-c", WAITING, *COMMAND, *there]
                others.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
                assert others[0].stdout.readline() == "working\n"
                assert os.path.exists("runs/new.unfinished/journal")
            return read(self, order)

        with monkeypatch.context() as patch:
            patch.setattr(measure.Reading, "__call__", reading)
            first = run(*COMMAND, *here)
        Path("go").touch()
        _, said = others[0].communicate(timeout=60)
        return first, others[0].returncode, said

    yield both
    for other in others:
        other.kill()
        other.communicate()


@pytest.mark.usefixtures("small_orders")
def test_of_two_runs_into_one_new_folder_the_one_that_is_saved_ends_well(run, beside, document):
    want = document(*COMMAND)
    first, code, said = beside(run, ["--output", "runs/new"], ["-k", "3", "--output", "runs/new"])
    assert (first.exit_code, first.stderr) == (0, "saved in runs/new\n")
    assert load("runs/new").result_hash == want["result_hash"]
    assert code == 5
    said = " ".join(said.split())
    assert "E801 ResourceError found: something is there by now, though nothing was when this began" in said
    assert "fix: give a new name, or overwrite=True (--overwrite); what is finished is kept: give the same" in said
    again = run(*COMMAND, "-k", "3", "--resume", "runs/new", "--overwrite")  # as it says
    assert (again.exit_code, again.stderr) == (0, "saved in runs/new\n")
    assert load("runs/new").settings["ks"] == [3]
    assert os.listdir("runs") == ["new"]


@pytest.mark.usefixtures("small_orders")
def test_a_name_that_is_taken_at_the_last_moment_is_told_as_such(run, monkeypatch):
    assert run(*COMMAND, "-k", "3", "--output", "other").exit_code == 0

    def taken(_: Path, target: Path) -> None:
        shutil.copytree("other", target)
        raise OSError(errno.ENOTEMPTY, "Directory not empty")

    monkeypatch.setattr("tripleteval.disk._rename", taken)
    result = run(*COMMAND, "--output", "new", "--json", "-")
    assert (result.exit_code, json.loads(result.stdout)["settings"]["ks"]) == (5, [1, 5, 10])
    assert "found: something is there by now, though nothing was when this began" in " ".join(result.stderr.split())
    assert contents("new") == contents("other")


@pytest.mark.usefixtures("small_orders")
def test_nobody_is_sent_to_a_journal_that_another_process_removed(run, monkeypatch):
    monkeypatch.setattr(journal, "AFTER", 0.0)

    def taken(*_: Any) -> None:
        shutil.rmtree("runs/val.unfinished")
        raise OSError(errno.EEXIST, "File exists")

    monkeypatch.setattr("tripleteval.runs._write_table", taken)
    result = run(*COMMAND)
    assert (result.exit_code, os.listdir("runs")) == (5, [])
    assert "E801" in result.stderr
    assert "--resume" not in result.stderr
