"""``tripleteval gate``: what CI sees of it."""

import json
from xml.etree import ElementTree

import numpy as np
import pytest

import tripleteval as te
from tripleteval.cli import errors, main


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Return the folders of two runs on the same queries, the second worse."""
    random, folder = np.random.default_rng(3), tmp_path_factory.mktemp("runs")
    labels = np.repeat(np.arange(24), 5)
    centres, noise = random.normal(size=(24, 8))[labels], random.normal(size=(120, 8))
    for name, much in (("old", 0.6), ("new", 1.0)):
        te.evaluate(centres + much * noise, labels).save(folder / name)
    return [str(folder / name) for name in ("old", "new")]


@pytest.fixture(autouse=True)
def outside_of_github(monkeypatch):
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["gate", *arguments])
    return ended.value.code


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--require", "map@r > 0"], 0),
        (["--require", "map@r > 0", "--require", "map@r > 2"], 1),
        (["--require", "recall@77 > 0"], 2),
        (["--require", "map@r"], 2),
        ([], 2),
        (["--margin", "much"], 2),
    ],
)
def test_the_exit_code_is_the_answer(runs, arguments, code, capsys):
    assert run(runs[0], *arguments) == code
    out, err = capsys.readouterr()
    assert ("passed" in out, "FAILED" in out, bool(err)) == (code < 2, code == 1, code == 2)


def test_a_bug_is_no_failed_gate():
    assert errors.BUG not in {0, 1, 2}
    assert te.EvalError.exit_code == errors.BUG


def test_a_worse_run_is_stopped(runs, capsys):
    old, new = runs
    assert run(new, "--baseline", old, "--no-worse", "map@r", "--margin", "0.005") == 1
    assert "map@r − baseline >= -0.005" in capsys.readouterr().out
    assert run(old, "--baseline", new, "--no-worse", "low(map@r)", "--margin", "0.005") == 0


def test_files_for_machines_are_written_again_and_again(runs, tmp_path, capsys):
    xml, document = tmp_path / "out.xml", tmp_path / "out.json"
    files = ["--junit", str(xml), "--json", str(document), "--overwrite"]
    for limit, code in ((2, 1), (0, 0)):
        assert run(runs[0], "--require", f"map@r > {limit}", *files) == code
        assert ElementTree.parse(xml).getroot().get("failures") == str(code)  # noqa: S314  # our own
        assert json.loads(document.read_text())["passed"] == (code == 0)
    assert run(runs[0], "--require", "map@r > 0", "--junit", f"{runs[0]}/run.json") == 4
    assert "E611" in capsys.readouterr().err


def test_a_json_file_that_is_there_is_replaced_only_when_asked(runs, tmp_path, capsys):
    there = tmp_path / "mine.html"
    there.write_text("mine")
    arguments = [runs[0], "--require", "map@r > 0", "--json", str(there)]
    assert run(*arguments) == 4
    said = capsys.readouterr().err
    assert said.startswith("E611")
    assert "give a new name, or --overwrite" in said
    assert there.read_text() == "mine"
    assert run(*arguments, "--overwrite") == 0
    assert json.loads(there.read_text())["passed"] is True


def test_github_gets_annotations_and_a_summary(runs, tmp_path, monkeypatch, capsys):
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    assert run(runs[0], "--require", "map@r > 2", "--require", "mrr > 0") == 1
    assert capsys.readouterr().out.count("::error title=") == 1
    assert run(runs[0], "--require", "map@r > 2", "--json", "-") == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["passed"] is False
    assert err.startswith("::error title=map@r > 2::")
    assert summary.read_text().count("### ") == 2


def test_a_summary_that_cannot_be_written_does_not_change_the_answer(runs, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "no" / "folder"))
    assert run(runs[0], "--require", "map@r > 0") == 0
    assert "cannot be written" in capsys.readouterr().err


def test_two_documents_are_not_written_to_one_file(runs, tmp_path, capsys):
    arguments = ["--require", "map@r > 0", "--junit", str(tmp_path / "out"), "--json", f"{tmp_path}/./out"]
    assert run(runs[0], *arguments) == 4
    assert "one file for --junit and --json" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
