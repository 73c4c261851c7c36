"""``tripleteval compare``: run folders in, a verdict, a table and a folder out."""

import json

import numpy as np
import pytest

import tripleteval as te
from tripleteval.cli import main


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Return the folders of two runs on the same queries, the second better."""
    random, folder = np.random.default_rng(3), tmp_path_factory.mktemp("runs")
    labels = np.repeat(np.arange(24), 5)
    centres, noise = random.normal(size=(24, 8))[labels], random.normal(size=(120, 8))
    names = [f"[b]{label}\x1b[31m" for label in labels.tolist()]
    for name, much in (("old", 1.0), ("new", 0.6)):
        te.evaluate(centres + much * noise, names).save(folder / name)
    return [str(folder / name) for name in ("old", "new")]


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return ended.value.code


def test_the_verdict_and_both_lists_are_printed(runs, capsys):
    assert run("compare", *runs) == 0
    printed = capsys.readouterr().out
    assert "is better than" in printed
    assert "Fixed queries" in printed
    assert "Classes that changed" in printed
    assert "\x1b" not in printed
    assert "[b]3\\x1b[31m" in printed


def test_json_and_folder_hold_what_is_printed(runs, tmp_path, capsys):
    folder = tmp_path / "compared"
    assert run("compare", *runs, "--primary", "recall@5", "--json", "-", "-o", str(folder)) == 0
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert document.items() <= json.loads((folder / "compare.json").read_text()).items()
    assert (document["outcome"], document["primary"]) == ("better", "recall@5")
    assert "saved in" in err
    assert run("compare", *runs, "-o", str(folder)) == 5
    assert "E801" in capsys.readouterr().err


def test_json_goes_to_a_new_file(runs, tmp_path, capsys):
    file = tmp_path / "found.json"
    assert run("compare", *runs, "--json", str(file), "--metric", "mrr", "--unpaired") == 0
    assert list(json.loads(file.read_text())["differences"]) == ["mrr"]
    assert run("compare", *runs, "--json", str(file)) == 4
    assert "E611" in capsys.readouterr().err


def test_json_replaces_neither_a_run_nor_the_folder_of_the_comparison(runs, tmp_path, capsys):
    folder = str(tmp_path / "compared")
    for file, found in ((f"{runs[1]}/run.json", "one of the inputs"), (folder, "in the output folder")):
        assert run("compare", *runs, "--json", file, "--overwrite", "-o", folder) == 4
        assert found in capsys.readouterr().err
    assert te.load(runs[1]).accounting["queries"] == 120
    assert not (tmp_path / "compared").exists()


@pytest.mark.parametrize(
    ("wrong", "code", "exit_code"),
    [(["--metric", "recal@5"], "E510", 2), (["--confidence", "95"], "E505", 2), (["--seed", "-1"], "E511", 2)],
)
def test_impossible_options_say_so(runs, capsys, wrong, code, exit_code):
    assert run("compare", *runs, *wrong) == exit_code
    assert code in capsys.readouterr().err


def test_a_folder_that_is_no_run(runs, capsys):
    assert run("compare", runs[0], runs[1] + "er") == 4
    assert "E604" in capsys.readouterr().err


def test_a_folder_that_is_there_is_refused_with_advice_that_helps(runs, tmp_path, capsys):
    assert run("compare", *runs, "-o", str(tmp_path), "--overwrite") == 5
    said = capsys.readouterr().err
    assert "a comparison replaces no folder" in said
    assert "--overwrite" not in said


def test_the_unit_is_that_of_the_runs_unless_it_is_named(tmp_path, capsys):
    labels = np.repeat(np.arange(6), 4)
    points = np.random.default_rng(1).normal(size=(24, 3))
    for name in ("a", "b"):
        te.evaluate(points + labels[:, None], labels, unit="query").save(tmp_path / name)
    folders = str(tmp_path / "a"), str(tmp_path / "b")
    for asked, unit in (([], "query"), (["--unit", "class"], "class")):
        assert run("compare", *folders, "--json", "-", *asked) == 0
        assert json.loads(capsys.readouterr().out)["settings"]["unit"] == unit
    assert run("compare", *folders, "--unit", "group") == 2
    assert "no groups in" in capsys.readouterr().err


def test_confidence_and_seed_are_those_of_the_runs_unless_they_are_named(tmp_path, capsys):
    labels = np.repeat(np.arange(6), 4)
    points = np.random.default_rng(1).normal(size=(24, 3))
    for name in ("a", "b"):
        te.evaluate(points + labels[:, None], labels, confidence=0.8, seed=7).save(tmp_path / name)
    folders = str(tmp_path / "a"), str(tmp_path / "b")
    for asked, taken in (([], (0.8, 7)), (["--confidence", "0.9"], (0.9, 7)), (["--seed", "1"], (0.8, 1))):
        assert run("compare", *folders, "--json", "-", *asked) == 0
        settings = json.loads(capsys.readouterr().out)["settings"]
        assert (settings["confidence"], settings["seed"]) == taken


def test_two_runs_of_given_triplets(tmp_path, capsys):
    random, labels = np.random.default_rng(5), np.repeat(np.arange(8), 5)
    anchor = random.integers(0, 40, 200)
    rows = anchor, anchor // 5 * 5 + (anchor + 1) % 5, (anchor + random.integers(5, 35, 200)) % 40 // 5 * 5
    np.savez(tmp_path / "triplets.npz", **dict(zip(("anchor", "positive", "negative"), rows, strict=True)))
    np.savez(tmp_path / "fewer.npz", **{name: each[:90] for name, each in np.load(tmp_path / "triplets.npz").items()})
    centres, noise = random.normal(size=(8, 6))[labels], random.normal(size=(40, 6))
    for name, much, given in (("old", 1.6, "triplets"), ("new", 0.7, "triplets"), ("few", 0.7, "fewer")):
        np.savez(tmp_path / "items.npz", embeddings=centres + much * noise, labels=labels)
        items = ["--embeddings", str(tmp_path / "items.npz"), "--quiet", "--output", str(tmp_path / name)]
        assert run("triplets", str(tmp_path / f"{given}.npz"), *items) == 0
    old, new, few = (str(tmp_path / name) for name in ("old", "new", "few"))
    assert run("compare", old, new, "--primary", "triplet_satisfied@margin=0.2", "-o", str(tmp_path / "found")) == 0
    printed = capsys.readouterr().out
    assert "is better than" in printed
    assert "over 8 classes" in printed
    assert "Fixed triplets" in printed
    assert "they were not satisfied at margin 0.2 before and are now" in " ".join(printed.split())
    assert "Classes that changed" in printed
    assert (tmp_path / "found" / "queries.parquet").exists()
    assert run("compare", old, new) == 0
    assert "they were not in order before and are now" in " ".join(capsys.readouterr().out.split())
    assert run("compare", old, few) == 2
    assert "runs with different triplets: 110 only in the first" in " ".join(capsys.readouterr().err.split())
    report = tmp_path / "report.md"
    assert run("report", old, new, "--format", "md", "-o", str(report)) == 0
    assert "Is the second better?" in report.read_text()
