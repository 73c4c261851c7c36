"""The list of runs: everything there is, in the order asked for, and a damaged run hides no other."""

from __future__ import annotations

import io
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from tripleteval import Embeddings, Evaluation, FileError, ParameterError, evaluate
from tripleteval.data.section import Section
from tripleteval.report.console import draw
from tripleteval.report.history import (
    arranged,
    chosen,
    fitted,
    found,
    headlines,
    history,
    known_in,
    searches,
    sparkline,
    unfinished_runs,
)


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


def test_what_searches_left_is_named_and_not_listed(tmp_path: Path) -> None:
    evaluate([[0.0], [1.0], [3.0], [4.0]], [0, 0, 1, 1], ks=(2,)).save(tmp_path / "run")
    assert searches(tmp_path) == []
    (tmp_path / "deep" / "ann").mkdir(parents=True)
    (tmp_path / "deep" / "ann" / "search.json").write_text("{}", encoding="utf-8")
    runs = found(tmp_path)
    assert [run.name for run in runs] == ["run"]
    assert "Not listed: deep/ann, by tripleteval search;" in history(runs, ["map@r"], searches(tmp_path)).text
    assert "c, d and 3 more, by" in history(runs, ["map@r"], list("abcdefg")).text
    assert "Not listed" not in history(runs, ["map@r"]).text


def test_a_run_that_is_not_finished_is_named_with_the_way_to_go_on(tmp_path: Path) -> None:
    (tmp_path / "deep" / "val.unfinished").mkdir(parents=True)
    (tmp_path / "deep" / "val.unfinished" / "journal").touch()
    with pytest.raises(FileError, match=r"E604 no run in this folder · .*the same command with --resume .*deep/val$"):
        found(tmp_path)
    evaluate([[0.0], [1.0], [3.0], [4.0]], [0, 0, 1, 1], ks=(2,)).save(tmp_path / "run")
    said = history(found(tmp_path), ["map@r"], begun=unfinished_runs(tmp_path)).text
    assert "Not finished: deep/val; those that were interrupted go on with the same command and --resume." in said
    assert "Not finished" not in history(found(tmp_path), ["map@r"]).text


def test_a_run_that_ends_while_runs_are_listed_does_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evaluate([[0.0], [1.0], [3.0], [4.0]], [0, 0, 1, 1], ks=(2,)).save(tmp_path / "run")
    (tmp_path / "new.unfinished").mkdir()
    scandir = os.scandir

    def ended(folder: Path) -> Any:
        if str(folder).endswith("new.unfinished"):
            os.rmdir(folder)
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", ended)
    assert [run.name for run in found(tmp_path)] == ["run"]


def test_a_folder_without_runs_says_so(tmp_path: Path) -> None:
    (tmp_path / "ann").mkdir()
    (tmp_path / "ann" / "search.json").write_text("{}", encoding="utf-8")
    with pytest.raises(FileError, match=r"E604 no run in this folder .* tripleteval search found, such as .*ann;"):
        found(tmp_path)
    (tmp_path / "ann" / "search.json").unlink()
    with pytest.raises(FileError, match=r"E604 no run in this folder · .* · tripleteval evaluate makes runs"):
        found(tmp_path)
    with pytest.raises(FileError, match="E601 no such folder"):
        found(tmp_path / "nowhere")


def test_a_metric_that_no_run_has_is_an_error_and_one_that_some_have_is_none(root: Path) -> None:
    runs = found(root)
    with pytest.raises(ParameterError, match="E510 no run with a metric 'nosuch'"):
        chosen(runs, ["map@r>2", "nosuch>1"])
    with pytest.raises(ParameterError, match="E510 no run with a metric 'foo'"):
        known_in(runs, ["map@r", "foo"])
    assert known_in(runs, ["hit_rate@5"]) == ["hit_rate@5"]
    assert known_in([run for run in runs if run.evaluation is None], ["map@r"]) == ["map@r"]


def test_a_metric_may_be_spelled_as_people_write_it(root: Path) -> None:
    runs = found(root)
    assert known_in(runs, ["triplet_satisfied@margin=0.20", "hit_rate@05"]) == [
        "triplet_satisfied@margin=0.2",
        "hit_rate@5",
    ]
    assert chosen(runs, ["triplet_satisfied@margin=0.20 >= 0"]) == chosen(runs, ["triplet_satisfied@margin=0.2 >= 0"])
    assert arranged(runs, "triplet_loss@margin=2e-1") == arranged(runs, "triplet_loss@margin=0.2")


def test_a_file_is_not_called_a_folder_that_is_missing(root: Path) -> None:
    with pytest.raises(FileError, match="E601 a file, where a folder of runs is expected"):
        found(root / "a" / "run.json")


def test_a_line_over_time_joins_only_runs_under_the_same_rules(tmp_path: Path) -> None:
    points, labels = np.random.default_rng(1).normal(size=(40, 3)), np.arange(40) % 4
    rules = [{}, {"distance": "cosine"}, {"sample": 20}, {}, {"distance": "cosine"}, {"seed": 1}]
    for place, how in enumerate(rules):
        evaluate(Embeddings(points + 0.01 * place, labels, name="val"), **how).save(tmp_path / str(place))
        os.utime(tmp_path / str(place) / "run.json", (1000 + place, 1000 + place))
    evaluate(Embeddings(points[:20], labels[:20], name="val")).save(tmp_path / "half")
    lines = [line for line in history(found(tmp_path), ["map@r"]).text.splitlines() if "over time" in line]
    assert [line.partition(" over time: ")[0] for line in lines] == [
        f"val (distance {name}, no sample, 40 queries, 40 in the gallery), map@r" for name in ("euclidean", "cosine")
    ]
    assert [len(line.partition(" over time: ")[2].split()[0]) for line in lines] == [3, 2]


def drawn_at(section: Section, width: int) -> list[str]:
    console = Console(width=width, file=io.StringIO())
    for part in draw(fitted(section, width)):
        console.print(part)
    return console.file.getvalue().splitlines()


def test_columns_are_left_out_rather_than_words_broken(root: Path) -> None:
    runs = found(root)
    section = history(runs, ["map@r", "hit_rate@5", "recall@10"])
    whole = max(len(line) for line in drawn_at(section, 200) if line.startswith(("run", "a ")))
    assert list(fitted(section, whole).tables[0].columns) == list(section.tables[0].columns)
    for width in range(17, whole + 3):
        lines = drawn_at(section, width)
        heads = next(place for place, line in enumerate(lines) if line.startswith("run "))
        assert len(lines) == heads + 2 + len(runs) + 1, width  # heads, rule, a line each, an empty one
        assert "map@r" in lines[heads]
        assert ("hit_rate@5" in lines[heads]) != ("hit_rate@5" in " ".join(lines[:heads]).partition("narrow")[2])


def test_the_time_of_day_goes_first_and_the_day_last(root: Path) -> None:
    section = history(found(root), ["map@r", "hit_rate@5"])
    assert "Too narrow" not in fitted(section, 70).text
    shown = [fitted(section, width).tables[0] for width in range(80, 15, -1)]
    assert [list(columns) for columns in dict.fromkeys(tuple(table.columns) for table in shown)] == [
        ["run", "saved", "made from", "queries", "map@r", "hit_rate@5"],
        ["run", "saved", "made from", "map@r", "hit_rate@5"],
        ["run", "saved", "map@r", "hit_rate@5"],
        ["run", "saved", "map@r"],
        ["run", "map@r"],
    ]
    assert "Too narrow for queries, made from, hit_rate@5 and saved" in fitted(section, 16).text


def test_the_list_of_no_runs_fits_too() -> None:
    assert fitted(history([], ["map@r"]), 10).tables[0].rows == []


def test_runs_of_every_kind_show_what_they_have(
    tmp_path: Path, paired: Evaluation, identified: Evaluation, given: Evaluation
) -> None:
    for place, run in enumerate([paired, paired, identified, given]):
        run.save(tmp_path / str(place))
        os.utime(tmp_path / str(place) / "run.json", (1000 + place, 1000 + place))
    runs = found(tmp_path)
    assert headlines(runs[:2]) == ["cv_accuracy", "eer", "auc", "tar@far=0.1"]
    assert headlines(runs[2:3]) == ["cmc@1", "tpir@fpir=0.1", "tpir@fpir=0.01", "cmc@5"]
    shown = headlines(runs)
    assert len(shown) == 4
    assert all(any(run.value(name) is not None for name in shown) for run in runs)
    (table,) = history(runs, shown).tables
    assert [row[2:4] for row in table.rows[1:]] == [
        ["faces and pairs", "240 pairs"],
        ["probes against enrolled", "30 probes"],
        ["anchors, positives and negatives", "2 triplets"],
    ]


def test_a_rate_that_is_not_reliable_says_so(tmp_path: Path, paired: Evaluation) -> None:
    paired.save(tmp_path / "pairs")
    runs = found(tmp_path)
    said = history(runs, ["tar@far=0.01", "auc"])
    assert said.text.endswith("* fewer than 30 errors are allowed: the rate is not reliable.")
    assert said.tables[0].rows[0][4].startswith("* ")
    assert not said.tables[0].rows[0][5].startswith("* ")
    assert "reliable" not in history(runs, ["auc"]).text


def test_a_line_over_time_joins_no_different_numbers_of_pairs(tmp_path: Path, paired: Evaluation) -> None:
    for place, pairs in enumerate((240, 240, 200)):
        replace(paired, accounting=paired.accounting | {"pairs": pairs}).save(tmp_path / str(place))
    lines = [line for line in history(found(tmp_path), ["auc"]).text.splitlines() if "over time" in line]
    assert [line.partition(" over time: ")[0] for line in lines] == ["faces and pairs (240 pairs), auc"]
