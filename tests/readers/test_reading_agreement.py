"""Every format gives back the same table, whole or in blocks, with its own labels or with those of a second file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tripleteval.data.embeddings import Embeddings
from tripleteval.data.labels import encode
from tripleteval.errors import EvalError
from tripleteval.readers import READERS, blocks, read

Write = Callable[..., Path]
HOLDING_ALL = [suffix for suffix in READERS.names() if suffix != ".npy"]


@pytest.mark.parametrize("suffix", READERS.names())
def test_every_format_gives_back_every_bit_of_the_vectors(suffix: str, write: Write, table: Any) -> None:
    vectors = read(write(suffix)).vectors
    np.testing.assert_array_equal(vectors, table.vectors)
    np.testing.assert_array_equal(np.signbit(vectors), np.signbit(table.vectors))


@pytest.mark.parametrize("suffix", HOLDING_ALL)
def test_every_format_gives_back_labels_ids_and_groups(suffix: str, write: Write, table: Any) -> None:
    found = read(write(suffix))
    assert column(found, "labels") == [str(label) for label in table.labels]
    assert column(found, "ids") == table.ids
    assert column(found, "groups") == table.groups


@pytest.mark.parametrize("suffix", [".npz", ".parquet", ".jsonl"])
def test_integers_beyond_2_to_the_53_stay_integers(suffix: str, write: Write, table: Any) -> None:
    labels = read(write(suffix)).labels
    assert labels is not None
    assert labels.values() == table.labels


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 100])
@pytest.mark.parametrize("suffix", READERS.names())
def test_blocks_are_what_read_returns_in_stretches(suffix: str, rows: int, write: Write) -> None:
    path = write(suffix)
    whole, parts = read(path), list(blocks(path, rows))
    assert [len(part) for part in parts] == [min(rows, 5 - start) for start in range(0, 5, rows)]
    np.testing.assert_array_equal(np.concatenate([part.vectors for part in parts]), whole.vectors)
    assert {part.vectors.dtype for part in parts} == {whole.vectors.dtype}
    for noun in ("labels", "ids", "groups"):
        assert [value for part in parts for value in column(part, noun)] == column(whole, noun)


@pytest.mark.parametrize("suffix", READERS.names())
def test_labels_of_a_second_file_replace_those_of_the_first(suffix: str, write: Write, tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("a\nb\nNA\n\u2028d\n e \n", encoding="utf-8")
    expected = ["a", "b", "NA", "\u2028d", " e "]
    assert column(read(write(suffix), labels=tmp_path / "labels.txt"), "labels") == expected
    parts = blocks(write(suffix), 2, labels=tmp_path / "labels.txt")
    assert [(part.dim, value) for part in parts for value in column(part, "labels")] == [(3, e) for e in expected]


@pytest.mark.parametrize("rows", [None, 2])
@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_labels_of_a_second_file_follow_the_rows_a_filter_keeps(suffix: str, rows: int | None, write: Write) -> None:
    where = "group = 'left'"
    path = write(suffix)
    for labels in (list("abcde"), np.array(list("abcde")), encode(list("abcde"))):
        given: dict[str, Any] = {"labels": labels, "where": where}
        parts = [read(path, **given)] if rows is None else blocks(path, rows, **given)
        assert [value for part in parts for value in column(part, "labels")] == ["a", "c"]


@pytest.mark.parametrize("count", [4, 6])
@pytest.mark.parametrize("suffix", READERS.names())
def test_a_label_too_few_or_too_many_is_refused(suffix: str, count: int, write: Write) -> None:
    with pytest.raises(EvalError, match=f"E401 {count} labels"):
        read(write(suffix), labels=range_of(count))
    with pytest.raises(EvalError, match=f"E401 {count} labels"):
        list(blocks(write(suffix), 2, labels=range_of(count)))


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_a_label_too_few_is_refused_behind_a_filter_too(suffix: str, write: Write) -> None:
    with pytest.raises(EvalError, match="E401 4 labels for the 5 rows"):
        read(write(suffix), labels=range_of(4), where="group = 'left'")


@pytest.mark.parametrize("suffix", READERS.names())
def test_the_set_is_called_like_its_file_unless_named(suffix: str, write: Write) -> None:
    assert read(write(suffix)).name == f"table{suffix}"
    assert read(str(write(suffix)), name="probe").name == "probe"


@pytest.mark.parametrize("suffix", READERS.names())
def test_bytes_in_the_wrong_order_are_an_implausible_magnitude(suffix: str, tmp_path: Path) -> None:
    path, huge = tmp_path / f"huge{suffix}", np.array([[1.0, 2.0], [1.0, -1.8e27]], dtype=np.float32)
    if suffix == ".npy":
        np.save(path, huge)
    elif suffix == ".npz":
        np.savez(path, vectors=huge)
    elif suffix in (".jsonl", ".ndjson"):
        path.write_text('{"vector": [1, 2]}\n{"vector": [1, -1.8e27]}\n')
    elif suffix in (".csv", ".tsv"):
        path.write_text("a,b\n1,2\n1,-1.8e27\n".replace(",", "," if suffix == ".csv" else "\t"))
    else:
        pq.write_table(pa.table({"vector": huge.tolist()}), path)
    with pytest.raises(EvalError, match=r"E206 .* at row 1, column 1 .*--allow-huge"):
        read(path)
    assert read(path, allow_huge=True).vectors[1, 1] < -1e27


def column(table: Embeddings, noun: str) -> list[str]:
    labels = getattr(table, noun)
    return [] if labels is None else [str(value) for value in labels.values()]


def range_of(count: int) -> np.ndarray:
    return np.arange(count)
