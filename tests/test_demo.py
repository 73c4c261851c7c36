"""The demo: its network learns, and it leaves what it promises."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import tripleteval
from tripleteval import demo
from tripleteval.errors import MissingExtra, ResourceError


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """Run the quick demo in a process of its own, as the command line does."""
    output = tmp_path_factory.mktemp("demo") / "new" / "folder"
    code = f"from pathlib import Path; from tripleteval.demo import run; run(Path({str(output)!r}), quick=True)"
    return output, subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)


def test_the_table_goes_to_stdout_and_nothing_else_to_stderr_but_progress(done):
    _, process = done
    for spelling in demo.ROWS:
        assert spelling in process.stdout
    assert "untrained" in process.stdout
    assert "tensorflow" not in process.stderr.lower()
    assert "cuda" not in process.stderr.lower()
    assert [line for line in process.stdout.splitlines() if line != line.rstrip()] == []


def test_it_ends_with_what_to_open_and_what_to_try_next(done):
    output, process = done
    last = process.stdout.strip().splitlines()[-3:]
    assert [line.split()[0] for line in last] == ["Open", "Run", "Your"]
    assert str(output / "report.html") in last[0]


def test_it_leaves_runs_vectors_and_a_report(done):
    output, _ = done
    for name in ("untrained", "trained"):
        run = tripleteval.load(output / name)
        again = tripleteval.evaluate(tripleteval.read(output / f"{name}.npz"))
        assert run["map@r"] == again["map@r"]
        assert run.margin_curve["margins"][20] == 0.0
    assert "<html" in (output / "report.html").read_text(encoding="utf-8")


def test_ten_steps_of_training_already_help_on_digits_never_seen(done):
    output, _ = done
    before, after = (tripleteval.load(output / name) for name in ("untrained", "trained"))
    assert after["map@r"] > before["map@r"] > 0.1


def test_it_may_be_run_twice_into_the_same_folder(done, monkeypatch):
    output, _ = done
    monkeypatch.setattr(demo, "_train", lambda *_, **__: (_Network(), vectors, vectors))
    vectors = np.random.default_rng(0).normal(size=(714, 4))
    demo.run(output, quick=True)
    assert tripleteval.load(output / "trained").inputs[0]["dim"] == 4


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("run.json", "a run folder, into which nothing else may go"),
        ("search.json", "a run folder, into which nothing else may go"),
        ("report.html", "a folder that holds 'report.html', which no demo left there"),
        ("trained", "a folder that holds 'trained', which no demo left there"),
        ("", "not a folder"),
    ],
)
def test_what_no_demo_left_there_is_refused_before_any_training(file, said, tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "_train", None)
    there = tmp_path / "there" / file
    there.parent.mkdir(exist_ok=True)
    there.write_text("mine", encoding="utf-8")
    with pytest.raises(ResourceError, match=f"E801 {said}.* · name a new folder with --output"):
        demo.run(tmp_path / "there", quick=True)
    assert there.read_text(encoding="utf-8") == "mine"
    assert len(list(tmp_path.rglob("*"))) == (2 if file else 1)


def test_other_files_of_a_folder_are_left_alone_and_its_name_is_no_mark_up(tmp_path, monkeypatch, capsys):
    vectors = np.random.default_rng(0).normal(size=(714, 4))
    monkeypatch.setattr(demo, "_train", lambda *_, **__: (_Network(), vectors, vectors))
    output = tmp_path / "[b]a b"
    output.mkdir()
    (output / "notes.txt").write_text("mine", encoding="utf-8")
    demo.run(output, quick=True)
    assert (output / "notes.txt").read_text(encoding="utf-8") == "mine"
    last = capsys.readouterr().out.splitlines()[-3:]
    assert last[0] == f"Open        {output}/report.html"
    assert last[1] == f"Run again   tripleteval evaluate '{output}/trained.npz'"


def test_an_image_lands_whole_on_its_canvas():
    images = np.arange(1, 129).reshape(2, 8, 8) / 128
    canvases = demo._placed(images, np.random.default_rng(0))
    assert canvases.shape == (2, 14, 14)
    for canvas, image in zip(canvases, images, strict=True):
        assert np.array_equal(canvas[canvas > 0], image.ravel())


def test_the_digits_to_be_judged_are_never_trained_on():
    images, labels = demo._digits()
    seen = ~np.isin(labels, demo.UNSEEN)
    turned, classes = demo._training_classes(images[seen], labels[seen])
    assert set((classes // 8).tolist()) == {0, 1, 2, 3, 4, 5}
    assert len(np.unique(classes)) == 2 + 4 * 8
    assert len(turned) == len(classes)


@pytest.mark.parametrize("module", ["sklearn.datasets", "keras"])
def test_without_its_extras_it_says_what_to_install(module, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra, match=r"pip install 'tripleteval\[tensorflow,stats,report\]'"):
        demo.run(tmp_path / "demo", quick=True)
    assert not (tmp_path / "demo").exists()


class _Network:
    def count_params(self):
        return 0
