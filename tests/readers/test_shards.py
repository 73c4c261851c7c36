"""A folder, a pattern or a list of files is one set, in the order of the names, and a bad file is named."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tripleteval as te
from tripleteval.data.stored import StoredVectors
from tripleteval.readers import blocks, read
from tripleteval.readers.shards import called, shards

VECTORS = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
LABELS = np.arange(60) % 7
IDS = [f"item {row}" for row in range(60)]
CUTS = [0, 5, 21, 22, 60]
BUDGETS = [None, 1]  # everything in memory, nothing


def _npy(folder: Path) -> str:
    for shard, (a, b) in enumerate(pairwise(CUTS)):
        np.save(folder / f"part-{shard + 8}.npy", VECTORS[a:b])  # from 8 to 11: text sorts 10 before 8
        np.save(folder / f"label-{shard + 8}.npy", LABELS[a:b])
    return str(folder / "part-*.npy")


def _table(a: int, b: int, **columns: Any) -> pa.Table:
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(VECTORS[a:b].ravel()), 4)
    return pa.table({"vector": vectors, "label": LABELS[a:b], "id": IDS[a:b], "at": range(a, b), **columns})


def _parquet(folder: Path) -> str:
    for shard, (a, b) in enumerate(pairwise(CUTS)):
        pq.write_table(_table(a, b), folder / f"part-{shard + 8}.parquet", row_group_size=9)
    return str(folder / "part-*.parquet")


def refusal(kind: type[te.EvalError], path: Any, **how: Any) -> te.EvalError:
    with pytest.raises(kind) as caught:
        read(path, **how)
    return caught.value


@pytest.mark.parametrize("memory", BUDGETS)
def test_npy_files_with_labels_beside_them_are_one_set(tmp_path: Path, memory: Any) -> None:
    found = read(_npy(tmp_path), labels=tmp_path / "label-*.npy", memory=memory)
    assert isinstance(found.vectors, StoredVectors) is (memory == 1)
    assert np.array_equal(found.vectors[:], VECTORS)
    assert found.labels.values() == LABELS.tolist()
    assert found.name == "part-*.npy"
    listed = read(_npy(tmp_path), labels=list(tmp_path.glob("label-*.npy")), memory=memory)
    assert listed.labels.values() == LABELS.tolist()


@pytest.mark.parametrize("memory", BUDGETS)
def test_files_without_rows_add_none(tmp_path: Path, memory: Any) -> None:
    name = _npy(tmp_path)
    for number in (7, 12):
        np.save(tmp_path / f"part-{number}.npy", VECTORS[:0])
        np.save(tmp_path / f"label-{number}.npy", LABELS[:0])
    found = read(name, labels=tmp_path / "label-*.npy", memory=memory)
    assert np.array_equal(found.vectors[:], VECTORS)
    assert found.labels.values() == LABELS.tolist()
    assert "E301 no rows" in str(refusal(te.DataError, [tmp_path / f"part-{n}.npy" for n in (7, 12)], memory=memory))


@pytest.mark.parametrize("memory", BUDGETS)
def test_parquet_files_bring_labels_ids_and_whatever_else(tmp_path: Path, memory: Any) -> None:
    _parquet(tmp_path)
    found = read(tmp_path, memory=memory)
    assert np.array_equal(found.vectors[:], VECTORS)
    assert (found.labels.values(), found.ids.values()) == (LABELS.tolist(), IDS)
    assert found.meta["at"].to_pylist() == list(range(60))
    some = found.take(np.array([59, 4, 30]))
    assert (some.ids.values(), some.meta["at"].to_pylist()) == ([IDS[59], IDS[4], IDS[30]], [59, 4, 30])
    assert np.array_equal(some.vectors[:], VECTORS[[59, 4, 30]])


@pytest.mark.parametrize("memory", BUDGETS)
def test_a_filter_passes_over_all_files(tmp_path: Path, memory: Any) -> None:
    labels = [f"L{label}" for label in LABELS]
    found = read(_parquet(tmp_path), where="at >= 10 and label != 3", labels=labels, memory=memory)
    kept = np.flatnonzero((np.arange(60) >= 10) & (LABELS != 3))
    assert np.array_equal(found.vectors[:], VECTORS[kept])
    assert found.labels.values() == [labels[row] for row in kept]
    assert found.meta["at"].to_pylist() == kept.tolist()
    assert "E301 no row passes" in str(refusal(te.DataError, tmp_path, where="at > 99", memory=memory))


def test_the_order_is_that_of_the_names_whatever_order_they_are_given_in(tmp_path: Path) -> None:
    _npy(tmp_path)
    files = [tmp_path / f"part-{n}.npy" for n in (11, 8, 10, 9)]
    assert np.array_equal(read(files).vectors, VECTORS)
    assert shards(files, ()) == sorted(files, key=lambda file: int(file.stem[5:]))
    assert called(files) == tmp_path.name


def test_blocks_go_through_all_files(tmp_path: Path) -> None:
    found = list(blocks(_parquet(tmp_path), 10))
    assert np.array_equal(np.concatenate([block.vectors for block in found]), VECTORS)
    assert [value for block in found for value in block.ids.values()] == IDS


@pytest.mark.parametrize("memory", BUDGETS)
def test_files_elsewhere_are_read_by_url(tmp_path: Path, memory: Any) -> None:
    _parquet(tmp_path)
    for url in (f"file://{tmp_path}", f"file://{tmp_path}/part-*.parquet", f"file://{tmp_path}/part-8.parquet"):
        found = read(url, memory=memory)
        assert np.array_equal(found.vectors[:], VECTORS[: 60 if "8" not in url[-10:] else 5])
    np.save(tmp_path / "all.npy", VECTORS)
    assert np.array_equal(read(f"file://{tmp_path}/all.npy", memory=memory).vectors[7:9], VECTORS[7:9])


def test_what_only_fsspec_can_open() -> None:
    fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed")
    with fsspec.open("memory://set/part-0.npy", "wb") as file:
        np.save(file, VECTORS[:20])
    with fsspec.open("memory://set/part-1.npy", "wb") as file:
        np.save(file, VECTORS[20:])
    for memory in BUDGETS:
        assert np.array_equal(read("memory://set/part-*.npy", memory=memory).vectors[:], VECTORS)
        assert np.array_equal(read("memory://set", memory=memory).vectors[:], VECTORS)


def test_a_url_that_leads_nowhere(tmp_path: Path) -> None:
    assert "E604 no file there" in str(refusal(te.FileError, f"file://{tmp_path}/a.npy"))
    assert "E604 a pattern" in str(refusal(te.FileError, f"file://{tmp_path}/*.npy"))
    error = refusal(te.EvalError, "nowhere://a/b.npy")
    assert error.code in ("E604", "E103")
    assert error.fix


@pytest.mark.parametrize("path", [None, 3, b"a.npy", [None], {"a.npy": 1}])
def test_what_is_no_path_is_refused_by_its_type(path: Any) -> None:
    wrong = path[0] if isinstance(path, list) else path
    assert f"E101 a path of type {type(wrong).__name__}" in str(refusal(te.ParameterError, path))


@pytest.mark.parametrize("option", ["embedding_column", "label_column", "id_column", "group_column", "where"])
def test_a_column_that_is_no_text_is_no_fault_of_the_file(tmp_path: Path, option: str) -> None:
    _parquet(tmp_path)
    for memory in BUDGETS:
        assert f"E101 {option}=3" in str(refusal(te.ParameterError, tmp_path, **{option: 3}, memory=memory))


@pytest.mark.parametrize("pattern", ["part-*.npy", "in?er/part-*.npy"])
def test_a_folder_that_is_there_is_no_pattern(tmp_path: Path, pattern: str) -> None:
    folder = tmp_path / "photos [2]" / "inner"
    folder.mkdir(parents=True)
    _npy(folder)
    start = folder if "/" not in pattern else folder.parent
    assert [Path(file).name for file in shards(f"{start}/{pattern}", (".npy",))] == [
        f"part-{shard}.npy" for shard in range(8, 12)
    ]


def test_a_pattern_without_a_file_and_a_folder_without_a_set(tmp_path: Path) -> None:
    assert "E604 a pattern that no file matches" in str(refusal(te.FileError, tmp_path / "*.npy"))
    assert "a folder without files of a known kind; it is empty" in str(refusal(te.FileError, tmp_path))
    assert "E101 an empty list" in str(refusal(te.ParameterError, []))
    _npy(tmp_path)
    _parquet(tmp_path)
    assert "of several kinds: .npy, .parquet" in str(refusal(te.FileError, tmp_path))
    twice = [tmp_path / "part-8.npy"] * 2
    assert "E101 a file given twice" in str(refusal(te.ParameterError, twice))
    assert refusal(te.FileError, [tmp_path / "part-8.npy", tmp_path / "part-88.npy"]).where.endswith("part-88.npy")


def test_a_folder_named_as_a_file_says_what_it_holds(tmp_path: Path) -> None:
    folder = tmp_path / "x.parquet"
    (folder / "year=2020").mkdir(parents=True)
    for name in ("_SUCCESS", "b.txt", "c.md"):
        (folder / name).touch()
    error = refusal(te.FileError, folder)
    assert "it holds '_SUCCESS', 'b.txt', 'c.md' and 1 more" in error.found
    (folder / "b.txt").rename(tmp_path / "b.txt")
    assert "it holds 'b.txt'" in refusal(te.FileError, f"file://{tmp_path}").found
    assert error.fix.startswith("name a file that ends in ")
    pq.write_table(_table(0, 5), folder / "year=2020" / "part-0.parquet")
    assert refusal(te.FileError, folder).fix == f"give a pattern, such as '{folder}/*/*.parquet'"
    assert len(read(f"{folder}/*/*.parquet")) == 5
    assert refusal(te.FileError, f"file://{folder}").fix.endswith(f"'file://{folder}/*.parquet'")


@pytest.mark.parametrize("memory", BUDGETS)
@pytest.mark.parametrize("wrong", [VECTORS[:9, :3], VECTORS[:9].astype(np.float64)], ids=["dim", "dtype"])
def test_a_file_of_another_size_or_type_is_named(tmp_path: Path, memory: Any, wrong: np.ndarray) -> None:
    pattern = _npy(tmp_path)
    np.save(tmp_path / "part-10.npy", wrong)
    error = refusal(te.DataError, pattern, memory=memory)
    assert error.code == "E306"
    assert "part-10.npy" in error.where
    _parquet(tmp_path)
    table = pa.table({"vector": pa.array(wrong.tolist(), pa.list_(pa.from_numpy_dtype(wrong.dtype))), "label": [1] * 9})
    pq.write_table(table.append_column("id", pa.array(map(str, range(9)))), tmp_path / "part-9.parquet")
    error = refusal(te.DataError, str(tmp_path / "*.parquet"), memory=memory)
    assert error.code == "E306"
    assert "part-9.parquet" in error.where


@pytest.mark.parametrize("memory", BUDGETS)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, memory: Any) -> None:
    pattern = _parquet(tmp_path)
    (tmp_path / "part-9.parquet").write_bytes(b"PAR1 but nothing else")
    error = refusal(te.FileError, pattern, memory=memory)
    assert (error.code, error.where) == ("E601", str(tmp_path / "part-9.parquet"))
    pq.write_table(_table(5, 21).drop_columns("label"), tmp_path / "part-9.parquet")
    error = refusal(te.FileError, pattern, memory=memory)
    assert (error.code, error.where) == ("E605", str(tmp_path / "part-9.parquet"))
    assert re.search(r"columns of ids(, groups)? here, of labels, ids(, groups)? in ", error.found), error.found


@pytest.mark.parametrize("memory", BUDGETS)
def test_further_columns_are_those_that_all_files_have(tmp_path: Path, memory: Any) -> None:
    for name, more in (("a", {"split": ["x"], "year": [1]}), ("b", {"year": [2]})):
        table = pa.table({"embedding": [[1.0, 2.0]], "label": ["a"], **more})
        pq.write_table(table, tmp_path / f"{name}.parquet")
    found = read(tmp_path, memory=memory)
    assert {name: list(map(str, found.meta[name])) for name in found.meta} == {"year": ["1", "2"]}


def test_whole_numbers_in_one_file_are_not_the_text_of_another(tmp_path: Path) -> None:
    for name, labels in (("a", [7, 8]), ("b", ["7", "8"])):
        np.savez(tmp_path / f"{name}.npz", vectors=np.eye(2), labels=labels)
    found = refusal(te.LabelError, tmp_path / "*.npz").found
    kinds = f"int at row 0 of {tmp_path}/a.npz, str at row 0 of {tmp_path}/b.npz"
    assert found == f"values of several types: {kinds} (0-based)"
    np.savez(tmp_path / "b.npz", vectors=np.eye(2), labels=np.array([7, 2**63 + 1], dtype=np.uint64))
    assert read(tmp_path / "*.npz").labels.values() == [7, 8, 7, 2**63 + 1]


@pytest.mark.parametrize("memory", BUDGETS)
@pytest.mark.parametrize(
    ("one", "two"),
    [
        pytest.param([1, 2], ["MM", "1"], id="numbers beside text"),
        pytest.param([1, 2**53 + 1], [1.5, None], id="whole numbers beside floats"),
        pytest.param([1, 2], pa.array([1, 2], pa.int8()), id="of another width"),
        pytest.param(["a", "b"], pa.array(["b", "c"]).dictionary_encode(), id="a dictionary beside text"),
        pytest.param(pa.nulls(2), ["a", "b"], id="nulls beside text"),
    ],
)
def test_a_further_column_may_be_of_another_type_in_each_file(tmp_path: Path, one: Any, two: Any, memory: Any) -> None:
    for name, column in (("a", one), ("b", two)):
        table = {"embedding": [[1.0], [2.0]], "label": ["x", "y"], "year": pa.array(column)}
        pq.write_table(pa.table(table), tmp_path / f"{name}.parquet")
    found = read(tmp_path, memory=memory)
    assert isinstance(found.vectors, StoredVectors) is (memory == 1)
    years = [*pa.array(one).to_pylist(), *pa.array(two).to_pylist()]
    assert [repr(year) for year in found.meta["year"]] == [repr(year) for year in years]  # 1 is not 1.0
    assert found.take(np.array([3, 0])).meta["year"] == [years[3], years[0]]
    assert read(tmp_path, where="label = 'y'", memory=memory).meta["year"] == years[1::2]


@pytest.mark.parametrize("memory", BUDGETS)
def test_an_id_in_two_files_is_refused(tmp_path: Path, memory: Any) -> None:
    pattern = _parquet(tmp_path)
    pq.write_table(_table(20, 21), tmp_path / "part-7.parquet")
    error = refusal(te.LabelError, pattern, memory=memory)
    rows = f"rows 0 of {tmp_path}/part-7.parquet; 15 of {tmp_path}/part-9.parquet (0-based)"
    assert error.found == f"1 id used more than once; first: 'item 20' in {rows}"


@pytest.mark.parametrize("memory", BUDGETS)
def test_labels_that_do_not_match_the_rows_of_all_files(tmp_path: Path, memory: Any) -> None:
    pattern = _npy(tmp_path)
    assert refusal(te.LabelError, pattern, labels=LABELS[:-1], memory=memory).code == "E401"
    np.save(tmp_path / "label-8.npy", LABELS[:4])
    np.save(tmp_path / "label-9.npy", LABELS[4:21])
    error = refusal(te.LabelError, pattern, labels=tmp_path / "label-*.npy", memory=memory)
    assert error.code == "E401"
    assert "label-8.npy" in error.where


@pytest.mark.parametrize("memory", BUDGETS)
@pytest.mark.parametrize(
    "labels",
    [[1, None, 3], ["a", "", "c"], [1.5, 2.0, 3.0], [2**53 + 1, 2**53, 7], ["NA", "nan", "007"], [[1], [2, 3], [1]]],
)
def test_labels_mean_the_same_in_memory_and_on_disk(tmp_path: Path, labels: list[Any], memory: Any) -> None:
    for shard, row in ((0, slice(0, 2)), (1, slice(2, 3))):
        table = pa.table({"vector": VECTORS[:3].tolist()[row], "label": pa.array(labels)[row]})
        pq.write_table(table, tmp_path / f"part-{shard}.parquet")

    def outcome(make: Callable[[], te.Embeddings]) -> Any:
        try:
            return make().labels.values()
        except te.LabelError as error:
            return error.code

    expected = outcome(lambda: te.Embeddings(VECTORS[:3], labels))
    assert outcome(lambda: read(tmp_path, memory=memory)) == expected


@pytest.mark.parametrize("memory", BUDGETS)
@pytest.mark.parametrize(
    ("how", "row", "of_set"),
    [({}, 17, 39), ({"where": "at >= 30"}, 17, 9), ({"where": "at = 39"}, 17, 0), ({"where": "at != 3"}, 17, 38)],
)
def test_a_row_that_cannot_be_evaluated_is_named_by_its_file(
    tmp_path: Path, memory: Any, how: dict[str, str], row: int, of_set: int
) -> None:
    pattern = _parquet(tmp_path)
    spoiled = np.array(VECTORS[22:])
    for value, code in ((np.nan, "E201"), (0.0, "E202")):
        spoiled[17] = value
        vectors = pa.FixedSizeListArray.from_arrays(pa.array(spoiled.ravel()), 4)
        pq.write_table(_table(22, 60).set_column(0, "vector", vectors), tmp_path / "part-11.parquet")
        found = read(pattern, memory=memory, **how)
        for given in (found, pickle.loads(pickle.dumps(found)), found.take(np.arange(len(found)))):  # noqa: S301
            with pytest.raises(te.DataError) as caught:
                te.evaluate(given, distance="cosine")
            assert caught.value.code == code
            assert f" {row} of {tmp_path}/part-11.parquet" in caught.value.found
            assert caught.value.where.endswith(f"; rows of the set: {of_set}")


@pytest.mark.parametrize("memory", BUDGETS)
@pytest.mark.parametrize(
    ("column", "values", "code"),
    [
        ("label", [[["a"]]], "E408 values of type list<.*column 'label' of .*part-10.parquet"),
        ("id", [[["a"]]], "E408 values of type list<.*column 'id' of .*part-10.parquet"),
        ("label", pa.array([b"\xff"]).view(pa.string()), "E403 bytes .* at row 0 of .*part-10.parquet"),
        ("label", pa.array([b"\xff", None]).view(pa.string())[:1], "E403 bytes .* at row 0 of .*part-10.parquet"),
        ("label", [0.5], "E403 values of several types: int .*, float at row 0 of .*part-10.parquet"),
    ],
    ids=["nested labels", "nested ids", "not UTF-8", "not UTF-8, sliced", "floats"],
)
def test_a_file_whose_labels_or_ids_are_of_no_use_is_named(
    tmp_path: Path, memory: Any, column: str, values: Any, code: str
) -> None:
    pattern = _parquet(tmp_path)
    pq.write_table(_table(21, 22, **{column: values}), tmp_path / "part-10.parquet")
    with pytest.raises(te.LabelError, match=code):
        read(pattern, memory=memory)


@pytest.mark.parametrize("memory", BUDGETS)
def test_labels_in_lists_that_are_not_utf8_are_a_fault_of_their_file(tmp_path: Path, memory: Any) -> None:
    lists = pa.ListArray.from_arrays(pa.array([0, 1], pa.int32()), pa.array([b"\xff"]).view(pa.string()))
    for shard, (a, b) in enumerate(pairwise(CUTS)):
        labels = lists if b - a == 1 else [["a"]] * (b - a)
        pq.write_table(_table(a, b, label=labels), tmp_path / f"part-{shard}.parquet")
    error = refusal(te.FileError, tmp_path / "part-*.parquet", memory=memory)
    assert (error.code, error.where) == ("E601", str(tmp_path / "part-2.parquet"))


@pytest.mark.parametrize("memory", BUDGETS)
def test_text_that_a_writer_left_as_views_is_text(tmp_path: Path, memory: Any) -> None:
    for shard, (a, b) in enumerate(pairwise(CUTS)):
        views = {name: pa.array([f"{row % 3}" for row in range(a, b)], pa.string_view()) for name in ("label", "shop")}
        pq.write_table(_table(a, b, **views), tmp_path / f"part-{shard}.parquet")
    found = read(tmp_path / "part-*.parquet", where="shop != '0'", memory=memory)
    assert found.labels.values() == [f"{row % 3}" for row in range(60) if row % 3]
    assert found.take(np.array([3, 0])).meta["shop"].to_pylist() == ["2", "1"]


@pytest.mark.parametrize("memory", BUDGETS)
def test_a_file_that_has_no_value_in_a_column_has_no_row_that_passes(tmp_path: Path, memory: Any) -> None:
    for shard, (a, b) in enumerate(pairwise(CUTS)):
        shop = pa.nulls(b - a) if shard == 1 else pa.array(["x"] * (b - a))
        pq.write_table(_table(a, b, shop=shop), tmp_path / f"part-{shard}.parquet")
    found = read(tmp_path / "part-*.parquet", where="shop = 'x'", memory=memory)
    assert found.ids.values() == IDS[:5] + IDS[21:]


def test_rows_of_several_files_and_of_the_stretches_of_a_set_are_named_by_their_file(tmp_path: Path) -> None:
    spoiled = np.array(VECTORS)
    spoiled[[3, 20, 21, 30, 31, 32]] = np.inf
    for shard, (a, b) in enumerate(pairwise(CUTS)):
        np.save(tmp_path / f"part-{shard + 8}.npy", spoiled[a:b])
    wanted = [f"3 of {tmp_path}/part-8.npy", f"15 of {tmp_path}/part-9.npy", f"0 of {tmp_path}/part-10.npy"]
    with pytest.raises(te.DataError) as caught:
        te.evaluate(read(tmp_path / "part-*.npy", labels=LABELS))
    assert f"rows: {'; '.join(wanted)}; 8, 9 of {tmp_path}/part-11.npy …" in caught.value.found
    stretches = blocks(tmp_path / "part-*.npy", 16, labels=LABELS)
    for place, block in zip([*wanted, f"8 of {tmp_path}/part-11.npy"], stretches, strict=False):
        with pytest.raises(te.DataError, match=f"inf at row {place}, column 0 "):
            te.evaluate(block)


@pytest.mark.parametrize("memory", BUDGETS)
@pytest.mark.parametrize("noun", ["labels", "ids", "groups"])
def test_a_missing_value_in_a_file_of_its_own_is_named_by_that_file(tmp_path: Path, memory: Any, noun: str) -> None:
    pattern = _npy(tmp_path)
    for shard, (a, b) in enumerate(pairwise(CUTS)):
        names = [f"{'' if row == 31 else row}\n" for row in range(a, b)]
        (tmp_path / f"name-{shard + 8}.txt").write_text("".join(names))
    error = refusal(te.LabelError, pattern, **{noun: tmp_path / "name-*.txt"}, memory=memory)
    assert error.found == f"1 row without a value (''); first rows: 9 of {tmp_path}/name-11.txt (0-based)"
    assert error.where == f"{noun} of part-*.npy"
    whole = "".join("\n" if row == 31 else f"{row}\n" for row in range(60))
    (tmp_path / "whole.txt").write_text(whole)
    error = refusal(te.LabelError, pattern, **{noun: tmp_path / "whole.txt"}, memory=memory)
    assert f"first rows: 31 of {tmp_path}/whole.txt (0-based)" in error.found


@pytest.mark.parametrize("memory", BUDGETS)
def test_a_missing_value_keeps_its_file_and_row_behind_a_filter(tmp_path: Path, memory: Any) -> None:
    _parquet(tmp_path)
    table = _table(22, 60)
    labels = pa.array([None if row == 17 else row for row in range(38)])
    pq.write_table(table.set_column(1, "label", labels), tmp_path / "part-11.parquet")
    error = refusal(te.LabelError, tmp_path, where="at >= 20", memory=memory)
    assert f"first rows: 17 of {tmp_path}/part-11.parquet (0-based)" in error.found
    array = refusal(te.LabelError, tmp_path, where="at >= 20", labels=[*"a" * 59, None], memory=memory)
    assert "first rows: 59 (0-based)" in array.found  # of the array that was given
    assert read(tmp_path, where="at < 39", memory=memory).labels is not None


def test_where_rows_came_from_is_no_part_of_a_set(tmp_path: Path) -> None:
    found = read(_parquet(tmp_path), where="at != 3", name="set")
    apart = te.Embeddings(found.vectors, found.labels, ids=found.ids, name="set", meta=found.meta)
    assert repr(found) == repr(apart)
    assert len(pickle.dumps(found)) < len(pickle.dumps(apart)) + 8 * len(found) + 2000
    one, two = (te.evaluate(each, kernel="reference", verification=False) for each in (found, apart))
    assert one.result_hash == two.result_hash
