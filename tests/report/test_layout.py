"""Tables in windows of every width: nothing is broken, nothing is lost, and every row keeps its name."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.cells import cell_len
from rich.console import Console

from tripleteval.data.section import Section, Table
from tripleteval.report.console import draw, screen
from tripleteval.report.layout import measured, parts, widths

SETTINGS = Table(
    ("front", "setting", "loss of recall@10", "95 % interval", "queries/s", "recall of neighbours", "p50 ms"),
    [
        ("*", "faiss-hnsw efSearch=16", "−0.01", "−0.06 … 0.06", "146,546", "0.9986 ±0.0007", "0.019"),
        ("", "faiss-hnsw efSearch=256", "0.00", "0.00 … 0.00", "17,566", "1.0000 ±0.0000", "0.066"),
    ],
    frozenset({"loss of recall@10", "95 % interval", "queries/s", "recall of neighbours", "p50 ms"}),
)


def shown(table: Table, width: int) -> list[str]:
    console = Console(file=StringIO(), width=width, color_system=None)
    for part in draw(Section("Title", "", [table])):
        console.print(part)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue().splitlines()[1:]


@pytest.mark.parametrize("width", [*range(40, 130, 3), 140])
def test_no_number_and_no_word_of_a_head_is_ever_broken(width: int) -> None:
    lines = shown(SETTINGS, width)
    assert max(map(cell_len, lines)) <= width
    text = "\n".join(lines)
    for row in SETTINGS.rows:
        assert all(cell in text for name, cell in zip(SETTINGS.columns, row, strict=True) if name in SETTINGS.numeric)
        assert all(word in text for word in row[1].split())
    assert all(word in text for name in SETTINGS.columns for word in name.split())


def test_columns_that_do_not_fit_go_on_below_with_the_names_of_their_rows() -> None:
    found = [[column.head for column in part] for part in parts(measured(SETTINGS, 60), 60)]
    assert found == [
        ["front", "setting", "loss of recall@10", "95 % interval"],
        ["front", "setting", "queries/s", "recall of neighbours", "p50 ms"],
    ]
    assert len([line for line in shown(SETTINGS, 60) if "─" in line]) == 2


def test_parts_are_about_as_wide_as_each_other_and_as_few_as_can_be() -> None:
    heads = ("metric", *"abcdefg")
    table = Table(heads, [["x", *["0.1234"] * 7]], frozenset("abcdefg"))
    assert [len(part) for part in parts(measured(table, 62), 62)] == [5, 4]
    assert [len(part) for part in parts(measured(table, 40), 40)] == [4, 4, 2]


def test_a_name_of_a_quarter_of_the_window_is_not_broken() -> None:
    assert any("faiss-hnsw efSearch=256" in line for line in shown(SETTINGS, 92))


def test_a_table_that_fits_is_one_and_as_wide_as_it_needs_to_be() -> None:
    columns = measured(SETTINGS, 140)
    assert len(parts(columns, 140)) == 1
    assert widths(columns, 140) == [column.natural for column in columns]
    assert cell_len(shown(SETTINGS, 140)[1]) == sum(column.natural for column in columns) + 3 * 6


def test_names_give_way_to_numbers_and_are_folded_rather_than_cropped() -> None:
    name = "a" * 70
    table = Table(("class", "queries", "map@r"), [(name, "12", "0.1878")], frozenset({"queries", "map@r"}))
    lines = shown(table, 50)
    assert max(map(cell_len, lines)) <= 50
    assert sum(line.count("a") for line in lines[2:]) == len(name)
    assert "12   0.1878" in lines[2]


def test_where_the_names_leave_no_room_the_first_column_stands_for_them() -> None:
    row = ("7", "b" * 16, "c" * 16, "0.1234")
    table = Table(("id", "one", "two", "value"), [row], frozenset({"value"}))
    found = [[column.head for column in part] for part in parts(measured(table, 40), 40)]
    assert found == [["id", "one"], ["id", "two", "value"]]


@pytest.mark.parametrize("width", [40, 60, 80, 100])
def test_words_in_place_of_a_number_are_broken_between_words(width: int) -> None:
    reason = "undefined: so few impostors cannot tell how the lowest of them would vary"
    rows = [
        ("cv_accuracy >= 0.7", "0.7928", "[0.739, 0.846]", "passed"),
        ("low(tar@far=0.001) >= 0.7", reason, "", "FAILED"),
    ]
    table = Table(("requirement", "found", "interval", "result"), rows, frozenset({"found", "interval"}))
    for part in parts(measured(table, width), width):
        assert sum(widths(part, width)) + 3 * (len(part) - 1) <= width
    text = "\n".join(shown(table, width))
    assert all(word in text for word in (*reason.split(), "found", "[0.739, 0.846]"))


def test_a_table_without_rows_or_of_one_column_is_drawn() -> None:
    assert shown(Table(("what",), []), 40)[0].strip() == "what"
    assert [line.strip() for line in shown(Table(("what",), [("x",)]), 40)[::2]][:2] == ["what", "x"]


@pytest.mark.parametrize(
    ("said", "wide"),
    [("60", 60), ("300", 300), ("1", 40), ("0", 90), ("", 90), ("wide", 90), ("-5", 90), ("٣٠٠", 300)],
)
def test_what_is_piped_is_as_wide_as_columns_says(said: str, wide: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", said)
    assert screen(90).width == wide


@pytest.mark.parametrize("width", [40, 55, 61])
def test_no_line_ends_with_spaces_that_would_follow_it_into_a_file(width: int) -> None:
    console = Console(file=StringIO(), width=width, color_system=None)
    words = " ".join("a" * (1 + number % 7) for number in range(60))
    for part in draw(Section(f"Title {words}", f"{words}\n\n{words}", [SETTINGS])):
        console.print(part)
    assert isinstance(console.file, StringIO)
    lines = console.file.getvalue().splitlines()
    assert len(lines) > 10
    assert [line for line in lines if line != line.rstrip()] == []
    assert sum(line.count("a" * 7) for line in lines) >= 3 * 8
