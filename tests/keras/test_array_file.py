"""Inputs in a file: the rows as they are stored, in batches, and nothing that is not rows of numbers."""

from __future__ import annotations

import numpy as np
import pytest

from tripleteval.errors import DataError, FileError, LabelError
from tripleteval.keras.array_file import ArrayFile

INPUTS = np.random.default_rng(0).integers(0, 256, (10, 4, 3), dtype=np.uint8)


@pytest.fixture
def path(tmp_path):
    np.save(tmp_path / "inputs.npy", INPUTS)
    return tmp_path / "inputs.npy"


def test_rows_come_in_batches_in_their_own_type_with_their_labels(path, tmp_path):
    np.save(tmp_path / "labels.npy", np.arange(10) + 5)
    data = ArrayFile(path, tmp_path / "labels.npy")
    batches = list(data.batches(4))
    assert [len(batch.inputs) for batch in batches] == [4, 4, 2]
    assert np.array_equal(np.concatenate([batch.inputs for batch in batches]), INPUTS)
    assert batches[0].inputs.dtype == np.uint8
    assert np.concatenate([batch.labels for batch in batches]).tolist() == list(range(5, 15))
    (whole,) = ArrayFile(path, scale=0.5).batches(99)
    assert np.array_equal(whole.inputs, INPUTS / np.float32(2))
    assert whole.labels is None


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros(3), r"E304 an array of shape \(3,\)"),
        (np.zeros((0, 3)), r"E301 no values, shape \(0, 3\)"),
        (np.array([["a"]]), "E203 values of type <U1"),
        (np.zeros((3, 4), order="F"), "E203 an array stored column by column .Fortran"),
    ],
)
def test_what_is_no_rows_of_numbers_is_refused(tmp_path, array, said):
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(DataError, match=said):
        ArrayFile(tmp_path / "x.npy")


def test_pickles_cut_files_and_too_few_labels_are_refused(path, tmp_path):
    np.save(tmp_path / "objects.npy", np.array([[None]], object), allow_pickle=True)
    with pytest.raises(FileError, match="E603 pickled Python objects"):
        ArrayFile(tmp_path / "objects.npy")
    (tmp_path / "labels.txt").write_text("a\nb\n")
    with pytest.raises(LabelError, match="E401 2 labels for 10 inputs"):
        ArrayFile(path, tmp_path / "labels.txt")
    data = ArrayFile(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(FileError, match="E601"):
        list(data.batches(4))
