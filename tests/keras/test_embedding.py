"""Embedding: the outputs of `predict`, whatever holds the inputs, in memory or in a file."""

from __future__ import annotations

import os

import keras
import numpy as np
import pytest

import tripleteval as te
from tripleteval.errors import DataError, FileError, LabelError, ParameterError
from tripleteval.keras.embedding import embed, embed_to_file

INPUTS = np.random.default_rng(0).normal(size=(70, 6)).astype("float32")
LABELS = np.arange(70) % 7


@pytest.fixture(scope="module")
def tower():
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((6,)), keras.layers.Dense(3), keras.layers.Dropout(0.5)])


@pytest.fixture(scope="module")
def expected(tower):
    return tower.predict(INPUTS, verbose=0)


class Stretches(keras.utils.PyDataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        rows = slice(20 * index, 20 * index + 20)
        return INPUTS[rows], LABELS[rows, None]


def test_arrays_in_batches_of_any_size(tower, expected):
    for size in (1, 7, 32, 70, 500):
        found = embed(tower, INPUTS, LABELS, batch_size=size)
        assert np.allclose(found.vectors, expected, rtol=1e-6, atol=1e-6)
        assert found.labels.values() == LABELS.tolist()
        assert found.vectors.dtype == np.float32


def test_pairs_datasets_generators_and_functions(tower, expected):
    import tensorflow as tf

    sources = {
        "pair": (INPUTS, LABELS),
        "PyDataset": Stretches(),
        "generator": ((INPUTS[i : i + 30], LABELS[i : i + 30]) for i in range(0, 70, 30)),
        "tf.data": tf.data.Dataset.from_tensor_slices((INPUTS, LABELS)).batch(16),
    }
    for name, data in sources.items():
        found = embed(tower, data)
        assert np.allclose(found.vectors, expected, rtol=1e-6, atol=1e-6), name
        assert found.labels.values() == LABELS.tolist(), name
    without = embed(lambda batch: batch[:, :2] * 2, INPUTS)
    assert np.array_equal(without.vectors, INPUTS[:, :2] * 2)
    assert without.labels is None


def test_text_labels_of_a_pipeline_stay_text(tower):
    import tensorflow as tf

    data = tf.data.Dataset.from_tensor_slices((INPUTS, [f"klasse {n} ä" for n in LABELS])).batch(16)
    assert embed(tower, data).labels.classes[0] == "klasse 0 ä"


def test_half_precision_is_kept_as_float32():
    policy = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3, dtype="mixed_float16")])
    assert embed(policy, INPUTS).vectors.dtype == np.float32


@pytest.mark.parametrize("suffix", [".parquet", ".npy"])
def test_a_file_holds_what_memory_would(tower, tmp_path, suffix):
    path = tmp_path / f"val{suffix}"
    steps = []
    embed_to_file(tower, INPUTS, path, LABELS, batch_size=16, progress=lambda *step: steps.append(step))
    assert steps == [(16, 70), (32, 70), (48, 70), (64, 70), (70, 70)]
    labels = tmp_path / "val.labels.npy" if suffix == ".npy" else None
    read = te.read(path, labels=labels)
    kept = embed(tower, INPUTS, LABELS)
    assert np.array_equal(read.vectors, kept.vectors)
    assert read.labels.values() == LABELS.tolist()
    with pytest.raises(FileError, match="E611 something is there already"):
        embed_to_file(tower, INPUTS, path)
    embed_to_file(tower, INPUTS[:5], path, overwrite=True)
    assert len(te.read(path)) == 5


def test_what_ends_badly_leaves_nothing(tower, tmp_path):
    def batches():
        yield INPUTS[:8]
        raise RuntimeError("the disk was pulled out")

    for suffix in (".parquet", ".npy"):
        with pytest.raises(RuntimeError, match="pulled out"):
            embed_to_file(tower, batches(), tmp_path / f"val{suffix}")
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_is_no_matrix_of_numbers_is_refused(tower):
    with pytest.raises(FileError, match=r"E613 an output of shape \(70, 6, 1\)"):
        embed(lambda batch: batch[..., None], INPUTS)
    with pytest.raises(FileError, match="a model with 2 outputs"):
        embed(lambda batch: [batch, batch], INPUTS)
    assert np.array_equal(embed(lambda batch: {"embedding": batch}, INPUTS).vectors, INPUTS)
    broken = INPUTS.copy()
    broken[41, 2] = np.nan
    with pytest.raises(DataError, match="E201 an output that is not finite, for 1 of 16 items; first: item 41"):
        embed(tower, broken, batch_size=16)


@pytest.fixture(scope="module")
def of_two():
    given = [keras.Input((6,), name=name) for name in ("seen", "heard")]
    return keras.Model(given, keras.layers.Subtract()(given))


def test_several_inputs_come_in_all_the_ways_keras_takes_them(of_two):
    other = INPUTS[::-1].copy()
    named, listed = {"seen": INPUTS, "heard": other}, [INPUTS, other]
    for data, labels in (
        ((listed, LABELS), None),
        ((tuple(listed), LABELS), None),
        ((named, LABELS), None),
        ((named, LABELS, np.ones(70)), None),
        (listed, LABELS),
        (named, LABELS[:, None]),
        ([(listed, LABELS)], None),
    ):
        found = embed(of_two, data, labels, batch_size=32)
        assert np.array_equal(found.vectors, INPUTS - other)
        assert found.labels.values() == LABELS.tolist()
    assert embed(of_two, named).labels is None


def test_lists_weights_and_empty_batches_are_taken_as_keras_takes_them(tower, expected):
    for data in (
        (INPUTS.tolist(), LABELS.tolist()),
        (list(INPUTS), LABELS),
        (INPUTS, LABELS[:, None], np.ones(70)),
        [(INPUTS[:40], LABELS[:40], np.ones(40)), (INPUTS[40:], LABELS[40:]), (INPUTS[:0], LABELS[:0])],
    ):
        found = embed(tower, data)
        assert np.allclose(found.vectors, expected, rtol=1e-6, atol=1e-6)
        assert found.labels.values() == LABELS.tolist()


def test_a_tensor_of_another_framework_is_taken(tower, expected):
    import tensorflow as tf

    assert np.allclose(embed(tower, tf.constant(INPUTS), LABELS).vectors, expected, rtol=1e-6, atol=1e-6)


def test_labels_that_do_not_belong_to_their_batch_are_refused(tower):
    with pytest.raises(LabelError, match="E401 29 labels for 30 inputs · a batch"):
        embed(tower, [(INPUTS[:30], LABELS[:29]), (INPUTS[30:], LABELS[29:])])
    with pytest.raises(LabelError, match="E401 69 labels for 70 inputs"):
        embed(tower, INPUTS, LABELS[1:])


def test_single_items_and_pipelines_without_an_end_are_refused(tower):
    import tensorflow as tf

    with pytest.raises(DataError, match=r"E203 single items instead of batches .* call \.batch"):
        embed(tower, tf.data.Dataset.from_tensor_slices((INPUTS, LABELS)))
    with pytest.raises(DataError, match=r"E301 a data set without an end .* leave out \.repeat"):
        embed(tower, tf.data.Dataset.from_tensor_slices((INPUTS, LABELS)).batch(8).repeat())


def test_what_is_no_data_is_refused(tower, tmp_path):
    for data, labels, error, match in (
        (7, None, DataError, "E203"),
        ({"seen": "photos"}, None, DataError, "E203"),
        ("photos", None, DataError, "E203"),
        (iter(()), None, DataError, "E301"),
        (Stretches(), LABELS, ParameterError, "E101"),
        ((INPUTS, LABELS), LABELS, ParameterError, "E101"),
    ):
        with pytest.raises(error, match=match):
            embed(tower, data, labels)
    with pytest.raises(ParameterError, match="E308"):
        embed(tower, INPUTS, batch_size=0)
    with pytest.raises(FileError, match="E602"):
        embed_to_file(tower, INPUTS, tmp_path / "val.csv")
    os.mkfifo(tmp_path / "pipe.npy")
    with pytest.raises(FileError, match="no regular file, which is never replaced"):
        embed_to_file(tower, INPUTS, tmp_path / "pipe.npy", overwrite=True)
    with pytest.raises(FileError, match="does not exist"):
        embed_to_file(tower, INPUTS, tmp_path / "no" / "val.npy")
