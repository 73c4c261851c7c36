"""Files that are not what they say, not there, or would hang us, row by row of the catalogue (1.E)."""

from __future__ import annotations

import gzip
import os
import pickle
import socket
import struct
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

VECTORS = np.array([[0, 1], [1, 0.5], [4, 4], [5, 4], [0.5, 2], [4, 5]], dtype=np.float32)
PAGE = b"<!DOCTYPE html><html><body>404</body></html>" + b" " * 200
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 1234\n"
SUFFIXES = [".npy", ".npz", ".parquet", ".csv", ".tsv", ".jsonl"]


def cut(name, size):
    """Return the start of one of the good files."""
    return lambda: Path(name).read_bytes()[:size]


def npy_header(text, version=b"\x01\x00"):
    line = text.encode() + b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY" + version + struct.pack("<H", len(line)) + line


def archive(*members):
    with zipfile.ZipFile("made.npz", "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members:
            file.writestr(name, content)
    return Path("made.npz").read_bytes()


def saved(**arrays):
    np.savez("made.npz", **arrays)
    return Path("made.npz").read_bytes()


def table(**columns):
    pq.write_table(pa.table(columns), "made.parquet", write_page_checksum=True, use_dictionary=False)
    return Path("made.parquet").read_bytes()


def flipped(content, at):
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def _array(values):
    np.save("made.npy", values)
    return Path("made.npy").read_bytes()


def _twice():
    with pytest.warns(UserWarning, match="Duplicate name"):
        return archive(("vectors.npy", _array(VECTORS)), ("vectors.npy", _array(VECTORS)))


def _flipped_page():
    content = table(embedding=VECTORS.tolist(), label=["aaaa"] * 3 + ["b"] * 3)
    return flipped(content, content.index(b"\x04\0\0\0aaaa") + 4)


LISTS = VECTORS.tolist()
HUGE_CLAIM = "{'descr': '<f4', 'fortran_order': False, 'shape': (8000000000000, 2), }"
NEGATIVE = "{'descr': '<f4', 'fortran_order': False, 'shape': (-6, 2), }"

# Row, what is wrong, suffix, content, code, exit code, words; the content is read as embeddings.
CONTENTS = [
    (103, "cut within the data", ".npy", cut("val.npy", 150), "E601", 4, ("176 bytes expected", "150 found", "2 of 6")),
    (104, "cut within the header", ".npy", cut("val.npy", 40), "E601", 4, ()),
    (104, "cut within the signature", ".npy", cut("val.npy", 3), "E601", 4, ("3 bytes",)),
    (105, "something behind the array", ".npy", lambda: _array(VECTORS) * 2, "E601", 4, ("one array per file",)),
    (106, "a gzip", ".npy", lambda: gzip.compress(_array(VECTORS)), "E602", 4, ("gzip-compressed", "gunzip")),
    (106, "a gzip", ".csv", lambda: gzip.compress(b"e0,label\n1,a\n"), "E602", 4, ("gzip-compressed", "gunzip")),
    (106, "a zip", ".npy", cut("val.npz", None), "E602", 4, ("a zip archive",)),
    (106, "an array", ".csv", cut("val.npy", None), "E602", 4, ("a NumPy .npy array",)),
    (106, "an HDF5 file", ".npy", lambda: b"\x89HDF\r\n\x1a\n" + b"\0" * 99, "E602", 4, ("an HDF5 file",)),
    (106, "noise", ".parquet", lambda: b"\x07noise" * 99, "E602", 4, ("unknown and starts with",)),
    (107, "a pickle", ".npy", lambda: pickle.dumps(LISTS), "E603", 4, ("pickle", "np.save")),
    (107, "pickled objects", ".npy", lambda: _array(np.array([LISTS, None], dtype=object)), "E603", 4, ("pickled",)),
    (107, "objects in an archive", ".npz", lambda: saved(vectors=VECTORS, labels=np.array([1, None])), "E603", 4, ()),
    (114, "a claim of 64 TB", ".npy", lambda: npy_header(HUGE_CLAIM), "E601", 4, ("64,000,000,000,",)),
    (115, "a negative shape", ".npy", lambda: npy_header(NEGATIVE), "E601", 4, ("(-6, 2)",)),
    (115, "no header", ".npy", lambda: npy_header("{'descr': "), "E601", 4, ()),
    (115, "a format of the future", ".npy", lambda: npy_header(NEGATIVE, b"\x09\x00"), "E601", 4, ()),
    (116, "several arrays", ".npz", lambda: saved(a=VECTORS, b=VECTORS), "E605", 4, ("'a' (float32 of shape (6, 2))",)),
    (116, "no array", ".npz", lambda: archive(("read.me", "x")), "E605", 4, ("no arrays",)),
    (118, "a bomb", ".npz", lambda: archive(("vectors.npy", b"\0" * 70_000_000)), "E606", 4, ("70,000,000",)),
    (119, "two members of a name", ".npz", _twice, "E605", 4, ("two members named 'vectors.npy'",)),
    (119, "a member outside", ".npz", lambda: archive(("../vectors.npy", b"x")), "E605", 4, ("outside the archive",)),
    (120, "a flipped bit", ".npz", lambda: flipped(saved(vectors=VECTORS), 200), "E601", 4, ()),
    (121, "no end", ".npz", cut("val.npz", 300), "E601", 4, ()),
    (122, "no end", ".parquet", cut("val.parquet", 500), "E601", 4, ()),
    (122, "nothing but a signature", ".parquet", lambda: b"PAR1PAR1", "E601", 4, ()),
    (123, "a flipped bit in a page", ".parquet", _flipped_page, "E601", 4, ()),
    (124, "ragged lists", ".parquet", lambda: table(embedding=[[1.0], [1.0, 2.0, 3.0]]), "E205", 3, ("row 1",)),
    (125, "a null list", ".parquet", lambda: table(embedding=[[1.0], None], label=[1, 1]), "E205", 3, ("row 1",)),
    (127, "a null in a list", ".parquet", lambda: table(embedding=[[1.0, 2.0], [None, 1.0]]), "E201", 3, ("row 1",)),
    (128, "lists in lists", ".parquet", lambda: table(embedding=[[[1.0]], [[2.0]]]), "E605", 4, ("'embedding'",)),
    (128, "no list at all", ".parquet", lambda: table(x=[1.0], label=[1]), "E605", 4, ("'x' (double)",)),
    (128, "several lists", ".parquet", lambda: table(a=LISTS, b=LISTS), "E605", 4, ("--embedding-column",)),
    (138, "no header", ".csv", lambda: b"1.0,2.0\n3.0,4.0\n", "E608", 4, ("no header",)),
    (139, "a decimal comma", ".csv", lambda: b'e0,e1,label\n"1,5","2,5",a\n', "E608", 4, ("decimal comma", "line 2")),
    (139, "one between semicolons", ".csv", lambda: b"e0;e1;label\n1,5;2;a\n", "E608", 4, ("decimal comma", "'e0'")),
    (140, "a long row", ".csv", lambda: b"e0,e1,label\n1,2,a\n1,2,a,9\n", "E205", 3, ("line 3 has 4 cells",)),
    (141, "a column without a name", ".csv", lambda: b"e0,e1\n0,1,2\n1,3,4\n", "E205", 3, ("line 2 has 3 cells",)),
    (142, "latin-1", ".csv", lambda: b"e0,label\n1,caf\xe9\n", "E609", 4, ("UTF-8",)),
    (142, "UTF-16", ".csv", lambda: "e0,label\n1,a\n".encode("utf-16"), "E609", 4, ("UTF-8",)),
    (142, "a NUL", ".csv", lambda: b"e0,label\n1,a\0b\n", "E609", 4, ()),
    (143, "nan", ".csv", lambda: b"e0,e1,label\n1,2,a\nnan,2,a\n", "E201", 3, ("line 3",)),
    (143, "infinity", ".csv", lambda: b"e0,e1,label\n1,2,a\n1,-inf,a\n", "E201", 3, ("line 3",)),
    (143, "a number beyond numbers", ".csv", lambda: b"e0,e1,label\n1,2,a\n1,1e400,a\n", "E201", 3, ("line 3",)),
    (143, "hexadecimal", ".csv", lambda: b"e0,e1,label\n1,2,a\n1,0x10,a\n", "E608", 4, ("'0x10'", "line 3")),
    (143, "an underscore", ".tsv", lambda: b"e0\te1\tlabel\n1\t2\ta\n1\t1_000\ta\n", "E608", 4, ("'1_000'", "line 3")),
    (143, "an empty coordinate", ".csv", lambda: b"e0,e1,label\n1,2,a\n1,,a\n", "E608", 4, ("line 3",)),
    (144, "two columns of a name", ".csv", lambda: b"e0,e1,label,label\n1,2,a,b\n", "E605", 4, ("'label'",)),
    (144, "an open quote", ".csv", lambda: b'e0,label\n1,"a\n2,b\n', "E601", 4, ()),
    *[(104, "nothing", suffix, lambda: b"", "E601", 4, ("an empty file",)) for suffix in SUFFIXES],
    *[(106, "an HTML page", suffix, lambda: PAGE, "E602", 4, ("HTML", "download")) for suffix in SUFFIXES],
    *[(106, "a git-LFS pointer", suffix, lambda: POINTER, "E602", 4, ("git lfs pull",)) for suffix in SUFFIXES],
]


@pytest.mark.parametrize(
    ("suffix", "content", "code", "exit_code", "words"),
    [pytest.param(*case[2:], id=f"{case[0]}: {case[1]} in {case[2]}") for case in CONTENTS],
)
def test_content_that_cannot_be_believed_is_refused_with_the_name_of_the_file(
    refused, folder, suffix, content, code, exit_code, words
):
    (folder / f"bad{suffix}").write_bytes(content())
    labels = ["--labels", "labels.txt"] if suffix == ".npy" else []
    refused(["evaluate", f"bad{suffix}", *labels], code, exit_code, f"bad{suffix}", *words)


FOREIGN = {"a page": PAGE, "a pointer": POINTER, "a gzip": gzip.compress(b"x"), "a pickle": pickle.dumps([1])}
# Everywhere that a file can be named: how, beside what, with which suffixes.
PLACES = {
    "embeddings": (["evaluate", "PATH"], SUFFIXES),
    "labels": (["evaluate", "val.npy", "--labels", "PATH"], [".txt", ".npy", ".csv", ".parquet"]),
    "a gallery": (["evaluate", "val.npz", "--gallery", "PATH"], SUFFIXES),
    "labels of a gallery": (
        ["evaluate", "val.npz", "--gallery", "other.npy", "--gallery-labels", "PATH"],
        [".txt", ".npy", ".tsv", ".pq"],
    ),
    "relevance": (["evaluate", "val.npz", "--relevance", "PATH"], [".parquet", ".csv", ".qrels"]),
    "triplets": (["triplets", "PATH"], [".npz", ".parquet"]),
    "rows": (["triplets", "PATH", "--embeddings", "val.npy"], [".npz", ".csv", ".tsv", ".parquet"]),
    "embeddings of rows": (["triplets", "rows.npz", "--embeddings", "PATH"], SUFFIXES),
}
EVERYWHERE = [(name, suffix) for name, (_, suffixes) in PLACES.items() for suffix in suffixes]


@pytest.fixture
def place():
    """Return a function that returns the arguments with which a path is read in a place."""
    np.save("other.npy", VECTORS + 1)
    np.savez("rows.npz", anchor=[0], positive=[1], negative=[2])
    return lambda name, path: [path if part == "PATH" else part for part in PLACES[name][0]]


@pytest.mark.parametrize(("name", "suffix"), EVERYWHERE)
@pytest.mark.parametrize("kind", FOREIGN)
def test_what_is_another_kind_of_file_is_named_wherever_it_is_given(refused, folder, place, name, suffix, kind):
    (folder / f"bad{suffix}").write_bytes(FOREIGN[kind])
    code = "E603" if kind == "a pickle" else "E602"
    refused(place(name, f"bad{suffix}"), code, 4, f"bad{suffix}")


def _loop(path):
    os.symlink("loop", "loop")
    os.symlink("loop", path)


def _socket(path):
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)


NO_FILES = {
    "108: a folder": (os.mkdir, "a folder"),
    "109: a loop of links": (_loop, "symbolic links"),
    "110: a pipe": (os.mkfifo, "a pipe (FIFO)"),
    "110: a device": (lambda path: os.symlink("/dev/zero", path), "a device"),
    "110: a socket": (_socket, "a socket"),
    "111: nothing": (None, "No such file"),
    "111: a link to nothing": (lambda path: os.symlink("nowhere", path), "a link to 'nowhere'"),
    "145: a name that is too long": (None, "File name too long"),
    "145: a file for a folder": (None, "Not a directory"),
}
PATHS = {"145: a name that is too long": "x" * 300, "145: a file for a folder": "labels.txt/bad"}


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("name", "suffix"), [(name, suffixes[0]) for name, (_, suffixes) in PLACES.items()])
@pytest.mark.parametrize("kind", NO_FILES)
def test_what_is_no_regular_file_is_refused_at_once_wherever_it_is_given(refused, place, name, suffix, kind):
    make, word = NO_FILES[kind]
    path = PATHS.get(kind, "bad") + suffix
    if make is not None:
        make(path)
    refused(place(name, path), "E604", 4, path, word)


@pytest.mark.parametrize(("name", "suffix"), [(name, suffixes[0]) for name, (_, suffixes) in PLACES.items()])
def test_a_file_that_may_not_be_read_says_so(refused, folder, place, monkeypatch, name, suffix):
    """Row 111; through a stand-in, because to root every file is readable."""
    (folder / f"bad{suffix}").write_bytes(b"x")
    opened = os.open

    def refuse(path, *arguments, **keywords):
        if os.fspath(path) == f"bad{suffix}":
            raise PermissionError(13, "Permission denied", path)
        return opened(path, *arguments, **keywords)

    monkeypatch.setattr(os, "open", refuse)
    refused(place(name, f"bad{suffix}"), "E604", 4, f"bad{suffix}", "Permission denied", "who may read it")


def test_a_missing_file_comes_with_the_nearest_names(refused):
    refused(["evaluate", "vla.npz"], "E604", 4, "did you mean", "'val.npz'")


@pytest.mark.parametrize("suffix", [".pt", ".pkl", ".h5", ".xlsx", ""])
def test_a_suffix_that_is_not_read_says_which_are(refused, folder, suffix):
    (folder / f"bad{suffix}").write_bytes(b"x" * 99)
    refused(
        ["evaluate", f"bad{suffix}"], "E602", 4, f"bad{suffix}", "numpy.save" if suffix in (".pt", ".pkl") else ".npz"
    )


ODD_NAMES = ["a b.npz", "a\nb.npz", "a'b\"c.npz", "$(x).npz", "[red]x.npz", "猫.npz", "\u202e.npz", "\x1b[2J.npz"]
ODD_NAMES += ["-v.npz", "x" * 251 + ".npz", os.fsdecode(b"caf\xe9.npz"), "=1+1.npz", ".npz.npz"]


@pytest.mark.parametrize("name", ODD_NAMES, ids=ascii)
def test_a_file_of_any_name_is_read_and_its_name_is_harmless(run, name):
    """Rows 76, 145 and 146."""
    os.rename("val.npz", name)
    result = run("evaluate", "--", name)
    assert result.exit_code == 0, result.stderr
    assert result.stderr.startswith("saved in runs/")
    assert result.stderr.count("\n") == 1
    assert not {"\x1b", "\u202e"} & set(result.stdout + result.stderr)
    assert len(os.listdir("runs")) == 1
    assert run("report", os.path.join("runs", os.listdir("runs")[0])).exit_code == 0
    os.remove(name)
    missing = run("evaluate", "--no-save", "--", name)
    assert missing.exit_code == 4
    assert len(missing.stderr.splitlines()) == 4
    assert missing.stderr.isascii() or name == "猫.npz"


@pytest.mark.parametrize("path", ["a.jpg", "cat/a.PNG"])
@pytest.mark.parametrize("place", ["queries", "gallery"])
def test_a_folder_of_pictures_is_to_be_embedded_first(refused, folder, path, place):
    (folder / "photos" / path).parent.mkdir(parents=True)
    (folder / "photos" / path).touch()
    files = ["photos"] if place == "queries" else ["val.npz", "--gallery", "photos"]
    refused(["evaluate", *files], "E604", 4, "photos", "tripleteval embed MODEL photos -o photos.parquet")


def test_a_folder_of_anything_else_is_not(run, folder):
    (folder / "texts").mkdir()
    (folder / "texts" / "a.txt").touch()
    assert "embed" not in run("evaluate", "texts").stderr


def test_a_picture_beside_the_vectors_is_not_what_is_wrong(run, folder):
    (folder / "set").mkdir()
    for name in ("a.npy", "plot.png"):
        (folder / "set" / name).write_bytes((folder / "val.npy").read_bytes())
    refused = run("evaluate", "set", "--labels", "nothing.txt").stderr
    assert "where: nothing.txt" in refused
    assert "embed" not in refused
