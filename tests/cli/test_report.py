"""``tripleteval report``: runs into one page, which never takes the place of anything but a page of ours."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("kept")


def test_a_run_becomes_a_page_and_the_path_is_said_on_stderr(run):
    result = run("report", "kept")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "written to report.html\n")
    assert "<title>" in Path("report.html").read_text(encoding="utf-8")


def test_several_runs_stand_side_by_side_under_their_names(run):
    shutil.copytree("kept", "second")
    assert run("report", "kept/", "second", "-o", "both.html").exit_code == 0
    page = Path("both.html").read_text(encoding="utf-8")
    assert "kept" in page
    assert "second" in page


def test_a_page_of_ours_is_replaced_and_any_other_file_only_when_told(run, contents):
    run("report", "kept")
    assert run("report", "kept").exit_code == 0
    Path("thesis.html").write_text("<p>years</p>")
    before = contents()
    refused = run("report", "kept", "-o", "thesis.html")
    assert refused.exit_code == 4
    assert "E611" in refused.stderr
    assert contents() == before
    assert run("report", "kept", "--output", "thesis.html", "--overwrite").exit_code == 0
    assert "years" not in Path("thesis.html").read_text(encoding="utf-8")


REFUSED = {
    "an input": (["kept", "-o", "kept/run.json", "--overwrite"], 4, "E611", "one of the inputs"),
    "a folder": (["kept", "-o", "kept", "--overwrite"], 4, "E611", ""),
    "a pipe": (["kept", "-o", "pipe", "--overwrite"], 4, "E611", "a pipe or a device"),
    "no such folder": (["kept", "-o", "nowhere/report.html"], 4, "E611", "does not exist"),
    "no run": (["val.npz"], 4, "E604", "not a run folder"),
    "no such run": (["kepd"], 4, "E604", "did you mean 'kept'"),
    "an empty name": ([""], 4, "E604", "not a run folder"),
    "one of two": (["kept", "nothing"], 4, "E604", "nothing"),
    "a damaged run": (["damaged"], 5, "E804", "queries.parquet"),
    "a newer run": (["newer"], 5, "E806", "newer tripleteval"),
    "no argument": ([], 2, "Usage:", "Missing argument"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_reported_is_refused_and_nothing_is_written(run, contents, name):
    arguments, exit_code, code, said = REFUSED[name]
    os.mkfifo("pipe")  # stands for a device: a real one would be lost if this test ever failed as root
    with open(shutil.copytree("kept", "damaged") + "/queries.parquet", "ab") as file:
        file.write(b"x")
    newer = Path(shutil.copytree("kept", "newer")) / "run.json"
    newer.write_text(newer.read_text().replace("evaluation/1", "evaluation/999"))
    before = contents()
    result = run("report", *arguments)
    assert result.exit_code == exit_code
    assert code in result.stderr
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert contents() == before


def test_the_name_of_a_run_need_not_be_utf8(run):
    name = os.fsdecode(b"caf\xe9")
    shutil.copytree("kept", name)
    result = run("report", name, "kept", "-o", f"{name}.html")
    assert (result.exit_code, result.stderr) == (0, "written to caf\\udce9.html\n")
    assert "caf%E9" in Path(f"{name}.html").read_text(encoding="utf-8")


def test_the_name_of_a_run_is_text_in_the_page(run):
    shutil.copytree("kept", "<script>alert(1)<")
    assert run("report", "<script>alert(1)<", "kept").exit_code == 0
    page = Path("report.html").read_text(encoding="utf-8")
    assert page.count("<script") == 3  # the data, the charts library and ours
    assert "&lt;script&gt;alert(1)&lt;" in page
