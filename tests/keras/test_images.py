"""Pictures: the pixels that are there, labels from folders, and whatever is odd is refused or counted."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest
from PIL import Image

from tripleteval.errors import DataError, FileError, LabelError, ParameterError
from tripleteval.keras.image_folder import ImageFolder
from tripleteval.keras.pictures import Pictures


def picture(mode="RGB", size=(6, 4), seed=0):
    values = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(values).convert(mode)


@pytest.fixture
def photos(tmp_path):
    for number, name in enumerate(["cats/a.png", "cats/b.png", "dogs/big/c.PNG", "dogs/small/d.png"]):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        picture(seed=number).save(tmp_path / name)
    for name in (".DS_Store", "cats/._a.png", "cats/Thumbs.db", "dogs/x.png.part", ".cache/e.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    return tmp_path


def test_pixels_arrive_as_they_are():
    for mode, channels in (("RGB", 3), ("L", 1), ("RGBA", 4)):
        original = picture(mode)
        path_like = Pictures(4, 6, channels)
        assert np.array_equal(
            path_like._array(original, "here", Image)[..., 0], np.asarray(original, "float32").reshape(4, 6, -1)[..., 0]
        )


def test_labels_are_folders_and_ids_are_paths(photos):
    folder = ImageFolder(photos, Pictures(4, 6, scale=1 / 255))
    batches = list(folder.batches(3))
    assert [len(batch.inputs) for batch in batches] == [3, 1]
    assert folder.ids == ["cats/a.png", "cats/b.png", "dogs/big/c.PNG", "dogs/small/d.png"]
    assert [str(label) for batch in batches for label in batch.labels] == ["cats", "cats", "dogs/big", "dogs/small"]
    assert [name for batch in batches for name in batch.ids] == folder.ids
    expected = np.asarray(picture(seed=3), "float32") / 255
    assert np.allclose(batches[1].inputs[0], expected)
    assert folder.counts() == {"other files ignored": 4}


def test_pictures_without_class_folders_have_no_labels(tmp_path):
    picture().save(tmp_path / "a.png")
    assert next(ImageFolder(tmp_path, Pictures(4, 6)).batches(5)).labels is None
    (tmp_path / "cats").mkdir()
    picture().save(tmp_path / "cats" / "b.png")
    with pytest.raises(LabelError, match="E402 1 pictures outside the class folders; first: 'a.png'"):
        ImageFolder(tmp_path, Pictures(4, 6))


def test_what_cannot_be_read_is_refused_or_skipped_and_counted(photos):
    (photos / "cats" / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut")
    (photos / "cats" / "drawing.png").write_bytes(b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    with pytest.raises(FileError, match="E614 no picture that can be read"):
        list(ImageFolder(photos, Pictures(4, 6)).batches(2))
    folder = ImageFolder(photos, Pictures(4, 6), on_bad="skip")
    assert sum(len(batch.inputs) for batch in folder.batches(2)) == 4
    assert folder.skipped == ["cats/cut.jpg", "cats/drawing.png"]
    assert folder.counts()["bad pictures skipped"] == 2


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(tmp_path):
    Image.new("1", (10_000, 6_500)).save(tmp_path / "bomb.png")
    with pytest.raises(FileError, match="E606 a picture of 10,000 × 6,500 pixels"):
        Pictures(4, 6).load(tmp_path / "bomb.png")


def test_sixteen_bits_are_refused_unless_asked_for(tmp_path):
    deep = np.arange(24, dtype=np.uint16).reshape(4, 6) * 2570
    Image.fromarray(deep).save(tmp_path / "deep.png")
    with pytest.raises(FileError, match="E615 a picture of mode I;16"):
        Pictures(4, 6, 1).load(tmp_path / "deep.png")
    pictures = Pictures(4, 6, 3, bit_depth=16)
    loaded = pictures.load(tmp_path / "deep.png")
    assert np.allclose(loaded[..., 2], deep / 257)
    assert pictures.counts == {"16 bits scaled to 0 … 255": 1}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.full((4, 6), 0.5, np.float32), "floats, from 0.5 to 0.5"),
        (np.full((4, 6), 70_000, np.int32), "more than 16 bits per value, from 70000 to 70000"),
        (np.full((4, 6), -1, np.int32), "more than 16 bits per value, from -1 to -1"),
    ],
    ids=["floats", "too large", "negative"],
)
def test_deep_values_of_another_range_are_refused(tmp_path, values, said):
    Image.fromarray(values).save(tmp_path / "deep.tif")
    with pytest.raises(
        FileError, match=f"E615 a picture of {said} · .*deep.tif · save it as integers from 0 to 65,535"
    ):
        Pictures(4, 6, bit_depth=16).load(tmp_path / "deep.tif")


@pytest.mark.skipif(sys.platform == "darwin", reason="file names there are UTF-8")
def test_a_name_that_is_not_utf8_is_escaped_in_the_id_and_the_label(tmp_path):
    folder = os.fsencode(tmp_path) + b"/k\xe4tzchen"
    os.mkdir(folder)
    picture().save(tmp_path / "a.png")
    os.rename(tmp_path / "a.png", folder + b"/fr\xfch.png")
    (batch,) = ImageFolder(tmp_path, Pictures(4, 6)).batches(2)
    assert batch.ids == ["k%E4tzchen/fr%FCh.png"]
    assert batch.labels.tolist() == ["k%E4tzchen"]


def test_what_is_converted_is_counted(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    picture().save(tmp_path / "turned.jpg", exif=exif)
    picture("RGBA").save(tmp_path / "see-through.png")
    picture("CMYK").save(tmp_path / "print.jpg")
    picture("P").save(tmp_path / "frames.gif", save_all=True, append_images=[picture("P", seed=1)])
    picture("RGB").save(tmp_path / "one-colour-away.png", transparency=(0, 0, 0))
    pictures = Pictures(4, 6)
    for name in ("turned.jpg", "see-through.png", "print.jpg", "frames.gif", "one-colour-away.png"):
        assert pictures.load(tmp_path / name).shape == (4, 6, 3)
    assert pictures.counts == {
        "turned by EXIF, which is ignored": 1,
        "transparency dropped": 2,
        "converted from CMYK": 1,
        "converted from P": 1,
        "first of several frames": 1,
    }


def test_other_sizes_are_resized_and_counted(tmp_path):
    picture().save(tmp_path / "a.png")
    for resize in ("bilinear", "nearest"):
        pictures = Pictures(2, 3, resize=resize)
        expected = picture().resize((3, 2), getattr(Image.Resampling, resize.upper()))
        assert np.array_equal(pictures.load(tmp_path / "a.png"), np.asarray(expected, "float32"))
        assert pictures.counts == {"resized": 1}


def test_the_impossible_is_refused(tmp_path):
    for wrong in ({"channels": 2}, {"bit_depth": 12}):
        with pytest.raises(ParameterError, match="E308"):
            Pictures(4, 6, **wrong)
    with pytest.raises(ParameterError, match="E510"):
        Pictures(4, 6, resize="lanczos")
    with pytest.raises(DataError, match="E301 no pictures among 0 files"):
        ImageFolder(tmp_path, Pictures(4, 6))
    with pytest.raises(FileError, match="E604"):
        ImageFolder(tmp_path / "missing", Pictures(4, 6))
    with pytest.raises(ParameterError, match="E510"):
        ImageFolder(tmp_path, Pictures(4, 6), on_bad="ignore")
