"""report, export and runs at the command line: what they write, and what they refuse."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from tripleteval import Embeddings, evaluate, evaluate_triplets, read
from tripleteval.cli import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run, the embeddings it was made from, and their pictures."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("work")
    rng = np.random.default_rng(0)
    columns = {
        "embedding": pa.array(rng.normal(size=(60, 4)).tolist()),
        "label": pa.array([f"class {row % 3}" for row in range(60)]),
        "id": pa.array([f"i{row}" for row in range(60)]),
        "path": pa.array([f"{row}.png" for row in range(60)]),
        "text": pa.array([f"question <{row}>?" for row in range(60)]),
        "split": pa.array(["a" if row < 40 else "b" for row in range(60)]),
    }
    pq.write_table(pa.table(columns), folder / "val.parquet")
    (folder / "photos").mkdir()
    for row in range(60):
        Image.new("RGB", (50, 50), (row, 0, 0)).save(folder / "photos" / f"{row}.png")
    evaluate(read(folder / "val.parquet")).save(folder / "run")
    parts = [read(folder / "val.parquet", where=f"split = '{split}'") for split in "ab"]
    evaluate(parts[0], gallery=parts[1]).save(folder / "two")
    return folder


def invoked(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_a_page_has_a_map_pictures_and_texts_of_the_embeddings_it_is_given(folder: Path, tmp_path: Path) -> None:
    options = ["--embeddings", folder / "val.parquet", "--text-column", "text"]
    pictures = ["--images", folder / "photos", "--image-column", "path"]
    done = invoked("report", folder / "run", "-o", tmp_path / "r.html", *options, *pictures)
    assert done.exit_code == 0, done.stderr
    written = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "question &lt;" in written
    assert written.count("data-picture=") > 50
    assert ">Map<" in written


def test_a_query_and_a_gallery_are_both_taken_with_their_filters(folder: Path, tmp_path: Path) -> None:
    file = folder / "val.parquet"
    sets = ["--embeddings", file, "--where", "split = 'a'", "--gallery", file, "--gallery-where", "split = 'b'"]
    done = invoked("report", folder / "two", "-o", tmp_path / "r.html", *sets, "--text-column", "text")
    assert done.exit_code == 0, done.stderr
    assert "question &lt;45&gt;?" in (tmp_path / "r.html").read_text(encoding="utf-8")
    half = invoked("report", folder / "two", "-o", tmp_path / "half.html", *sets[:4])
    assert "1 set of embeddings beside a run that was made from 2" in half.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--where", "split = 'a'"], "(40 rows) is not what the run was made from"),
        (["--id-column", "path"], "is not what the run was made from"),
        (["--gallery", "val.parquet"], "2 sets of embeddings beside a run that was made from 1"),
        (["--text-column", "txt"], "did you mean 'text'"),
        (["--image-column", "path"], "--image-column without --images"),
        (["--images", "nowhere"], "no such folder of pictures"),
        (["--images", "run", "--image-column", "path"], "no picture of any item; the first would be run/0.png"),
        (["--images", "photos"], "the first would be photos/i0"),
        (["--report-budget", "much"], "memory 'much'"),
    ],
)
def test_what_does_not_belong_to_the_run_is_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], said: str
) -> None:
    monkeypatch.chdir(folder)
    done = invoked("report", "run", "-o", tmp_path / "r.html", "--embeddings", "val.parquet", *options)
    assert done.exit_code in {2, 4}
    assert said in done.stderr
    assert not (tmp_path / "r.html").exists()


def test_a_column_that_was_left_out_is_named(folder: Path, tmp_path: Path) -> None:
    sets, grouped = ["--embeddings", folder / "val.parquet"], tmp_path / "grouped"
    evaluate(read(folder / "val.parquet", group_column="split")).save(grouped)
    bare = invoked("report", grouped, "-o", tmp_path / "r.html", *sets)
    assert bare.exit_code == 2
    assert "(60 rows), which had groups; these rows have none (--group-column)" in bare.stderr
    more = invoked("report", folder / "run", "-o", tmp_path / "r.html", *sets, "--group-column", "split")
    assert "(60 rows), which had no groups; these rows have some (--group-column)" in more.stderr
    same = invoked("report", grouped, "-o", tmp_path / "r.html", *sets, "--group-column", "split")
    assert same.exit_code == 0, same.stderr


@pytest.mark.parametrize("option", ["--images", "--text-column", "--where", "--gallery"])
def test_options_about_embeddings_need_them(folder: Path, tmp_path: Path, option: str) -> None:
    done = invoked("report", folder / "run", "-o", tmp_path / "r.html", option, "x")
    assert done.exit_code == 2
    assert "name their file with --embeddings" in done.stderr


def test_markdown_goes_to_stdout_and_a_page_does_not(folder: Path) -> None:
    done = invoked("report", folder / "run", "--format", "md", "-o", "-")
    assert done.exit_code == 0
    assert done.stdout.startswith("<!-- made by tripleteval -->\n\n# Evaluation of val.parquet")
    assert invoked("report", folder / "run", "-o", "-").exit_code == 2


@pytest.mark.parametrize(("kind", "name"), [("md", "r.md"), ("model-index", "r.yaml"), ("eval-results", "r.yaml")])
def test_a_report_of_ours_is_replaced_and_nothing_else(folder: Path, tmp_path: Path, kind: str, name: str) -> None:
    arguments = ["report", folder / "run", "--format", kind, "-o", tmp_path / name]
    assert invoked(*arguments).exit_code == 0
    assert invoked(*arguments).exit_code == 0
    (tmp_path / name).write_text("mine")
    assert invoked(*arguments).exit_code == 4
    assert (tmp_path / name).read_text() == "mine"


def test_a_model_card_is_named_as_asked(folder: Path) -> None:
    done = invoked("report", folder / "run", "--format", "model-index", "-o", "-", "--model", "m1", "--dataset", "o/d")
    assert 'name: "m1"' in done.stdout
    assert 'type: "o/d"' in done.stdout
    refused = invoked("report", folder / "run", folder / "two", "--format", "model-index", "-o", "-")
    assert refused.exit_code == 2


def test_a_table_is_exported_as_parquet_csv_or_to_stdout(folder: Path, tmp_path: Path) -> None:
    for name in ("s.parquet", "s.csv"):
        done = invoked("export", folder / "run", "suspects", "-o", tmp_path / name)
        assert done.exit_code == 0, done.stderr
    rows = pq.read_table(tmp_path / "s.parquet").num_rows
    assert f"{rows:,} rows" in done.stderr
    assert len(list(csv.DictReader((tmp_path / "s.csv").read_text().splitlines()))) == rows
    printed = invoked("export", folder / "run", "suspects", "-o", "-")
    assert printed.stdout_bytes == (tmp_path / "s.csv").read_bytes()


def test_an_export_replaces_nothing_unasked_and_knows_its_suffixes(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("mine")
    assert invoked("export", folder / "run", "hubs", "-o", tmp_path / "s.csv").exit_code == 4
    assert invoked("export", folder / "run", "hubs", "-o", tmp_path / "s.csv", "--overwrite").exit_code == 0
    assert "unknown suffix" in invoked("export", folder / "run", "hubs", "-o", tmp_path / "s.txt").stderr


def test_a_map_with_pictures_is_exported(folder: Path, tmp_path: Path) -> None:
    options = ["--embeddings", folder / "val.parquet", "--images", folder / "photos", "--image-column", "path"]
    done = invoked("export", folder / "run", "map", "-o", tmp_path / "m.parquet", *options)
    assert done.exit_code == 0, done.stderr
    table = pq.read_table(tmp_path / "m.parquet")
    assert table.num_rows == 60
    assert table["image"][0].as_py()[8:12] == b"WEBP"


def test_runs_are_listed_as_a_table_or_as_json(folder: Path) -> None:
    done = invoked("runs", folder, "--sort", "map@r", "--descending", "-m", "map@r")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("Runs\n2 runs.")
    listed = json.loads(invoked("runs", folder, "--json", "--last", "1").stdout)
    assert len(listed) == 1
    assert 0 < listed[0]["values"]["map@r"] < 1
    assert invoked("runs", folder, "--where", "map@r>2").exit_code == 0
    spelled = invoked("runs", folder, "-m", "triplet_loss@margin=0.20", "--sort", "tar@far=1e-1").stdout
    assert ("  tar@far=0.1 " in spelled, "  triplet_loss@margin=0.2\n" in spelled) == (True, True)


def test_the_number_that_runs_are_sorted_by_is_shown_first_and_stays_where_it_is_narrow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluate([[0.0], [1.0], [3.0], [4.0]], [0, 0, 1, 1]).save(tmp_path / "val")
    points = np.arange(6.0)[:, None]
    for name in ("triplets", "triplets-2"):  # their numbers are in more runs, so they would come first
        evaluate_triplets(points, points + 0.1, points + 3).save(tmp_path / name)
    for width, by in ((100, "map@r"), (40, "map@r"), (40, "recall@10")):
        monkeypatch.setenv("COLUMNS", str(width))
        shown = invoked("runs", tmp_path, "--sort", by).stdout
        head = next(line for line in shown.splitlines() if line.startswith("run "))
        assert by in head, shown
        assert by not in shown.partition("Too narrow for")[2].partition(":")[0]
    asked = ["-m", "triplet_accuracy", "-m", "map@r"]
    monkeypatch.setenv("COLUMNS", "40")
    assert "map@r" in invoked("runs", tmp_path, "--sort", "map@r", *asked).stdout.partition("run  ")[2]
    assert "saved" in invoked("runs", tmp_path, "--sort", "name").stdout


def test_a_folder_for_tensorboard_is_named_as_it_is_to_be_opened(folder: Path, tmp_path: Path) -> None:
    logs = tmp_path / "my logs"
    done = invoked("export", folder / "run", "projector", "--embeddings", folder / "val.parquet", "-o", logs)
    assert done.exit_code == 0, done.stderr
    assert done.stderr.endswith(f"tensorboard --logdir '{logs}'\n")


def test_hostile_names_of_runs_do_not_reach_the_terminal(tmp_path: Path) -> None:
    run = evaluate(Embeddings([[0.0], [1.0], [3.0], [4.0]], [0, 0, 1, 1], name="\x1b[2J\u202e[red]x[/red]"))
    run.save(tmp_path / "a\x1b]0;t\x07\u202e")
    shown = invoked("runs", tmp_path).stdout
    assert not set(shown) & set("\x1b\x07\u202e")
    assert "[red]" in shown


@pytest.mark.parametrize(("kind", "name"), [("html", "r.html"), ("md", "r.md")])
def test_two_runs_of_the_same_queries_are_judged_and_others_only_listed(
    folder: Path, tmp_path: Path, kind: str, name: str
) -> None:
    found = read(folder / "val.parquet")
    moved = found.vectors + 2 * np.random.default_rng(1).normal(size=found.vectors.shape)
    evaluate(Embeddings(moved, found.labels.values(), ids=found.ids.values())).save(tmp_path / "moved")
    invoked("report", folder / "run", tmp_path / "moved", "--format", kind, "-o", tmp_path / name)
    written = (tmp_path / name).read_text(encoding="utf-8")
    assert "Is the second better?" in written
    assert "cannot be told from" in written
    assert "Broken by" in written
    invoked("report", folder / "run", folder / "two", "--format", kind, "-o", tmp_path / name)
    written = (tmp_path / name).read_text(encoding="utf-8")
    assert "Is the second better?" not in written
    assert "Side by side" in written


def test_runs_refuses_a_metric_that_none_has_and_leaves_out_columns_where_they_do_not_fit(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for asked in (["-m", "foo"], ["--where", "foo>1"], ["--json", "-m", "foo"]):
        done = invoked("runs", folder, *asked)
        assert (done.exit_code, "no run with a metric 'foo'" in done.stderr) == (2, True)
    monkeypatch.setattr("tripleteval.cli.runs._PIPED_WIDTH", 50)
    shown = invoked("runs", folder, "-m", "map@r", "-m", "map@r").stdout
    assert "Too narrow for queries" in shown
    assert shown.count("  map@r") == 1
