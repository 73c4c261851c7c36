"""Arrays of every kind become NumPy without losing a bit, or are refused by name; nobody's memory is written to."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import ml_dtypes
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn

import tripleteval as te
from tripleteval.arrays import as_column, as_vectors

VALUES = [[1.5, -2.0, 0.25], [0.0, 3.0, -4.0]]
WHOLE = [[1, 2], [3, 4]]
TENSORS = ("tensorflow", "jax", "torch")


def load(framework: str):
    if find_spec(framework) is None:
        pytest.skip(f"{framework} is not installed: pip install {framework}")
    return import_module(framework)


def tensor(framework: str, values, dtype: str):
    module = load(framework)
    if framework == "tensorflow":
        return module.constant(values, dtype)
    if framework == "torch":
        return module.tensor(values, dtype=getattr(module, dtype))
    return module.numpy.asarray(values, dtype=dtype)


class Frame:
    """As much of a pandas or polars object as is asked for."""

    def __init__(self, values):
        self.values = values

    def to_numpy(self):
        return np.asarray(self.values)


class Refuses:
    """An object whose conversion fails, as that of a tensor on another device does."""

    def __array__(self, dtype=None, copy=None):
        raise TypeError


def refused(values, code: str, words: str = ""):
    with pytest.raises(te.DataError, match=rf"{code} .*{words}"):
        as_vectors(values)


# --- vectors that are accepted -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["f2", "f4", "f8", ">f2", ">f4", ">f8", "i1", "i2", "i4", "i8", ">i2", ">i8"])
def test_real_numbers_of_any_width_and_byte_order_keep_their_values(kind):
    given_ = np.array([[1, -2], [3, 4]], kind)
    vectors = as_vectors(given_)
    assert vectors.tolist() == given_.tolist()
    assert (vectors.dtype, vectors.dtype.isnative) == (given_.dtype.newbyteorder("="), True)


@pytest.mark.parametrize("kind", ["u1", "u2", "u4", "u8", ">u4"])
def test_unsigned_integers_never_wrap(kind):
    assert as_vectors(np.array([[0, 255]], kind)).astype(np.float64).tolist() == [[0.0, 255.0]]


@pytest.mark.parametrize("kind", ["bfloat16", "float8_e4m3fn", "float8_e5m2"])
def test_what_numpy_lacks_is_held_exactly_by_float32(kind):
    given_ = np.array(VALUES, dtype=getattr(ml_dtypes, kind))
    vectors = as_vectors(given_)
    assert (vectors.dtype, vectors.tolist()) == (np.float32, given_.astype(np.float32).tolist())


@pytest.mark.parametrize("contiguous", [True, False])
def test_booleans_are_zero_and_one(contiguous):
    given_ = np.array([[True, False, True], [False, True, True]])
    given_ = given_ if contiguous else given_[:, ::2]
    assert as_vectors(given_).tolist() == given_.astype(int).tolist()


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
@pytest.mark.parametrize(
    "layout",
    [np.asfortranarray, lambda a: np.repeat(a, 2, axis=0)[::2], lambda a: a[::-1, ::-1][::-1, ::-1], np.matrix],
    ids=["Fortran", "strided", "reversed twice", "matrix"],
)
def test_any_memory_layout_is_accepted(layout):
    assert as_vectors(layout(np.array(VALUES))).tolist() == VALUES


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int32])
def test_a_plain_array_is_not_copied(dtype):
    given_ = np.array(WHOLE, dtype)
    assert as_vectors(given_) is given_


def test_a_memory_mapped_file_stays_on_disk(tmp_path):
    np.save(tmp_path / "vectors.npy", np.array(VALUES))
    mapped = np.load(tmp_path / "vectors.npy", mmap_mode="r")
    assert np.shares_memory(as_vectors(mapped), mapped)


@pytest.mark.parametrize("values", [VALUES, tuple(map(tuple, VALUES)), list(map(np.array, VALUES))])
def test_lists_of_equally_long_rows_are_accepted(values):
    assert as_vectors(values).tolist() == VALUES


@pytest.mark.parametrize("dtype", ["float16", "float32", "bfloat16", "int32", "int8"])
@pytest.mark.parametrize("framework", TENSORS)
def test_tensors_of_any_framework_are_accepted(framework, dtype):
    assert as_vectors(tensor(framework, WHOLE, dtype)).astype(np.float64).tolist() == WHOLE


def test_variables_and_tensors_that_need_gradients_are_accepted():
    tf = load("tensorflow")
    assert as_vectors(tf.Variable(VALUES)).tolist() == VALUES
    torch = load("torch")
    assert as_vectors(torch.nn.Parameter(torch.tensor(VALUES))).tolist() == VALUES


def test_data_frames_and_arrow_tables_are_accepted_column_by_column():
    assert as_vectors(Frame(VALUES)).tolist() == VALUES
    assert as_vectors(pa.table({"a": [1.5, 0.0], "b": [-2.0, 3.0]})).tolist() == [[1.5, -2.0], [0.0, 3.0]]


@pytest.mark.parametrize("exact", [2**53, -(2**53)])
def test_integers_that_float64_holds_exactly_are_accepted(exact):
    assert as_vectors(np.array([[exact]])).tolist() == [[exact]]


# --- vectors that are refused --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["i8", "u8", ">i8"])
def test_integers_beyond_float64_are_refused(kind):
    refused(np.array([[2**53 + 1]], kind), "E203", "9007199254740993, beyond 2")


def test_the_most_negative_integer_does_not_overflow_the_check():
    refused(np.array([[-(2**63)]]), "E203", "9223372036854775808")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.array([[1 + 2j]]), "complex128"),
        (np.array([[1.5, 2.0]], dtype=object), "object"),
        (np.array([[1.5, None]], dtype=object), "object"),
        ([[1.5, None]], "object"),
        ([[1.5, 2**70]], "object"),
        (np.array([["1.5", "2"]]), "str"),
        ([["1.5", "2"]], "str"),
        (np.array([[b"1.5"]]), "bytes"),
        (np.array([[(1, 2.0)]], dtype=[("id", "i8"), ("v", "f4")]), r"with fields \['id', 'v'\]"),
        (np.zeros(3, dtype=[("id", "i8"), ("v", "f4", 2)]), r"with fields \['id', 'v'\]"),  # as a table is saved
        (np.array([["2020-01-01"]], "M8[D]"), "datetime64"),
        (np.array([[1]], "m8[s]"), "timedelta64"),
        (np.array([[1.0]], np.longdouble), "longdouble|float128"),
        ({"a": [1.0]}, "an object of type dict"),
        ({1.0, 2.0}, "an object of type set"),
        (None, "an object of type NoneType"),
        (object(), "an object of type object"),
        (Refuses(), "an object of type Refuses"),
        (Frame([["a", "b"]]), "str"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else value,
)
def test_what_is_no_real_number_is_refused_and_never_parsed(values, words):
    refused(values, "E203", words)


def test_a_masked_array_is_refused_and_its_hidden_values_are_not_used():
    refused(np.ma.masked_array([[1.0, 2.0]], mask=[[True, False]]), "E204", "masked")
    with pytest.raises(te.DataError, match="E204"):
        as_column(np.ma.masked_array([1, 2], mask=[True, False]), "labels")


def test_sparse_matrices_are_refused():
    sparse = load("scipy.sparse") if find_spec("scipy") else pytest.skip("pip install scipy")
    for make in (sparse.csr_matrix, sparse.coo_array):
        refused(make(np.eye(2)), "E203", "a sparse matrix")


def test_ragged_and_sparse_tensors_are_refused():
    tf = load("tensorflow")
    refused(tf.ragged.constant([[1.0], [1.0, 2.0]]), "E20[35]")
    refused(tf.sparse.from_dense([[1.0, 0.0]]), "E203")


@pytest.mark.parametrize(
    ("values", "row"), [([[1.0, 2.0], [3.0]], 1), ([[1.0], [2.0], [3.0, 4.0]], 2), ([[1.0], 2.0], 1)]
)
def test_the_first_row_of_another_length_is_named(values, row):
    refused(values, "E205", rf"row {row} \(0-based\)")


@pytest.mark.parametrize(
    ("values", "code", "words"),
    [
        (np.zeros(3), "E304", r"x\[None, :\]"),
        ([1.0, 2.0], "E304", r"x\[None, :\]"),
        (np.float64(1.0), "E304", ""),
        (3, "E304", ""),
        (np.zeros((2, 3, 4)), "E304", "pool"),
        (np.zeros((2, 3, 4, 5)), "E304", "pool"),
        (np.zeros((0, 4)), "E301", "no rows"),
        (np.zeros((4, 0)), "E303", "without a coordinate"),
    ],
)
def test_what_is_no_set_of_vectors_is_refused_and_never_flattened(values, code, words):
    refused(values, code, words)


def test_as_many_labels_as_coordinates_hint_at_a_transposed_array():
    with pytest.raises(te.DataError, match=r"E305 .*vectors\.T"):
        te.Embeddings(np.zeros((2, 3)), [0, 0, 1])


# --- columns -------------------------------------------------------------------------------------------------


def test_a_column_of_python_values_keeps_every_value_as_it_is():
    values = [2**70, -1, 0]
    assert as_column(values, "ids").tolist() == values
    assert as_column([(1, 2), (3, 4)], "ids").tolist() == [(1, 2), (3, 4)]


def test_arrow_columns_with_nulls_keep_integers_exact():
    assert as_column(pa.array([2**53 + 1, None]), "labels").tolist() == [2**53 + 1, None]


@pytest.mark.parametrize("framework", TENSORS)
def test_tensors_are_columns_too(framework):
    column = as_column(tensor(framework, [3, 1, 2], "int32"), "labels")
    assert (column.tolist(), column.dtype.kind) == ([3, 1, 2], "i")


def test_text_of_tensorflow_is_a_column():
    tf = load("tensorflow")
    assert te.Embeddings(WHOLE, tf.constant(["a", "b"])).labels.values() == ["a", "b"]


@pytest.mark.parametrize("values", [np.zeros((2, 2)), np.zeros((2, 1, 1)), np.int64(3), "abc"])
def test_what_is_no_column_is_refused(values):
    with pytest.raises(te.DataError, match="E304"):
        as_column(values, "labels")


# --- nobody's memory is written to ---------------------------------------------------------------------------


@given(
    stn.arrays(
        st.sampled_from([np.float16, np.float32, np.float64, np.int8, np.bool_, ">f4"]),
        st.tuples(st.integers(4, 6), st.integers(1, 3)),
        elements=st.integers(0, 1),
    )
)
def test_read_only_memory_passes_through_everything_unchanged(values):
    before = values.copy()
    values.flags.writeable = False
    labels = [row % 2 for row in range(len(values))]
    te.evaluate(values, labels, zero_rows="far")
    te.pairwise_distances(values)
    te.evaluate_triplets([0, 1], [2, 3], [1, 0], embeddings=te.Embeddings(values, labels))
    assert values.tobytes() == before.tobytes()


@pytest.mark.parametrize("distance", ["euclidean", "sqeuclidean", "cosine"])
def test_writable_memory_is_left_as_it_was(distance):
    values = np.random.default_rng(0).normal(size=(6, 3))
    before = values.copy()
    te.evaluate(values, [0, 0, 1, 1, 2, 2], distance=distance)
    te.pairwise_distances(values, distance=distance)
    np.testing.assert_array_equal(values, before)


@pytest.mark.parametrize(
    ("given", "said", "fix"),
    [
        ("faces.parquet", "a path, 'faces.parquet'", "te.read('faces.parquet')"),
        (Path("faces.parquet"), "a path, 'faces.parquet'", "te.read('faces.parquet')"),
        (["a.npy", Path("b.npy")], "a list of paths or text, first 'a.npy'", "te.read(paths)"),
        ((Path("a.npy"),), "a list of paths or text, first 'a.npy'", "te.read(paths)"),
    ],
)
def test_a_path_is_to_be_read_first_at_every_door(given, said, fix):
    x, same = np.eye(3), [True, False, True]
    doors = [
        lambda: te.evaluate(given),
        lambda: te.evaluate(x, [0, 0, 1], gallery=given),
        lambda: te.evaluate_search(given, [0, 0, 1], backends=["exact"]),
        lambda: te.evaluate_identification(given, te.Embeddings(x, [0, 0, 1])),
        lambda: te.evaluate_pairs(given, x, same),
        lambda: te.evaluate_pairs([0], [1], [True], embeddings=given),
        lambda: te.evaluate_triplets(given, x, x),
        lambda: te.evaluate_triplets([0], [1], [2], embeddings=given),
        lambda: te.Embeddings(given),
    ]
    for door in doors:
        with pytest.raises(te.DataError, match="E203") as caught:
            door()
        assert caught.value.found == said
        assert fix in caught.value.fix


def test_identification_says_of_an_array_that_it_has_no_labels():
    with pytest.raises(te.LabelError, match="E401"):
        te.evaluate_identification(2 * np.eye(3), te.Embeddings(3 * np.eye(3), [0, 0, 1]))
