"""Pairwise distances: the same numbers in every framework, exact far from the origin, with usable gradients."""

import json
import math
import os
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn

import tripleteval as te

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "golden.json").read_text())["cases"]
DISTANCES = ("euclidean", "sqeuclidean", "cosine")
INSTALL = {"tensorflow": "pip install tensorflow", "jax": "pip install jax", "torch": "pip install torch"}
TENSORS = tuple(INSTALL)
ALL = ("numpy", *TENSORS)
NEAR = {"float64": 1e-14, "float32": 2e-7, "float16": 2e-3, "bfloat16": 2e-2}


def load(framework: str):
    if framework != "numpy" and find_spec(framework) is None:
        pytest.skip(f"{framework} is not installed: {INSTALL[framework]}")
    return import_module(framework)


def tensor(framework: str, values, dtype: str = "float32"):
    module = load(framework)
    values = np.asarray(values, dtype=np.float64)
    if framework == "tensorflow":
        return module.constant(values, dtype)
    if framework == "jax":
        return module.numpy.asarray(values.astype(np.float32)).astype(dtype)
    if framework == "torch":
        return module.tensor(values, dtype=getattr(module, dtype))
    return values


def back(values) -> np.ndarray:
    """Return any tensor as float64, bfloat16 too."""
    if hasattr(values, "detach"):
        values = values.detach().double().numpy()
    return np.asarray(values).astype(np.float64)


def gradient(framework: str, values, loss):
    """Return the gradient of the sum of ``loss``, by the framework's own means."""
    module = load(framework)
    if framework == "tensorflow":
        x = module.Variable(values, dtype="float32")
        with module.GradientTape() as tape:
            total = module.reduce_sum(loss(x))
        return back(tape.gradient(total, x))
    if framework == "torch":
        x = module.tensor(values, dtype=module.float32, requires_grad=True)
        loss(x).sum().backward()
        return back(x.grad)
    return back(module.grad(lambda x: loss(x).sum())(tensor("jax", values)))


def brute(x, y, name: str) -> np.ndarray:
    """Return distances by three nested loops."""
    result = np.zeros((len(x), len(y)))
    for i, a in enumerate(x):
        for j, b in enumerate(y):
            if name == "cosine":
                norms = math.sqrt(sum(u * u for u in a)) * math.sqrt(sum(v * v for v in b))
                result[i, j] = 1 - sum(u * v for u, v in zip(a, b, strict=True)) / norms if norms else 1.0
                continue
            squared = sum((u - v) ** 2 for u, v in zip(a, b, strict=True))
            result[i, j] = math.sqrt(squared) if name == "euclidean" else squared
    return result


def points(seed: int, n: int, dim: int = 3) -> np.ndarray:
    """Return coordinates that bfloat16 holds exactly."""
    return np.random.default_rng(seed).integers(-16, 17, (n, dim)) / 8


# --- values --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DISTANCES)
@pytest.mark.parametrize(
    ("framework", "dtype"),
    [("numpy", "float64"), *((f, d) for f in TENSORS for d in NEAR if (f, d) != ("jax", "float64"))],
)
def test_distances_equal_three_nested_loops(framework, dtype, name):
    x, y = points(1, 5), points(2, 4)
    result = te.pairwise_distances(tensor(framework, x, dtype), tensor(framework, y, dtype), distance=name)
    np.testing.assert_allclose(back(result), brute(x, y, name), rtol=NEAR[dtype], atol=NEAR[dtype])


@pytest.mark.parametrize("name", DISTANCES)
@given(values=stn.arrays(np.float64, st.tuples(st.integers(1, 5), st.just(2)), elements=st.integers(-3, 3)))
def test_on_integer_grids_numpy_equals_three_nested_loops(name, values):
    np.testing.assert_allclose(te.pairwise_distances(values, distance=name), brute(values, values, name), atol=1e-15)


@pytest.mark.parametrize("framework", ALL)
def test_golden_points_far_from_the_origin_do_not_cancel(framework):
    case = GOLDEN["G1_cancellation"]
    x = tensor(framework, case["inputs"]["embeddings"])
    assert back(te.pairwise_distances(x, distance="sqeuclidean")).tolist() == case["expected_values"]["sqeuclidean"]


@pytest.mark.parametrize("framework", ALL)
def test_golden_zero_vectors_are_at_cosine_distance_one_from_everything(framework):
    case = GOLDEN["G2_zero_vector"]
    x = tensor(framework, case["inputs"]["embeddings"])
    assert back(te.pairwise_distances(x, distance="cosine")).tolist() == case["expected_values"]["cosine"]


@pytest.mark.parametrize("framework", ALL)
def test_euclidean_of_a_3_4_5_triangle_is_5_and_not_25(framework):
    assert back(te.pairwise_distances(tensor(framework, [[0, 0]]), tensor(framework, [[3, 4]]))).tolist() == [[5.0]]


@pytest.mark.parametrize("framework", ALL)
def test_a_step_of_one_far_away_is_one(framework):
    far = tensor(framework, [[10000, 10000]]), tensor(framework, [[10000, 10001]])
    assert back(te.pairwise_distances(*far)).tolist() == [[1.0]]


@pytest.mark.parametrize("framework", ALL)
def test_euclidean_does_not_normalise(framework):
    gallery = tensor(framework, [[1, 0], [10, 0]])
    assert back(te.pairwise_distances(tensor(framework, [[9, 0]]), gallery)).tolist() == [[8.0, 1.0]]


@pytest.mark.parametrize("name", DISTANCES)
@pytest.mark.parametrize("framework", ALL)
def test_equal_rows_are_at_distance_exactly_zero(framework, name):
    x = tensor(framework, np.random.default_rng(0).normal(size=(6, 33)))
    assert np.diag(back(te.pairwise_distances(x, distance=name))).tolist() == [0.0] * 6


@pytest.mark.parametrize("name", DISTANCES)
@pytest.mark.parametrize("cells", [1, 64])
def test_the_numpy_bits_do_not_depend_on_the_row_blocks(name, cells, monkeypatch):
    x, y = np.random.default_rng(0).normal(size=(50, 7)), np.random.default_rng(1).normal(size=(30, 7))
    whole = te.pairwise_distances(x, y, distance=name)
    monkeypatch.setattr("tripleteval.distance.pairwise._CELLS", cells)
    np.testing.assert_array_equal(te.pairwise_distances(x, y, distance=name), whole)


@pytest.mark.parametrize("framework", ["tensorflow", "torch"])
def test_float64_tensors_get_the_bits_of_numpy(framework):
    x, y = np.random.default_rng(0).normal(size=(9, 40)), np.random.default_rng(1).normal(size=(7, 40))
    result = te.pairwise_distances(tensor(framework, x, "float64"), tensor(framework, y, "float64"))
    np.testing.assert_array_equal(back(result), te.pairwise_distances(x, y))


def test_values_near_the_ends_of_float64_are_scaled_and_not_lost():
    assert te.pairwise_distances([[3e300, 0.0]], [[0.0, 4e300]]).tolist() == [[5e300]]
    np.testing.assert_allclose(te.pairwise_distances([[3e-200, 0.0]], [[0.0, 4e-200]]), [[5e-200]], rtol=1e-15)


@pytest.mark.parametrize("framework", TENSORS)
def test_the_cosine_of_tiny_and_huge_tensors_is_not_lost(framework):
    x = tensor(framework, [[1e-30, 0.0], [1e30, 0.0], [0.0, 1e30]])
    expected = [[0.0, 0.0, 1.0], [0.0, 0.0, 1.0], [1.0, 1.0, 0.0]]
    np.testing.assert_allclose(back(te.pairwise_distances(x, distance="cosine")), expected, atol=1e-7)


# --- what comes back -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("framework", TENSORS)
def test_a_tensor_comes_back_in_its_framework_and_dtype(framework, dtype):
    x = tensor(framework, [[0, 0], [3, 4]], dtype)
    result = te.pairwise_distances(x)
    assert (type(result), result.dtype, tuple(result.shape)) == (type(x), x.dtype, (2, 2))
    assert str(result.device) == str(x.device)


@pytest.mark.parametrize("values", [[[0, 0], [3, 4]], np.array([[0, 0], [3, 4]], np.float16)])
def test_lists_and_arrays_come_back_as_float64(values):
    result = te.pairwise_distances(values)
    assert isinstance(result, np.ndarray)
    assert (result.dtype, result.tolist()) == (np.float64, [[0.0, 5.0], [5.0, 0.0]])


def test_a_keras_variable_is_a_variable_of_its_backend():
    keras, tf = load("keras") if find_spec("keras") else pytest.skip("pip install keras"), load("tensorflow")
    centres = keras.Variable([[0.0, 0.0], [3.0, 4.0]])
    result = te.pairwise_distances(tf.constant([[0.0, 0.0]]), centres)
    assert result.numpy().tolist() == [[0.0, 5.0]]


def test_a_subclass_of_a_tensor_is_that_tensor():
    torch = load("torch")
    weights = torch.nn.Parameter(torch.tensor([[0.0, 0.0], [3.0, 4.0]]))
    assert te.pairwise_distances(weights).requires_grad


def test_jax_with_x64_gets_the_bits_of_numpy_up_to_rounding():
    jax = load("jax")
    x = np.random.default_rng(0).normal(size=(9, 40))
    with jax.enable_x64(True):
        result = te.pairwise_distances(jax.numpy.asarray(x))
        assert result.dtype == np.float64
    np.testing.assert_allclose(back(result), te.pairwise_distances(x), rtol=1e-15)


# --- gradients -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DISTANCES)
@pytest.mark.parametrize("framework", TENSORS)
def test_the_gradient_equals_finite_differences(framework, name):
    x, weights = points(3, 4) + 4000.0 * (name != "cosine"), np.random.default_rng(4).normal(size=(4, 4))
    x[0] += 0.5  # apart from every other point
    against = tensor(framework, weights)
    slope = gradient(framework, x, lambda v: te.pairwise_distances(v, distance=name) * against)
    expected, step = np.zeros_like(x), 1e-5
    for place in np.ndindex(*x.shape):
        sides = [(weights * te.pairwise_distances(x + s * at(x, place, step), distance=name)).sum() for s in (1, -1)]
        expected[place] = (sides[0] - sides[1]) / (2 * step)
    np.testing.assert_allclose(slope, expected, rtol=2e-4, atol=2e-4)


def at(x: np.ndarray, place: tuple[int, ...], step: float) -> np.ndarray:
    """Return a step in one coordinate."""
    moved = np.zeros_like(x)
    moved[place] = step
    return moved


@pytest.mark.parametrize("name", DISTANCES)
@pytest.mark.parametrize("framework", TENSORS)
def test_the_gradient_is_finite_at_coincident_points(framework, name):
    slope = gradient(framework, [[1.0, 2.0], [1.0, 2.0]], lambda v: te.pairwise_distances(v, distance=name))
    np.testing.assert_allclose(slope, 0.0, atol=1e-6)


@pytest.mark.parametrize("framework", TENSORS)
def test_the_cosine_gradient_is_zero_at_zero_vectors_and_finite_beside_them(framework):
    slope = gradient(
        framework, [[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]], lambda v: te.pairwise_distances(v, distance="cosine")
    )
    np.testing.assert_allclose(slope, [[0.0, 0.0], [0.0, -2.0], [-1.0, 0.0]], atol=1e-6)


@pytest.mark.parametrize("framework", TENSORS)
def test_the_second_derivative_of_the_squared_distance_is_two(framework):
    module = load(framework)
    if framework == "tensorflow":
        x, y = module.Variable([[3.0]]), module.constant([[1.0]])
        with module.GradientTape() as outer:
            with module.GradientTape() as inner:
                value = te.pairwise_distances(x, y, distance="sqeuclidean")
            slope = inner.gradient(value, x)
        second = outer.gradient(slope, x)
    elif framework == "torch":
        x, y = module.tensor([[3.0]], requires_grad=True), module.tensor([[1.0]])
        value = te.pairwise_distances(x, y, distance="sqeuclidean")
        (slope,) = module.autograd.grad(value, x, create_graph=True)
        (second,) = module.autograd.grad(slope, x)
    else:
        y = module.numpy.array([[1.0]])
        first = module.grad(lambda v: te.pairwise_distances(v.reshape(1, 1), y, distance="sqeuclidean")[0, 0])
        slope, second = first(3.0), module.grad(first)(3.0)
    assert (back(slope).item(), back(second).item()) == (4.0, 2.0)


@pytest.mark.parametrize("framework", TENSORS)
def test_nan_in_a_tensor_gives_nan_and_not_zero(framework):
    x = tensor(framework, [[math.nan, 0.0], [0.0, 0.0]])
    for name in DISTANCES:
        result = back(te.pairwise_distances(x, distance=name))
        assert np.isnan(result[0]).all(), name
        assert np.isnan(result[1, 0]), name


# --- inside graphs -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("compiled", [False, True], ids=["graph", "xla"])
@pytest.mark.parametrize("name", DISTANCES)
def test_inside_tf_function_with_an_unknown_number_of_rows(name, compiled):
    tf = load("tensorflow")
    x, y = points(1, 5), points(2, 4)

    def step(a, b):
        with tf.GradientTape() as tape:
            tape.watch(a)
            result = te.pairwise_distances(a, b, distance=name)
        return result, tape.gradient(result, a)

    graph = tf.function(step, jit_compile=compiled, input_signature=[tf.TensorSpec([None, 3])] * 2)
    result, slope = graph(tensor("tensorflow", x), tensor("tensorflow", y))
    np.testing.assert_allclose(result, brute(x, y, name), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(slope, step(tensor("tensorflow", x), tensor("tensorflow", y))[1], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", DISTANCES)
def test_inside_jax_jit_forward_and_reverse_mode_agree(name):
    jax = load("jax")
    x, y = tensor("jax", points(1, 5)), tensor("jax", points(2, 4))
    distances = jax.jit(lambda v: te.pairwise_distances(v, y, distance=name))
    np.testing.assert_allclose(distances(x), brute(points(1, 5), points(2, 4), name), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(jax.jacfwd(distances)(x), jax.jacrev(distances)(x), rtol=1e-5, atol=1e-5)


def test_a_keras_model_trains_on_a_loss_made_of_distances():
    keras, tf = load("keras") if find_spec("keras") else pytest.skip("pip install keras"), load("tensorflow")
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])

    def batch_all(labels, vectors):
        gap = te.pairwise_distances(vectors)[:, :, None] - te.pairwise_distances(vectors)[:, None, :] + 0.2
        same = tf.equal(labels[:, 0][:, None], labels[:, 0][None, :])
        return tf.reduce_sum(tf.where(same[:, :, None] & ~same[:, None, :], tf.nn.relu(gap), 0.0))

    model.compile(optimizer=keras.optimizers.SGD(0.01), loss=batch_all)
    x, labels = np.random.default_rng(0).normal(size=(8, 4)).astype(np.float32), np.arange(8)[:, None] % 2
    losses = model.fit(x, labels, epochs=5, batch_size=8, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


# --- memory --------------------------------------------------------------------------------------------------

MEASURE = """
import sys
import numpy as np
import tripleteval as te
from tripleteval.search.child import memory_held
n, dim = 2000, 256
x = np.random.default_rng(0).normal(size=(n, dim)).astype(np.float32)

def run(rows):
    global total
    if sys.argv[1] == "tensorflow":
        import tensorflow as tf
        v = tf.Variable(x[:rows])
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(te.pairwise_distances(v))
        tape.gradient(total, v).numpy()
    elif sys.argv[1] == "torch":
        import torch
        v = torch.tensor(x[:rows], requires_grad=True)
        te.pairwise_distances(v).sum().backward()
    elif sys.argv[1] == "jax":
        import jax
        jax.grad(lambda v: te.pairwise_distances(v).sum())(jax.numpy.asarray(x[:rows])).block_until_ready()
    else:
        te.pairwise_distances(x[:rows])

run(10)
before = memory_held("VmHWM")
run(n)
print((memory_held("VmHWM") - before) // 1024)
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="peak memory is read from /proc")
@pytest.mark.parametrize("framework", ALL)
def test_nothing_of_size_n_m_dim_exists_forward_or_backward(framework):
    load(framework)
    quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, "-c", MEASURE, framework]
    done = subprocess.run(command, capture_output=True, text=True, env=quiet, check=False)
    assert done.returncode == 0, done.stderr
    kilobytes = int(done.stdout.split()[-1])
    assert kilobytes < 1_000_000  # n · m · dim float32 would be 4,000,000


# --- refusals ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("framework", ["tensorflow", "jax", "torch"])
def test_two_frameworks_are_refused_by_name(framework):
    with pytest.raises(te.DataError, match=rf"E203 x is of {framework} and y of NumPy"):
        te.pairwise_distances(tensor(framework, [[0.0]]), np.zeros((1, 1)))


@pytest.mark.parametrize("framework", ALL)
def test_different_dimensions_are_refused(framework):
    with pytest.raises(te.DataError, match=r"E306 x has 2 dimensions, y has 3"):
        te.pairwise_distances(tensor(framework, [[0.0, 0.0]]), tensor(framework, [[0.0, 0.0, 0.0]]))


@pytest.mark.parametrize("framework", ALL)
@pytest.mark.parametrize(
    ("shape", "code"), [((3,), "E304"), ((2, 2, 2), "E304"), ((0, 3), "E301"), ((3, 0), "E303")], ids=str
)
def test_what_is_no_set_of_vectors_is_refused(framework, shape, code):
    with pytest.raises(te.DataError, match=code):
        te.pairwise_distances(tensor(framework, np.zeros(shape)))


@pytest.mark.parametrize("framework", ALL)
def test_an_unknown_distance_is_refused_with_the_nearest_name(framework):
    with pytest.raises(te.ParameterError, match=r"E510 .*did you mean 'euclidean'"):
        te.pairwise_distances(tensor(framework, [[0.0]]), distance="euclidian")


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_non_finite_value_in_an_array_is_named_by_row_and_column(bad):
    y = np.zeros((20_000, 2), np.float32)
    y[17_000, 1] = bad
    with pytest.raises(te.DataError, match=rf"E201 {bad} at row 17000, column 1 .* y \(20,000 × 2 float32\)"):
        te.pairwise_distances([[0.0, 0.0]], y)


def test_a_distance_beyond_float64_is_refused_and_not_infinite():
    with pytest.raises(te.DataError, match="E206"):
        te.pairwise_distances([[8e307, 8e307]], [[-8e307, -8e307]])


@pytest.mark.parametrize("framework", TENSORS)
def test_integer_tensors_are_refused(framework):
    module = load(framework)
    make = {"tensorflow": "constant", "torch": "tensor"}.get(framework)
    x = getattr(module, make)([[1, 2]]) if make else module.numpy.array([[1, 2]])
    with pytest.raises(te.DataError, match=r"E203 a tensor of int"):
        te.pairwise_distances(x)


@pytest.mark.parametrize("framework", TENSORS)
def test_tensors_of_two_dtypes_are_refused(framework):
    with pytest.raises(te.DataError, match=r"E203 x is float32 and y is float16"):
        te.pairwise_distances(tensor(framework, [[0.0]]), tensor(framework, [[0.0]], "float16"))


def test_sparse_tensors_are_refused():
    tf = load("tensorflow")
    with pytest.raises(te.DataError, match="E203 a SparseTensor"):
        te.pairwise_distances(tf.sparse.from_dense([[0.0, 1.0]]))
    torch = load("torch")
    with pytest.raises(te.DataError, match="E203 a tensor of layout"):
        te.pairwise_distances(torch.eye(2).to_sparse())


@pytest.mark.parametrize(("shape", "code"), [(None, "E304"), ((None, None), "E306")], ids=str)
def test_a_graph_that_does_not_know_the_dimension_is_refused_while_it_is_built(shape, code):
    tf = load("tensorflow")
    graph = tf.function(te.pairwise_distances, input_signature=[tf.TensorSpec(shape)], autograph=False)
    with pytest.raises(te.DataError, match=code):
        graph(tf.zeros((2, 2)))


def test_no_framework_is_imported_to_look_at_an_array():
    loads = "import sys, tripleteval as te; te.pairwise_distances([[0.0]]); print({*sys.modules} & {*sys.argv})"
    done = subprocess.run([sys.executable, "-c", loads, *TENSORS, "keras"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
