"""``tripleteval pairs``: tables and LFW's list, against stored embeddings."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import tripleteval as te
from tripleteval.cli import main

LFW = "2\t1\nAnn\t1\t2\nAnn\t1\tBob\t3\nCid\t1\t2\nCid\t2\tDan\t1\n"
NAMES = ["Ann_0001", "Ann_0002", "Bob_0003", "Cid_0001", "Cid_0002", "Dan_0001"]


@pytest.fixture
def faces(tmp_path, monkeypatch):
    """Store six faces and work where they are."""
    monkeypatch.chdir(tmp_path)
    vectors = [[0.0, 0.0], [1.0, 0.0], [4.0, 0.0], [0.0, 9.0], [1.0, 9.0], [6.0, 9.0]]
    pq.write_table(pa.table({"embedding": vectors, "id": [f"lfw/{n[:3]}/{n}.jpg" for n in NAMES]}), "faces.parquet")
    return tmp_path


def printed(*arguments: str) -> dict:
    done = CliRunner().invoke(main, ["pairs", *arguments, "--no-save", "--json", "-"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def failed(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["pairs", *arguments, "--no-save"])
    return done.exit_code, done.output


def test_lfws_list_with_its_folds(faces):
    (faces / "pairs.txt").write_text(LFW)
    run = printed("pairs.txt", "--embeddings", "faces.parquet", "--id-column", "id")
    assert run["values"]["auc"]["value"] == 1.0
    assert run["values"]["cv_accuracy"]["value"] == 1.0
    assert run["accounting"]["folds"] == 2


def test_a_table_with_a_column_of_folds_or_a_number_of_them(faces):
    ids = [f"lfw/{n[:3]}/{n}.jpg" for n in NAMES]
    rows = [(ids[0], ids[1], 1, "x"), (ids[0], ids[2], 0, "x"), (ids[3], ids[4], 1, "y"), (ids[4], ids[5], 0, "y")]
    (faces / "pairs.csv").write_text("id_a,id_b,same,fold\n" + "".join(",".join(map(str, r)) + "\n" for r in rows))
    columns = dict(zip(("id_a", "id_b", "same", "fold"), map(list, zip(*rows, strict=True)), strict=True))
    pq.write_table(pa.table(columns), "pairs.parquet")
    common = ("--embeddings", "faces.parquet", "--id-column", "id")
    named = printed("pairs.csv", *common, "--folds", "fold")["values"]
    assert named["cv_accuracy"]["value"] == 1.0
    assert printed("pairs.parquet", *common, "--folds", "fold")["values"] == named
    assert printed("pairs.csv", *common, "--folds", "2")["values"]["cv_accuracy"]["value"] == 1.0
    assert "cv_accuracy" not in printed("pairs.csv", *common)["values"]


def test_positions_where_the_embeddings_have_no_ids(faces):
    np.save("x.npy", np.arange(6.0)[:, None] ** 2)
    (faces / "pairs.csv").write_text("id_a,id_b,same\n0,1,1\n2,5,0\n")
    run = printed("pairs.csv", "--embeddings", "x.npy", "--far", "0.5")
    assert run["values"]["tar@far=0.5"]["value"] == 1.0
    assert (
        run["result_hash"]
        == te.evaluate_pairs([0, 2], [1, 5], [1, 0], embeddings=te.read("x.npy"), fars=[0.5]).result_hash
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (LFW.replace("2\t1\n", "2\t2\n", 1), "E601"),
        (LFW.replace("Bob\t3", "Bob"), "E608"),
        ("id_a,id_b,same\na,b,1\n", "E608"),
        (LFW.replace("Bob", "Eve"), "E501"),
        (LFW.replace("Cid", "Ann"), "E520"),
    ],
)
def test_a_list_that_is_not_what_it_says_is_refused(faces, text, code):
    (faces / "pairs.txt").write_text(text)
    exit_code, output = failed("pairs.txt", "--embeddings", "faces.parquet", "--id-column", "id")
    assert exit_code in (2, 4)
    assert code in output
    assert "Traceback" not in output


def test_pairs_against_the_labels_pass_once_the_column_of_labels_is_left_out(faces):
    table = pa.table({"id": list("abcd"), "label": [0, 0, 1, 1], "embedding": [[0.0], [1.0], [5.0], [7.0]]})
    pq.write_table(table, "labelled.parquet")
    (faces / "pairs.csv").write_text("id_a,id_b,same\na,b,0\nc,d,1\na,c,0\n")
    exit_code, output = failed("pairs.csv", "--embeddings", "labelled.parquet")
    assert exit_code == 2
    assert "E503" in output
    assert "at the command line a file without their column" in " ".join(output.split())
    pq.write_table(table.drop_columns("label"), "unlabelled.parquet")
    assert printed("pairs.csv", "--embeddings", "unlabelled.parquet", "--far", "0.5")["accounting"]["pairs"] == 3


def test_a_table_without_the_columns_is_refused(faces):
    (faces / "pairs.csv").write_text("left,right,same\na,b,1\n")
    exit_code, output = failed("pairs.csv", "--embeddings", "faces.parquet")
    assert exit_code == 4
    assert "E605" in output
    assert "the columns must be called id_a, id_b, same" in output
    (faces / "pairs.csv").write_text("id_a,id_b,same\na,b,1\n")
    assert (
        "the columns must be called id_a, id_b, same, part"
        in failed("pairs.csv", "--embeddings", "faces.parquet", "--folds", "part")[1]
    )


@pytest.mark.parametrize(
    ("row", "where"),
    [
        ("Ann_0001,,1,x", "where: id_b of pairs.csv"),
        ("Ann_0001,Bob_0003,yes,x", "where: same of pairs.csv"),
        ("Ann_0001,Bob_0003,0,", "where: part of pairs.csv"),
        ("Ann_0001,Ann_0001,1,x", "where: pairs.csv"),
    ],
)
def test_a_cell_that_says_nothing_is_found_by_its_column(faces, row, where):
    (faces / "pairs.csv").write_text(f"id_a,id_b,same,part\nCid_0001,Cid_0002,1,y\n{row}\n")
    output = failed("pairs.csv", "--embeddings", "faces.parquet", "--id-column", "id", "--folds", "part")[1]
    assert f"{where}\n" in output


@pytest.mark.parametrize("folds", ["same", "id_a", "id_b", ""])
def test_a_column_that_is_no_fold_is_refused(faces, folds):
    (faces / "pairs.csv").write_text("id_a,id_b,same,group\nAnn_0001,Ann_0002,1,x\nAnn_0001,Bob_0003,0,y\n")
    exit_code, output = failed("pairs.csv", "--embeddings", "faces.parquet", "--id-column", "id", "--folds", folds)
    assert (exit_code, f"--folds {folds!r}, which names no folds" in output) == (2, True)


def test_a_list_without_columns_takes_a_number_of_folds_and_no_name(faces):
    (faces / "pairs.txt").write_text(LFW)
    common = ("pairs.txt", "--embeddings", "faces.parquet", "--id-column", "id", "--folds")
    exit_code, output = failed(*common, "part")
    assert (exit_code, "the list has folds of its own" in output) == (2, True)
    assert printed(*common, "2")["accounting"]["folds"] == 2


@pytest.mark.parametrize("cell", ["1_0", "1.0", "x", "٣"])
def test_text_that_is_no_whole_number_is_no_row(faces, cell):
    np.save("x.npy", np.arange(12.0)[:, None] ** 2)
    (faces / "pairs.csv").write_text(f"id_a,id_b,same\n0,1,1\n2,{cell},0\n", encoding="utf-8")
    exit_code, output = failed("pairs.csv", "--embeddings", "x.npy")
    assert exit_code == 2
    assert f"second {cell!r} of pair 1 (0-based) is no whole number" in output


def test_whole_numbers_beside_ids_of_text_are_ids_in_text_and_rows_in_parquet(faces):
    (faces / "pairs.csv").write_text("id_a,id_b,same\n0,1,1\n2,5,0\n")
    exit_code, output = failed("pairs.csv", "--embeddings", "faces.parquet", "--id-column", "id")
    assert exit_code == 2
    assert "first '0' of pair 0 (0-based) does not exist, one of 2 such firsts" in output
    assert "such as 'lfw/Ann/Ann_0001.jpg'; rows (0-based) are integers" in output
    pq.write_table(pa.table({"id_a": [0, 2], "id_b": [1, 5], "same": [1, 0]}), "pairs.parquet")
    assert printed("pairs.parquet", "--embeddings", "faces.parquet", "--id-column", "id", "--far", "0.5")
