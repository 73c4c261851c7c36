"""A LanceDB table that is there already: what its own index loses, and what a setting gives back."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner

import tripleteval as te
from tripleteval.cli import main
from tripleteval.errors import BackendError, ParameterError
from tripleteval.search.lance_table import LanceTable

lancedb = pytest.importorskip("lancedb", reason="LanceDB is not installed: pip install 'tripleteval[lance]'")

N, DIM, QUICK = 4000, 16, {"seeds": 1, "repeats": 1}


@pytest.fixture(scope="module")
def items():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(100, DIM))[np.arange(N) % 100] + rng.normal(size=(N, DIM))
    ids = [f"it's {row}" for row in range(N)]
    return te.Embeddings(vectors.astype(np.float32), np.arange(N) % 10, ids=ids, name="items")


@pytest.fixture(scope="module")
def path(items, tmp_path_factory):
    """Write a table with LanceDB's default index; every hundredth row is of shop 7."""
    folder = tmp_path_factory.mktemp("lance")
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(items.vectors.ravel()), DIM)
    columns = {"the id": items.ids.values(), "vec": vectors, "shop": np.arange(N) // 40, "note": ["-"] * N}
    table = lancedb.connect(folder).create_table("items", pa.table(columns))
    table.create_index("vec", config=lancedb.index.IvfPq(distance_type="l2", num_partitions=8, num_sub_vectors=4))
    return folder / "items.lance"


def store(path, **options):
    return LanceTable(path, **{"vector_column": "vec", "id_column": "the id", **options})


@pytest.fixture
def asked(items):
    return items.take(np.arange(0, N, 40))


def test_the_index_loses_and_measuring_candidates_again_gives_it_back(path, items, asked):
    found = te.evaluate_search(asked, gallery=items, backends=[store(path, params={"nprobes": 8})], **QUICK)
    assert [entry["label"] for entry in found] == [f"lancedb table refine_factor={n}" for n in (0, 10)]
    plain, refined = (entry["overlap"]["tie_aware_recall"] for entry in found)
    assert plain < 0.9
    assert refined > 0.99
    facts = found[0]["store"]
    assert (facts["rows"], facts["rows_absent"], facts["rows_stale"]) == (N, 0, 0)
    (index,) = facts["indexes"]
    assert (index["method"].lower(), index["distance"], index["rows_outside"]) == ("ivfpq", "l2", 0)
    scanned = store(path, params={"bypass_vector_index": 1, "refine_factor": 0})
    (every,) = te.evaluate_search(asked, gallery=items, backends=[scanned], **QUICK)
    assert every["overlap"]["tie_aware_recall"] == 1.0


def test_a_filter_after_the_search_leaves_too_few_rows_and_one_before_it_does_not(path, items):
    mine = items.take(np.arange(280, 320))
    params = {"prefilter": [0, 1], "refine_factor": [10], "nprobes": [8]}
    late, early = te.evaluate_search(
        mine, gallery=mine, backends=[store(path, where={"shop": 7})], params=params, **QUICK
    )
    assert late["overlap"]["missing"] > 0.5
    assert early["overlap"]["missing"] == 0.0
    assert early["overlap"]["tie_aware_recall"] > 0.95


def test_rows_that_changed_or_were_not_exported_are_noticed(path, items, asked):
    moved = te.Embeddings(items.vectors + np.float32(0.5), items.labels, ids=items.ids.values())
    found = te.evaluate_search(asked, gallery=moved, backends=[store(path)], **QUICK)
    assert found[0]["store"]["rows_stale"] == 100
    part = te.evaluate_search(asked, gallery=items.take(np.arange(N // 2)), backends=[store(path)], **QUICK)
    assert part[0]["error"]["code"] == "E701"


def test_what_is_not_there_is_refused_and_what_lance_refuses_is_an_entry(path, items, asked):
    for options, said in (
        ({"vector_column": "shop"}, "holds no vectors"),
        ({"id_column": "nope"}, "no column 'nope'"),
        ({"where": {"x` = 1 OR `shop": 7}}, "no column"),
    ):
        with pytest.raises(BackendError, match=f"E706 .*{said}"):
            store(path, **options)
    for folder in (path.parent, path.parent / "missing.lance"):
        with pytest.raises(BackendError, match="E706"):
            store(folder)
    with pytest.raises(ParameterError, match="did you mean 'nprobes'"):
        store(path, params={"nprobe": 1})
    with pytest.raises(ParameterError, match="E101 '7 OR 1=1' for the column 'shop' of numbers"):
        store(path, where={"shop": "7 OR 1=1"})
    found = te.evaluate_search(asked, gallery=items, backends=[store(path)], params={"nprobes": [-1]}, **QUICK)
    assert found[0]["error"]["code"] == "E704"


def test_text_is_only_text(path, items):
    (_, found) = te.evaluate_search(
        items.take(np.arange(20)),
        gallery=items,
        backends=[store(path, where={"note": "' OR '1'='1"})],
        **QUICK,
    )
    assert found["overlap"]["missing"] == 1.0


def test_the_command_line_asks_the_folder(path, items, tmp_path):
    mine = items.take(np.arange(280, 320))
    np.savez(tmp_path / "mine.npz", vectors=mine.vectors, labels=mine.labels.values(), ids=np.array(mine.ids.values()))
    arguments = ["search", str(tmp_path / "mine.npz"), "--lancedb", str(path), "--store-vectors", "vec"]
    arguments += ["--store-ids", "the id", "--store-where", "shop=7", "--param", "bypass_vector_index=1", "--quiet"]
    ran = CliRunner().invoke(main, [*arguments, "--json", "-"])
    assert ran.exit_code == 0, ran.stderr
    assert json.loads(ran.stdout)["entries"][0]["overlap"]["tie_aware_recall"] == 1.0
    printed = CliRunner().invoke(main, [*arguments, "--param", "prefilter=0", "--param", "bypass_vector_index=0"])
    assert "too few rows" in printed.stdout
