"""The list of runs: everything there is, in the order asked for, and a damaged run hides no other."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from tripleteval import Embeddings, FileError, ParameterError, evaluate
from tripleteval.report.history import arranged, chosen, found, headlines, history, sparkline


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three runs of one set, each better than the one before, one of another set, and one that is damaged."""
    root = tmp_path_factory.mktemp("runs")
    rng = np.random.default_rng(1)
    labels = np.arange(40) % 4
    for place, (name, apart) in enumerate([("a", 0.1), ("b", 1.0), ("deep/c", 5.0)]):
        points = rng.normal(size=(40, 3)) + apart * np.eye(4)[labels][:, :3]
        evaluate(Embeddings(points, labels, name="val")).save(root / name)
        os.utime(root / name / "run.json", (1000 + place, 1000 + place))
    evaluate([[0.0], [1.0], [3.0], [4.0]], [0, 0, 1, 1], ks=(2,)).save(root / "other")
    os.utime(root / "other" / "run.json", (2000, 2000))
    (root / "broken").mkdir()
    (root / "broken" / "run.json").write_text("{}")
    (root / "not-a-run").mkdir()
    (root / ".a.old-1").mkdir()
    (root / ".a.old-1" / "run.json").write_text("{}")
    return root


def test_runs_are_found_below_oldest_first_with_the_damaged_one(root: Path) -> None:
    runs = found(root)
    assert [run.name for run in runs] == ["a", "b", os.path.join("deep", "c"), "other", "broken"]
    assert [run.name for run in runs if run.evaluation is None] == ["broken"]
    assert "not" in runs[-1].problem


def test_numbers_are_those_of_the_run_and_no_table_is_read(root: Path) -> None:
    first = found(root)[0]
    assert first.evaluation.per_query is None
    assert first.value("map@r") == first.evaluation["map@r"]
    assert first.value("nothing") is None


def test_a_damaged_table_does_not_keep_the_numbers_away(tmp_path: Path) -> None:
    evaluate([[0.0], [1.0], [3.0], [4.0]], [0, 0, 1, 1]).save(tmp_path / "x")
    (tmp_path / "x" / "queries.parquet").write_bytes(b"")
    assert found(tmp_path)[0].value("map@r") == 1.0


def test_runs_are_chosen_by_their_numbers(root: Path) -> None:
    runs = found(root)
    best = max(run.value("map@r") or 0 for run in runs if run.name != "other")
    assert [run.name for run in chosen(runs, [f"map@r>={best!r}"])] == [os.path.join("deep", "c"), "other"]
    assert [run.name for run in chosen(runs, ["hit_rate@5 > 0"])] == ["a", "b", os.path.join("deep", "c")]
    assert len(chosen(runs, ["triplet_satisfied@margin=0.2 >= 0", "map@r<=1e0"])) == 4
    assert chosen(runs, ["map@r<0"]) == []


@pytest.mark.parametrize("test", ["", "map@r", "map@r=1", ">=1", "map@r>=x", "map@r>>1", "map@r>=1e", "map@r>=--1"])
def test_a_test_that_is_none_is_refused(root: Path, test: str) -> None:
    with pytest.raises(ParameterError, match="E101 the test"):
        chosen(found(root), [test])


def test_runs_are_arranged_and_those_without_the_number_come_last(root: Path) -> None:
    runs = found(root)
    up = [run.name for run in arranged(runs, "hit_rate@5")]
    down = [run.name for run in arranged(runs, "hit_rate@5", descending=True)]
    assert up[-2:] == down[-2:] == ["other", "broken"]
    assert up[:3] == down[:3][::-1]
    assert arranged(runs, "name")[0].name == "a"
    with pytest.raises(ParameterError, match="E510 no run with a metric 'map@rr'.*did you mean 'map@r'"):
        arranged(runs, "map@rr")


def test_a_line_over_time_joins_only_what_was_made_from_the_same_sets(root: Path) -> None:
    section = history(found(root), ["map@r"])
    lines = [line for line in section.text.splitlines() if "over time" in line]
    assert len(lines) == 1
    assert lines[0].startswith("val, map@r over time: ▁")
    assert lines[0].split(":")[1].strip().split()[0][-1] == "█"
    assert "broken cannot be read" in section.text
    assert section.level == "warning"
    assert [row[0] for row in section.tables[0].rows] == [run.name for run in found(root)]


def test_the_metrics_shown_are_those_most_runs_have(root: Path) -> None:
    assert headlines(found(root))[0] == "map@r"
    assert headlines([]) == []


@pytest.mark.parametrize(
    ("values", "shown"), [([1.0], "▄"), ([2, 2, 2], "▄▄▄"), ([0, 1], "▁█"), (range(8), "▁▂▃▄▅▆▇█"), ([1, 0], "█▁")]
)
def test_a_sparkline_has_the_lowest_and_the_highest(values: list[float], shown: str) -> None:
    assert sparkline(list(values)) == shown


def test_a_folder_without_runs_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="E604 no run in this folder"):
        found(tmp_path)
    with pytest.raises(FileError, match="E601 no such folder"):
        found(tmp_path / "nowhere")
