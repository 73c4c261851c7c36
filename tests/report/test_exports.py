"""Exports: what is written reads back, and no spreadsheet runs it."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from report.hostile import HOSTILE
from tripleteval import Embeddings, Evaluation, ParameterError, evaluate
from tripleteval.data.material import Material
from tripleteval.report.exports import TABLES, as_csv, as_parquet, exported

ROOT = Path(__file__).resolve().parents[2]
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\0")


def read(data: bytes) -> list[dict[str, str]]:
    csv.field_size_limit(2**31 - 1)
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


@pytest.mark.parametrize("name", [name for name in TABLES if name != "map"])
def test_every_table_reads_back_from_parquet_and_has_as_many_rows_in_csv(run: Evaluation, name: str) -> None:
    if name == "units":  # of two classes there are none
        with pytest.raises(ParameterError, match="E101 .* it needs 5 classes or more"):
            exported(run, name)
        run = evaluate(np.arange(20.0)[:, None] ** 1.5, np.arange(20) // 2)
    table = exported(run, name)
    assert pq.read_table(io.BytesIO(as_parquet(table))).equals(table)
    assert len(read(as_csv(table))) == table.num_rows


def test_metrics_carry_every_number(run: Evaluation) -> None:
    rows = {row["metric"]: row for row in read(as_csv(exported(run, "metrics")))}
    assert set(rows) == set(run)
    assert float(rows["map@r"]["value"]) == run["map@r"]
    assert float(rows["recall@2"]["chance"]) == run.metrics["recall@2"]["chance"]


def test_no_hostile_text_is_a_formula_and_all_read_back() -> None:
    written = as_csv(pa.table({"label": HOSTILE, "n": np.arange(len(HOSTILE)) - 5}))
    rows = read(written)
    assert not any(row["label"].lstrip('"').startswith(FORMULAS) for row in rows)
    assert [row["label"].removeprefix("'") for row in rows] == [text.removeprefix("'") for text in HOSTILE]
    assert [int(row["n"]) for row in rows] == list(range(-5, len(HOSTILE) - 5))


def test_raw_texts_are_left_as_they_are() -> None:
    assert [row["label"] for row in read(as_csv(pa.table({"label": HOSTILE}), raw=True))] == HOSTILE


def test_lists_are_json_in_csv() -> None:
    run = evaluate([[0.0], [1.0], [3.0]], [["a", "b"], ["b"], ["a"]])
    assert json.loads(read(as_csv(exported(run, "queries")))[0]["label"]) == ["a", "b"]


def test_a_table_that_a_run_does_not_hold_is_refused(given: Evaluation) -> None:
    with pytest.raises(ParameterError, match="E101 the table 'suspects' .* · this run has metrics and queries;"):
        exported(given, "suspects")
    with pytest.raises(ParameterError, match="E101 a map without embeddings"):
        exported(given, "map")
    with pytest.raises(ParameterError, match="E510 no table 'suspect'.*did you mean 'suspects'"):
        exported(given, "suspect")


def test_the_map_is_what_embedding_atlas_opens() -> None:
    rng = np.random.default_rng(0)
    found = Embeddings(
        rng.normal(size=(30, 5)), [0, 1, 2] * 10, ids=[f"i{row}" for row in range(30)], meta={"t": ["x"] * 30}
    )
    run = evaluate(found, neighbors=3)
    table = pq.read_table(io.BytesIO(as_parquet(exported(run, "map", Material(found, text_column="t")))))
    assert table.schema.field("x").type == table.schema.field("y").type == pa.float64()
    assert table.schema.field("neighbors").type == pa.struct(
        [("ids", pa.list_(pa.int64())), ("distances", pa.list_(pa.float64()))]
    )
    first = table.slice(0, 1).to_pylist()[0]
    nearest = [row for row in run.neighbors.to_pylist() if row["query"] == 0]
    assert first["neighbors"]["ids"] == [row["gallery"] for row in nearest]
    assert first["neighbors"]["distances"] == [row["distance"] for row in nearest]
    assert (first["id"], first["label"], first["text"]) == ("i0", "0", "x")
    assert first["nearest"] == ("right" if nearest[0]["relevant"] else "wrong")


def test_the_pages_name_every_table_and_no_other() -> None:
    pages = [path.read_text(encoding="utf-8") for path in (ROOT / "docs").rglob("*.md")]
    named = {name for page in pages for name in re.findall(r"(?:`|tripleteval )export (?:RUN )?([a-z]+)", page)}
    assert named <= {*TABLES, "projector"}
    row = next(line for page in pages for line in page.splitlines() if "`tripleteval export RUN TABLE" in line)
    assert re.findall(r"`([a-z]+)`", row) == list(TABLES)
