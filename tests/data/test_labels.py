"""Labels are dictionary-encoded, and never through a float."""

import datetime
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripleteval.data.embeddings import Embeddings
from tripleteval.data.labels import encode, encode_sets, join
from tripleteval.errors import DataError, LabelError

ANY = st.one_of(
    st.lists(st.integers(-(2**70), 2**70), min_size=1),
    st.lists(st.text(min_size=1), min_size=1),
    st.lists(st.booleans(), min_size=1),
    st.lists(st.dates(), min_size=1),
    st.lists(st.tuples(st.integers(), st.text()), min_size=1),
)


@given(ANY)
def test_encoding_loses_nothing(values):
    assert encode(values).values() == values


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1))
def test_arrays_and_lists_of_integers_are_one(values):
    array = encode(np.array(values, dtype=np.int64))
    assert array.values() == values
    assert array.classes == encode(values).classes


@pytest.mark.parametrize("kind", ["float16", "float64", "complex128"])
def test_numbers_that_are_rounded_are_no_classes(kind):
    with pytest.raises(LabelError, match="E403 values that are floating-point numbers"):
        encode(np.arange(3).astype(kind))


def test_a_column_of_an_array_is_a_column():
    assert encode(np.array([[3], [1], [3]])).values() == [3, 1, 3]
    with pytest.raises(DataError, match="E304"):
        encode(np.eye(3))


@given(ANY)
def test_classes_do_not_depend_on_the_order_of_rows(values):
    assert encode(values).classes == encode(values[::-1]).classes


@given(st.lists(st.sets(st.sampled_from("abcd"), min_size=1), min_size=1))
def test_sets_of_labels_come_back_as_sets(values):
    assert [set(row) for row in encode_sets(values).values()] == values


@given(st.lists(st.sets(st.sampled_from("abcd"), min_size=1), min_size=1), st.data())
def test_taking_rows_of_label_sets_takes_those_rows(values, data):
    rows = data.draw(st.lists(st.integers(0, len(values) - 1)))
    taken = encode_sets(values).take(np.array(rows, dtype=np.int64))
    assert [set(row) for row in taken.values()] == [values[row] for row in rows]


def test_trailing_nul_and_unicode_forms_stay_distinct():
    assert len(encode(["a", "a\0", "e\u0301", "\u00e9"]).classes) == 4


def test_two_sides_share_one_code_per_class():
    left, right, classes = join(("a", "c"), ("b", "c"), "labels")
    assert classes == ("a", "b", "c")
    assert (left.tolist(), right.tolist()) == ([0, 2], [1, 2])


def test_times_with_and_without_a_zone_stay_apart():
    times = [datetime.datetime(2020, 1, 1, tzinfo=zone) for zone in (None, datetime.UTC)]
    assert encode(times).values() == times


def test_a_decimal_that_is_no_number_is_missing_and_complex_numbers_are_floats():
    with pytest.raises(LabelError, match="E402 1 row without a value"):
        encode([Decimal(1), Decimal("nan")])
    with pytest.raises(LabelError, match="E403 values that are floating-point numbers"):
        encode([1j, 2j])


def test_a_float_among_integers_is_named_by_its_row():
    with pytest.raises(LabelError, match=r"E403 values of several types: int at row 0, float at row 2 \(0-based\)"):
        encode([1, 2, 2.5])


def test_missing_labels_are_counted_and_their_rows_named():
    with pytest.raises(LabelError, match=r"2 rows.*1, 3"):
        encode(["a", None, "b", ""])


def test_a_set_knows_what_it_carries():
    assert repr(Embeddings([[1.0, 2.0]], ["a"], name="val")) == "Embeddings('val', 1 × 2 float64, with labels)"


def test_rows_can_be_taken_with_everything_that_belongs_to_them():
    whole = Embeddings(
        [[0.0], [1.0], [2.0]], ["a", "b", "a"], ids=[7, 8, 9], groups=["x", "y", "x"], meta={"t": [1, 2, 3]}
    )
    some = whole.take(np.array([True, False, True]))
    assert (some.labels.values(), some.ids.values(), some.groups.values()) == (["a", "a"], [7, 9], ["x", "x"])
    assert some.meta == {"t": [1, 3]}


@pytest.mark.parametrize("length", [1, 3])
def test_a_further_column_has_one_value_per_row(length):
    with pytest.raises(LabelError, match=r"E401 \d values? of column 'city' for 2 vectors"):
        Embeddings(np.eye(2), meta={"year": [2025, 2026], "city": ["Oslo"] * length})


@pytest.mark.parametrize("values", [[{"a"}, None], [{"a"}, "b"], [{"a"}, [["b"]]], [[1, 2], 3]])
def test_sets_beside_something_else_are_refused(values):
    with pytest.raises(LabelError, match=r"E40[238]"):
        encode_sets(values)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([{"a", "b", "c"}, {"a"}, {"b", ""}], "E402 1 row without a value .*first rows: 2 "),
        ([{"a", "b", "c"}, {"a"}, None], "E402 1 row without a value .*first rows: 2 "),
        ([{"a", "b", "c"}, {"a"}, {7}], "E403 values of several types: str at row 0, int at row 2 "),
        ([{"a", "b", "c"}, {"a"}, {b"\xff"}], "E403 bytes .* at row 2 "),
    ],
)
def test_an_error_about_a_label_in_a_set_names_the_row_of_the_set(values, found):
    with pytest.raises(LabelError, match=found):
        encode_sets(values)


def test_ids_without_the_classes_they_use_are_still_compared():
    with pytest.raises(LabelError, match=r"E407 1 id used more than once; first: 'a' in rows 0, 1 \(0-based\)"):
        Embeddings(np.eye(3), ids=encode(["a", "b", "c"]).take(np.array([0, 0, 1])))


def test_lists_as_groups_are_refused_even_when_equally_long():
    with pytest.raises(LabelError, match="E408 values of type list, .*groups"):
        Embeddings([[0.0], [1.0]], groups=[[1, 2], [3, 4]])


@pytest.mark.parametrize("column", ["labels", "ids", "groups"])
@pytest.mark.parametrize("other", [b"\\xff", "\\xff", b"a"])  # escaped, the first two were one class with it
def test_bytes_that_are_not_utf8_are_refused_by_their_row(column, other):
    with pytest.raises(LabelError, match=rf"E403 .*not text in UTF-8, b'\\xff' at row 1 \(0-based\).*{column}"):
        Embeddings(np.eye(3), **{column: [other, b"\xff", "b"]})


def test_bytes_that_are_utf8_are_the_text_they_spell():
    for values in ([b"caf\xc3\xa9", b"a"], np.array([b"caf\xc3\xa9", b"a"]), [np.bytes_(b"caf\xc3\xa9"), "a"]):
        assert encode(values).values() == ["caf\u00e9", "a"]


@pytest.mark.parametrize("column", ["labels", "ids", "groups"])
def test_text_that_no_file_can_hold_is_refused_by_its_row(column):
    with pytest.raises(LabelError, match=rf"E403.*'half \\ud83d' at row 2 \(0-based\)(.|\n)*{column}"):
        Embeddings(np.eye(4), **{column: ["a", "whole \U0001f600", "half \ud83d", "b"]})
