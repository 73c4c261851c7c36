"""``tripleteval search``: what arrives, what is printed, what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import tripleteval as te

QUICK = ["--seeds", "1", "--repeats", "1", "-k", "2", "--quiet"]


@pytest.fixture
def document_of_search(run):
    def given(*arguments):
        result = run("search", "val.npz", *arguments, *QUICK, "--json", "-")
        assert result.exit_code == 0, result.stderr
        assert not result.stderr
        return json.loads(result.stdout)

    return given


def test_options_arrive_and_the_document_is_alone_on_stdout(document_of_search):
    found = document_of_search(
        "--backend", "exact", "--backend", "faiss-ivf", "--param", "nprobe=1,2", "--distance", "cosine"
    )
    assert [entry["label"] for entry in found["entries"]] == ["exact", "faiss-ivf nprobe=1", "faiss-ivf nprobe=2"]
    settings = {
        "k": 2,
        "distance": "cosine",
        "judge_by": "recall@2",
        "tolerance": 0.005,
        "confidence": 0.95,
        "seeds": 1,
        "exact_sample": None,
        "shards": 1,
    }
    assert found["settings"] == settings
    assert found["facts"]["own_rows_left_out"] == 6


def test_the_table_says_what_it_would_cost(run):
    result = run("search", "val.parquet", "--backend", "exact", *QUICK)
    assert result.exit_code == 0, result.stderr
    assert "cheapest setting that costs at most 0.5 points of recall@2 is exact" in " ".join(result.stdout.split())
    assert not Path("runs").exists()


@pytest.mark.parametrize("written", [["--output", "out"], ["--json", "out.json"]])
def test_a_full_disk_costs_the_files_but_not_the_numbers(run, monkeypatch, written):
    def full(*_, **__):
        raise te.ResourceError("E801", "no", where="out", fix="free some space")

    monkeypatch.setattr("tripleteval.cli.search.atomic_write", full)
    monkeypatch.setattr("tripleteval.data.search_evaluation.SearchEvaluation.save", full)
    result = run("search", "val.npz", "--backend", "exact", *QUICK, *written)
    assert result.exit_code == 5
    assert "E801" in result.stderr
    assert "recall@2 is exact" in " ".join(result.stdout.split())


def test_a_folder_and_a_file_are_written(run):
    arguments = ["--backend", "exact", *QUICK, "--output", "out", "--json", "out.json"]
    assert run("search", "val.npz", *arguments).exit_code == 0
    assert sorted(path.name for path in Path("out").iterdir()) == [
        "classes.parquet",
        "pareto.svg",
        "search.json",
        "unreached.parquet",
    ]
    kept = json.loads(Path("out/search.json").read_text())
    assert json.loads(Path("out.json").read_text()).items() <= kept.items()
    again = run("search", "val.npz", *arguments[:-2])
    assert (again.exit_code, again.stderr.split()[0]) == (5, "E801")


SEARCHED = ["search", "val.npz", "--backend", "exact", *QUICK, "--output", "out"]


def test_overwrite_replaces_the_folder_of_a_search(run):
    assert run(*SEARCHED).exit_code == 0
    again = run(*SEARCHED, "--distance", "cosine", "--overwrite")
    assert (again.exit_code, again.stderr) == (0, "")
    assert json.loads(Path("out/search.json").read_text())["settings"]["distance"] == "cosine"
    assert sorted(path.name for path in Path().iterdir() if "out" in path.name) == ["out"]


@pytest.mark.parametrize(
    ("file", "said"),
    [("thesis.tex", "more than a search: 'thesis.tex'"), ("search.json", "not a readable search")],
    ids=["a stranger in it", "a document that is none"],
)
def test_overwrite_replaces_no_folder_that_is_not_just_that_of_a_search(run, contents, file, said):
    assert run(*SEARCHED).exit_code == 0
    Path("out", file).write_text("years")
    before = contents()
    refused = run(*SEARCHED, "--overwrite")
    assert (refused.exit_code, refused.stderr.split()[0]) == (5, "E801")
    assert said in refused.stderr
    assert contents() == before


def test_overwrite_of_a_search_replaces_no_run(run, kept, contents):
    before = contents()
    refused = run(*SEARCHED[:-1], kept.name, "--overwrite")
    assert (refused.exit_code, refused.stderr.split()[0]) == (5, "E801")
    assert "more than a search" in refused.stderr
    assert contents() == before


def test_the_json_file_of_a_search_is_not_written_into_its_folder(run, contents):
    assert run(*SEARCHED).exit_code == 0
    before = contents()
    refused = run(*SEARCHED, "--overwrite", "--json", "out/search.json")
    assert (refused.exit_code, refused.stderr.split()[0]) == (4, "E611")
    assert "search.json" in refused.stderr
    assert contents() == before


def test_a_gallery_whose_ids_are_shared(document_of_search):
    found = document_of_search("--backend", "exact", "--gallery", "val.npz")
    assert found["facts"]["own_rows_left_out"] == 6


def test_the_ladder_is_five_more_backends(document_of_search):
    found = document_of_search("--ladder", "--param", "dim=1", "--param", "rescore=4")
    assert [entry["backend"] for entry in found["entries"]] == ["float16", "int8", "pca", "truncate", "binary"]


@pytest.mark.parametrize(
    ("arguments", "code", "exit_code"),
    [
        ([], "E101", 2),
        (["--backend", "anoy"], "E510", 2),
        (["--backend", "exact", "--param", "efSearch"], "E101", 2),
        (["--backend", "exact", "--param", "efSearch=16"], "E510", 2),
        (["--backend", "exact", "--k", "0"], "E308", 2),
        (["--backend", "exact", "--json", "val.npz"], "E611", 4),
        (["--backend", "exact", "--memory", "lots"], "E101", 2),
        (["--backend", "no_such.module:NAME"], "E510", 2),
        (["--backend", "exact", "--shards", "7"], "E101", 2),
        (["--backend", "faiss-hnsw", "--param", "efSearch=16,a"], "E101", 2),
        (["--backend", "faiss-hnsw", "--param", "efSearch=-3"], "E101", 2),
    ],
)
def test_what_cannot_be_is_refused_with_a_code(run, arguments, code, exit_code):
    result = run("search", "val.npz", *arguments)
    assert result.exit_code == exit_code
    assert result.stderr.split()[0] == code
    assert not result.stdout


@pytest.mark.parametrize("printed", [[], ["--json", "-"]])
def test_a_search_of_which_no_setting_ran_fails_with_the_first_reason_and_is_written_all_the_same(run, printed):
    arguments = ["--backend", "faiss-ivf", "--param", "nlist=1000", "--param", "nprobe=1,2", "--output", "out"]
    result = run("search", "val.npz", *arguments, *QUICK, *printed)
    assert result.exit_code == 6
    assert result.stderr.split()[:2] == ["E704", "BackendError"]
    assert "no setting ran, of 2 tried; the first: the library refused" in result.stderr
    assert "nlist=1000" in result.stderr
    assert "No setting ran." in result.stdout
    assert all("error" in entry for entry in json.loads(Path("out/search.json").read_text())["entries"])


def test_one_setting_that_ran_is_enough(run):
    arguments = ["--backend", "faiss-ivf", "--param", "nlist=1000", "--backend", "exact"]
    assert run("search", "val.npz", *arguments, *QUICK).exit_code == 0
