"""Labels from a file of their own: one value per row, as text or integers, exactly as written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tripleteval.errors import EvalError, FileError, LabelError, ParameterError
from tripleteval.readers import read
from tripleteval.readers.column_file import read_columns

Text = Callable[[str, str], Path]
Write = Callable[..., Path]
NAMES = ["007", "7", "NA", "Zoë", "a,b"]


def labels(write: Write, path: Any, **options: str) -> list[Any]:
    found = read(write(".npy"), labels=path, **options).labels  # type: ignore[arg-type]
    assert found is not None
    return list(found.values())


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False])
def test_text_has_one_label_per_line(end: str, last: bool, write: Write, text: Text) -> None:
    assert labels(write, text("l.txt", end.join(NAMES) + (end if last else ""))) == NAMES


@pytest.mark.parametrize("name", ["l.csv", "l.tsv"])
def test_a_table_of_one_column_is_that_column(name: str, write: Write, text: Text) -> None:
    assert labels(write, text(name, "\n".join(["species", *NAMES[:4], '"a,b"', ""]))) == NAMES


def test_a_table_of_several_columns_needs_a_name_unless_one_is_called_label(write: Write, text: Text) -> None:
    path = text("l.csv", "file,label,kind\n" + "".join(f"{n}.png,a{n},b{n}\n" for n in range(5)))
    assert labels(write, path) == [f"a{n}" for n in range(5)]
    assert labels(write, path, label_column="kind") == [f"b{n}" for n in range(5)]
    with pytest.raises(FileError, match="E605 no column 'x'; the columns are 'file', 'label', 'kind'"):
        labels(write, path, label_column="x")
    with pytest.raises(FileError, match="E605 several columns, none of them called id or ids; the columns are 'file'"):
        read(write(".npy"), ids=path)


@pytest.mark.parametrize("values", [[2**53 + 1, 2**53, 1, 2, 3], NAMES])
def test_parquet_and_npy_hold_integers_and_text(values: list[Any], write: Write, tmp_path: Path) -> None:
    pq.write_table(pa.table({"y": values}), tmp_path / "l.parquet", row_group_size=2)
    np.save(tmp_path / "l.npy", np.array(values))
    assert labels(write, tmp_path / "l.parquet") == values
    assert labels(write, tmp_path / "l.npy") == values


@pytest.mark.parametrize("values", [[2**53 + 1, 2**53, 1, 2, 3], NAMES])
def test_archives_and_json_lines_are_tables_too(values: list[Any], write: Write, text: Text, tmp_path: Path) -> None:
    np.savez(tmp_path / "l.npz", labels=np.array(values), vectors=np.zeros((5, 2)))
    lines = [json.dumps({"embedding": [1, 2], "label": value, "other": "x"}) for value in values]
    assert labels(write, tmp_path / "l.npz") == values
    assert labels(write, text("l.jsonl", "\n".join(lines) + "\n")) == values
    assert labels(write, text("l.jsonl", "\n".join(lines) + "\n"), label_column="other") == ["x"] * 5
    for name in ("l.npz", "l.jsonl"):
        with pytest.raises(FileError, match="E605 no column 'lable'; .*did you mean 'label"):
            labels(write, tmp_path / name, label_column="lable")


@pytest.mark.parametrize("name", ["l.txt", "l.npy"])
def test_several_columns_are_not_looked_for_in_a_file_without_any(name: str, text: Text) -> None:
    with pytest.raises(FileError, match="E602 a file without columns, where anchor, positive are needed"):
        read_columns(text(name, "1 2\n"), {"anchor": "ids", "positive": "ids"})


@pytest.mark.parametrize("values", [[2**53 + 1, None, 1, 2, 3], ["a", "b", None, "", "c"]])
def test_a_missing_label_is_refused_with_its_row(values: list[Any], write: Write, tmp_path: Path) -> None:
    pq.write_table(pa.table({"y": values}), tmp_path / "l.parquet", row_group_size=2)
    with pytest.raises(EvalError, match=f"E402 .* first rows: {values.index(None)}"):
        labels(write, tmp_path / "l.parquet")


def test_an_empty_line_is_a_missing_label(write: Write, text: Text) -> None:
    with pytest.raises(EvalError, match=r"E402 1 row .* first rows: 1 "):
        labels(write, text("l.txt", "a\n\nb\nc\nd\n"))


def test_ids_and_groups_come_from_files_too(write: Write, text: Text) -> None:
    found = read(
        write(".npy"), ids=text("i.txt", "1\n2\n3\n4\n5\n"), groups=str(text("g.csv", "camera\na\na\nb\nb\nb\n"))
    )
    assert found.ids is not None
    assert found.groups is not None
    assert (found.ids.values(), found.groups.values()) == (list("12345"), list("aabbb"))


@pytest.mark.parametrize("given", [list("abcde"), tuple("abcde"), np.array(list("abcde")), pa.array(list("abcde"))])
def test_labels_may_be_any_array(given: Any, write: Write) -> None:
    assert labels(write, given) == list("abcde")


def test_labels_may_be_sets_and_are_cut_with_the_rows(write: Write) -> None:
    sets = [{"a"}, {"b", "c"}, {"c"}, {"a"}, {"b"}]
    found = read(write(".parquet"), labels=sets, where="group = 'left'").labels
    assert found is not None
    assert found.values() == [("a",), ("c",)]


@pytest.mark.parametrize("path", ["l.txt", "l.npy"])
def test_a_column_of_a_file_without_columns_is_refused(path: str, write: Write, tmp_path: Path) -> None:
    np.save(tmp_path / "l.npy", np.arange(5))
    (tmp_path / "l.txt").write_text("a\n" * 5)
    with pytest.raises(ParameterError, match="E101 column 'x' of a file without columns"):
        labels(write, tmp_path / path, label_column="x")


def test_an_array_and_a_column_are_one_too_many(write: Write) -> None:
    with pytest.raises(ParameterError, match="E101 an array of labels and also a column 'x'"):
        labels(write, list("abcde"), label_column="x")


def test_a_file_of_another_kind_names_the_known_ones(write: Write, text: Text) -> None:
    with pytest.raises(FileError, match=r"E602 labels in a file that ends in '.json' .*known: .npy, .txt"):
        labels(write, text("l.json", "[]"))


@pytest.mark.parametrize(("array", "code"), [(np.zeros(5), "E403"), (np.zeros((5, 2), int), "E304")])
def test_an_array_that_is_no_column_of_labels_is_refused(
    array: np.ndarray, code: str, write: Write, tmp_path: Path
) -> None:
    np.save(tmp_path / "l.npy", array)
    with pytest.raises(EvalError, match=code):
        labels(write, tmp_path / "l.npy")


def test_a_file_of_labels_that_is_not_utf_8_is_refused(write: Write, tmp_path: Path) -> None:
    (tmp_path / "l.txt").write_bytes(b"a\nb\xe9\n")
    with pytest.raises(FileError, match="E609 byte 0xe9 at offset 3"):
        labels(write, tmp_path / "l.txt")


@pytest.mark.parametrize("dtype", ["'<U0'", "'|V0'", "'|S0'"])
def test_a_claim_of_endless_nothing_is_refused(dtype: str, write: Write, tmp_path: Path) -> None:
    header = (
        f"{{'descr': {dtype}, 'fortran_order': False, 'shape': (10000000000000000,), }}".encode().ljust(117) + b"\n"
    )
    (tmp_path / "l.npy").write_bytes(b"\x93NUMPY\x01\x00\x76\x00" + header)
    with pytest.raises(EvalError, match="E203 elements of type"):
        labels(write, tmp_path / "l.npy")


def test_a_truncated_file_of_labels_is_refused(write: Write, tmp_path: Path) -> None:
    np.save(tmp_path / "l.npy", np.arange(5))
    (tmp_path / "l.npy").write_bytes((tmp_path / "l.npy").read_bytes()[:-1])
    with pytest.raises(FileError, match="E601 168 bytes expected"):
        labels(write, tmp_path / "l.npy")


@pytest.mark.parametrize(
    ("name", "values", "fix"),
    [
        ("l.csv", NAMES[:4], "the first line of a table is its header, not one of the labels: add one"),
        ("l.txt", ["species", *NAMES], "a .txt has no header, its first line is one of the labels: remove"),
        ("l.csv", NAMES[:2], "give one of the labels per row of the vectors"),
        ("l.txt", [*NAMES[:2], "", *NAMES[2:]], "line 3 is empty: remove it"),
        ("l.txt", [*NAMES, "", "\n"], "line 6 is empty: remove it"),
    ],
)
def test_labels_that_do_not_fit_are_named_and_their_header_is_remembered(
    name: str, values: list[str], fix: str, write: Write, text: Text
) -> None:
    path = text(name, "\n".join([*([] if name == "l.txt" else ["a0"]), *values[:-1], values[-1].replace(",", ".")]))
    vectors = write(".npy")
    for memory in ("1GiB", 1):
        with pytest.raises(LabelError, match=f"E401 {len(values)} labels for the 5 vectors of .*npy") as caught:
            read(vectors, labels=path, memory=memory)
        assert caught.value.where == str(path)
        assert caught.value.fix.startswith(fix)


def test_pickled_labels_are_told_to_be_text_or_integers(write: Write, tmp_path: Path) -> None:
    np.save(tmp_path / "l.npy", np.array(NAMES, dtype=object), allow_pickle=True)
    with pytest.raises(FileError, match=r"E603 .*labels and ids as np.array\(values, dtype=str\), or int"):
        labels(write, tmp_path / "l.npy")
