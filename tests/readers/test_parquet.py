"""Parquet columns keep their rows: no list is re-cut, no null filled or skipped, no integer made a float."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tripleteval as te
from tripleteval.data.labels import LabelSets
from tripleteval.errors import DataError, EvalError, FileError, LabelError, ParameterError
from tripleteval.readers import blocks, read
from tripleteval.readers.arrow_table import as_labels, as_matrix

Write = Callable[..., Path]
Store = Callable[..., Path]
VECTORS = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return a function that writes columns and returns the path."""

    def write_columns(columns: Any = None, /, **more: Any) -> Path:
        table = pa.table({**(columns or {}), **more})
        pq.write_table(table, tmp_path / "a.parquet", row_group_size=3)
        return tmp_path / "a.parquet"

    return write_columns


def refusal(path: Path, **options: Any) -> EvalError:
    with pytest.raises(EvalError) as error:
        read(path, **options)
    return error.value


@pytest.mark.parametrize("make", [pa.list_, pa.large_list, lambda kind: pa.list_(kind, 2)])
@pytest.mark.parametrize("kind", [pa.float16(), pa.float32(), pa.float64(), pa.int8(), pa.uint8(), pa.int64()])
def test_every_list_of_numbers_is_read_exactly(make: Any, kind: pa.DataType, store: Store) -> None:
    found = read(store(vector=pa.array([[np.float16(v) for v in row] for row in VECTORS]).cast(make(kind)))).vectors
    assert found.tolist() == VECTORS
    assert found.dtype == kind.to_pandas_dtype()


@pytest.mark.parametrize("name", ["embedding", "embeddings", "vector", "vectors", "only"])
def test_vectors_are_found_by_name_or_because_there_is_no_other_list(name: str, store: Store) -> None:
    assert read(store({name: VECTORS, "tags": [["a"]] * 4, "year": [1, 2, 3, 4]})).dim == 2


def test_one_of_several_lists_must_be_named(store: Store) -> None:
    path = store(a=VECTORS, b=VECTORS)
    assert "E605 several columns are lists of numbers; the columns are 'a' (list<" in str(refusal(path))
    assert read(path, embedding_column="b").dim == 2
    assert "E605 no column 'c'" in str(refusal(path, embedding_column="c"))


def test_a_file_without_a_list_of_numbers_shows_its_columns(store: Store) -> None:
    assert "E605 no column is a list of numbers; the columns are 'x' (double)" in str(refusal(store(x=[1.0])))


@pytest.mark.parametrize("values", [["a"], [1.0], [["a"]], [{"x": 1.0}], [[[1.0]]]])
def test_a_named_column_that_is_no_list_of_numbers_is_refused(values: list[Any], store: Store) -> None:
    assert "E203 column 'x' is of type" in str(refusal(store(x=values), embedding_column="x"))


def test_a_missing_column_lists_the_others_with_their_types(store: Store) -> None:
    for option in ("label_column", "id_column", "group_column"):
        error = refusal(store(vector=VECTORS, year=[1, 2, 3, 4]), **{option: "species"})
        assert "E605 no column 'species'; the columns are 'vector' (list<element: double>), 'year' (int64)" in str(
            error
        )


def test_a_column_that_appears_twice_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table([pa.array(VECTORS), pa.array(VECTORS)], names=["vector", "vector"]), tmp_path / "a.parquet")
    assert "E605 columns that appear twice: 'vector'" in str(refusal(tmp_path / "a.parquet"))


@pytest.mark.parametrize("fixed", [False, True])
def test_a_missing_vector_is_refused_with_its_row(fixed: bool, store: Store) -> None:
    rows = pa.array([VECTORS[0], VECTORS[1], VECTORS[2], None], pa.list_(pa.float32(), 2 if fixed else -1))
    for consume in (read, lambda path: list(blocks(path, 2))):
        with pytest.raises(DataError, match="E205 1 null vector; first: row 3 "):
            consume(store(vector=rows))


@pytest.mark.parametrize("rows", [None, 1])
def test_rows_of_different_lengths_are_not_cut_anew(rows: int | None, store: Store) -> None:
    path = store(vector=[[1.0, 2.0], [3.0], [4.0, 5.0, 6.0]])
    with pytest.raises(DataError, match=r"E205 row 1 \(0-based\) has 1 values, the rows before it 2"):
        read(path) if rows is None else list(blocks(path, rows))


def test_a_row_of_another_length_in_a_later_block_is_found(store: Store) -> None:
    path = store(vector=[[1.0, 2.0]] * 4 + [[1.0, 2.0, 3.0]])
    for consume in (read, lambda path: list(blocks(path, 2))):
        with pytest.raises(DataError, match="E205 row 4 "):
            consume(path)


@pytest.mark.parametrize("fixed", [False, True])
def test_a_missing_value_is_not_a_nan(fixed: bool, store: Store) -> None:
    rows = pa.array([*VECTORS[:3], [7.0, None]], pa.list_(pa.float32(), 2 if fixed else -1))
    with pytest.raises(DataError, match="E201 1 null value; first: row 3, column 1 "):
        read(store(vector=rows))


@pytest.mark.parametrize("kind", [pa.list_(pa.float32()), pa.list_(pa.float32(), 2), pa.large_list(pa.float32())])
def test_a_slice_of_a_column_gives_the_rows_of_the_slice(kind: pa.DataType) -> None:
    part = pa.array(VECTORS, kind).slice(1, 2)
    assert as_matrix(part, np.arange(1, 3), None, "x").tolist() == VECTORS[1:3]


def test_vectors_of_no_length_are_refused(store: Store) -> None:
    assert refusal(store(vector=pa.array([[], []], pa.list_(pa.float32())))).code == "E303"


def test_a_tensor_of_one_dimension_is_a_vector_and_of_two_is_not(tmp_path: Path) -> None:
    for shape, codes in (((2,), None), ((1, 2), "E605")):
        kind = pa.fixed_shape_tensor(pa.float32(), shape)
        column = pa.ExtensionArray.from_storage(kind, pa.array(VECTORS, pa.list_(pa.float32(), 2)))
        pq.write_table(pa.table({"vector": column}), tmp_path / "a.parquet")
        if codes:
            assert refusal(tmp_path / "a.parquet").code == codes
        else:
            assert read(tmp_path / "a.parquet").vectors.tolist() == VECTORS


@pytest.mark.parametrize("name", ["label", "labels", "class"])
def test_labels_are_found_by_name(name: str, store: Store) -> None:
    assert values(read(store({"vector": VECTORS, name: list("abab")})).labels) == list("abab")


@pytest.mark.parametrize(
    "labels",
    [
        pa.array([2**53, 2**53 + 1, 2**53, -(2**63)]),
        pa.array([2**64 - 1, 2**64 - 2, 0, 1], pa.uint64()),
        pa.array(["007", "7", "NA", "a\0"]),
        pa.array(["a", "b", "a", "c"]).dictionary_encode(),
        pa.array(["a", "b", "a", "c"], pa.large_string()),
        pa.array([1, 2, 1, 2], pa.int8()),
        pa.array([datetime.date(2020, 1, 1)] * 4),
    ],
)
@pytest.mark.parametrize("rows", [None, 1])
def test_labels_of_every_type_are_exact(labels: pa.Array, rows: int | None, store: Store) -> None:
    path = store(vector=VECTORS, label=labels)
    parts = [read(path)] if rows is None else blocks(path, rows)
    assert [value for part in parts for value in values(part.labels)] == labels.to_pylist()


def test_ids_of_bytes_are_text_or_refused_with_their_row(store: Store) -> None:
    assert values(read(store(vector=VECTORS, id=[b"a", b"b", b"c", b"d"])).ids) == ["a", "b", "c", "d"]
    error = refusal(store(vector=VECTORS, id=[b"a", b"\xff", b"c", b"d"]))
    assert "E403 bytes that are not text in UTF-8, b'\\xff' at row 1" in str(error)


@pytest.mark.parametrize("kind", [pa.timestamp("ns"), pa.timestamp("ns", "UTC"), pa.time64("ns"), pa.duration("ns")])
def test_times_finer_than_python_can_hold_stay_apart(kind: pa.DataType, store: Store) -> None:
    times = pa.array(np.array([1, 2, 1, 1000]).tolist(), pa.int64()).view(kind)
    found = read(store(vector=VECTORS, label=times))
    assert [found.labels.codes.tolist().index(code) for code in found.labels.codes] == [0, 1, 0, 3]
    slices = te.evaluate(read(store(vector=VECTORS, label=[1, 1, 2, 2], taken=times)), by="taken").slices
    assert len(slices) == 3


@pytest.mark.skipif(not hasattr(pa, "uuid"), reason="this pyarrow has no type for a UUID")
@pytest.mark.parametrize("memory", [None, 1])
def test_a_uuid_is_an_id_as_it_is_written(memory: Any, store: Store) -> None:
    ids = [uuid.UUID(int=0xFF << row) for row in range(4)]
    path = store(vector=VECTORS, id=pa.array([one.bytes for one in ids], pa.uuid()))
    assert values(read(path, memory=memory).ids) == [str(one) for one in ids]


@pytest.mark.parametrize("labels", [[2**53 + 1, None, 3, None], ["a", None, "b", ""]])
def test_missing_labels_are_refused_with_their_rows(labels: list[Any], store: Store) -> None:
    with pytest.raises(LabelError, match=r"E402 2 rows without a value \(None\); first rows: 1, 3 of .* · labels of "):
        read(store(vector=VECTORS, label=labels))


def test_a_missing_label_keeps_its_row_of_the_file_behind_a_filter_and_in_blocks(store: Store) -> None:
    path = store(vector=VECTORS, label=["a", None, "b", None], split=["x", "x", "y", "y"])
    with pytest.raises(LabelError, match="first rows: 3 "):
        read(path, where="split = 'y'")
    with pytest.raises(LabelError, match="first rows: 1 "):
        list(blocks(path, 1))


def test_a_null_in_a_dictionary_is_a_missing_label(store: Store) -> None:
    with pytest.raises(LabelError, match=r"E402 1 row .* first rows: 3 "):
        read(store(vector=VECTORS, label=pa.array(["a", "b", "a", None]).dictionary_encode()))
    labels = pa.DictionaryArray.from_arrays(pa.array([0, 1, 0, None]), pa.array(["a", None]))
    assert as_labels(labels, "x") == ["a", None, "a", None]


@pytest.mark.parametrize("noun", ["id", "group"])
def test_a_missing_id_or_group_is_refused(noun: str, store: Store) -> None:
    with pytest.raises(LabelError, match=rf"E402 1 row without .*; first rows: 2 of .* · {noun}s of "):
        read(store({"vector": VECTORS, noun: ["a", "b", None, "c"]}))


def test_a_list_of_labels_is_several_labels(store: Store) -> None:
    found = read(store(vector=VECTORS, labels=[["a", "b"], ["b"], ["c", "a", "a"], ["a"]])).labels
    assert isinstance(found, LabelSets)
    assert found.values() == [("a", "b"), ("b",), ("a", "c"), ("a",)]


@pytest.mark.parametrize("bad", [None, [], ["a", None], [""]])
def test_a_list_of_labels_may_not_be_empty(bad: Any, store: Store) -> None:
    with pytest.raises(LabelError, match=r"E402 1 row .* first rows: 1 "):
        read(store(vector=VECTORS, labels=[["a"], bad, ["b"], ["c"]]))


@pytest.mark.parametrize(("labels", "code"), [([[["a"]]] * 4, "E408"), ([{"x": 1}] * 4, "E408"), ([0.5] * 4, "E403")])
def test_labels_that_cannot_be_classes_are_refused(labels: list[Any], code: str, store: Store) -> None:
    assert refusal(store(vector=VECTORS, label=labels)).code == code


@pytest.mark.parametrize("name", ["group", "camera", "session"])
def test_groups_are_found_by_name(name: str, store: Store) -> None:
    assert values(read(store({"vector": VECTORS, name: [1, 1, 2, 2]})).groups) == [1, 1, 2, 2]


def test_the_other_plain_columns_are_carried_along_in_order(store: Store) -> None:
    path = store(vector=VECTORS, year=[1, None, 3, 4], url=["a", "b", "c", "d"], tags=[["x"]] * 4, box=[{"x": 1}] * 4)
    found = read(path)
    assert {name: column.to_pylist() for name, column in found.meta.items()} == {
        "year": [1, None, 3, 4],
        "url": ["a", "b", "c", "d"],
    }
    assert found.take(np.array([3, 0])).meta["url"].to_pylist() == ["d", "a"]
    assert [part.meta["year"].to_pylist() for part in blocks(path, 3)] == [[1, None, 3], [4]]


def test_a_read_that_spans_many_blocks_is_put_together_in_order(tmp_path: Path) -> None:
    count = 150_000
    pq.write_table(
        pa.table(
            {"vector": np.arange(count, dtype=np.float32)[:, None].tolist(), "label": range(count), "n": range(count)}
        ),
        tmp_path / "a.parquet",
    )
    found = read(tmp_path / "a.parquet")
    np.testing.assert_array_equal(found.vectors[:, 0], np.arange(count))
    assert values(found.labels) == list(range(count))
    assert found.meta["n"].to_pylist() == list(range(count))


def test_a_flipped_bit_in_a_page_with_a_checksum_is_found(write: Write) -> None:
    path = write(".parquet", row_group_size=5)
    content = bytearray(path.read_bytes())
    at = content.find(np.float32(1 / 3).tobytes())
    assert at > 0
    content[at] ^= 1
    path.write_bytes(content)
    with pytest.raises(FileError, match=r"E601 .*(CRC|checksum)"):
        read(path)


@pytest.mark.parametrize("keep", [8, 100, -1, -9])
def test_a_truncated_file_is_an_error(keep: int, write: Write) -> None:
    path = write(".parquet")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(FileError, match="E601 the file is cut or corrupt: "):
        read(path)


def test_a_file_without_rows_is_refused(store: Store) -> None:
    assert refusal(store(vector=pa.array([], pa.list_(pa.float32())))).code == "E301"


FILTERED = {
    "vector": [[float(n)] for n in range(4)],
    "split": ["train", "test", None, "test"],
    "year": [2019, 2020, 2021, None],
    "big": pa.array([2**64 - 1, 2**63, 2**53 + 1, 2**53], pa.uint64()),
    "ok": [True, False, None, True],
    "day": pa.array([datetime.date(2020, 1, day) for day in (1, 2, 3, 4)]),
    "tag": pa.array(["a", "b", "a", None]).dictionary_encode(),
    "share": [0.5, 0.25, float("nan"), -1.0],
    "a b": [1, 2, 3, 4],
}


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        ("split = 'test'", [1, 3]),
        ('split == "test"', [1, 3]),
        ("split != 'train'", [1, 3]),
        ("year >= 2020", [1, 2]),
        ("year < 2020.5 AND split='test'", [1]),
        ("year>2018 and year<=2020 and ok = true", [0]),
        ("big = 9007199254740993", [2]),
        ("big > 9223372036854775807", [0, 1]),
        ("ok = false", [1]),
        ("day >= '2020-01-03'", [2, 3]),
        ("tag = 'a'", [0, 2]),
        ("share <= .5", [0, 1, 3]),
        ("year < 2021.0", [0, 1]),
        ("big > 4503599627370496.5", [0, 1, 2, 3]),
        ("`a b` = 2", [1]),
        ("'a b' != 2", [0, 2, 3]),
        ("vector = 1", None),
        ("year = 'x'", None),
        ("split = 1", None),
        ("split = true", None),
        ("ok = 1", None),
        ("year = true", None),
        ("day = 'yesterday'", None),
        ("tag = 1", None),
        ("yeer = 1", None),
    ],
)
@pytest.mark.parametrize("size", [None, 1])
def test_a_filter_keeps_what_passes_and_refuses_what_cannot_be_compared(
    where: str, rows: list[int] | None, size: int | None, store: Store
) -> None:
    path = store(FILTERED)
    if rows is None:
        with pytest.raises(ParameterError, match="E101"):
            read(path, where=where) if size is None else list(blocks(path, size, where=where))
    else:
        parts = [read(path, where=where)] if size is None else blocks(path, size, where=where)
        assert [row for part in parts for row in part.vectors[:, 0].tolist()] == rows


@pytest.mark.parametrize(
    ("where", "fix"),
    [
        ("vector = 1", "test a column of text, numbers, days, or true and false"),
        ("year = 'x'", "write numbers without quotes"),
        ("tag = 1", "put quotes around text"),
        ("ok = 1", "write true or false"),
        ("day = 'yesterday'", "write a day as '2020-12-31', in quotes"),
    ],
)
def test_a_value_that_does_not_fit_is_told_how_to_be_written(where: str, fix: str, store: Store) -> None:
    assert refusal(store(FILTERED), where=where).fix.startswith(fix)


def test_a_filter_that_no_row_passes_is_an_error(store: Store) -> None:
    assert "E301 no row passes the filter" in str(refusal(store(FILTERED), where="split = 'Test'"))


def test_a_row_that_the_filter_drops_may_be_broken(store: Store) -> None:
    path = store(vector=[[1.0, 2.0], None, [3.0]], split=["a", "b", "c"])
    assert read(path, where="split = 'a'").vectors.tolist() == [[1, 2]]
    assert "row 2 (0-based) has 1 values" in str(refusal(path, where="split != 'b'"))


def test_vectors_named_as_labels_are_told_apart_from_a_file_without_vectors(store: Store) -> None:
    path = store(embedding=VECTORS, species=["a", "b", "a", "b"])
    for memory in ("1GiB", 1):
        error = refusal(path, label_column="embedding", memory=memory)
        assert error.found == "column 'embedding', the only one of vectors, was named as that of labels"
        assert error.fix.startswith("name the column of labels; the columns are 'embedding'")
        assert "'species' (string)" in error.fix
    assert "no column is a list of numbers" in str(refusal(store(species=["a", "b"])))


def values(labels: Any) -> list[Any]:
    found: list[Any] = labels.values()
    return found
