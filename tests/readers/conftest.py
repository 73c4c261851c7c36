"""One small table, and how a careful person writes it in each format."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

VECTORS = np.array(
    [[0.1, -1.5, 3e-30], [2.0**-149, 1e17, -0.0], [1 / 3, 7.0, 2.5], [1.0, 2.0, 3.0], [0.25, 0.5, 0.75]],
    dtype=np.float32,
)
LABELS = [2**53 + 1, 2**53, 2**53 + 1, -(2**62), 7]
IDS = ["Zoë", "猫 1", "007", "NA", "a,b"]
GROUPS = ["left", "right", "left", "None", "null"]


class Table(NamedTuple):
    """What every file of these tests holds."""

    vectors: np.ndarray = VECTORS
    labels: list[int] = LABELS
    ids: list[str] = IDS
    groups: list[str] = GROUPS


@pytest.fixture
def table() -> Table:
    """Return the table that ``write`` writes."""
    return Table()


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes the table under a suffix and returns the path."""

    def write_table(suffix: str, **options: Any) -> Path:
        path = tmp_path / f"table{suffix}"
        _WRITERS[suffix](path, **options)
        return path

    return write_table


@pytest.fixture
def text(tmp_path: Path) -> Callable[[str, str], Path]:
    """Return a function that writes text, as bytes of UTF-8 and nothing else, and returns the path."""

    def write_text(name: str, content: str) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode())
        return path

    return write_text


def _write_npy(path: Path) -> None:
    np.save(path, VECTORS)


def _write_npz(path: Path) -> None:
    np.savez_compressed(path, vectors=VECTORS, labels=np.array(LABELS), ids=np.array(IDS), groups=np.array(GROUPS))


def _write_parquet(path: Path, row_group_size: int = 2) -> None:
    table = {
        "embedding": pa.array(VECTORS.tolist(), pa.list_(pa.float32())),
        "label": LABELS,
        "id": IDS,
        "group": GROUPS,
    }
    pq.write_table(pa.table(table), path, row_group_size=row_group_size, write_page_checksum=True)


def _write_delimited(path: Path, delimiter: str) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(["e0", "e1", "e2", "label", "id", "group"])
        for vector, *rest in zip(VECTORS, LABELS, IDS, GROUPS, strict=True):
            writer.writerow([*map(float, vector), *rest])


def _write_jsonl(path: Path) -> None:
    rows = zip(VECTORS.tolist(), LABELS, IDS, GROUPS, strict=True)
    named = (dict(zip(("embedding", "label", "id", "group"), row, strict=True)) for row in rows)
    path.write_text("".join(json.dumps(row) + "\n" for row in named), encoding="utf-8")


_WRITERS: dict[str, Callable[..., None]] = {
    ".npy": _write_npy,
    ".npz": _write_npz,
    ".parquet": _write_parquet,
    ".pq": _write_parquet,
    ".jsonl": _write_jsonl,
    ".ndjson": _write_jsonl,
    ".csv": lambda path: _write_delimited(path, ","),
    ".tsv": lambda path: _write_delimited(path, "\t"),
}
