"""The tower of a Siamese model: found where there is one, and a sentence where there is none."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

from tripleteval.errors import FileError
from tripleteval.keras.tower import embedding_tower

INPUTS = np.random.default_rng(0).normal(size=(5, 6)).astype("float32")


def tower():
    return keras.Sequential([keras.Input((6,)), layers.Dense(4, activation="relu"), layers.Dense(3)], name="tower")


class Distances(layers.Layer):
    """As in the example of keras.io."""

    def call(self, anchor, positive, negative):
        return ops.sum(ops.square(anchor - positive), -1), ops.sum(ops.square(anchor - negative), -1)


class SiameseModel(keras.Model):
    """As in the example of keras.io: the network is an attribute, and the training step is its own."""

    def __init__(self, siamese_network, margin=0.5):
        super().__init__()
        self.siamese_network, self.margin = siamese_network, margin
        self.loss_tracker = keras.metrics.Mean(name="loss")

    def call(self, inputs):
        return self.siamese_network(inputs)


def assert_embeds_like(found, original):
    assert len(found.inputs) == 1
    assert np.allclose(found.predict_on_batch(INPUTS), original.predict_on_batch(INPUTS))


def siamese(shared, inputs=3, before=lambda x: x):
    given = [keras.Input((6,), name=f"item_{n}") for n in range(inputs)]
    return given, [shared(before(one)) for one in given]


def test_three_inputs_and_a_distance_layer():
    shared = tower()
    given, vectors = siamese(shared)
    assert_embeds_like(embedding_tower(keras.Model(given, Distances()(*vectors))), shared)


def test_the_example_of_keras_io_with_its_preprocessing():
    shared = tower()
    given, vectors = siamese(shared, before=lambda x: x * 2.0 - 1.0)
    model = SiameseModel(keras.Model(given, Distances()(*vectors)))
    found = embedding_tower(model)
    assert np.allclose(found.predict_on_batch(INPUTS), shared.predict_on_batch(INPUTS * 2 - 1))


def test_two_inputs_and_a_verdict():
    shared = tower()
    given, (one, two) = siamese(shared, inputs=2)
    same = layers.Dense(1, activation="sigmoid")(ops.abs(one - two))
    assert_embeds_like(embedding_tower(keras.Model(given, same)), shared)


def test_shared_layers_without_a_model_around_them():
    first, second, unit = layers.Dense(4, activation="relu"), layers.Dense(3), layers.UnitNormalization()
    given, vectors = siamese(lambda x: unit(second(first(x))))
    found = embedding_tower(keras.Model(given, ops.stack(vectors, axis=1)))
    inputs = keras.Input((6,))
    assert_embeds_like(found, keras.Model(inputs, unit(second(first(inputs)))))


def test_the_tower_may_be_used_elsewhere_too():
    shared = tower()
    shared(keras.Input((6,)))
    given, vectors = siamese(shared)
    siamese(shared)
    assert_embeds_like(embedding_tower(keras.Model(given, Distances()(*vectors))), shared)


def test_a_model_of_one_input_is_its_own_tower():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(3)

        def call(self, inputs):
            return self.dense(inputs)

    shared, own = tower(), Own()
    assert embedding_tower(shared) is shared
    assert embedding_tower(own) is own


def test_where_there_is_no_one_tower_it_says_why():
    given, vectors = siamese(lambda x: layers.Dense(3)(x))  # noqa: PLW0108  # a new one each time
    with pytest.raises(FileError, match="E616 inputs 'item_0' and 'item_1' go through different weights"):
        embedding_tower(keras.Model(given, Distances()(*vectors)))
    given, (one, two) = siamese(tower(), inputs=2)
    with pytest.raises(FileError, match="input 'item_0' of .* meets no other one"):
        embedding_tower(keras.Model(given, [one, two]))
    twice = one - two + ops.sum(given[0] - given[1], axis=-1, keepdims=True)
    with pytest.raises(FileError, match="meets the others at several places"):
        embedding_tower(keras.Model(given, twice))

    class Headed(keras.Model):
        def __init__(self):
            super().__init__()
            self.body, self.head = tower(), layers.Dense(2)

        def call(self, inputs):
            return ops.stack([self.head(self.body(one)) for one in inputs], axis=1)

    headed = Headed()
    headed([INPUTS, INPUTS])
    with pytest.raises(FileError, match="holds the model 'tower', and weights besides"):
        embedding_tower(headed)


class Encoder(keras.Model):
    """One input, through a model and something that has no weights, or more weights."""

    def __init__(self, after, inside):
        super().__init__()
        self.inside, self.after = inside, after

    def call(self, inputs):
        return self.after(self.inside(inputs))


@pytest.mark.parametrize("built", [True, False])
def test_a_subclassed_model_of_one_input_is_its_own_tower_whatever_it_is_made_of(built):
    augmentation = keras.Sequential([keras.Input((6,)), layers.GaussianNoise(0.1)])
    for after, inside in (
        (layers.UnitNormalization(), tower()),
        (layers.Dense(2), tower()),
        (layers.Dense(2), augmentation),
        (layers.GlobalAveragePooling1D(), keras.Sequential([keras.Input((6,)), layers.Reshape((3, 2))])),
    ):
        model = Encoder(after, inside)
        if built:
            model(INPUTS)
        assert embedding_tower(model) is model
        assert model.built == built


@pytest.mark.parametrize("built", [True, False])
def test_a_subclassed_model_that_calls_its_tower_on_each_input_is_searched(built):
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.tower = tower()

        def call(self, inputs):
            anchor, positive, negative = inputs
            return ops.stack([self.tower(anchor), self.tower(positive), self.tower(negative)], axis=1)

    own = Own()
    if built:
        own([INPUTS] * 3)
    assert embedding_tower(own) is own.tower
