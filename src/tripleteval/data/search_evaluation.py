"""What approximate search costs: one entry per setting, beside the truth it was measured against."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.console import Console, ConsoleOptions, RenderResult

SCHEMA = "tripleteval/search/1"


@dataclass(frozen=True, eq=False)
class SearchEvaluation(Sequence[dict[str, Any]]):
    """A sequence of settings, in the order they were tried.

    A setting that ran has ``backend``, ``params``, ``label``, ``overlap`` (recall by id and by distance, distance
    ratios), ``metrics`` (each with ``exact``, ``value``, ``loss`` and its interval), ``speed``, ``build``,
    ``seeds``, ``unreached`` and ``pareto``. One that failed has ``error`` instead.

    Attributes:
        entries: The settings.
        verdict: Which is the cheapest setting that costs little, in one sentence.
        facts: What was asked of whom, and what the true lists are like.
        settings: What was chosen.
        inputs: Name, size, dtype and sha256 of each set.
        notes: Findings in words.
        environment: Versions and machine.
        per_class: Arrow table: the loss of each class, one column per setting; ``None`` without one label per item.
        unreached: Arrow table: gallery items that no list of a setting holds, though true lists do.
    """

    entries: list[dict[str, Any]]
    verdict: str
    facts: dict[str, Any]
    settings: dict[str, Any]
    inputs: list[dict[str, Any]]
    notes: list[str] = field(default_factory=list)
    environment: dict[str, Any] = field(default_factory=dict)
    per_class: pa.Table | None = None
    unreached: pa.Table | None = None

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, place: Any) -> Any:
        return self.entries[place]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.entries)

    def __repr__(self) -> str:
        return f"SearchEvaluation({len(self)} settings: {self.verdict})"

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the tables, ready for JSON; ``search.json`` adds its checksums."""
        return {
            "schema": SCHEMA,
            "verdict": self.verdict,
            "entries": self.entries,
            "facts": self.facts,
            "notes": self.notes,
            "settings": self.settings,
            "inputs": self.inputs,
            "environment": self.environment,
        }

    def save(self, folder: str | Path, *, overwrite: bool = False) -> Path:
        """Write a new folder: ``search.json``, the tables as Parquet, and ``pareto.svg``; return its path.

        Args:
            folder: Its path.
            overwrite: Replace a folder of that name in one step, if it holds a search and nothing else, or nothing.

        Raises:
            ResourceError: The folder exists, or cannot be written (E801).
        """
        from tripleteval.report.search_folder import save

        return save(self, Path(folder), overwrite=overwrite)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from tripleteval.report.console import draw
        from tripleteval.report.search import sections

        for section in sections(self, brief=True):
            yield from draw(section)

    def _repr_html_(self) -> str:
        from tripleteval.report.html import notebook
        from tripleteval.report.search import sections

        return notebook(sections(self), self)
