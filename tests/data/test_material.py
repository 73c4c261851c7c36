"""Pictures and texts behind the rows of a report: a column that lies on disk is read once, not once per row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from tripleteval.data.embeddings import Embeddings
from tripleteval.data.material import Material


class OnDisk(Mapping[str, Any]):
    """Columns that count how often they are read, as `StoredColumns` reads a file each time it is asked."""

    def __init__(self, **columns: Any) -> None:
        self.columns, self.read = columns, []

    def __getitem__(self, name: str) -> Any:
        self.read.append(name)
        return self.columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def take(self, rows: Any) -> Any:
        raise NotImplementedError


def of(*texts: str | None) -> Embeddings:
    paths = [None if text is None else f"{text}.png" for text in texts]
    meta = OnDisk(text=pa.array(texts), path=pa.chunked_array([paths[:1], paths[1:]]))
    return Embeddings([[float(row)] for row in range(len(texts))], meta=meta)


def shown(material: Material) -> list[tuple[str, Path | None]]:
    sides = ("queries", "gallery")
    return [(material.text(side, row), material.path(side, row)) for side in sides for row in (0, 1, 0)]


def test_each_column_of_each_set_is_read_once_however_many_rows_are_shown():
    material = Material(of("a", "b"), of("c", None), image_column="path", images=Path("in"), text_column="text")
    a, b, c, none = (
        *(("a", Path("in/a.png")), ("b", Path("in/b.png")), ("c", Path("in/c.png"))),
        ("", None),
    )
    assert shown(material) == [a, b, a, c, none, c]
    assert sorted(material.queries.meta.read) == sorted(material.gallery.meta.read) == ["path", "text"]


def test_one_set_on_both_sides_is_read_once_and_a_column_that_is_not_there_is_empty():
    material = Material(of("a", "b"), text_column="text")
    assert [text for text, _ in shown(material)] == ["a", "b", "a"] * 2
    assert material.queries.meta.read == ["text"]
    assert Material(of("a", "b"), text_column="words").text("queries", 1) == ""
