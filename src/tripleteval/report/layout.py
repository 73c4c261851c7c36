"""A table in a window: beside each other where there is room, otherwise one part below the other.

1. A number is never broken, nor a word of a head, nor one of a name that fits two fifths of the window. A name that
   fits a quarter stays on one line. What stands in words in place of a number is broken like a name.
2. Columns that do not fit go on below, each part with the first columns again, so that its rows have a name.
3. Nothing is cropped or left out: a number that lost its last digits still looks like a number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Literal

from tripleteval.data.section import Table
from tripleteval.errors import visible
from tripleteval.report.wording import label

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.text import Text

_BETWEEN = "   "


@dataclass(frozen=True)
class Column:
    """One column of text.

    Attributes:
        head: Its name.
        cells: Its rows.
        right: Whether it holds numbers, which stand to the right and are never broken.
        least: The narrowest it may be.
        natural: The widest it needs to be.
    """

    head: str
    cells: Sequence[str]
    right: bool
    least: int
    natural: int


class Fitted:
    """A table that rich draws as wide as there is room.

    Args:
        table: What it says.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield its parts, one if it fits."""
        columns = measured(self._table, options.max_width)
        for place, part in enumerate(parts(columns, options.max_width)):
            if place:
                yield ""
            yield from _drawn(console, part, options.max_width)


class Wrapped:
    """Text that rich breaks into lines, each of which ends with its last word: the spaces after it would go into files.

    Args:
        text: One paragraph.
    """

    def __init__(self, text: Text) -> None:
        self._text = text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield its lines."""
        for line in self._text.wrap(console, options.max_width):
            line.rstrip()
            yield line


def measured(table: Table, width: int) -> list[Column]:
    """Return the columns of a table, and how narrow each may be in a window of this width."""
    from rich.cells import cell_len

    longest = max(width * 2 // 5, 1)
    columns = []
    for place, name in enumerate(table.columns):
        right = name in table.numeric
        head, cells = visible(name), [visible(label(row[place])) for row in table.rows]
        natural = max(map(cell_len, (head, *cells)))
        numbers = {cell for cell in cells if right and not _sentence(cell)}
        words = [word for text in (head, *cells) if text not in numbers for word in text.split()]
        least = max([min(cell_len(word), longest) for word in words], default=0)
        least = max([least, *map(cell_len, numbers)] if right else [least, min(natural, width // 4)])
        columns.append(Column(head, cells, right, max(least, 1), max(natural, 1)))
    return columns


def _sentence(cell: str) -> bool:
    """Return whether a cell says in words why there is no number."""
    return cell[:1].isalpha() and " " in cell


def parts(columns: Sequence[Column], width: int) -> list[list[Column]]:
    """Return the columns as one part or, where they do not fit, as several of about the same width.

    Each part begins with the columns that name the rows.
    """
    names = list(takewhile(lambda column: not column.right, columns[:-1])) or list(columns[:1])
    if any(_least([*names, column]) > width for column in columns[len(names) :]):
        names = list(columns[:1])
    rest = columns[len(names) :]
    found = _cut(names, rest, width)
    if len(found) > 1:
        # The narrowest window with no more parts: the last one is then no single column.
        cuts = (_cut(names, rest, narrower) for narrower in range(width, 0, -1))
        *_, found = takewhile(lambda cut: len(cut) == len(found), cuts)
    return found


def _cut(names: Sequence[Column], rest: Sequence[Column], width: int) -> list[list[Column]]:
    found = [list(names)]
    for column in rest:
        if len(found[-1]) > len(names) and _least([*found[-1], column]) > width:
            found.append(list(names))
        found[-1].append(column)
    return found


def widths(columns: Sequence[Column], width: int) -> list[int]:
    """Return the width of each column: what it needs, those first that need little more than they must have."""
    found, room = [column.least for column in columns], width - _least(columns)
    for place in sorted(range(len(columns)), key=lambda place: columns[place].natural - columns[place].least):
        found[place] += max(min(columns[place].natural - columns[place].least, room), 0)
        room -= found[place] - columns[place].least
    return found


def _least(columns: Sequence[Column]) -> int:
    return sum(column.least for column in columns) + len(_BETWEEN) * (len(columns) - 1)


def _drawn(console: Console, columns: Sequence[Column], width: int) -> Iterator[Text]:
    """Yield the lines of one part; its own, since versions of rich differ in what a width includes."""
    from rich.text import Text

    found = widths(columns, width)
    yield from _lines(console, columns, [column.head for column in columns], found, head=True)
    yield Text("─" * (sum(found) + len(_BETWEEN) * (len(found) - 1)))
    for row in zip(*(column.cells for column in columns), strict=True):
        yield from _lines(console, columns, row, found)


def _lines(
    console: Console, columns: Sequence[Column], row: Sequence[str], found: Sequence[int], *, head: bool = False
) -> Iterator[Text]:
    """Yield one row, which has as many lines as its longest cell; heads stand at the bottom of theirs."""
    from rich.text import Text

    # Text, not a string: rich reads [brackets] in strings as mark-up, and labels are full of them.
    texts = [Text(cell, "dim" if head else "") for cell in row]
    sides: list[Literal["right", "left"]] = [
        "right" if column.right and (head or not _sentence(cell)) else "left"
        for column, cell in zip(columns, row, strict=True)
    ]
    wrapped = [
        list(text.wrap(console, wide, justify=side, overflow="fold"))
        for text, wide, side in zip(texts, found, sides, strict=True)
    ]
    tall = max(map(len, wrapped))
    for place, wide in enumerate(found):
        blank = [Text(" " * wide)] * (tall - len(wrapped[place]))
        wrapped[place] = [*blank, *wrapped[place]] if head else [*wrapped[place], *blank]
    for cells in zip(*wrapped, strict=True):
        line = Text(_BETWEEN).join(cells)
        line.rstrip()
        yield line
