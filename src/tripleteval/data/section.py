"""What a report section has to say, before anyone draws it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Table:
    """Rows of text under column names; columns named in ``numeric`` are aligned to the right."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    numeric: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Section:
    """One answer to one question of the reader.

    Attributes:
        title: A few words.
        text: Plain sentences, no mark-up; renderers escape them.
        tables: Tables below the text.
        level: ``"plain"``, ``"good"`` or ``"warning"``: how a renderer may colour it.
    """

    title: str
    text: str = ""
    tables: Sequence[Table] = field(default_factory=tuple)
    level: str = "plain"
