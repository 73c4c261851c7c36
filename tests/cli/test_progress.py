"""How far it is: JSON lines that add up, a bar that somebody sees, and silence elsewhere."""

import json
from itertools import groupby

import numpy as np
import pytest
from click.testing import CliRunner

from tripleteval.cli import main
from tripleteval.cli.progress import progress_bar


@pytest.fixture
def stored(tmp_path):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "val.npz", embeddings=rng.normal(size=(60, 4)), labels=np.arange(60) % 12)
    return tmp_path / "val.npz"


def run(stored, *options, pairs="--no-verification"):
    done = CliRunner().invoke(main, ["evaluate", str(stored), "--no-save", pairs, *options])
    assert done.exit_code == 0
    return done.stderr


def test_json_lines_end_with_every_pair_done(stored):
    lines = [json.loads(line) for line in run(stored, "--progress", "json", "--quiet").splitlines()]
    assert lines[-1]["pairs_done"] == lines[-1]["pairs"] == 60 * 60
    assert lines[-1]["seconds_left"] == 0
    assert lines[-1]["gflops"] == pytest.approx(2 * 4 * lines[-1]["pairs_per_second"] / 1e9, abs=1e-3)


def test_json_lines_name_what_is_done_and_say_when_it_is_over(stored):
    lines = list(map(json.loads, run(stored, "--progress", "json", pairs="--verification").splitlines()))
    stages = [line["stage"] for line in lines]
    assert [name for name, _ in groupby(stages)] == [
        *("comparing", "measuring the space", "first look", "comparing", "intervals", "done")
    ]
    assert all(line["seconds_left"] is None for line in lines if line["stage"] not in {"comparing", "done"})
    assert stages.count("done") == 1
    assert (lines[-1]["pairs_done"], lines[-1]["seconds_left"]) == (lines[-1]["pairs"], 0)


def test_nobody_looks_and_nothing_is_said(stored):
    assert "pairs" not in run(stored)


def test_a_bar_is_drawn_where_it_is_asked_for(stored):
    assert "comparing" in run(stored, "--progress", "bar")


def test_a_line_a_second_at_most(capsys):
    with progress_bar(True, "json", 8) as tell:
        for done in range(1, 1001):
            tell(done, 1000)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert json.loads(lines[-1])["pairs_done"] == 1000


@pytest.fixture
def clock(monkeypatch):
    """Return a list whose one number is the time."""
    now = [100.0]
    monkeypatch.setattr("tripleteval.cli.progress.time.monotonic", lambda: now[0])
    return now


def test_what_was_done_before_an_interruption_is_no_speed(capsys, clock):
    with progress_bar(True, "json", 8) as tell:
        clock[0] += 2
        tell.resumed(500)
        tell(500, 1000)
        for _ in range(4):
            clock[0] += 2
            tell(tell_done := 500 + round(clock[0] - 102) * 5, 1000)
    assert tell_done == 540
    first, *_, last = map(json.loads, capsys.readouterr().err.splitlines())
    assert (first["pairs_done"], first["pairs_per_second"], first["seconds_left"]) == (500, 0, None)
    assert (last["pairs_done"], last["pairs_per_second"], last["seconds_left"]) == (540, 4, 115.0)
    assert {first["pairs_resumed"], last["pairs_resumed"]} == {500}


def test_a_run_of_which_nothing_was_left_to_do_has_no_time_left(capsys):
    with progress_bar(True, "json") as tell:
        tell.resumed(1000)
        tell(1000, 1000)
    last = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert (last["pairs_per_second"], last["seconds_left"]) == (0, 0)


def test_what_compares_no_pairs_slows_nobody_down(capsys, clock):
    with progress_bar(True, "json", 8) as tell:
        for name, seconds, done in (
            ("comparing", 2, 200),
            ("measuring the space", 50, 200),
            ("comparing", 1, 300),
            ("intervals", 9, 800),
            ("done", 0, 1000),
        ):
            tell.stage(name)
            clock[0] += seconds
            tell(done, 1000)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["pairs_per_second"] for line in lines] == [100] * 5
    assert [line["seconds_left"] for line in lines] == [8.0, None, 7.0, None, 0.0]
    assert lines[-1]["seconds"] == 62


def test_the_bar_says_what_is_done(capsys, clock):
    with progress_bar(True, "bar") as tell:
        clock[0] += 60
        tell(10**9, 10**9)
        tell.stage("measuring the space")
        tell(10**9, 10**9)
    said = " ".join(capsys.readouterr().err.split())
    assert "measuring the space" in said
    assert "left" not in said.rsplit("measuring the space", 1)[1]


def test_the_bar_says_the_same_time_left(capsys, clock):
    with progress_bar(True, "bar") as tell:
        clock[0] += 60
        tell.resumed(500_000_000)
        tell(560_000_000, 1_000_000_000)
    assert "1 M pairs/s, 0:07:20 left" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("unwanted", [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_a_terminal_without_escapes_gets_a_line_now_and_then(capsys, clock, monkeypatch, unwanted):
    monkeypatch.setenv(*unwanted)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with progress_bar(False) as tell:
        for done in range(1, 1001):
            clock[0] += 0.025
            tell(done * 10**6, 10**9)
    assert capsys.readouterr().err.splitlines() == [
        "comparing: 40%, 40 M pairs/s, 0:00:15 left",
        "comparing: 80%, 40 M pairs/s, 0:00:05 left",
    ]


def test_such_a_terminal_gets_a_line_when_something_else_begins_late(capsys, clock, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with progress_bar(False) as tell:
        tell.stage("first look")
        tell(0, 10**9)
        tell.stage("comparing")
        clock[0] += 12
        tell(5 * 10**8, 10**9)
        for name in ("intervals", "done"):
            clock[0] += 1
            tell.stage(name)
            tell(10**9, 10**9)
    assert capsys.readouterr().err.splitlines() == [
        "comparing: 50%, 42 M pairs/s, 0:00:12 left",
        "intervals: 100%",
    ]


def test_embedding_draws_no_bar_on_such_a_terminal(capsys, monkeypatch):
    from tripleteval.keras.progress import shown

    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    for unwanted, escapes in (({"NO_COLOR": "1", "TERM": "xterm"}, False), ({"TERM": "xterm"}, True)):
        monkeypatch.delenv("NO_COLOR", raising=False)
        for name, value in unwanted.items():
            monkeypatch.setenv(name, value)
        with shown("embedding", progress=True) as tell:
            tell(1, 2)
        assert ("embedding" in capsys.readouterr().err) is escapes
