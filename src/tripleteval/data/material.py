"""What was evaluated, for a report to show: the sets themselves, and where their pictures and texts are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tripleteval.data.embeddings import Embeddings
from tripleteval.data.section import Side


@dataclass(frozen=True)
class Material:
    """The sets behind an evaluation, row for row.

    Attributes:
        queries: Who asked.
        gallery: Who was searched; ``None`` where queries were searched among each other.
        image_column: Column of ``meta`` with the path of each picture; ``None`` where ids are paths, or without any.
        images: Folder in which those paths start; ``None`` for a report without pictures.
        text_column: Column of ``meta`` with the text behind each vector, if any.
        projection: How vectors are laid on a plane: ``"pca"`` or ``"umap"``.
        enrolment: Whether to measure how identification changes with items enrolled; it takes a while.
    """

    queries: Embeddings
    gallery: Embeddings | None = None
    image_column: str | None = None
    images: Path | None = None
    text_column: str | None = None
    projection: str = "pca"
    enrolment: bool = False

    def of(self, side: Side) -> Embeddings:
        """Return the set of one side."""
        return self.queries if side == "queries" or self.gallery is None else self.gallery

    def text(self, side: Side, row: int) -> str:
        """Return the text behind a row, or nothing."""
        return "" if self.text_column is None else self._cell(side, self.text_column, row)

    def path(self, side: Side, row: int) -> Path | None:
        """Return the path of the picture behind a row, inside the folder of pictures; ``None`` without one."""
        if self.images is None:
            return None
        found = self.of(side)
        if self.image_column is not None:
            name = self._cell(side, self.image_column, row)
        else:
            name = "" if found.ids is None else str(found.ids.classes[found.ids.codes[row]])
        return self.images / name if name else None

    def _cell(self, side: Side, column: str, row: int) -> str:
        key = "queries" if self.gallery is None else side, column
        if key not in self._read:
            self._read[key] = self.of(side).meta.get(column)
        values = self._read[key]
        if values is None:
            return ""
        value = values[row]
        value = value.as_py() if hasattr(value, "as_py") else value
        return "" if value is None else str(value)

    @cached_property
    def _read(self) -> dict[tuple[str, str], Any]:
        """Columns by side and name: of a set on disk, each reading of one is a reading of its files."""
        return {}
