"""What a report section has to say, before anyone draws it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Level = Literal["plain", "good", "warning"]
Side = Literal["queries", "gallery"]


@dataclass(frozen=True)
class Table:
    """Rows of text under column names.

    Attributes:
        columns: The heads.
        rows: As many cells each as there are heads.
        numeric: Columns that are aligned to the right.
        terms: Text of a cell or head to the metric spelling it stands for, so that it can be explained.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    numeric: frozenset[str] = frozenset()
    terms: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Rule:
    """A line across a chart at one value of x, and what stands there."""

    at: float
    text: str


@dataclass(frozen=True)
class Shade:
    """A stretch of x in which the values mean something else, and what."""

    start: float
    stop: float
    text: str


@dataclass(frozen=True)
class Slider:
    """A value of x that the reader moves, and what holds at each of its places.

    Attributes:
        name: What is moved.
        places: Values of x, ascending.
        readings: Per quantity, its text at every place.
        start: Index of the place it starts at.
    """

    name: str
    places: Sequence[float]
    readings: Mapping[str, Sequence[str]]
    start: int = 0


@dataclass(frozen=True)
class Chart:
    """Columns of data and which of them is drawn where.

    Attributes:
        title: A few words.
        text: What it shows, for those who cannot see it.
        columns: Equally long lists by the name the reader sees; ``None`` where there is nothing.
        x: Column along x.
        y: Column along y.
        mark: ``"line"``, ``"bar"`` (x is text), ``"stack"`` (bars along x, one per text of y), ``"steps"``
            (bars between x and ``x_stop``) or ``"points"``.
        color: Column whose texts get a colour each.
        dash: Column whose texts get a kind of line each.
        low: Column with the lower end of an interval of y.
        high: Column with its upper end.
        x_stop: Column in which the bars of ``"steps"`` end.
        log: Which of ``"x"`` and ``"y"`` are on a logarithmic axis.
        frame: Whether the axes are labelled; a projection has no units.
        limits: Range of y, where it is not what the data fill.
        rules: Lines across.
        shades: Stretches that are marked.
        slider: A line across that the reader moves.
        brush: Whether the reader may mark an area; row by row its marks are the ``points`` of the section.
    """

    title: str
    text: str
    columns: Mapping[str, Sequence[Any]]
    x: str
    y: str
    mark: Literal["line", "bar", "stack", "steps", "points"]
    color: str = ""
    dash: str = ""
    low: str = ""
    high: str = ""
    x_stop: str = ""
    log: frozenset[str] = frozenset()
    frame: bool = True
    limits: tuple[float, float] | None = None
    rules: Sequence[Rule] = ()
    shades: Sequence[Shade] = ()
    slider: Slider | None = None
    brush: bool = False


def columns(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[str, list[Any]]:
    """Return rows as the columns of a `Chart`."""
    return {head: [row[place] for row in rows] for place, head in enumerate(heads)}


@dataclass(frozen=True)
class Item:
    """One row of a set, as it is shown beside others.

    Attributes:
        side: The set it is of.
        row: Its row there, from 0.
        name: Its id, or its row in words.
        label: Its class, if it has one.
        distance: From the query; empty for the query itself.
        right: Whether it is relevant; ``None`` for the query itself.
    """

    side: Side
    row: int
    name: str
    label: str = ""
    distance: str = ""
    right: bool | None = None


@dataclass(frozen=True)
class Case:
    """A query with what it found, nearest first; ``facts`` are what cases can be sorted by."""

    query: Item
    found: Sequence[Item]
    facts: Mapping[str, float | None]


@dataclass(frozen=True)
class Section:
    """One answer to one question of the reader.

    Attributes:
        title: A few words.
        text: Plain sentences, no mark-up; renderers escape them.
        tables: Tables below the text.
        charts: Charts below the text.
        cases: Queries shown with what they found.
        points: What the marks of its charts stand for, to be shown when the reader picks some.
        level: ``"plain"``, ``"good"`` or ``"warning"``: how a renderer may colour it.
    """

    title: str
    text: str = ""
    tables: Sequence[Table] = field(default_factory=tuple)
    level: Level = "plain"
    charts: Sequence[Chart] = ()
    cases: Sequence[Case] = ()
    points: Sequence[Case] = ()
