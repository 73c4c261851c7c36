"""A path that leads nowhere, to a pipe or to something else than its name says is one clear error, never a hang."""

from __future__ import annotations

import gzip
import os
import pickle
import socket
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tripleteval.errors import EvalError, FileError
from tripleteval.readers import blocks, files, read

Write = Callable[..., Path]
SUFFIXES = [".npy", ".npz", ".parquet", ".csv"]


def refusal(path: str | Path) -> FileError:
    with pytest.raises(FileError) as error:
        read(path)
    return error.value


def test_a_missing_file_names_its_nearest_neighbours(tmp_path: Path) -> None:
    (tmp_path / "gallery.npy").touch()
    error = refusal(tmp_path / "galery.npy")
    assert error.code == "E604"
    assert "did you mean 'gallery.npy'?" in error.fix
    assert error.where == str(tmp_path / "galery.npy")


def test_a_missing_folder_is_said_to_be_missing(tmp_path: Path) -> None:
    assert "cannot be read either" in refusal(tmp_path / "no" / "a.npy").fix


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    assert "E604 a folder" in str(refusal(tmp_path))


@pytest.mark.timeout(10)
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_pipe_is_refused_and_does_not_hang(suffix: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / f"pipe{suffix}")
    assert "E604 a pipe" in str(refusal(tmp_path / f"pipe{suffix}"))


@pytest.mark.timeout(10)
def test_a_pipe_of_labels_is_refused_and_does_not_hang(write: Write, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "labels.txt")
    with pytest.raises(FileError, match="E604 a pipe"):
        read(write(".npy"), labels=tmp_path / "labels.txt")


@pytest.mark.timeout(10)
def test_a_file_that_turns_into_a_pipe_while_it_is_opened_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe.npy")
    monkeypatch.setattr(files, "require_regular_file", lambda _: None)
    assert "E604 a pipe" in str(refusal(tmp_path / "pipe.npy"))


def test_a_device_and_a_socket_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "E604 a device" in str(refusal("/dev/null"))
    monkeypatch.chdir(tmp_path)  # the address of a socket has at most 107 bytes
    with socket.socket(socket.AF_UNIX) as address:
        address.bind("s.npy")
        assert "E604 a socket" in str(refusal("s.npy"))


def test_a_loop_of_links_is_refused(tmp_path: Path) -> None:
    (tmp_path / "loop.npy").symlink_to(tmp_path / "loop.npy")
    assert refusal(tmp_path / "loop.npy").code == "E604"


@pytest.mark.parametrize("path", ["link.npy", "folder/a.npy"])
def test_a_link_to_nothing_says_where_it_leads(path: str, tmp_path: Path) -> None:
    (tmp_path / path.partition("/")[0]).symlink_to("nowhere.npy")
    error = refusal(tmp_path / path)
    assert "E604 a link to 'nowhere.npy', which is not there" in str(error)
    assert "did you mean" not in error.fix  # the link itself


def test_a_file_nobody_may_read_is_refused(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(_path: object, _flags: int) -> int:
        raise PermissionError(13, "Permission denied")

    path = write(".npy")
    monkeypatch.setattr(os, "open", forbidden)
    assert "E604 the path cannot be opened: Permission denied" in str(refusal(path))


@pytest.mark.parametrize("path", ["", "a\0b.npy", "a" * 300 + ".npy"])
def test_a_path_that_cannot_be_is_refused(path: str) -> None:
    assert refusal(path).code == "E604"


@pytest.mark.parametrize("name", ["-rf.npy", "a b'c\"d.npy", "猫.npy", "line\nbreak.npy", os.fsdecode(b"\xff.npy")])
def test_odd_names_are_read_and_can_be_printed(name: str, write: Write) -> None:
    path = write(".npy")
    path = path.rename(path.with_name(name))
    assert read(path).name.encode("utf-8")
    path.write_bytes(b"")
    assert str(refusal(path)).encode("utf-8")


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".pkl", ".pickle", ".joblib", ".PKL"])
def test_pickles_are_never_read_and_the_way_out_is_named(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(pickle.dumps([1]))
    error = refusal(path)
    assert error.code == "E602"
    assert "numpy.save" in error.fix


@pytest.mark.parametrize("name", ["a.xlsx", "a", "a.npy.bak"])
def test_an_unknown_suffix_names_the_known_ones(name: str, tmp_path: Path) -> None:
    (tmp_path / name).touch()
    error = refusal(tmp_path / name)
    assert error.code == "E602"
    assert ".npy" in error.fix
    assert ".parquet" in error.fix


def test_a_suffix_in_capitals_is_the_same_suffix(write: Write) -> None:
    path = write(".npy")
    assert len(read(path.rename(path.with_suffix(".NPY")))) == 5


IMPOSTORS = {
    "HTML": b"\n<!DOCTYPE html><html><body>404</body></html>",
    "git-LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
    "gzip": gzip.compress(b"e0,label\n1,a\n"),
    "HDF5": b"\x89HDF\r\n\x1a\n" + bytes(64),
    "SQLite": b"SQLite format 3\0" + bytes(64),
}


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("kind", sorted(IMPOSTORS))
def test_content_of_another_kind_is_named(kind: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(IMPOSTORS[kind])
    error = refusal(path)
    assert error.code == "E602"
    assert kind in error.found


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_of_another_format_is_named(suffix: str, write: Write) -> None:
    other = write(".npz" if suffix == ".npy" else ".npy")
    error = refusal(other.rename(other.with_name(f"other{suffix}")))
    assert error.code == "E602"
    assert "NumPy" in error.found or "zip" in error.found


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_pickle_under_another_name_is_refused_and_not_run(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(pickle.dumps(np.ones((2, 2))))
    assert refusal(path).code == "E603"


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".parquet"])
def test_unknown_content_shows_how_it_starts(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"gibberish" * 9)
    assert "E602" in str(refusal(path))
    assert "b'gibberis'" in str(refusal(path))


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("size", [0, 3])
def test_an_empty_or_nearly_empty_file_is_cut(suffix: str, size: int, write: Write) -> None:
    path = write(suffix)
    path.write_bytes(path.read_bytes()[:size])
    assert refusal(path).code in ("E601", "E605")  # three bytes of CSV are a header without numbers


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".parquet", ".csv"])
def test_a_file_that_grows_while_it_is_read_is_an_error(suffix: str, write: Write) -> None:
    path = write(suffix)
    parts = blocks(path, 2)
    next(parts)
    with path.open("ab") as file:
        file.write(b"1,2,3,4,5,6\n")
    with pytest.raises(FileError, match="E610"):
        list(parts)


def test_a_file_that_is_cut_while_it_is_read_is_an_error_with_the_row(write: Write) -> None:
    path = write(".npy")
    parts = blocks(path, 2)
    next(parts)
    os.truncate(path, 128 + 3 * 12 + 5)
    with pytest.raises(FileError, match=r"E610 .*within row 3 "):
        list(parts)


def test_a_file_that_is_replaced_while_it_is_read_stays_the_old_one(write: Write, tmp_path: Path) -> None:
    path = write(".npy")
    parts = blocks(path, 2)
    next(parts)
    np.save(tmp_path / "new.npy", np.zeros((9, 9)))
    (tmp_path / "new.npy").replace(path)
    assert sum(len(part) for part in parts) == 3


def test_blocks_of_no_rows_are_refused(write: Write) -> None:
    for rows in (0, -1, True, 2.0):
        with pytest.raises(EvalError, match="E101 rows="):
            blocks(write(".npy"), rows)  # type: ignore[arg-type]


def test_a_file_is_closed_when_its_blocks_are_not_wanted_any_more(write: Write) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    parts = blocks(write(".parquet"), 1)
    next(parts)
    parts.close()  # type: ignore[attr-defined]
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_standard_input_is_told_from_a_file_that_is_not_there() -> None:
    assert "standard input is not read" in refusal(Path("-")).fix


@pytest.mark.parametrize(
    ("suffix", "instead"),
    [
        (".csv.gz", "unpack it first"),
        (".txt", "name a table with a header .csv or .tsv"),
        (".json", "name it .jsonl"),
        (".feather", "write it as Parquet"),
        (".h5", "numpy.savez"),
        (".xlsx", "save the sheet as CSV"),
        (".what", "known: "),
        ("", "known: "),
    ],
)
def test_a_suffix_that_is_not_read_says_what_to_do_instead(suffix: str, instead: str, tmp_path: Path) -> None:
    (tmp_path / f"a{suffix}").write_bytes(b"1")
    error = refusal(tmp_path / f"a{suffix}")
    assert error.code == "E602"
    assert error.fix.startswith(instead) or f"{instead};" in error.fix
    assert suffix or "a name without a suffix" in error.found
    assert ".parquet" in error.fix
