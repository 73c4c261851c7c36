"""What comparing two runs gives: differences, a verdict, and who changed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tripleteval.errors import ParameterError, ResourceError, nearest

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.console import Console, ConsoleOptions, RenderResult

SCHEMA = "tripleteval/differences/1"
DOCUMENT, QUERIES, CLASSES = "compare.json", "queries.parquet", "classes.parquet"


@dataclass(frozen=True, eq=False)
class Differences(Mapping[str, float]):
    """Two runs compared: a mapping from metric spelling to difference, second minus first.

    Attributes:
        metrics: Per spelling: ``a``, ``b``, ``difference`` with ``low`` and ``high``, the method of their
            ``interval`` and its ``units``, ``p`` (sign flips of whole units), ``p_holm`` (adjusted for all that
            are listed), ``better``, and ``reason`` where something is missing.
        outcome: ``"better"``, ``"worse"`` or ``"not distinguishable"``: the second run, by the primary metric.
        verdict: The same in one sentence.
        primary: The metric that decides.
        paired: What queries are matched by: ``"id"``, ``"row"``, ``"pair"`` (given pairs) or ``None``.
        names: What the two runs are called.
        settings: ``confidence``, ``unit`` and ``seed``.
        notes: Findings in words.
        queries: Arrow table, one row per query (given pair, given triplet), the greatest loss first; ``None`` where
            runs are not paired.
        classes: Arrow table, one row per class, the greatest loss first; ``None`` likewise, or without classes.
        backward: Queries of the second model in the gallery of the first, compared with the first run; each entry
            has an ``update_gain``. ``None`` where the embeddings were not given.
    """

    metrics: dict[str, dict[str, Any]]
    outcome: str
    verdict: str
    primary: str
    paired: str | None
    names: tuple[str, str]
    settings: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    queries: pa.Table | None = None
    classes: pa.Table | None = None
    backward: Differences | None = None

    def __getitem__(self, spelling: str) -> float:
        if spelling not in self.metrics:
            raise ParameterError("E510", f"no metric {spelling!r} was compared", fix=nearest(spelling, self.metrics))
        value = self.metrics[spelling]["difference"]
        return float("nan") if value is None else float(value)

    def __iter__(self) -> Iterator[str]:
        return iter(self.metrics)

    def __len__(self) -> int:
        return len(self.metrics)

    def __contains__(self, spelling: object) -> bool:
        return spelling in self.metrics

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document that ``compare.json`` and ``--json`` hold; the file adds its checksums."""
        return {
            "schema": SCHEMA,
            "a": self.names[0],
            "b": self.names[1],
            "primary": self.primary,
            "outcome": self.outcome,
            "verdict": self.verdict,
            "differences": self.metrics,
            "paired": self.paired,
            "settings": self.settings,
            "notes": self.notes,
            **({} if self.backward is None else {"backward": self.backward.to_dict()}),
        }

    def save(self, folder: str | Path) -> Path:
        """Write ``compare.json``, ``queries.parquet`` and ``classes.parquet`` into a new folder; return its path.

        Raises:
            ResourceError: Something is there already, or it cannot be written (E801).
        """
        from tripleteval.runs import write_folder

        target = Path(folder)
        require_new(target)
        tables = {name: t for name, t in ((QUERIES, self.queries), (CLASSES, self.classes)) if t is not None}
        write_folder(target, DOCUMENT, self.to_dict(), tables, partial(require_new, target))
        return target

    def __repr__(self) -> str:
        return f"Differences({self.verdict!r}, {len(self)} metrics)"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from tripleteval.differences.sections import sections
        from tripleteval.report.console import draw

        for said in sections(self):
            yield from draw(said)

    def _repr_html_(self) -> str:
        from tripleteval.differences.sections import sections
        from tripleteval.report.html import notebook

        return notebook(sections(self), self)


def require_new(folder: str | Path) -> None:
    """Refuse a folder that is there already, or where nothing can be written.

    Raises:
        ResourceError: It is (E801).
    """
    from tripleteval.runs import require_free

    if os.path.lexists(folder):
        fix = "give a new name, or remove it first: a comparison replaces no folder"
        raise ResourceError("E801", "something is there already", where=str(folder), fix=fix)
    require_free(folder)
