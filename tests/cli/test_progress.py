"""How far it is: JSON lines that add up, a bar that somebody sees, and silence elsewhere."""

import json

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


def run(stored, *options):
    done = CliRunner().invoke(main, ["evaluate", str(stored), "--no-save", "--no-verification", *options])
    assert done.exit_code == 0
    return done.stderr


def test_json_lines_end_with_every_pair_done(stored):
    lines = [json.loads(line) for line in run(stored, "--progress", "json", "--quiet").splitlines()]
    assert lines[-1]["pairs_done"] == lines[-1]["pairs"] == 60 * 60
    assert lines[-1]["seconds_left"] == 0
    assert lines[-1]["gflops"] == pytest.approx(2 * 4 * lines[-1]["pairs_per_second"] / 1e9, abs=1e-3)


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
