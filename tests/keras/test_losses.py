"""Losses: the values of three nested loops, on every backend, compiled or not, and nothing that is not finite."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

import triplet_loops
from tripleteval.errors import DataError, LabelError, ParameterError
from tripleteval.keras.losses import (
    TripletAllLoss,
    TripletHardLoss,
    TripletMarginLoss,
    TripletSemiHardLoss,
    triplet_cost,
)

DISTANCES = ("euclidean", "sqeuclidean", "cosine")
LABELS = np.array([3, 1, 3, 2, 1, 3, 2, 9, 1, 2, 3])  # 9 stands alone


def vectors(seed=0, n=11, dim=4):
    return np.random.default_rng(seed).normal(size=(n, dim)).astype("float32")


LOSSES = {
    "semi-hard": (TripletSemiHardLoss, triplet_loops.semi_hard_loss, {}, {}),
    "hard": (TripletHardLoss, triplet_loops.hard_loss, {}, {}),
    "all, nonzero mean": (TripletAllLoss, triplet_loops.all_loss, {}, {"nonzero": True}),
    "all, mean of all": (TripletAllLoss, triplet_loops.all_loss, {"mean": "all"}, {"nonzero": False}),
}
each_loss = pytest.mark.parametrize("name", LOSSES)


def gradient(loss, labels, values):
    """Return the gradient of the loss with respect to the embeddings, by the backend's own means."""
    if keras.backend.backend() == "jax":
        import jax

        return np.asarray(jax.grad(lambda x: loss(labels, x))(values))
    if keras.backend.backend() == "torch":
        leaf = ops.convert_to_tensor(values).clone().requires_grad_()
        loss(labels, leaf).backward()
        return leaf.grad.cpu().numpy()
    import tensorflow as tf

    leaf = tf.Variable(values)
    with tf.GradientTape() as tape:
        value = loss(labels, leaf)
    return tf.convert_to_tensor(tape.gradient(value, leaf)).numpy()


def compiled(function):
    """Return the function compiled by XLA (TensorFlow, JAX), or as it is."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)
    if keras.backend.backend() == "torch":
        return function
    import tensorflow as tf

    return tf.function(function, jit_compile=True)


@each_loss
@pytest.mark.parametrize("margin", [0.0, 0.3, 2.0, "soft"])
@pytest.mark.parametrize("distance", DISTANCES)
def test_the_value_is_that_of_three_nested_loops(name, distance, margin):
    kind, oracle, chosen, asked = LOSSES[name]
    for seed in range(3):
        batch = vectors(seed)
        found = float(kind(margin, distance, **chosen)(LABELS, batch))
        assert found == pytest.approx(oracle(LABELS, batch, distance, margin, **asked), rel=1e-5, abs=1e-7)


@each_loss
def test_compiled_it_is_the_same(name):
    kind, _, chosen, _ = LOSSES[name]
    loss = kind(0.5, **chosen)
    batch = vectors(1)
    labels = LABELS.astype("int32")
    assert float(compiled(lambda x: loss(labels, x))(batch)) == pytest.approx(float(loss(labels, batch)), rel=1e-5)


def test_ties_and_distances_on_a_line_are_exact():
    # Seen from 0, the positive at 1 and the negative at -1 are tied; and so on.
    points = np.array([[0.0], [1.0], [-1.0], [3.0], [7.0], [8.0]], "float32")
    labels = [0, 0, 1, 1, 0, 1]
    for margin in (0.0, 1.0, 4.0):
        for kind, oracle, chosen, asked in LOSSES.values():
            found = float(kind(margin, **chosen)(labels, points))
            assert found == pytest.approx(oracle(labels, points, "euclidean", margin, **asked), rel=1e-6)


@each_loss
def test_a_zero_vector_has_cosine_distance_one_to_everything(name):
    kind, oracle, chosen, asked = LOSSES[name]
    batch = vectors()
    batch[[0, 1, 4]] = 0.0
    found = float(kind(0.3, "cosine", **chosen)(LABELS, batch))
    assert found == pytest.approx(oracle(LABELS, batch, "cosine", 0.3, **asked), rel=1e-5)


@each_loss
def test_equal_vectors_are_equally_far_under_cosine_wherever_they_stand(name):
    # Rounded differently in different places of a batch, the tie between a positive and a negative would break.
    kind, oracle, chosen, asked = LOSSES[name]
    batch = vectors(0, 5)[np.arange(11) % 5]
    unit = batch / np.linalg.norm(batch.astype("float64"), axis=1, keepdims=True)
    halves = unit / np.sqrt(2)  # whose squared distance is the cosine distance, exactly 0 where vectors are equal
    for margin in (0.0, 0.3):
        found = float(kind(margin, "cosine", **chosen)(LABELS, batch))
        assert found == pytest.approx(oracle(LABELS, halves, "sqeuclidean", margin, **asked), rel=1e-5)


@each_loss
@pytest.mark.parametrize("labels", [[1] * 11, list(range(11)), [5]], ids=["no negative", "no positive", "one item"])
def test_a_batch_without_a_triplet_costs_nothing_and_moves_nothing(name, labels):
    kind, _, chosen, _ = LOSSES[name]
    loss = kind(0.2, **chosen)
    batch = vectors(0, len(labels))
    assert float(loss(labels, batch)) == 0.0
    assert np.array_equal(gradient(loss, labels, batch), np.zeros_like(batch))


@each_loss
def test_a_batch_without_a_row_costs_nothing(name):
    # Filtered data end with one, and so does the last step where there are more replicas than rows.
    kind, _, chosen, _ = LOSSES[name]
    assert float(kind(0.2, **chosen)(np.zeros(0, "int32"), vectors(0, 0))) == 0.0


@each_loss
@pytest.mark.parametrize("distance", DISTANCES)
def test_a_vector_or_label_that_is_no_number_makes_the_loss_none(name, distance):
    kind, _, chosen, _ = LOSSES[name]
    loss = kind(0.2, distance, **chosen)
    for row in (0, 7):  # the latter stands alone, and is only a negative
        for broken in (np.nan, np.inf, 1e20):  # the square of the last is beyond float32
            batch = vectors()
            batch[row, 2] = broken
            assert np.isnan(float(loss(LABELS, batch)))
        assert not np.isfinite(gradient(loss, LABELS, batch)).all()  # so mixed precision skips the step
        labels = LABELS.astype("float32")
        labels[row] = np.nan
        assert np.isnan(float(loss(labels, vectors())))


def test_a_given_triplet_that_is_no_number_costs_none():
    three = [vectors(seed) for seed in (1, 2, 3)]
    three[2][4, 0] = np.nan
    for distance in DISTANCES:
        found = ops.convert_to_numpy(triplet_cost(*three, 0.2, distance))
        assert np.flatnonzero(np.isnan(found)).tolist() == [4]


@each_loss
def test_rows_that_a_mask_leaves_out_are_in_no_triplet(name):
    kind, _, chosen, _ = LOSSES[name]
    loss = kind(0.5, **chosen)
    padded = np.concatenate([vectors(), np.zeros((3, 4), "float32")])
    found = float(loss([*LABELS, 0, 0, 3], keras.layers.Masking()(padded)))
    assert found == pytest.approx(float(loss(LABELS, vectors())), rel=1e-6)


@each_loss
@pytest.mark.parametrize("margin", [0.2, "soft"])
@pytest.mark.parametrize("distance", DISTANCES)
def test_gradients_are_finite_where_points_coincide_and_where_a_vector_is_zero(name, distance, margin):
    kind, _, chosen, _ = LOSSES[name]
    batch = vectors()
    batch[:2], batch[2:6] = 0.0, 1.0
    found = gradient(kind(margin, distance, **chosen), np.arange(11) // 2 % 3, batch)
    assert np.isfinite(found).all()
    assert np.abs(found).max() < 10


@each_loss
def test_the_gradient_is_the_slope(name):
    kind, oracle, chosen, asked = LOSSES[name]
    batch = vectors(2)
    found = gradient(kind(0.7, "sqeuclidean", **chosen), LABELS, batch)
    direction = vectors(3).astype("float64")
    step = 1e-6
    ahead, behind = (oracle(LABELS, batch + sign * step * direction, "sqeuclidean", 0.7, **asked) for sign in (1, -1))
    assert float((found * direction).sum()) == pytest.approx((ahead - behind) / (2 * step), rel=1e-3)


@each_loss
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_computed_in_float32(name, dtype):
    kind, oracle, chosen, asked = LOSSES[name]
    batch = ops.cast(vectors() * 300, dtype)  # 300² is beyond float16
    exact = np.asarray(ops.convert_to_numpy(ops.cast(batch, "float32")), np.float64)
    found = float(kind(1.0, "sqeuclidean", **chosen)(LABELS, batch))
    assert found == pytest.approx(oracle(LABELS, exact, "sqeuclidean", 1.0, **asked), rel=1e-4)


def test_large_labels_do_not_collide():
    # Through float32, 16777216 and 16777217 are one class.
    labels = np.array([16777216, 16777217] * 5 + [7], "int32")
    batch = vectors()
    found = float(TripletAllLoss(0.5)(labels, batch))
    assert found == pytest.approx(triplet_loops.all_loss(labels, batch, "euclidean", 0.5, nonzero=True), rel=1e-5)
    assert found > 0


def test_with_a_soft_margin_no_triplet_costs_nothing_even_where_float32_says_so():
    batch = np.array([[0, 0], [6, 0], [9, 0], [24, 0]], "float32")
    labels = np.array([0, 0, 1, 1])
    expected = triplet_loops.all_loss(labels, batch, "sqeuclidean", "soft", nonzero=False)
    assert float(TripletAllLoss("soft", "sqeuclidean")(labels, batch)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("margin", [np.float32(0.5), np.float64(0.5), np.int64(1)])
def test_a_margin_may_be_a_number_of_numpy(margin):
    loss = TripletHardLoss(margin)
    assert loss.margin == float(margin)
    assert type(loss.get_config()["margin"]) is float


def test_labels_may_stand_in_a_column():
    batch = vectors()
    loss = TripletHardLoss()
    assert float(loss(LABELS[:, None], batch)) == float(loss(LABELS, batch))


@pytest.mark.parametrize("margin", [0.4, "soft"])
@pytest.mark.parametrize("distance", DISTANCES)
def test_given_triplets_cost_what_they_cost(distance, margin):
    three = [vectors(seed) for seed in (1, 2, 3)]
    expected = [
        triplet_loops.cost(triplet_loops.distance_of(a, p, distance), triplet_loops.distance_of(a, n, distance), margin)
        for a, p, n in zip(*(rows.astype("float64") for rows in three), strict=True)
    ]
    costs = ops.convert_to_numpy(triplet_cost(*three, margin, distance))
    assert costs == pytest.approx(expected, rel=1e-5, abs=1e-7)
    stacked = np.stack(three, axis=1)
    loss = TripletMarginLoss(margin, distance)
    assert float(loss(np.zeros(11), stacked)) == pytest.approx(np.mean(expected), rel=1e-5)
    weights = np.zeros(11, "float32")
    weights[[0, 4]] = 1.0, 3.0
    weighted = (expected[0] + 3 * expected[4]) / 11
    assert float(loss(np.zeros(11), stacked, sample_weight=weights)) == pytest.approx(weighted, rel=1e-5)


@pytest.mark.parametrize(
    "loss",
    [
        TripletSemiHardLoss(0.3, "cosine", name="mine"),
        TripletHardLoss("soft"),
        TripletAllLoss(1.0, "sqeuclidean", mean="all"),
        TripletMarginLoss(0.7),
    ],
    ids=lambda loss: type(loss).__name__,
)
def test_a_loss_survives_serialisation(loss):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert type(again) is type(loss)
    assert again.get_config() == loss.get_config()


def test_a_model_trains_with_it_and_is_loaded_with_it(tmp_path: Path):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.UnitNormalization()])
    model.compile(keras.optimizers.Adam(0.05), loss=TripletSemiHardLoss(0.3), run_eagerly=True)
    classes = np.arange(64) % 4
    points = vectors(0, 64) + np.eye(4, dtype="float32")[classes]
    history = model.fit(points, classes, batch_size=32, epochs=4, verbose=0).history["loss"]
    assert history[-1] < history[0]
    model.save(tmp_path / "model.keras")
    assert keras.saving.load_model(tmp_path / "model.keras").loss.get_config() == model.loss.get_config()


@pytest.mark.parametrize("margin", [-0.1, float("nan"), float("inf"), True, "hard", None])
def test_an_impossible_margin_is_refused(margin):
    with pytest.raises(ParameterError, match="E505"):
        TripletHardLoss(margin)


def test_what_is_no_batch_of_embeddings_is_refused():
    with pytest.raises(ParameterError, match="did you mean 'euclidean'"):
        TripletHardLoss(distance="euclidian")
    with pytest.raises(ParameterError, match="known: all, nonzero"):
        TripletAllLoss(mean="sometimes")
    with pytest.raises(DataError, match="one-hot"):
        TripletHardLoss()(np.eye(4), vectors(0, 4))
    with pytest.raises(DataError, match=r"embeddings of shape \(4, 2, 2\)"):
        TripletHardLoss()([0, 0, 1, 1], vectors(0, 4).reshape(4, 2, 2))
    with pytest.raises(DataError, match=r"not \(n, 3, dim\)"):
        TripletMarginLoss()(np.zeros(4), vectors(0, 4))
    with pytest.raises(ParameterError, match="E512"):
        TripletHardLoss()(LABELS, vectors(), sample_weight=np.ones(len(LABELS)))
    for labels in ([3], [3, 1, 2]):
        with pytest.raises(LabelError, match=f"E401 {len(labels)} labels for 11 embeddings"):
            TripletHardLoss()(labels, vectors())


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"distance": "L2"}, "distance='L2' · write 'euclidean'"),
        ({"distance": "squared-L2"}, "write 'sqeuclidean'"),
        ({"distance": "angular"}, "write 'cosine'"),
        ({"distance_metric": "L2"}, "distance_metric='L2', an argument of TensorFlow Addons · .* · write distance="),
        ({"soft": True}, "soft=True, an argument of TensorFlow Addons · TripletHardLoss · write margin='soft'"),
    ],
)
def test_what_addons_called_otherwise_is_refused_with_what_to_write(given, match):
    with pytest.raises(ParameterError, match=match):
        TripletHardLoss(1.0, **given)
