"""A report for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.section import Section, Table
from tripleteval.errors import visible
from tripleteval.report.sections import sections
from tripleteval.report.wording import label

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

_MORE = "Charts, thresholds, hubs, confusable classes, suspected labels: tripleteval report RUN -o report.html"
_STYLES = {"plain": "bold", "good": "bold green", "warning": "bold yellow"}


def render(evaluation: Evaluation) -> Iterable[RenderableType]:
    """Return what rich prints for an evaluation: the sections for a terminal, their sentences and tables."""
    for said in sections(evaluation, brief=True):
        yield from draw(said)
    yield _text(_MORE, "dim")


def draw(said: Section) -> Iterator[RenderableType]:
    """Yield one section as rich renderables."""
    yield _text(said.title, _STYLES[said.level])
    for line in said.text.splitlines():
        yield _text(line)
    for place, table in enumerate(said.tables):
        if place:
            yield _text("")
        yield _table(table)
    yield _text("")


def _text(content: str, style: str = "") -> Text:
    from rich.text import Text

    # Text, not a string: rich reads [brackets] in strings as mark-up, and labels are full of them.
    return Text(visible(content), style)


def _table(table: Table) -> RenderableType:
    from rich import box
    from rich import table as rich_table

    drawn = rich_table.Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim")
    for column in table.columns:
        right = column in table.numeric
        # Folded, never cropped: a number that lost its last digits still looks like a number.
        drawn.add_column(_text(column), justify="right" if right else "left", overflow="fold")
    for row in table.rows:
        drawn.add_row(*(_text(label(cell)) for cell in row))
    return drawn
