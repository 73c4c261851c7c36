"""An ``.npz`` is an archive from somewhere: its members are counted, weighed and checked before they are read."""

from __future__ import annotations

import io
import os
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tripleteval.errors import EvalError, FileError
from tripleteval.readers import blocks, read

Write = Callable[..., Path]


def npy(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(array))
    return buffer.getvalue()


def archive(path: Path, members: list[tuple[str, bytes]], packed: bool = False) -> Path:
    method = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", method) as file, warnings.catch_warnings(action="ignore"):
        for name, content in members:
            file.writestr(name, content)
    return path


@pytest.mark.parametrize("name", ["vectors", "embeddings", "anything"])
def test_vectors_are_found_by_name_or_because_there_is_no_other_matrix(name: str, tmp_path: Path, table: Any) -> None:
    np.savez(tmp_path / "a.npz", **{name: table.vectors}, labels=np.arange(5), steps=np.zeros((2, 2), int))
    np.testing.assert_array_equal(read(tmp_path / "a.npz").vectors, table.vectors)


def test_arrays_can_be_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", vectors=np.zeros((2, 2)), other=np.ones((2, 3)), y=["a", "b"], who=[1, 2])
    found = read(tmp_path / "a.npz", embedding_column="other", label_column="y", id_column="who")
    assert found.dim == 3
    assert found.labels is not None
    assert found.labels.values() == ["a", "b"]


@pytest.mark.parametrize("options", [{}, {"embedding_column": "v"}, {"label_column": "species"}])
def test_without_the_array_the_others_are_listed_with_their_shapes(options: dict[str, str], tmp_path: Path) -> None:
    arrays = {"a": np.zeros((2, 2)), "b": np.zeros((3, 3))} | ({"vectors": np.ones((2, 2))} if options else {})
    np.savez(tmp_path / "a.npz", **arrays)  # type: ignore[arg-type]
    with pytest.raises(FileError, match=r"E605 no array .*'a' \(float64 of shape \(2, 2\)\); 'b' \(float64"):
        read(tmp_path / "a.npz", **options)  # type: ignore[arg-type]


def test_an_archive_without_arrays_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"E605 .*the archive has no arrays"):
        read(archive(tmp_path / "a.npz", [("readme.txt", b"x")]))


def test_a_member_that_appears_twice_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.npz", [("vectors.npy", npy(np.ones((2, 2)))), ("vectors.npy", npy(np.zeros((2, 2))))])
    with pytest.raises(FileError, match=r"E605 two members named 'vectors.npy'"):
        read(path)


@pytest.mark.parametrize("name", ["../vectors.npy", "/vectors.npy", "a/../../vectors.npy", "..\\vectors.npy"])
def test_a_member_that_points_outside_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(FileError, match="E605 a member that points outside"):
        read(archive(tmp_path / "a.npz", [(name, npy(np.ones((2, 2))))]))


@pytest.mark.parametrize("companion", [0, 2**21])
def test_a_bomb_is_refused_before_it_is_unpacked(companion: int, tmp_path: Path) -> None:
    members = [("vectors.npy", npy(np.zeros((2**10, 2**14), dtype=np.float64))), ("ballast.npy", os.urandom(companion))]
    with pytest.raises(FileError, match=r"E606 .* bytes that unpack to 134,217,856"):
        read(archive(tmp_path / "a.npz", members, packed=True))


def test_many_small_bombs_are_one_large_one(tmp_path: Path) -> None:
    members = [(f"{name}.npy", npy(np.zeros((2**9, 2**13), dtype=np.float64))) for name in "abc"]
    with pytest.raises(FileError, match="E606"):
        read(archive(tmp_path / "a.npz", members, packed=True))


@pytest.mark.parametrize("name", ["vectors", "labels"])
def test_pickled_objects_are_refused(name: str, tmp_path: Path) -> None:
    arrays: dict[str, Any] = {"vectors": np.zeros((1, 1)), name: np.array([[object()]])}
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(FileError, match=f"E603 .*{name}.npy in "):
        read(tmp_path / "a.npz")


@pytest.mark.parametrize("change", ["cut", "flip", "garbage"])
@pytest.mark.parametrize("rows", [None, 2])
def test_a_damaged_archive_is_an_error_in_words(change: str, rows: int | None, write: Write) -> None:
    path = write(".npz")
    content = bytearray(path.read_bytes())
    if change == "flip":
        content[90] ^= 1
    path.write_bytes({"cut": bytes(content[: len(content) // 2]), "garbage": b"PK\x03\x04garbage"}.get(change, content))
    with pytest.raises(FileError, match=r"E601 the file is cut or corrupt: ."):
        read(path) if rows is None else list(blocks(path, rows))


def test_an_encrypted_member_is_an_error_in_words(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.npz", [("vectors.npy", npy(np.ones((2, 2))))])
    content = path.read_bytes()
    path.write_bytes(
        content.replace(b"PK\x03\x04\x14\x00\x00", b"PK\x03\x04\x14\x00\x01").replace(
            b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01"
        )
    )
    with pytest.raises(FileError, match=r"E601 .*password"):
        read(path)


@pytest.mark.parametrize("content", [npy(np.ones((2, 2))) + b"x", npy(np.ones((2, 2)))[:-1]])
def test_a_member_longer_or_shorter_than_its_header_says_is_refused(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=f"E601 160 bytes expected .* {len(content)} found"):
        read(archive(tmp_path / "a.npz", [("vectors.npy", content)]))


@pytest.mark.parametrize("labels", [np.zeros((2, 2), int), np.array(5)])
def test_labels_that_are_no_column_are_refused(labels: np.ndarray, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", vectors=np.zeros((2, 2)), labels=labels)
    with pytest.raises(EvalError, match="E304"):
        read(tmp_path / "a.npz")


@pytest.mark.parametrize("count", [1, 2, 4])
def test_labels_of_another_number_are_refused_by_rows_of_the_file(count: int, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", vectors=np.zeros((3, 2)), labels=np.arange(count))
    for consume in (read, lambda path: list(blocks(path, 1))):
        with pytest.raises(EvalError, match=f"E401 {count} labels?|E305 {count} labels"):
            consume(tmp_path / "a.npz")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_columns_stored_together_are_read_row_by_row(save: Callable[..., None], tmp_path: Path, table: Any) -> None:
    save(tmp_path / "a.npz", vectors=np.asfortranarray(table.vectors))
    np.testing.assert_array_equal(read(tmp_path / "a.npz").vectors, table.vectors)
    np.testing.assert_array_equal(np.concatenate([b.vectors for b in blocks(tmp_path / "a.npz", 2)]), table.vectors)


@pytest.mark.parametrize("names", [("labels", "ids", "groups"), ("label", "id", "group"), ("class", "id", "camera")])
def test_columns_are_found_by_the_names_they_have_in_tables(names: tuple[str, ...], tmp_path: Path) -> None:
    columns = dict(zip(names, (np.array(list("aab")), np.arange(3), np.array([7, 7, 8])), strict=True))
    np.savez(tmp_path / "a.npz", embedding=np.zeros((3, 2)), **columns)
    found = read(tmp_path / "a.npz")
    assert [column.values() for column in (found.labels, found.ids, found.groups) if column is not None] == [
        ["a", "a", "b"],
        [0, 1, 2],
        [7, 7, 8],
    ]


@pytest.mark.parametrize("rows", [None, 1, 2])
def test_further_arrays_of_one_value_per_row_are_carried_along_and_filtered_by(
    rows: int | None, tmp_path: Path
) -> None:
    split, year = np.array([b"test", b"train", b"test"]), np.array([2019, 2020, 2021])
    more = {"split": split, "year": year, "centres": np.zeros((3, 2), int), "loss": np.zeros(2)}
    np.savez(tmp_path / "a.npz", vectors=np.eye(3), labels=list("xyz"), **more)  # type: ignore[arg-type]
    path = tmp_path / "a.npz"

    def found(where: str | None) -> list[Any]:
        parts = [read(path, where=where)] if rows is None else list(blocks(path, rows, where=where))
        assert all(set(part.meta) == {"split", "year"} for part in parts)
        return [(p.meta["year"][i], p.labels.values()[i], *p.vectors[i]) for p in parts for i in range(len(p))]  # type: ignore[union-attr]

    everything = [(2019, "x", 1, 0, 0), (2020, "y", 0, 1, 0), (2021, "z", 0, 0, 1)]
    assert found(None) == everything
    assert found("split = 'test'") == everything[::2]
    assert found("year > 2019 and labels = 'y'") == everything[1:2]
    with pytest.raises(EvalError, match="E101 a filter on column 'yaer' .*did you mean 'year'"):
        found("yaer = 2019")


def test_a_filter_asks_for_one_label_per_row(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", vectors=np.zeros((3, 2)), labels=list("ab"), year=[1, 2, 3])
    with pytest.raises(EvalError, match="E401 2 labels for the 3 rows of the file"):
        read(tmp_path / "a.npz", where="year = 1")


def test_an_array_that_is_not_there_is_told_from_its_neighbour(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", vectors=np.zeros((3, 2)), species=list("abc"))
    with pytest.raises(FileError, match="E605 no array named 'specie' .*did you mean 'species'"):
        read(tmp_path / "a.npz", label_column="specie")
