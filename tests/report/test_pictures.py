"""Pictures: small, few, from their folder only, and a bad one costs nothing but itself."""

from __future__ import annotations

import io
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from tripleteval import Embeddings
from tripleteval.data.material import Material
from tripleteval.data.section import Item
from tripleteval.errors import FileError
from tripleteval.report.pictures import SIDE, Pictures, require_any, thumbnail


def material(folder, names, **more):
    found = Embeddings(np.zeros((len(names), 1)), [0] * len(names), meta={"path": names})
    return Material(found, image_column="path", images=folder, **more)


def save(path, size=(200, 100), color="red", mode="RGB", **options):
    Image.new(mode, size, color).save(path, **options)


def items(count):
    return [Item("queries", row, str(row)) for row in range(count)]


@pytest.mark.parametrize(
    ("name", "mode"),
    [("a.png", "RGB"), ("a.png", "P"), ("a.png", "L"), ("a.png", "I;16"), ("a.jpg", "CMYK"), ("a.gif", "P")],
)
def test_a_thumbnail_is_a_small_webp_of_the_same_shape(tmp_path, name, mode):
    save(tmp_path / name, mode=mode, color=1)
    found = Image.open(io.BytesIO(thumbnail(material(tmp_path, [name]), "queries", 0)))
    assert (found.format, found.size) == ("WEBP", (SIDE, SIDE // 2))


def test_a_folder_without_a_single_picture_is_refused_and_one_with_some_is_not(tmp_path):
    names = ["a.png", "", "b" * 300, "nul\0", "b.png"]
    with pytest.raises(FileError, match=r"E601 no picture of any item; the first would be .*a\.png"):
        require_any(material(tmp_path, names))
    with pytest.raises(FileError, match="E601 no item has a path to a picture"):
        require_any(material(tmp_path, ["", ""]))
    save(tmp_path / "b.png")
    require_any(material(tmp_path, names))
    require_any(material(None, names))


def test_the_same_picture_is_kept_once(tmp_path):
    for name in ("a.png", "b.png"):
        save(tmp_path / name)
    pictures = Pictures(material(tmp_path, ["a.png", "b.png", "a.png"]), 10**6)
    assert [pictures.take(item) for item in items(3)] == [0, 0, 0]
    assert len(pictures.encoded) == 1


def test_a_spent_budget_takes_no_more_and_says_so(tmp_path):
    rng = np.random.default_rng(0)
    for row in range(9):
        Image.fromarray(rng.integers(0, 256, (96, 96, 3), np.uint8)).save(tmp_path / f"{row}.png")
    pictures = Pictures(material(tmp_path, [f"{row}.png" for row in range(9)]), 20_000)
    taken = [pictures.take(item) for item in items(9)]
    assert 0 < len(pictures.encoded) < 9
    assert sum(map(len, pictures.encoded)) <= 20_000
    assert taken[-1] is None
    assert pictures.missed == {"over the budget, and all after it": 1}


@pytest.mark.parametrize("name", ["../secret.png", "/etc/hostname", "link.png", "sub/../../secret.png"])
def test_nothing_outside_the_folder_is_opened(tmp_path, name):
    folder = tmp_path / "photos"
    (folder / "sub").mkdir(parents=True)
    save(tmp_path / "secret.png")
    os.symlink(tmp_path / "secret.png", folder / "link.png")
    pictures = Pictures(material(folder, [name]), 10**6)
    assert pictures.take(items(1)[0]) is None
    assert pictures.missed == {"outside the folder of pictures": 1}


def bomb(side):
    """Return a PNG whose header promises side × side pixels."""
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b""))
    parts = [struct.pack(">I", len(d)) + t + d + struct.pack(">I", zlib.crc32(t + d)) for t, d in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xd8\xff",
        b"<svg onload='alert(1)'/>",
        b"not a picture",
        bomb(9_000),
        bomb(12_000),
        bomb(60_000),
        bomb(50),
    ],
    ids=["empty", "cut", "svg", "text", "81 Mpx", "144 Mpx", "3.6 Gpx", "cut data"],
)
def test_what_is_no_picture_or_a_bomb_is_counted_and_left_out(tmp_path, data):
    (tmp_path / "x.png").write_bytes(data)
    pictures = Pictures(material(tmp_path, ["x.png"]), 10**6)
    assert pictures.take(items(1)[0]) is None
    assert pictures.missed == {"not a picture that can be shown": 1}


@pytest.mark.parametrize("name", ["missing.png", "a" * 5000, "nul\0.png", ""])
def test_a_missing_file_is_no_reason_to_stop(tmp_path, name):
    assert thumbnail(material(tmp_path, [name]), "queries", 0) is None


def test_ids_are_paths_where_no_column_is_named(tmp_path):
    save(tmp_path / "a.png")
    found = Embeddings([[0.0], [1.0]], [0, 0], ids=["a.png", "b.png"])
    assert thumbnail(Material(found, images=tmp_path), "queries", 0) is not None
    assert thumbnail(Material(found, images=tmp_path), "gallery", 1) is None
    assert thumbnail(Material(found), "queries", 0) is None
