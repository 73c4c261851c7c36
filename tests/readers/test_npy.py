"""An ``.npy`` header is believed only as far as the file is long, and nothing is unpickled."""

from __future__ import annotations

import os
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tripleteval.errors import EvalError, FileError
from tripleteval.readers import blocks, read

Write = Callable[..., Path]


def with_header(path: Path, header: str, data: bytes = b"") -> Path:
    text = header.encode().ljust(118) + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data)
    return path


def claimed(path: Path, shape: str, dtype: str = "'<f4'", data: bytes = b"") -> Path:
    return with_header(path, f"{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}, }}", data)


def test_a_truncated_npy_says_how_many_bytes_are_missing(write: Write) -> None:
    path = write(".npy")
    os.truncate(path, path.stat().st_size - 17)
    with pytest.raises(
        FileError, match=r"E601 188 bytes expected for float32 of shape \(5, 3\), 171 found; 3 of 5 rows"
    ):
        read(path)


def test_bytes_behind_the_array_are_an_error(write: Write, table: Any) -> None:
    path = write(".npy")
    with path.open("ab") as file:
        np.save(file, table.vectors)
    with pytest.raises(FileError, match=r"E601 188 bytes expected .* 376 found"):
        read(path)


@pytest.mark.parametrize("size", [7, 9, 40, 127])
def test_a_header_that_is_cut_is_an_error(size: int, write: Write) -> None:
    path = write(".npy")
    os.truncate(path, size)
    with pytest.raises(FileError, match="E601"):
        read(path)


def test_a_claim_of_64_terabytes_is_refused_before_memory_is_asked_for(tmp_path: Path) -> None:
    path = claimed(tmp_path / "a.npy", "(17592186044416, 1)", data=bytes(64))
    tracemalloc.start()
    with pytest.raises(FileError, match=r"E601 70,368,744,17[0-9],[0-9]+ bytes expected"):
        read(path)
    assert tracemalloc.get_traced_memory()[1] < 2**24
    tracemalloc.stop()


@pytest.mark.parametrize("shape", ["(-1, 4)", "(4, -1)", "(-2, -2)"])
def test_a_negative_side_is_refused(shape: str, tmp_path: Path) -> None:
    with pytest.raises(FileError, match="E601 a header with the shape"):
        read(claimed(tmp_path / "a.npy", shape, data=bytes(16)))


@pytest.mark.parametrize("shape", ["(10**99, 2)", "'x'", "(1.5, 2)", "(None,)", "[2, 2]"])
def test_a_side_that_is_no_number_is_refused(shape: str, tmp_path: Path) -> None:
    with pytest.raises(FileError, match="E601"):
        read(claimed(tmp_path / "a.npy", shape, data=bytes(16)))


def test_a_header_that_is_code_is_not_run(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="E601"):
        read(with_header(tmp_path / "a.npy", f"open({str(tmp_path / 'ran')!r}, 'w')"))
    assert not (tmp_path / "ran").exists()


def test_pickled_objects_are_refused_and_not_run(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return open, (str(tmp_path / "ran"), "w")

    np.save(tmp_path / "a.npy", np.array([[Trap()]], dtype=object), allow_pickle=True)
    with pytest.raises(FileError, match="E603 pickled Python objects"):
        read(tmp_path / "a.npy")
    with pytest.raises(FileError, match="E603"):
        read(tmp_path / "a.npy", labels=tmp_path / "a.npy")
    assert not (tmp_path / "ran").exists()


@pytest.mark.filterwarnings("ignore:Stored array in format 3.0")
@pytest.mark.parametrize(
    ("array", "code"),
    [
        (np.zeros(3), "E304"),
        (np.zeros((2, 3, 4)), "E304"),
        (np.zeros(()), "E304"),
        (np.zeros((0, 3)), "E301"),
        (np.zeros((3, 0)), "E303"),
        (np.zeros((2, 2), dtype=complex), "E203"),
        (np.array([["1.5", "2"]]), "E203"),
        (np.array([["2020-01-01"]], dtype="datetime64[D]"), "E203"),
        (np.zeros((2, 2), dtype=[("id", "i8"), ("v", "f4", 16)]), "E203"),
        (np.zeros((2, 2), dtype=[("ключ", "f4")]), "E203"),
        (np.zeros((2, 2), dtype="V0"), "E203"),
        (np.array([[2**60]]), "E203"),
        (np.zeros((2, 2), dtype=np.longdouble), "E203"),
    ],
)
def test_an_array_that_is_not_vectors_is_refused(array: np.ndarray, code: str, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", array)
    for consume in (read, lambda path: list(blocks(path, 1))):
        with pytest.raises(EvalError, match=code):
            consume(tmp_path / "a.npy")


def test_a_large_array_of_the_wrong_shape_is_refused_without_reading_it(tmp_path: Path) -> None:
    path = claimed(tmp_path / "a.npy", "(1000, 1000, 1000)")
    os.truncate(path, path.stat().st_size + 4 * 10**9)  # a hole: no byte of it exists on the disk
    tracemalloc.start()
    with pytest.raises(EvalError, match="E304"):
        read(path)
    assert tracemalloc.get_traced_memory()[1] < 2**24
    tracemalloc.stop()


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f4", ">f8", "i1", "u1", "i8", "u8", "?"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_every_real_type_and_order_is_read_exactly(dtype: str, order: str, tmp_path: Path) -> None:
    vectors = np.arange(28).reshape(7, 4).astype(dtype, order=order)  # type: ignore[call-overload]
    np.save(tmp_path / "a.npy", vectors)
    np.testing.assert_array_equal(read(tmp_path / "a.npy").vectors, vectors)
    np.testing.assert_array_equal(np.concatenate([b.vectors for b in blocks(tmp_path / "a.npy", 3)]), vectors)


def test_a_block_takes_the_memory_of_a_block(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones((40_000, 64), dtype=np.float32))
    next(blocks(tmp_path / "a.npy", 10))
    tracemalloc.start()
    assert sum(len(block) for block in blocks(tmp_path / "a.npy", 1000)) == 40_000
    assert tracemalloc.get_traced_memory()[1] < 3 * 2**20  # the file has 10 MB
    tracemalloc.stop()


@pytest.mark.parametrize("name", ["embedding_column", "label_column", "id_column", "group_column"])
def test_a_column_of_a_file_without_columns_is_refused(name: str, write: Write) -> None:
    with pytest.raises(EvalError, match="E101 column 'x' was asked of a file without columns"):
        read(write(".npy"), **{name: "x"})  # type: ignore[arg-type]


def test_a_filter_on_a_file_without_columns_is_refused(write: Write) -> None:
    with pytest.raises(EvalError, match="E101 a filter was asked"):
        read(write(".npy"), where="split = 'test'")


def test_values_that_are_not_finite_are_left_to_the_intake(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([[np.nan, 1.0], [np.inf, 2.0]]))
    assert len(read(tmp_path / "a.npy")) == 2
