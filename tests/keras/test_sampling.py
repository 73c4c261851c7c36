"""Batches: what is in them, in which order, and that it depends on seed, epoch and number alone."""

from __future__ import annotations

from collections import Counter

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripleteval.errors import LabelError, ParameterError
from tripleteval.keras.sampling import BalancedBatches

LABELS = np.repeat(["ant", "bee", "cat", "dog", "emu", "fly"], [8, 8, 8, 8, 3, 1])


@given(
    sizes=st.lists(st.integers(1, 9), min_size=2, max_size=8),
    wanted=st.integers(2, 4),
    each=st.integers(2, 5),
    seed=st.integers(0, 3),
)
def test_a_batch_holds_no_class_twice_and_equally_many_of_each(sizes, wanted, each, seed):
    labels = np.repeat(np.arange(len(sizes)) + 100, sizes)
    usable = [label for label, size in enumerate(sizes, 100) if size > 1]
    if len(usable) < wanted:
        with pytest.raises(LabelError, match="E410"):
            BalancedBatches(labels, wanted, each, seed)
        return
    batches = BalancedBatches(labels, wanted, each, seed)
    shown = Counter()
    for rows, codes in (batches[i] for i in range(len(batches))):
        assert labels[rows].tolist() == [batches.classes[code] for code in codes]
        counts = Counter(codes.tolist())
        assert len(counts) == wanted
        assert set(counts.values()) == {each}
        for code in counts:
            times = Counter(rows[codes == code].tolist()).values()
            size = sizes[code]
            assert max(times) == -(-each // size)  # nothing is repeated that need not be
        shown.update(counts)
    turns = [shown[label - 100] // each for label in usable]
    assert max(turns) - min(turns) <= 1
    assert sorted(batches.left_out) == [label for label, size in enumerate(sizes, 100) if size == 1]


def test_an_epoch_shows_about_as_many_items_as_there_are_and_each_in_its_turn():
    labels = np.repeat(np.arange(10), 12)
    batches = BalancedBatches(labels, 5, 4)
    assert len(batches) == 6
    assert np.array_equal(np.sort(batches.rows(0).ravel()), np.arange(120))
    assert np.array_equal(np.sort(batches.rows(1).ravel()), np.arange(120))


def test_seed_epoch_and_number_decide_and_nothing_else():
    one, two = BalancedBatches(LABELS, 3, 2, seed=5), BalancedBatches(LABELS, 3, 2, seed=5)
    forwards = [one[i][0].tolist() for i in range(len(one))]
    backwards = [two[i][0].tolist() for i in reversed(range(len(two)))]
    assert forwards == backwards[::-1]
    one.on_epoch_begin()
    one.on_epoch_begin()
    assert [one[i][0].tolist() for i in range(len(one))] != forwards
    assert one.rows(0).tolist() == forwards
    assert BalancedBatches(LABELS, 3, 2, seed=6).rows(0).tolist() != forwards


def test_small_classes_are_repeated_or_left_out():
    repeated = BalancedBatches(LABELS, 5, 4)
    assert repeated.left_out == ["fly"]
    emus = [rows[codes == 4] for rows, codes in (repeated[i] for i in range(len(repeated)))]
    assert {len(set(rows.tolist())) for rows in emus} == {3}
    left = BalancedBatches(LABELS, 4, 4, small="leave_out")
    assert left.left_out == ["emu", "fly"]
    with pytest.raises(LabelError, match="4 of 6 classes have 4 items or more, 5 are wanted"):
        BalancedBatches(LABELS, 5, 4, small="leave_out")


def test_inputs_are_handed_out_and_changed_by_a_generator_of_their_own():
    inputs = np.arange(36, dtype="float32")[:, None]
    batches = BalancedBatches(LABELS, 3, 2, inputs=inputs, transform=lambda rows, random: rows + random.random())
    changed, _ = batches[1]
    noise = np.random.default_rng([0, 0, 1]).random()
    assert np.allclose(changed[:, 0], batches.rows(0)[1] + noise)


def test_keras_trains_on_it_and_goes_through_the_epochs():
    seen = []

    def noted(rows, _):
        seen.append(tuple(rows[:, 0].astype(int)))
        return rows

    inputs = np.arange(36, dtype="float32")[:, None]
    batches = BalancedBatches(LABELS, 3, 2, inputs=inputs, transform=noted)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", loss="mse", run_eagerly=True)
    model.fit(batches, epochs=2, shuffle=False, verbose=0)
    fresh, last = BalancedBatches(LABELS, 3, 2), batches.epoch
    expected = {tuple(rows) for epoch in (last - 1, last) for rows in fresh.rows(epoch).tolist()}
    assert expected <= set(seen)


def test_tensorflow_reads_the_same_batches_and_each_pass_is_an_epoch():
    pytest.importorskip("tensorflow")
    batches = BalancedBatches(LABELS, 3, 2, seed=1)
    dataset = batches.tf_data()
    assert len(dataset) == len(batches)
    for epoch in (0, 1):
        assert np.array_equal([rows for rows, _ in dataset.as_numpy_iterator()], batches.rows(epoch))
    assert dataset.element_spec[0].shape == (6,)


def test_a_training_that_goes_on_gets_the_batches_of_its_epoch():
    pytest.importorskip("tensorflow")
    whole, later = BalancedBatches(LABELS, 3, 2), BalancedBatches(LABELS, 3, 2, initial_epoch=4)
    assert np.array_equal([rows for rows, _ in later.tf_data().as_numpy_iterator()], whole.rows(4))
    for epoch in (4, 5):
        later.on_epoch_begin()
        assert later.epoch == epoch
        assert np.array_equal([later[i][0] for i in range(len(later))], whole.rows(epoch))


def test_the_impossible_is_refused():
    for given_ in ((1, 2), (2, 1), (2.0, 2), (True, 2)):
        with pytest.raises(ParameterError, match="E308"):
            BalancedBatches(LABELS, *given_)
    with pytest.raises(ParameterError, match="E511"):
        BalancedBatches(LABELS, 2, 2, seed=-1)
    with pytest.raises(ParameterError, match="E308 initial_epoch=-1"):
        BalancedBatches(LABELS, 2, 2, initial_epoch=-1)
    with pytest.raises(ParameterError, match="known: leave_out, repeat"):
        BalancedBatches(LABELS, 2, 2, small="drop")
    with pytest.raises(LabelError, match="36 labels for 5 inputs"):
        BalancedBatches(LABELS, 2, 2, inputs=np.zeros(5))
    with pytest.raises(LabelError, match="E402"):
        BalancedBatches(["a", None, "a"], 2, 2)
    with pytest.raises(IndexError, match="batch 6 of 6"):
        BalancedBatches(LABELS, 3, 2)[6]


def test_several_inputs_are_handed_out_row_by_row():
    import tensorflow as tf

    seen, heard = np.arange(36), np.arange(36.0)[:, None]
    plain = BalancedBatches(LABELS, 2, 4, inputs=seen)[0]
    for inputs in ([seen, heard], {"a": seen, "b": heard}, [tf.constant(seen), tf.constant(heard)]):
        batches = BalancedBatches(LABELS, 2, 4, inputs=inputs)
        for found, codes in (batches[0], next(iter(batches.tf_data()))):
            one, two = found.values() if isinstance(found, dict) else found
            assert np.array_equal(one, plain[0])
            assert np.array_equal(two, plain[0][:, None])
            assert np.array_equal(codes, plain[1])
    assert np.array_equal(BalancedBatches(LABELS, 2, 4, inputs=seen.tolist())[0][0], plain[0])
    with pytest.raises(LabelError, match="E401 36 labels for 35 inputs"):
        BalancedBatches(LABELS, 2, 4, inputs={"a": seen[1:]})
