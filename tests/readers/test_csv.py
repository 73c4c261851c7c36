"""Delimited text: what is a coordinate is never guessed wrong, and every bad cell has a line and a column."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tripleteval.errors import DataError, EvalError, FileError, LabelError, ParameterError
from tripleteval.readers import blocks, read

Text = Callable[[str, str], Path]


def refusal(path: Path, **options: str) -> EvalError:
    with pytest.raises(EvalError) as error:
        read(path, **options)  # type: ignore[arg-type]
    return error.value


def test_numbers_are_coordinates_and_text_is_carried_along(text: Text) -> None:
    found = read(text("a.csv", "x,y,label,split\n1,2.5,007,test\n-3e2, 4 ,7,train\n"))
    assert found.vectors.tolist() == [[1, 2.5], [-300, 4]]
    assert found.labels is not None
    assert found.labels.values() == ["007", "7"]
    assert found.meta == {"split": ["test", "train"]}


@pytest.mark.parametrize("label", ["NA", "None", "null", "nan", "NaN", "N/A", "true", "1e5", "-", " ", "Zoë\u0308"])
def test_a_label_is_text_whatever_it_looks_like(label: str, text: Text) -> None:
    found = read(text("a.csv", f"x,label\n1,{label}\n2,other\n"))
    assert found.labels is not None
    assert found.labels.values()[0] == label


def test_a_prefix_names_the_coordinates(text: Text) -> None:
    path = text("a.csv", "e0,e1,end,year,label\n1,2,3,2020,a\n4,5,6,2021,b\n")
    found = read(path, embedding_column="e")
    assert found.vectors.tolist() == [[1, 2], [4, 5]]
    assert found.meta == {"end": ["3", "6"], "year": ["2020", "2021"]}
    assert read(path, embedding_column="").dim == 4
    assert read(path, embedding_column="en").dim == 1
    assert refusal(path, embedding_column="q").code == "E605"


def test_numbers_beside_a_numbered_family_are_not_silently_coordinates(text: Text) -> None:
    error = refusal(text("a.csv", "e0,e1,year,label\n1,2,2020,a\n"))
    assert error.code == "E605"
    assert "'year'" in error.found
    assert "--embedding-column" in error.fix


def test_two_numbered_families_are_not_silently_one(text: Text) -> None:
    assert "e…, f…" in refusal(text("a.csv", "e0,e1,f0,f1\n1,2,3,4\n")).found


def test_a_number_that_the_filter_tests_is_not_a_coordinate(text: Text) -> None:
    path = text("a.csv", "x,y,year\n1,2,2019\n3,4,2020\n5,6,\n")
    found = read(path, where="year >= 2020")
    assert found.vectors.tolist() == [[3, 4]]
    assert found.meta == {"year": ["2020"]}


def test_a_label_of_the_file_is_no_coordinate_when_labels_come_from_elsewhere(text: Text) -> None:
    found = read(text("a.csv", "x,label,class,id\n1,5,1,10\n2,6,1,11\n"), labels=["a", "b"], ids=["p", "q"])
    assert found.dim == 1
    assert sorted(found.meta) == ["class", "id", "label"]


@pytest.mark.parametrize(
    ("first", "code", "what"),
    [
        ("", "E608", "an empty cell"),
        ("abc", "E608", "'abc'"),
        ("1_0", "E608", "'1_0'"),
        ("0x10", "E608", "'0x10'"),
        ("\uff11", "E608", "'\uff11'"),
        ('"1,5"', "E608", "decimal comma"),
        ("nan", "E201", "'nan'"),
        ("-inf", "E201", "'-inf'"),
        ("Infinity", "E201", "'Infinity'"),
        ("1e400", "E201", "'1e400'"),
        ("--1", "E608", "'--1'"),
        ("1 2", "E608", "'1 2'"),
    ],
)
@pytest.mark.parametrize("line", [2, 3])
def test_a_bad_cell_is_named_by_line_and_column(first: str, code: str, what: str, line: int, text: Text) -> None:
    rows = ["1,2,a"] * (line - 2) + [f"3,{first},b"]
    error = refusal(text("a.csv", "\n".join(["e0,e1,label", *rows])))
    assert error.code == code
    assert what in error.found
    assert f"line {line}, column 'e1'" in error.found


def test_a_decimal_comma_between_tabs_gets_a_hint(text: Text) -> None:
    error = refusal(text("a.tsv", "x\ty\tlabel\n1,5\t2,5\ta\n"))
    assert error.code == "E608"
    assert "1.5" in error.fix


def test_spaces_around_names_are_not_taken_for_columns_of_several_kinds(text: Text) -> None:
    error = refusal(text("a.csv", "e0, e1, e2, label\n1, 2, 3, a\n"))
    assert error.found == "names with a space around them, such as ' e1'"
    assert read(text("a.csv", "label, e0, e1\na, 1, 2\n")).vectors.tolist() == [[1, 2]]


@pytest.mark.parametrize("row", ["1,2", "1,2,a,b", "1", ",,,,,"])
def test_a_row_of_another_length_is_named_by_its_line(row: str, text: Text) -> None:
    error = refusal(text("a.csv", f"x,y,label\n1,2,a\n{row}\n"))
    assert isinstance(error, DataError)
    assert error.code == "E205"
    assert "line 3 has" in error.found


def test_a_blank_line_may_end_a_file_but_not_interrupt_it(text: Text) -> None:
    assert len(read(text("a.csv", "x,label\r\n1,a\r\n2,b\r\n\r\n\n"))) == 2
    assert "E205 line 3 is empty" in str(refusal(text("a.csv", "x,label\n1,a\n\n2,b\n")))
    assert "line 3, column 'x1'" in str(refusal(text("a.csv", "x1\n1\n\n2\n")))


def test_text_in_quotes_may_hold_commas_and_lines(text: Text) -> None:
    found = read(text("a.csv", 'x,label\n1,"a,\n""b"""\n2,c\n'))
    assert found.labels is not None
    assert found.labels.values() == ['a,\n"b"', "c"]
    assert "line 5, column 'x'" in str(refusal(text("a.csv", 'x,label\n1,"a,\n""b"""\n2,c\nz,d\n')))


@pytest.mark.parametrize("header", ["1,2,3", "0.5,0.25,cat", "nan,1,2", "1e5,x,y", "-1,x,y"])
def test_a_first_line_of_data_is_not_eaten_as_a_header(header: str, text: Text) -> None:
    error = refusal(text("a.csv", f"{header}\n1,2,3\n"))
    assert error.code == "E608"
    assert "no header" in error.found


def test_columns_may_be_called_by_numbers_beside_a_name(text: Text) -> None:
    assert read(text("a.csv", "0,1,label\n5,6,a\n")).vectors.tolist() == [[5, 6]]


@pytest.mark.parametrize("header", ["x,x,label", "x,label,label"])
def test_a_column_name_that_appears_twice_is_refused(header: str, text: Text) -> None:
    assert "E605 columns that appear twice" in str(refusal(text("a.csv", f"{header}\n1,2,a\n")))


def test_the_index_of_a_data_frame_does_not_become_a_coordinate(text: Text) -> None:
    error = refusal(text("a.csv", ",x,label\n0,1,a\n1,2,b\n"))
    assert error.code == "E605"
    assert "index=False" in error.fix


@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_header_says_what_separates_the_columns(mark: str, name: str, text: Text) -> None:
    found = read(text(name, '"x";y;"a, b";label\n1;2;"c; d";e\n'.replace(";", mark)))
    assert found.vectors.tolist() == [[1, 2]]
    assert found.meta == {"a, b": [f"c{mark} d"]}


def test_a_decimal_comma_between_semicolons_is_no_separator(text: Text) -> None:
    error = refusal(text("a.csv", "x;y;label\n1,5;2,5;a\n"))
    assert error.code == "E608"
    assert "a decimal comma: '1,5' at line 2, column 'x'" in error.found


def test_a_row_separated_otherwise_than_the_header_is_ragged(text: Text) -> None:
    assert "E205 line 3 has 1 cell, the header has 2" in str(refusal(text("a.csv", "x,label\n1,a\n2;b\n")))


def test_a_missing_column_is_told_from_its_neighbour(text: Text) -> None:
    path = text("a.csv", "x,label\n1,a\n")
    assert refusal(path, label_column="lable").fix == "did you mean 'label'?"
    assert refusal(path, label_column="species").fix == "name the column of labels"


def test_a_missing_column_lists_the_others(text: Text) -> None:
    for option in ("label_column", "id_column", "group_column"):
        error = refusal(text("a.csv", "x,label\n1,a\n"), **{option: "species"})
        assert "E605 no column 'species'; the columns are 'x', 'label'" in str(error)


@pytest.mark.parametrize("content", ["x,label\n", "x,label", "\n", "label\na\nb\n"])
def test_a_file_without_rows_or_numbers_is_refused(content: str, text: Text) -> None:
    assert refusal(text("a.csv", content)).code in ("E301", "E605", "E608")


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("x,label\n1,é\n".encode("latin-1"), "byte 0xe9 at offset 10"),
        ("x,label\n1,a\n".encode("utf-16"), "UTF-16, which"),
        ("x,label\n1,a\n".encode("utf-16-le"), "UTF-16LE, which"),
        ("x,label\n1,a\n".encode("utf-16-be"), "UTF-16BE, which"),
        ("x,label\n1,a\n".encode("utf-32"), "UTF-32, which"),
        (b"x,label\n1,a\n2,\0b\n", "byte 0x00 at offset 14"),
        (b"\xef\xbb\xbfx,label\n1,\xff\n", "byte 0xff at offset 13"),
    ],
)
def test_bytes_that_are_not_utf_8_are_named_by_their_offset(content: bytes, place: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    error = refusal(tmp_path / "a.csv")
    assert error.code == "E609"
    assert place in error.found


def test_a_byte_order_mark_is_no_part_of_the_first_name(text: Text) -> None:
    assert read(text("a.csv", "\ufefflabel,x\na,1\n")).labels is not None


def test_an_empty_label_is_refused_with_its_row(text: Text) -> None:
    with pytest.raises(LabelError, match=r"E402 1 row without a value \(''\); first rows: 2 "):
        list(blocks(text("a.csv", "x,label\n1,a\n2,b\n3,\n"), 2))


def test_a_line_without_end_is_refused_before_it_fills_memory(text: Text) -> None:
    with pytest.raises(FileError, match="E601 a line longer than 16 MiB, at byte 8"):
        read(text("a.csv", "x,label\n1," + "a" * 2**24 + "\n"))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ('1,"a', "a quote that is never closed"),
        ('1,"a"b', "text behind a closing quote"),
        ('1,"' + "a" * 200_000, "a cell of more than 131,072 letters"),
        ("1,a\r2,b", "a carriage return outside quotes"),
    ],
)
def test_quotes_and_line_ends_that_cannot_be_are_told_with_their_line(row: str, said: str, text: Text) -> None:
    error = refusal(text("a.csv", f'x,label\n1,"a\nb"\n{row}\n'))
    assert (error.code, error.found) == ("E601", f"{said}, in the row that begins at line 4")
    assert "download" not in error.fix


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_lines_without_line_feeds_are_told_apart_from_one_line(name: str, text: Text) -> None:
    error = refusal(text(name, "x,label\r1,a\r2,b\r"))
    assert (error.code, error.found) == ("E601", "lines that end in a carriage return only")


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        ("split = 'test'", [1, 3]),
        ("split != 'test'", [0, 2]),
        ("year > 2020", [1, 2]),
        ("year >= 2020.5 and split = 'test'", [1]),
        ("ok = true", [0, 3]),
        ("ok != true", [2]),
        ("ok != 'true'", [2, 3]),
        ("year = 9007199254740993", [2]),
    ],
)
def test_a_filter_keeps_the_rows_that_pass(where: str, rows: list[int], text: Text) -> None:
    content = "x,split,year,ok\n0,train,2020,true\n1,test,2021,\n2,train,9007199254740993,False\n3,test,,TRUE\n"
    assert read(text("a.csv", content), where=where, embedding_column="x").vectors[:, 0].tolist() == rows


@pytest.mark.parametrize(("where", "code"), [("split = 1", "E608"), ("split = true", "E608"), ("no = 1", "E101")])
def test_a_filter_that_does_not_fit_its_column_is_refused(where: str, code: str, text: Text) -> None:
    assert refusal(text("a.csv", "x,split\n1,test\n"), where=where).code == code


def test_a_filter_that_no_row_passes_is_an_error(text: Text) -> None:
    path = text("a.csv", "x,split\n1,test\n")
    assert "E301 no row passes the filter" in str(refusal(path, where="split = 'Test'"))
    with pytest.raises(DataError, match="E301"):
        list(blocks(path, where="split = 'Test'"))


def test_a_filter_is_read_before_the_file_is_opened(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="E101 filter"):
        blocks(tmp_path / "missing.csv", where="split ~ 'x'")
