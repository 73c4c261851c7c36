"""Bad input gets its typed error, never a number: the catalogue rows that arrays and settings can meet."""

import enum

import numpy as np
import pytest

import tripleteval as te

GOOD = np.array([[0.0, 1.0], [1.0, 0.5], [4.0, 4.0], [5.0, 4.0]])
LABELS = [0, 0, 1, 1]


def spoiled(value: float, row: int = 2, column: int = 1) -> np.ndarray:
    """Return the good points with one bad value."""
    points = GOOD.copy()
    points[row, column] = value
    return points


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


VALUES = {
    "nan": (spoiled(np.nan), "E201"),
    "infinity": (spoiled(np.inf), "E201"),
    "minus infinity": (spoiled(-np.inf), "E201"),
    "all nan": (np.full((4, 2), np.nan), "E201"),
    "complex": (GOOD.astype(complex), "E203"),
    "objects": (GOOD.astype(object), "E203"),
    "strings": (GOOD.astype(str), "E203"),
    "dates": (GOOD.astype("datetime64[s]"), "E203"),
    "records": (np.zeros(4, dtype=[("id", "i8"), ("v", "f4", 2)]), "E203"),
    "integers beyond 2**53": (np.full((4, 2), 2**53 + 1), "E203"),
    "masked": (np.ma.masked_less(GOOD, 1.0), "E204"),
    "ragged": ([[0.0, 1.0], [1.0]], "E205"),
    "no rows": (np.zeros((0, 2)), "E301"),
    "no columns": (np.zeros((4, 0)), "E303"),
    "one vector": (GOOD[0], "E304"),
    "feature maps": (np.zeros((4, 2, 3, 3)), "E304"),
    "a scalar": (np.array(1.0), "E304"),
    "not an array": (object(), "E203"),
}


@pytest.mark.parametrize("name", VALUES)
def test_vectors_that_are_not_vectors_are_refused(name):
    values, code = VALUES[name]
    with pytest.raises(te.DataError, match=code):
        te.evaluate(values, LABELS)


@pytest.mark.parametrize("name", VALUES)
def test_a_gallery_is_held_to_the_same(name):
    values, code = VALUES[name]
    with pytest.raises(te.DataError, match=code):
        te.evaluate(te.Embeddings(GOOD, LABELS), gallery=te.Embeddings(values, LABELS))


def test_a_nan_is_named_by_row_and_column_and_counted():
    with pytest.raises(te.DataError) as caught:
        te.evaluate(spoiled(np.nan), LABELS)
    assert "1 non-finite value in 1 of 4 rows" in caught.value.found
    assert "nan at row 2, column 1" in caught.value.found
    assert "--nonfinite drop" in caught.value.fix


def test_dropping_a_bad_row_equals_never_having_had_it():
    points, labels = np.vstack([GOOD, [[np.nan, 0.0]]]), [*LABELS, 1]
    run = te.evaluate(points, labels, nonfinite="drop")
    assert run.metrics == te.evaluate(GOOD, LABELS).metrics
    assert run.accounting["dropped"] == {"queries": {"nonfinite": 1}}


ZEROS = np.vstack([GOOD, [[0.0, 0.0]]])


def test_a_zero_vector_has_no_direction():
    with pytest.raises(te.DataError, match="E202") as caught:
        te.evaluate(ZEROS, [*LABELS, 1], distance="cosine")
    with pytest.raises(te.DataError) as of_search:
        te.evaluate_search(ZEROS, [*LABELS, 1], distance="cosine", backends=["exact"])
    assert str(of_search.value).replace("queries", "embeddings") == str(caught.value).replace("queries", "embeddings")
    assert "evaluate takes far as well" in caught.value.fix  # which search does not


@pytest.mark.parametrize("settings", [{}, {"ignore_label": 0}, {"nonfinite": "drop"}])
def test_a_row_is_named_as_it_was_given_whatever_was_left_out_before_it(settings):
    labels = [0, 0, 1, 1, 1, 2, 2]
    for value, code in ((np.nan, "E201"), (0.0, "E202")):
        points = np.arange(2.0, 16.0).reshape(7, 2)
        points[2] = value if code == "E201" else points[2]
        points[[4, 6]] = value
        points[1] = np.nan if settings and code == "E202" else points[1]
        if code == "E201" and "nonfinite" in settings:
            continue
        listed = "2, 4, 6" if code == "E201" else "4, 6"
        with pytest.raises(te.DataError, match=rf"{code} .*rows: {listed}\b"):
            te.evaluate(points, labels, distance="cosine", **settings)


def test_a_zero_vector_is_an_ordinary_point_elsewhere():
    assert te.evaluate(ZEROS, [*LABELS, 1]).accounting["queries"] == 5


def test_zero_vectors_can_be_left_out_and_are_counted():
    run = te.evaluate(ZEROS, [*LABELS, 1], distance="cosine", zero_rows="exclude")
    assert (run.accounting["queries"], run.accounting["dropped"]) == (4, {"queries": {"zero_vectors": 1}})


@pytest.mark.parametrize(
    ("labels", "code"),
    [
        ([0, 0, 1], "E401"),
        ([0, 0, 1, 1, 1], "E401"),
        (None, "E401"),
        ([0, 0], "E305"),
        ([0, 0, None, 1], "E402"),
        ([0, 0, float("nan"), 1], "E402"),
        (["a", "a", "", "b"], "E402"),
        (np.array([0.0, 0.0, 1.0, 1.0]), "E403"),
        ([0.5, 0.5, 1.5, 1.5], "E403"),
        ([0, 0, "a", "a"], "E403"),
        ([0, 0, True, True], "E403"),
        ([0, 1, 2, 3], "E406"),
        ([{"a": 1}] * 4, "E408"),
        ([{"a"}, {"a"}, set(), {"b"}], "E402"),
    ],
)
def test_labels_that_cannot_be_used_are_refused(labels, code):
    with pytest.raises(te.DataError, match=code):
        te.evaluate(GOOD, labels)


@pytest.mark.parametrize(
    "labels",
    [
        np.array([2**60, 2**60, 2**60 + 1, 2**60 + 1]),
        np.array([2**63, 2**63, 2**63 + 1, 2**63 + 1], dtype=np.uint64),
        [2**70, 2**70, 2**70 + 1, 2**70 + 1],
        np.array([-5, -5, 3, 3], dtype=np.int8),
        np.array(["a", "a", "b", "b"]),
        np.array(["a", "a", "b", "b"], dtype=object),
        [b"a", b"a", b"b", b"b"],
        [("x", 1), ("x", 1), ("x", 2), ("x", 2)],
        [True, True, False, False],
        ["a\0", "a\0", "a", "a"],
        [Colour.RED, Colour.RED, Colour.BLUE, Colour.BLUE],
    ],
)
def test_labels_of_any_one_kind_keep_two_classes_apart(labels):
    run = te.evaluate(GOOD, labels)
    assert (run.accounting["classes"], run["hit_rate@1"]) == (2, 1.0)


def test_text_and_integer_labels_on_two_sides_could_never_match():
    with pytest.raises(te.LabelError, match="E403"):
        te.evaluate(te.Embeddings(GOOD, LABELS), gallery=te.Embeddings(GOOD + 1, ["0", "0", "1", "1"]))


@pytest.mark.parametrize("column", ["ids", "groups"])
def test_what_is_text_on_one_side_and_integers_on_the_other_is_not_taken_for_something_else(column):
    numbered = te.Embeddings(GOOD, LABELS, **{"groups": [1, 2, 3, 4], column: [1, 2, 3, 4]})
    named = te.Embeddings(GOOD + 1, LABELS, **{"groups": [1, 2, 3, 4], column: ["1", "2", "3", "4"]})
    with pytest.raises(te.LabelError, match=f"(?s)E403.*{column} of"):
        te.evaluate(numbered, gallery=named, ignore="group")


def test_ids_of_two_kinds_that_share_nothing_are_two_kinds_of_items():
    named = te.Embeddings(GOOD + 1, LABELS, ids=["a", "b", "c", "d"])
    assert te.evaluate(te.Embeddings(GOOD, LABELS, ids=[1, 2, 3, 4]), gallery=named)["hit_rate@1"] == 1.0


def test_a_repeated_id_names_no_item():
    with pytest.raises(te.LabelError, match="E407"):
        te.Embeddings(GOOD, LABELS, ids=["a", "b", "b", "c"])


def test_one_item_cannot_be_searched_among_others():
    with pytest.raises(te.DataError, match="E302"):
        te.evaluate(GOOD[:1], [0])


def test_queries_and_gallery_of_different_models_are_refused():
    with pytest.raises(te.DataError, match="E306"):
        te.evaluate(te.Embeddings(GOOD, LABELS), gallery=te.Embeddings(GOOD[:, :1], LABELS))


def test_a_normalised_side_and_a_raw_side_are_refused_but_not_under_cosine():
    unit = GOOD / np.linalg.norm(GOOD, axis=1, keepdims=True)
    sides = te.Embeddings(unit, LABELS), te.Embeddings(GOOD, LABELS)
    with pytest.raises(te.DataError, match="E507"):
        te.evaluate(sides[0], gallery=sides[1])
    assert te.evaluate(sides[0], gallery=sides[1], distance="cosine")["hit_rate@1"] == 1.0


def test_the_same_vectors_passed_twice_are_refused_because_each_would_find_itself():
    with pytest.raises(te.DataError, match="E509"):
        te.evaluate(te.Embeddings(GOOD, LABELS), gallery=te.Embeddings(GOOD, LABELS))


@pytest.mark.parametrize(
    ("setting", "code"),
    [
        ({"ks": [0]}, "E308"),
        ({"ks": [-1]}, "E308"),
        ({"ks": [1.5]}, "E308"),
        ({"ks": [True]}, "E308"),
        ({"ks": ["1"]}, "E308"),
        ({"ks": [float("nan")]}, "E308"),
        ({"neighbors": -1}, "E308"),
        ({"margins": [float("nan")]}, "E505"),
        ({"margins": [float("inf")]}, "E505"),
        ({"margins": [4e307]}, "E505"),
        ({"margins": [-0.2]}, "E505"),
        ({"margins": ["0.2"]}, "E505"),
        ({"margin_curve": [float("inf")]}, "E505"),
        ({"margin_curve": np.linspace(0, 1, 500)}, "E505"),
        ({"distance": "manhattan"}, "E510"),
        ({"ties": "random"}, "E510"),
        ({"average": "micro"}, "E510"),
        ({"ignore": "camera"}, "E510"),
        ({"kernel": "gpu"}, "E510"),
        ({"nonfinite": "zero"}, "E510"),
        ({"zero_rows": "keep"}, "E510"),
        ({"metrics": ["recal@10"]}, "E510"),
        ({"metrics": ["recall@0"]}, "E308"),
        ({"metrics": ["recall"]}, "E510"),
        ({"ignore": "group"}, "E101"),
        ({"memory": "lots"}, "E101"),
        ({"memory": "1KiB"}, "E802"),
    ],
)
def test_impossible_settings_are_refused(setting, code):
    with pytest.raises(te.EvalError, match=code):
        te.evaluate(GOOD, LABELS, **setting)


def test_a_misspelled_metric_is_told_the_nearest_one():
    with pytest.raises(te.ParameterError, match="did you mean 'recall@k'"):
        te.evaluate(GOOD, LABELS, metrics=["recal@10"])


def test_labels_beside_embeddings_that_have_their_own_are_refused():
    with pytest.raises(te.ParameterError, match="E101"):
        te.evaluate(te.Embeddings(GOOD, LABELS), LABELS)


def test_an_error_can_be_caught_as_the_builtin_it_is():
    with pytest.raises(ValueError, match="E301"):
        te.evaluate(np.zeros((0, 2)), [])


def test_input_is_never_written_to():
    points = GOOD.copy()
    points.flags.writeable = False
    labels = np.array(LABELS)
    labels.flags.writeable = False
    te.evaluate(points, labels, distance="cosine", kernel="cpu")
    assert np.array_equal(points, GOOD)


def test_a_gallery_without_labels_is_told_by_which_option_it_gets_them():
    with pytest.raises(te.LabelError, match="E401 .*--gallery-labels FILE"):
        te.evaluate(te.Embeddings(GOOD, LABELS), gallery=te.Embeddings(GOOD + 1))
    with pytest.raises(te.LabelError, match="E401 .*--gallery-labels"):
        te.evaluate_identification(te.Embeddings(GOOD, LABELS), te.Embeddings(GOOD + 1))
    with pytest.raises(te.LabelError, match=r"E401 .*\(--labels FILE"):
        te.evaluate(GOOD)


def test_without_labels_the_columns_that_might_be_them_are_named():
    found = te.Embeddings(GOOD, meta={"species": list("aabb"), "year": [1, 2, 3, 4]})
    with pytest.raises(te.LabelError, match=r"E401 .*their column, of 'species', 'year', with label_column="):
        te.evaluate(found)


def test_a_single_one_is_counted_in_the_singular():
    run = te.evaluate([[0.0], [0.0], [5.0], [6.0], [9.0]], [1, 2, 1, 2, 3], ks=(1,))
    assert "1 pair of identical vectors under different labels; 0 under one." in run.notes
    assert "2 vectors of nothing but zeros." in run.notes
    assert any(note.startswith("1 of 5 queries with nothing relevant to find") for note in run.notes)
    one = te.evaluate([[0.0], [1.0], [5.0], [6.0]], [1, 2, 1, 2], ks=(1,))
    assert "1 vector of nothing but zeros." in one.notes
