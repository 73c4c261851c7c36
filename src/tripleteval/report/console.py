"""A report for the terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Literal

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.section import Section
from tripleteval.errors import visible
from tripleteval.report.layout import Fitted, Wrapped
from tripleteval.report.sections import sections

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

PIPED_WIDTH = 100
_NARROWEST = 40  # below that there is no table to be made, and a terminal may as well break the lines

_MORE = "Charts, thresholds, hubs, confusable classes, suspected labels: tripleteval report RUN -o report.html"
_PAGE = "The same as a page: tripleteval report RUN -o report.html"
_STYLES = {"plain": "bold", "good": "bold green", "warning": "bold yellow"}


def screen(piped: int = PIPED_WIDTH) -> Console:
    """Return stdout as rich writes to it: as wide as ``COLUMNS`` says, or else as the terminal, if it is one.

    Args:
        piped: Its width where it is none, the same in every place.
    """
    from rich.console import Console

    said = os.environ.get("COLUMNS", "")
    asked = int(said) if said.isdecimal() else 0
    width = max(asked, _NARROWEST) if asked else None if sys.stdout.isatty() else piped
    # rich takes NO_COLOR for colours alone and goes on with bold; without a colour system it writes plain text.
    system: Literal["auto"] | None = None if os.environ.get("NO_COLOR") else "auto"
    return Console(file=sys.stdout, width=width, color_system=system)


def still() -> bool:
    """Return whether a terminal is to be left without escape sequences, those that move the cursor included."""
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM", "").lower() in {"dumb", "unknown"}


def render(evaluation: Evaluation) -> Iterable[RenderableType]:
    """Return what rich prints for an evaluation: the sections for a terminal, their sentences and tables."""
    for said in sections(evaluation, brief=True):
        yield from draw(said)
    # Given triplets, pairs and probes keep no neighbours, which hubs, confusions and suspects are made of.
    yield _text(_PAGE if evaluation.neighbors is None else _MORE, "dim")


def draw(said: Section) -> Iterator[RenderableType]:
    """Yield one section as rich renderables."""
    yield _text(said.title, _STYLES[said.level])
    for line in said.text.splitlines():
        yield _text(line)
    for place, table in enumerate(said.tables):
        if place:
            yield _text("")
        yield Fitted(table)
    yield _text("")


def _text(content: str, style: str = "") -> Wrapped:
    from rich.text import Text

    # Text, not a string: rich reads [brackets] in strings as mark-up, and labels are full of them.
    return Wrapped(Text(visible(content), style))
