"""Where an evaluation goes: results on stdout, words on stderr, a run in a folder, and nothing by halves."""

from __future__ import annotations

import errno
import json
import os
import shutil
import socket
from pathlib import Path

import numpy as np
import pytest

import tripleteval as te
from tripleteval import disk
from tripleteval.cli.output import InterruptedLate, Output

COMMANDS = [["evaluate", "val.npz"], ["triplets", "three.npz"]]


@pytest.fixture(autouse=True)
def three():
    np.savez("three.npz", anchors=np.eye(3), positives=np.eye(3) + 0.1, negatives=-np.eye(3))


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_json_on_stdout_is_one_document_and_equal_to_that_of_the_library(run, command):
    result = run(*command, "--json", "-")
    assert result.exit_code == 0
    printed, end = json.JSONDecoder().raw_decode(result.stdout)
    assert result.stdout[end:] == "\n"
    stem = Path(command[1]).stem
    assert result.stderr == f"saved in runs/{stem}\n"
    assert printed == te.load(f"runs/{stem}").to_dict()


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_json_in_a_file_leaves_the_table_on_stdout(run, command):
    result = run(*command, "--json", "out.json", "--output", "run")
    assert result.exit_code == 0
    assert result.stdout.startswith("Evaluation of ")
    assert json.loads(Path("out.json").read_text()) == te.load("run").to_dict()


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_quiet_says_nothing_but_the_result(run, command):
    loud, quiet = run(*command), run(*command, "--quiet")
    assert loud.stderr == f"saved in runs/{Path(command[1]).stem}\n"
    assert quiet.stderr == ""
    assert quiet.stdout.splitlines()[0] == loud.stdout.splitlines()[0]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_run_that_is_not_wanted_is_not_kept(run, contents, command):
    before = contents()
    result = run(*command, "--no-save")
    assert (result.exit_code, result.stderr) == (0, "")
    assert contents() == before


def test_every_run_gets_a_folder_of_its_own_named_after_the_file(run):
    folders = [run("evaluate", "val.npz").stderr for _ in range(3)]
    assert folders == ["saved in runs/val\n", "saved in runs/val-2\n", "saved in runs/val-3\n"]


def test_a_run_of_several_files_is_named_after_their_folder_or_their_pattern(run):
    os.mkdir("set")
    for name in ("vectors-1.npy", "vectors-2.npy", "set/part-1.npy", "set/part-2.npy"):
        np.save(name, np.load("val.npy")[:3] if "1" in name else np.load("val.npy")[3:])
    labels = ["--labels", "labels.txt", "--quiet"]
    for pattern in ("vectors-*.npy", "set/part-*.npy", "set", "*-[12].npy", "se?/part-*.npy"):
        assert run("evaluate", pattern, *labels).exit_code == 0
    assert sorted(os.listdir("runs")) == ["run", "se", "set", "set-2", "vectors"]


def test_output_names_the_folder_and_makes_its_parents(run):
    assert run("evaluate", "val.npz", "--output", "a/b/c").stderr == "saved in a/b/c\n"
    assert te.load("a/b/c").accounting["queries"] == 6


@pytest.mark.usefixtures("kept")
def test_overwrite_replaces_the_run_and_the_json_file_and_nothing_else_does(run, contents):
    Path("out.json").write_text("old")
    before = contents()
    for arguments in (["--output", "kept"], ["--no-save", "--json", "out.json"]):
        refused = run("evaluate", "val.npz", *arguments)
        assert refused.exit_code in (4, 5)
        assert "something is there already" in refused.stderr
    assert contents() == before
    result = run("evaluate", "val.npz", "--output", "kept", "--json", "out.json", "--overwrite")
    assert result.exit_code == 0
    assert te.load("kept").inputs[0]["name"] == "val.npz"
    assert json.loads(Path("out.json").read_text()) == te.load("kept").to_dict()


def test_overwrite_without_output_replaces_the_run_of_that_name(run):
    run("evaluate", "val.npz")
    assert run("evaluate", "val.npz", "--overwrite", "-k", "2").stderr == "saved in runs/val\n"
    assert te.load("runs/val").settings["ks"] == [2]
    assert os.listdir("runs") == ["val"]


IMPOSSIBLE = {
    "a folder and none": (["--output", "new", "--no-save"], 2, "E101", "--no-save"),
    "an input": (["--json", "val.npz", "--overwrite"], 4, "E611", "one of the inputs"),
    "an input by another name": (["--json", "link.npz", "--overwrite"], 4, "E611", "one of the inputs"),
    "labels": (["--labels", "labels.txt", "--json", "labels.txt", "--overwrite"], 4, "E611", "one of the inputs"),
    "a folder for a file": (["--json", ".", "--overwrite"], 4, "E611", "a folder"),
    "nothing for a file": (["--json", "", "--overwrite"], 4, "E611", "a folder"),
    "no such folder": (["--json", "nowhere/out.json"], 4, "E611", "does not exist"),
    "a pipe": (["--json", "pipe", "--overwrite"], 4, "E611", "a pipe or a device"),
    "a socket": (["--json", "socket", "--overwrite"], 4, "E611", "a pipe or a device"),
    "a link to one": (["--json", "link", "--overwrite"], 4, "E611", "a pipe or a device"),
    "one name for both": (["--json", "new", "--output", "new"], 4, "E611", "in the output folder"),
    "in the run": (["--json", "kept/run.json", "--output", "kept", "--overwrite"], 4, "E611", "in the output folder"),
    "beside the run's files": (
        ["--json", "kept/x", "--output", "kept", "--overwrite"],
        4,
        "E611",
        "in the output folder",
    ),
    "a file for a folder": (["--output", "val.csv", "--overwrite"], 5, "E801", "not a run folder"),
    "a folder of others": (["--output", "mine", "--overwrite"], 5, "E801", "more than a run"),
    "under a file": (["--output", "val.csv/run"], 5, "E801", "cannot be written"),
    "the current folder": (["--output", ""], 5, "E801", "already"),
}


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_what_could_not_be_written_is_refused_before_anything_is_read(run, contents, name, monkeypatch):
    arguments, exit_code, code, said = IMPOSSIBLE[name]
    os.mkfifo("pipe")  # these stand for devices: a real one would be lost if this test ever failed as root
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
    os.symlink("socket", "link")
    os.symlink("val.npz", "link.npz")
    os.mkdir("mine")
    Path("mine/thesis.tex").write_text("years")
    before = contents()
    monkeypatch.setattr("tripleteval.readers.read", lambda *_, **__: pytest.fail("it was read"))
    result = run("evaluate", "val.npz", *arguments)
    assert result.exit_code == exit_code
    assert f"{code} " in result.stderr
    assert said in result.stderr
    assert contents() == before


def test_a_full_disk_costs_the_run_but_not_the_numbers(run, contents, monkeypatch):
    """F2 of the faults: the document is printed, the exit code says what is missing, nothing is left behind."""
    before = contents()

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(disk._Sink, "write", full)
    result = run("evaluate", "val.npz", "--output", "new", "--json", "-")
    assert result.exit_code == 5
    assert json.loads(result.stdout)["accounting"]["queries"] == 6
    assert "E801" in result.stderr
    assert "bytes are free" in result.stderr
    assert contents() == before


def test_a_run_that_cannot_be_saved_does_not_cost_the_json_file(run, monkeypatch):
    def refuse(*_, **__):
        raise te.ResourceError("E801", "no", where="runs/val", fix="make room")

    monkeypatch.setattr("tripleteval.data.evaluation.Evaluation.save", refuse)
    result = run("evaluate", "val.npz", "--output", "new", "--json", "out.json")
    assert result.exit_code == 5
    assert json.loads(Path("out.json").read_text())["accounting"]["queries"] == 6
    assert result.stdout.startswith("Evaluation of ")


def test_an_interruption_after_the_run_is_saved_says_where_it_is(monkeypatch):
    evaluation = te.evaluate(te.read("val.npz"))

    def interrupted(*_):
        raise KeyboardInterrupt

    for late in ("_write_json", "_show"):
        output = Output("val", (), folder=f"run{late}", save=True, overwrite=False, json=None, quiet=True)
        with monkeypatch.context() as patch:
            patch.setattr(Output, late, interrupted)
            with pytest.raises(InterruptedLate, match=f"the run is complete in run{late}"):
                output.deliver(evaluation)
        assert te.load(f"run{late}") is not None


@pytest.mark.parametrize("style", [{}, {"NO_COLOR": "1"}, {"TERM": "xterm-256color"}])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_what_is_piped_has_no_colours_whatever_the_terminal(run, monkeypatch, command, style):
    for name, value in style.items():
        monkeypatch.setenv(name, value)
    result = run(*command)
    assert "\x1b" not in result.stdout + result.stderr
    assert max(map(len, result.stdout.splitlines())) <= 100


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("compare kept kept -o new", "saved in new\n"),
        ("report kept", "written to report.html\n"),
        ("export kept metrics -o m.csv", "rows written to m.csv\n"),
        ("gate kept --require map@r>=0", ""),
    ],
)
def test_quiet_says_nothing_on_stderr_whatever_the_command(run, kept, monkeypatch, line, said):
    shutil.copytree(kept, "again/kept")
    quiet = run(*line.split(), "--quiet")
    assert (quiet.exit_code, quiet.stderr) == (0, "")
    monkeypatch.chdir("again")
    spoken = run(*line.split())
    assert (spoken.exit_code, spoken.stdout) == (0, quiet.stdout)
    assert spoken.stderr.endswith(said)
