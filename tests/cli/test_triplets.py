"""``tripleteval triplets``: vectors, rows or ids, from every format that may hold them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tripleteval as te

ANCHORS, POSITIVES, NEGATIVES = [0, 1, 2], [1, 4, 3], [2, 3, 0]
VECTORS = np.array([[0, 1], [1, 0.5], [4, 4], [5, 4], [0.5, 2], [4, 5]], dtype=np.float32)
ROWS = {"anchor": ANCHORS, "positive": POSITIVES, "negative": NEGATIVES}


@pytest.fixture(autouse=True)
def files(folder):
    np.savez("vectors.npz", anchors=VECTORS[ANCHORS], positives=VECTORS[POSITIVES], negatives=VECTORS[NEGATIVES])
    np.savez("rows.npz", **ROWS)
    pq.write_table(pa.table({**ROWS, "note": ["x", "y", "z"]}), "rows.parquet")
    for suffix, comma in ((".csv", ","), (".tsv", "\t")):
        lines = ["anchor,positive,negative", *(f"{a},{p},{n}" for a, p, n in zip(*ROWS.values(), strict=True))]
        (folder / f"rows{suffix}").write_text("\n".join(lines).replace(",", comma) + "\n")
    ids = "abcdef"
    lines = [
        "anchor,positive,negative",
        *(f"{ids[a]},{ids[p]},{ids[n]}" for a, p, n in zip(*ROWS.values(), strict=True)),
    ]
    (folder / "ids.csv").write_text("\n".join(lines) + "\n")


EXPECTED = te.evaluate_triplets(VECTORS[ANCHORS], VECTORS[POSITIVES], VECTORS[NEGATIVES]).to_dict()["values"]


def test_vectors_give_the_numbers_of_the_library(document):
    assert document("triplets", "vectors.npz")["values"] == EXPECTED


@pytest.mark.parametrize("rows", ["rows.npz", "rows.csv", "rows.tsv", "rows.parquet"])
def test_rows_of_every_format_point_into_the_embeddings(document, rows):
    assert document("triplets", rows, "--embeddings", "val.npy")["values"] == EXPECTED


@pytest.mark.parametrize("embeddings", ["val.npz", "val.parquet", "val.csv"])
def test_text_is_ids_where_the_embeddings_have_ids_of_text(document, embeddings):
    printed = document("triplets", "ids.csv", "--embeddings", embeddings)["values"]
    assert {name: number["value"] for name, number in printed.items()} == {n: v["value"] for n, v in EXPECTED.items()}


def test_options_arrive_as_the_parameters_of_the_library(document):
    printed = document("triplets", "vectors.npz", "--distance", "cosine", "--margin", "0.1", "--margin", "0.3")
    sides = (VECTORS[rows] for rows in (ANCHORS, POSITIVES, NEGATIVES))
    assert printed["values"] == te.evaluate_triplets(*sides, distance="cosine", margins=(0.1, 0.3)).to_dict()["values"]


def test_the_column_of_vectors_can_be_named(document):
    np.savez("two.npz", first=np.zeros((6, 2)), second=VECTORS)
    printed = document("triplets", "rows.npz", "--embeddings", "two.npz", "--embedding-column", "second")
    assert printed["values"] == EXPECTED


def test_degenerate_triplets_are_dropped_and_counted_where_that_is_asked_for(run, document):
    np.savez("degenerate.npz", anchor=[*ANCHORS, 5], positive=[*POSITIVES, 5], negative=[*NEGATIVES, 0])
    arguments = ["triplets", "degenerate.npz", "--embeddings", "val.npy"]
    refused = run(*arguments, "--no-save")
    assert refused.exit_code == 2
    assert "E502" in refused.stderr
    assert "--drop-degenerate" in refused.stderr
    printed = document(*arguments, "--drop-degenerate")
    assert printed["values"] == EXPECTED
    assert printed["settings"]["drop_degenerate"] is True


@pytest.mark.parametrize("arguments", [["vectors.npz"], ["rows.npz", "--embeddings", "huge.npy"]])
def test_huge_values_are_taken_where_they_are_meant(run, document, arguments):
    np.save("huge.npy", VECTORS * 1e30)
    sides = dict(zip(("anchors", "positives", "negatives"), (ANCHORS, POSITIVES, NEGATIVES), strict=True))
    np.savez("vectors.npz", **{name: VECTORS[rows] * 1e30 for name, rows in sides.items()})
    refused = run("triplets", *arguments, "--no-save")
    assert refused.exit_code == 3
    assert "--allow-huge" in refused.stderr
    printed = document("triplets", *arguments, "--allow-huge")
    assert printed["values"]["triplet_accuracy"] == EXPECTED["triplet_accuracy"]


@pytest.mark.parametrize("option", [["--drop-degenerate"], ["--embedding-column", "x"]])
def test_an_option_that_would_do_nothing_is_refused(run, option):
    result = run("triplets", "vectors.npz", "--no-save", *option)
    assert result.exit_code == 2
    assert "without --embeddings" in result.stderr


@pytest.mark.parametrize("cell", ["1_0", "1.0", "1e0", "", "x", "٣"])
def test_text_that_is_no_whole_number_is_no_row(run, folder, cell):
    (folder / "odd.csv").write_text(f"anchor,positive,negative\n0,1,2\n{cell},1,2\n", encoding="utf-8")
    result = run("triplets", "odd.csv", "--embeddings", "val.npy", "--no-save")
    assert result.exit_code == 2
    assert "E501" in result.stderr
    assert "of triplet 1 (0-based) is no whole number" in result.stderr
    assert "odd.csv" in result.stderr


def test_a_missing_id_is_found_by_its_column(run, folder):
    (folder / "odd.csv").write_text("anchor,positive,negative\na,b,c\na,,c\n")
    result = run("triplets", "odd.csv", "--embeddings", "val.parquet", "--no-save")
    assert result.exit_code == 3
    assert "where: positive of odd.csv\n" in result.stderr


def test_an_array_that_is_missing_is_named_beside_those_that_are_there(run):
    np.savez("odd.npz", anchor=[0], positive=[1], other=[2])
    result = run("triplets", "odd.npz", "--embeddings", "val.npy", "--no-save")
    assert result.exit_code == 4
    assert "no array 'negative'; the archive has 'anchor', 'positive', 'other'" in result.stderr


def test_integers_are_rows_in_arrays_and_parquet_and_ids_in_text(run, document):
    for rows in ("rows.npz", "rows.parquet"):
        printed = document("triplets", rows, "--embeddings", "val.npz")["values"]
        assert printed["triplet_accuracy"]["value"] == EXPECTED["triplet_accuracy"]["value"]
    result = run("triplets", "rows.csv", "--embeddings", "val.npz", "--no-save")
    assert result.exit_code == 2
    assert "anchor '0' of triplet 0 (0-based) does not exist, one of 3 such anchors" in result.stderr
    assert "fix: write ids of the embeddings, such as 'a'; rows (0-based) are integers" in result.stderr


def test_a_row_that_does_not_exist_comes_with_those_that_do(run, folder):
    (folder / "far.csv").write_text("anchor,positive,negative\n0,1,9\n")
    result = run("triplets", "far.csv", "--embeddings", "val.npy", "--no-save")
    assert "negative 9 of triplet 0 (0-based) does not exist\n" in result.stderr
    assert "fix: write rows from 0 to 5" in result.stderr


@pytest.mark.parametrize("rows", ["rows.npz", "rows.csv", "rows.parquet"])
def test_rows_without_embeddings_are_told_to_name_them(run, rows):
    result = run("triplets", rows, "--no-save")
    assert result.exit_code == 4
    assert "E605" in result.stderr
    assert "--embeddings" in result.stderr


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_table_without_the_columns_says_which_it_needs(run, folder, suffix):
    (folder / "odd.csv").write_text("a,p,n\n0,1,2\n")
    pq.write_table(pa.table({"a": [0], "p": [1], "n": [2]}), "odd.parquet")
    result = run("triplets", f"odd{suffix}", "--embeddings", "val.npy", "--no-save")
    assert result.exit_code == 4
    assert "no column 'anchor'" in result.stderr
    assert "fix: the columns must be called anchor, positive, negative" in result.stderr
