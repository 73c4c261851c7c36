"""Vectors on disk answer as the array would, travel as names of files, and notice when a file changes."""

import os
import pickle
import threading

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tripleteval as te
from tripleteval.data import stored
from tripleteval.data.facts import Facts, facts_of
from tripleteval.data.stored import StoredVectors
from tripleteval.readers import stored_npy

ON_DISK = 1  # a budget of one byte: nothing is small enough to be held


def made(rows: int = 1000, dim: int = 5, dtype: str = "float32") -> np.ndarray:
    values = np.random.default_rng(rows).normal(size=(rows, dim)) * 50
    return values.astype(dtype)


def saved(folder, vectors, suffix: str, cuts: tuple[int, ...] = ()) -> str:
    """Write vectors as files cut at some rows, and return the pattern that names them."""
    for shard, part in enumerate(np.split(vectors, list(cuts))):
        if suffix == ".npy":
            np.save(folder / f"part-{shard}.npy", part)
        else:
            kind = pa.list_(pa.from_numpy_dtype(part.dtype))
            table = pa.table({"vector": pa.array(part.tolist(), kind), "row": [f"r{row}" for row in range(len(part))]})
            pq.write_table(table, folder / f"part-{shard}.parquet", row_group_size=100)
    return str(folder / f"part-*{suffix}")


def on_disk(folder, vectors, suffix: str, cuts: tuple[int, ...] = ()) -> StoredVectors:
    found = te.read(saved(folder, vectors, suffix, cuts), memory=ON_DISK).vectors
    assert isinstance(found, StoredVectors)
    return found


def received(vectors: StoredVectors) -> StoredVectors:
    """Return what another process gets."""
    return pickle.loads(pickle.dumps(vectors))  # noqa: S301  # our own


@pytest.mark.parametrize(
    ("suffix", "cuts"),
    [(".npy", ()), (".npy", (1, 130, 600)), (".parquet", ()), (".parquet", (1, 130, 130, 600))],  # one is empty
)
def test_rows_come_as_the_array_would_give_them(tmp_path, suffix, cuts):
    array = made()
    vectors = on_disk(tmp_path, array, suffix, cuts)
    assert (vectors.shape, vectors.ndim, len(vectors), vectors.nbytes) == (array.shape, 2, 1000, array.nbytes)
    drawn = np.random.default_rng(0).integers(0, 1000, 300)
    for key in (slice(0, 1000), slice(120, 140), slice(599, 601), slice(990, 2000), slice(5, 5), slice(8, 3), -1, 7):
        assert np.array_equal(vectors[key], array[key]), key
    for key in (drawn, np.zeros(0, np.int64), np.array([999, 0, 0, 5]), drawn - 1000, np.arange(1000) % 3 == 0):
        assert np.array_equal(vectors[key], array[key])
    assert np.array_equal(vectors[10:900:7], array[10:900:7])


@pytest.mark.parametrize("suffix", [".npy", ".parquet"])
def test_what_is_taken_stays_on_disk_where_it_is_much(tmp_path, suffix, monkeypatch):
    array = made()
    vectors = on_disk(tmp_path, array, suffix, (400,))
    rows = np.random.default_rng(1).permutation(1000)[:700]
    assert isinstance(vectors.take(rows), np.ndarray)
    monkeypatch.setattr(stored, "SMALL", 100)
    taken = vectors.take(rows).take(np.arange(0, 700, 2))
    assert isinstance(taken, StoredVectors)
    assert np.array_equal(taken[:], array[rows[::2]])
    assert np.array_equal(taken[np.array([3, 1])], array[rows[::2]][[3, 1]])
    assert np.array_equal(taken[20:23], array[rows[::2]][20:23])


@pytest.mark.parametrize("dtype", ["float16", "float64", "int8", ">f4", "bool", "int64"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_every_type_and_layout_of_npy_comes_as_when_it_is_read_whole(tmp_path, dtype, order):
    np.save(tmp_path / "a.npy", np.asarray(made(), order=order).astype(dtype, order=order))
    whole, vectors = (te.read(tmp_path / "a.npy", memory=m).vectors for m in (None, ON_DISK))
    assert isinstance(vectors, StoredVectors)
    assert vectors[3:700].dtype == vectors.dtype == whole.dtype
    assert np.array_equal(vectors[3:700], whole[3:700])
    assert np.array_equal(vectors[np.array([9, 2])], whole[[9, 2]])


def test_facts_are_those_of_the_array_and_are_found_once(tmp_path, monkeypatch):
    array = made()
    array[3], array[5, 1], array[7] = 0, np.nan, [1, 0, 0, 0, 0]
    vectors = on_disk(tmp_path, array, ".npy", (300,))
    for mine, known in zip(facts_of(vectors), Facts.of(array), strict=True):
        np.testing.assert_allclose(mine, known, rtol=1e-12, atol=1e-9)
    assert np.flatnonzero(vectors.facts().zero).tolist() == [3]
    assert np.flatnonzero(~vectors.facts().finite).tolist() == [5]
    monkeypatch.setattr(StoredVectors, "_stretch", None)
    assert vectors.facts() is vectors.facts()


def test_facts_of_blocks_are_those_of_all_rows_together():
    array = made()
    array[3], array[995], array[7, 4] = 0, np.arange(5) == 1, np.inf
    for mine, known in zip(Facts.joined([Facts.of(array[:10]), Facts.of(array[10:])]), Facts.of(array), strict=True):
        np.testing.assert_allclose(mine, known, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("suffix", [".npy", ".parquet"])
def test_it_travels_as_names_and_numbers(tmp_path, suffix):
    vectors = on_disk(tmp_path, made(), suffix, (500,))
    vectors.facts()
    assert len(pickle.dumps(vectors)) < 2000
    assert np.array_equal(received(vectors)[490:510], vectors[490:510])


def test_what_was_seen_of_all_rows_travels_along(tmp_path, monkeypatch):
    vectors = on_disk(tmp_path, made(), ".npy")
    known = vectors.facts()
    there = received(vectors)
    monkeypatch.setattr(StoredVectors, "_stretch", None)
    assert np.array_equal(there.facts().centre, known.centre)
    assert np.array_equal(there.facts().lowest, known.lowest)


def test_threads_read_at_once(tmp_path):
    array = made()
    vectors = on_disk(tmp_path, array, ".parquet", (300, 700))
    wrong = []

    def read(seed: int) -> None:
        starts = np.random.default_rng(seed).integers(0, 900, 20).tolist()
        wrong.extend(at for at in starts if not np.array_equal(vectors[at : at + 90], array[at : at + 90]))

    threads = [threading.Thread(target=read, args=[seed]) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_whoever_needs_all_of_them_is_told_what_that_takes(tmp_path):
    vectors = on_disk(tmp_path, made(), ".npy", (300,))
    with pytest.raises(te.ResourceError, match="E802 .* on disk.*part-0.npy and 1 more files.*--memory"):
        np.asarray(vectors)


def truncated(path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def overwritten(path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    facts = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))  # somebody hides it


def replaced(path) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    os.replace(other, path)


FAULTS = [truncated, overwritten, replaced, os.remove]


@pytest.mark.parametrize("suffix", [".npy", ".parquet"])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_file_that_changes_is_an_error_with_the_next_reading(tmp_path, suffix, fault):
    vectors = on_disk(tmp_path, made(), suffix, (500,))
    assert len(vectors[600:610]) == 10
    path = tmp_path / f"part-1{suffix}"
    fault(path)
    for read in (
        lambda: vectors[600:700],
        lambda: vectors[np.array([1, 900])],
        vectors.require_unchanged,
        lambda: received(vectors)[500:],
    ):
        with pytest.raises(te.EvalError, match="E610 the file changed") as caught:
            read()
        assert caught.value.where == str(path)
    assert len(vectors[0:500]) == 500  # the other file is what it was


@pytest.mark.parametrize(("fault", "said"), [(truncated, "it ends within row"), (overwritten, "rows 400 to 899")])
def test_a_file_that_changes_while_it_is_read_names_the_rows(tmp_path, monkeypatch, fault, said):
    vectors = on_disk(tmp_path, made(), ".npy")

    def change_first(file, *rest):
        fault(tmp_path / "part-0.npy")
        return fill(file, *rest)

    fill = stored_npy.fill
    monkeypatch.setattr(stored_npy, "fill", change_first)
    with pytest.raises(te.EvalError, match=f"E610 .*{said}"):
        vectors[400:900]


def test_implausible_magnitudes_show_with_the_first_reading(tmp_path):
    array = made()
    array[700, 2] = 1e30
    vectors = on_disk(tmp_path, array, ".npy")
    with pytest.raises(te.DataError, match=r"E206 .* at row 700, column 2"):
        vectors.facts()
    several = on_disk(tmp_path, array, ".npy", (300, 650, 690))
    for vectors in (several, StoredVectors(several.parts, 5, several.dtype, np.array([3, 700, 2]), several.most)):
        with pytest.raises(te.DataError, match=r"E206 .* at row 10, column 2 \(0-based\) · .*part-3.npy"):
            vectors.facts()
    (tmp_path / "part-0.npy").unlink()
    np.save(tmp_path / "part-0.npy", array)
    allowed = te.read(tmp_path / "part-0.npy", memory=ON_DISK, allow_huge=True).vectors
    assert allowed.facts().highest[2] == np.float32(1e30)
