"""``tripleteval evaluate``: every option does what its help says, in every format."""

from __future__ import annotations

import os
from pathlib import Path

import click
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tripleteval as te
from tripleteval.cli import main
from tripleteval.readers import stored_set

FORMATS = [
    ["val.npy", "--labels", "labels.txt"],
    ["val.npz"],
    ["val.parquet"],
    ["val.csv"],
    ["val.tsv"],
    ["val.jsonl"],
    ["lists.csv"],
    ["val.npz", "--labels", "val.csv", "--label-column", "label"],
]


@pytest.mark.parametrize("arguments", FORMATS, ids=" ".join)
def test_every_format_gives_the_numbers_of_the_library(document, arguments):
    expected = te.evaluate(te.read("val.npz")).to_dict()["values"]
    assert document("evaluate", *arguments)["values"] == expected


def test_options_arrive_as_the_parameters_of_the_library(document):
    arguments = ["--distance", "cosine", "-k", "1", "--k", "3", "--margin", "0.1", "--margin", "1.5"]
    arguments += ["--margin-curve", "-1:1:0.5", "--metric", "map@2", "--ties", "index", "--average", "class"]
    arguments += ["--ignore", "group", "--neighbors", "2", "--memory", "64MiB", "--threads", "1"]
    arguments += ["--kernel", "reference", "--nonfinite", "drop", "--zero-rows", "far"]
    expected = te.evaluate(
        te.read("val.npz"),
        distance="cosine",
        ks=(1, 3),
        margins=(0.1, 1.5),
        margin_curve=(-1.0, -0.5, 0.0, 0.5, 1.0),
        metrics=("map@2",),
        ties="index",
        average="class",
        ignore="group",
        neighbors=2,
        nonfinite="drop",
        zero_rows="far",
    ).to_dict()
    printed = document("evaluate", "val.npz", *arguments)
    assert {**printed, "environment": 0} == {**expected, "environment": 0}


# Each option beside what it must change in the document; what is left out here is tested below.
SETTINGS = {
    "--distance": ("cosine", "euclidean"),
    "--ties": ("index", "expected"),
    "--average": ("class", "query"),
    "--nonfinite": ("drop", "refuse"),
    "--zero-rows": ("far", "refuse"),
    "--neighbors": ("3", 10),
}


@pytest.mark.parametrize("option", SETTINGS)
def test_a_setting_is_in_the_document_and_the_default_is_the_one_shown(run, document, option):
    value, default = SETTINGS[option]
    name = option[2:].replace("-", "_")
    assert document("evaluate", "val.npz")["settings"][name] == default
    assert str(document("evaluate", "val.npz", option, value)["settings"][name]) == value
    shown = " ".join(run("evaluate", "--help").stdout.split())
    assert f"[default: {default}]" in shown[shown.index(option) :]


def test_every_default_of_the_command_is_that_of_the_library():
    parameters = te.evaluate.__kwdefaults__
    command = main.get_command(click.Context(main), "evaluate")
    settings = parameters.keys() - {"gallery", "progress"}
    given = {p.name: p.default for p in command.params if p.name in settings}
    same = {name: value for name, value in given.items() if isinstance(value, (str, int, tuple))}
    assert len(same) > 8
    assert same == {name: parameters[name] for name in same}


def test_a_gallery_is_searched_instead_of_the_others(document):
    split = ["--where", "split = 'test'", "--gallery", "val.parquet", "--gallery-where", "split = 'train'"]
    printed = document("evaluate", "val.parquet", *split)
    assert [entry["rows"] for entry in printed["inputs"]] == [4, 2]


def test_a_gallery_has_labels_of_its_own(document):
    np.save("gallery.npy", np.array([[0.0, 0.0], [5.0, 5.0]]))
    np.save("gallery-labels.npy", np.array([3, 8]))
    np.save("labels.npy", np.array([3, 3, 8, 8, 3, 8]))
    sides = ["val.npy", "--labels", "labels.npy", "--gallery", "gallery.npy", "--gallery-labels", "gallery-labels.npy"]
    assert document("evaluate", *sides)["values"]["hit_rate@1"]["value"] == 1.0


def test_columns_of_other_names_are_found_by_name(document):
    vectors = np.random.default_rng(0).normal(size=(6, 2))
    columns = {"v": vectors.tolist(), "w": vectors.tolist(), "what": list("xxyyxy"), "who": list(range(6))}
    pq.write_table(pa.table({**columns, "cam": list("lrrlrl")}), "odd.parquet")
    named = ["--embedding-column", "w", "--label-column", "what", "--id-column", "who", "--group-column", "cam"]
    printed = document("evaluate", "odd.parquet", *named, "--ignore", "group")
    assert printed["accounting"]["ignored_pairs"] > 0
    assert printed["accounting"]["classes"] == 2


def test_a_label_to_ignore_is_dropped_and_counted_whatever_its_type(document):
    for arguments in FORMATS:
        printed = document("evaluate", *arguments, "--ignore-label", "8")
        assert printed["accounting"]["dropped"] == {"queries": {"ignored_label": 3}}


def test_explicit_relevance_takes_the_place_of_labels(document):
    pq.write_table(pa.table({"query": ["a", "c"], "gallery": ["b", "f"]}), "relevance.parquet")
    Path("relevance.tsv").write_text("query-id\tcorpus-id\tscore\na\tb\t1\nc\tf\t1\n")
    Path("relevance.qrels").write_text("a 0 b 1\na 0 c 0\nc 0 f 1\n")
    hashes = set()
    for suffix in ("parquet", "tsv", "qrels"):
        printed = document("evaluate", "val.parquet", "--relevance", f"relevance.{suffix}")
        assert printed["accounting"]["evaluated"] == 2
        hashes.add(printed["result_hash"])
    assert len(hashes) == 1


def test_a_page_of_relevance_with_a_flipped_bit_is_not_believed(run):
    table = pa.table({"query": ["aaaa", "b"], "gallery": ["b", "c"]})
    pq.write_table(table, "relevance.parquet", write_page_checksum=True, compression="none", use_dictionary=False)
    with open("relevance.parquet", "r+b") as file:
        at = file.read().index(b"\4\0\0\0aaaa")  # the value itself, not the statistics beside it
        file.seek(at + 4)
        file.write(b"c")
    result = run("evaluate", "val.npz", "--relevance", "relevance.parquet", "--no-save")
    assert result.exit_code == 4
    assert "E601" in result.stderr


def test_bad_rows_are_dropped_or_far_where_that_is_asked_for(document):
    vectors = np.array([[0, 1], [1, 0.5], [4, 4], [5, 4], [np.nan, 2], [0, 0]])
    np.savez("bad.npz", vectors=vectors, labels=[3, 3, 8, 8, 3, 8])
    dropped = document("evaluate", "bad.npz", "--nonfinite", "drop")["accounting"]["dropped"]
    assert dropped == {"queries": {"nonfinite": 1}}
    both = ["--distance", "cosine", "--nonfinite", "drop", "--zero-rows"]
    dropped = document("evaluate", "bad.npz", *both, "exclude")["accounting"]["dropped"]
    assert dropped == {"queries": {"nonfinite": 1, "zero_vectors": 1}}
    assert document("evaluate", "bad.npz", *both, "far")["accounting"]["zero_vectors"]["queries"] == 1


def test_huge_values_are_taken_where_they_are_meant(run, document):
    np.savez("huge.npz", vectors=np.array([[1e30], [2e30], [8e30], [9e30]]), labels=[0, 0, 1, 1])
    assert run("evaluate", "huge.npz", "--no-save").exit_code == 3
    assert document("evaluate", "huge.npz", "--allow-huge")["values"]["hit_rate@1"]["value"] == 1.0


@pytest.mark.parametrize(
    ("curve", "margins"),
    [
        ("0:0.3:0.1", [0.0, 0.1, 0.2, 0.3]),
        ("-1:1:1", [-1.0, 0.0, 1.0]),
        ("0:1:0.7", [0.0, 0.7]),
        ("0.2:0.2:1", [0.2]),
        ("0:19.9:0.1", [round(0.1 * step, 1) for step in range(200)]),
    ],
)
def test_a_margin_curve_meets_both_ends_as_they_are_written(document, curve, margins):
    assert document("evaluate", "val.npz", "--margin-curve", curve)["settings"]["margin_curve"] == margins


def test_one_class_only_is_measured_and_said_to_be_degenerate(run):
    np.savez("one.npz", vectors=np.eye(3), labels=[7, 7, 7])
    result = run("evaluate", "one.npz", "--no-save")
    assert result.exit_code == 0
    assert "Degenerate: no query has a negative (one class only)" in result.stdout


@pytest.mark.parametrize("share", [0.0, 0.5])  # of the budget: nothing stays in memory, or everything
def test_files_in_a_folder_or_a_pattern_are_one_set(document, folder, monkeypatch, share):
    monkeypatch.setattr(stored_set, "SHARE", share)
    table = pq.read_table("val.parquet")
    os.mkdir("set")
    for shard, (start, count) in enumerate(((0, 1), (1, 3), (4, 2))):
        pq.write_table(table.slice(start, count), f"set/part-{shard}.parquet")
    known = document("evaluate", "val.parquet")
    for name in ("set", "set/part-*.parquet", f"file://{folder}/set"):
        found = document("evaluate", name)
        assert found["values"] == known["values"]
        assert found["inputs"][0]["sha256"] == known["inputs"][0]["sha256"]


def test_what_is_read_as_part_of_a_set_is_never_written_to(run):
    os.mkdir("set")
    for shard in range(2):
        np.save(f"set/part-{shard}.npy", np.load("val.npy")[3 * shard :][:3])
    before = Path("set/part-1.npy").read_bytes()
    done = run("evaluate", "set/part-*.npy", "--labels", "labels.txt", "--json", "set/part-1.npy", "--overwrite")
    assert done.exit_code == 4
    assert "E611 " in done.stderr
    assert "the output is one of the inputs" in done.stderr
    assert Path("set/part-1.npy").read_bytes() == before


def test_a_run_of_a_pattern_is_called_after_its_folder(run):
    os.mkdir("set")
    np.save("set/part-0.npy", np.load("val.npy"))
    assert run("evaluate", "set/part-*.npy", "--labels", "labels.txt").exit_code == 0
    assert [name[:3] for name in os.listdir("runs")] == ["set"]
    for name in ("one", "two"):
        os.makedirs(f"set/{name}")
        np.save(f"set/{name}/part.npy", np.load("val.npy")[::2])
    assert run("evaluate", "set/*/part.npy", "--labels", "labels.txt").exit_code == 0
    assert {name[:3] for name in os.listdir("runs")} == {"set"}  # and none called "*"


def test_calibration_on_rows_that_are_judged_as_well_asks_for_a_filter(run):
    result = run("evaluate", "val.parquet", "--calibrate-on", "split = 'train'", "--no-save")
    assert result.exit_code == 2
    assert "E520" in result.stderr
    assert "fix: say which rows are judged, such as --where" in result.stderr
    filter_or_share = run("evaluate", "val.parquet", "--calibrate-on", "1/2", "--no-save").stderr
    assert "E101" in filter_or_share
    assert "fix: a share such as 0.5, or write" in filter_or_share
