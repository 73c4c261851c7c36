"""Queries of a new model in the gallery of the old one."""

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import tripleteval as te
from tripleteval.cli import main

RANDOM = np.random.default_rng(4)
LABELS = np.repeat(np.arange(24), 4)
IDS = [f"photo-{row}" for row in range(96)]
CENTRES = RANDOM.normal(size=(24, 6))[LABELS]
OLD = CENTRES + 0.9 * RANDOM.normal(size=CENTRES.shape)
NEW = CENTRES + 0.4 * RANDOM.normal(size=CENTRES.shape)
OTHER = NEW @ np.linalg.qr(RANDOM.normal(size=(6, 6)))[0]  # as good, in another space


def embedded(vectors, *, ids=IDS, rows=slice(None)) -> te.Embeddings:
    return te.Embeddings(vectors[rows], LABELS[rows], ids=None if ids is None else ids[rows])


@pytest.fixture(scope="module")
def runs() -> tuple[te.Evaluation, te.Evaluation]:
    return te.evaluate(embedded(OLD)), te.evaluate(embedded(NEW))


def test_it_is_the_new_queries_searched_among_the_old_items_but_for_themselves(runs):
    found = te.compare(*runs, new_queries=embedded(NEW), old_gallery=embedded(OLD))
    across = te.evaluate(embedded(NEW), gallery=embedded(OLD))
    for name, entry in found.backward.metrics.items():
        assert entry["a"] == runs[0][name]
        assert entry["b"] == pytest.approx(across[name])
        assert entry["update_gain"] == pytest.approx((across[name] - runs[0][name]) / (runs[1][name] - runs[0][name]))
    assert found.backward.outcome == "better"
    assert "b in the gallery of a is better than a" in found.backward.verdict
    assert found.metrics == te.compare(*runs).metrics
    assert found.to_dict()["backward"]["outcome"] == "better"
    assert "backward" not in te.compare(*runs).to_dict()


def test_a_better_model_in_another_space_makes_the_old_gallery_useless(runs):
    new = te.evaluate(embedded(OTHER))
    found = te.compare(runs[0], new, new_queries=embedded(OTHER), old_gallery=embedded(OLD))
    assert (found.outcome, found.backward.outcome) == ("better", "worse")
    assert found.backward.metrics["map@r"]["update_gain"] < 0
    back = te.compare(new, runs[0], new_queries=embedded(OLD), old_gallery=embedded(OTHER))
    assert back.backward.metrics["map@r"]["update_gain"] is None  # nothing to gain


def test_without_ids_rows_are_matched(runs):
    bare = [te.evaluate(embedded(vectors, ids=None)) for vectors in (OLD, NEW)]
    given = {"new_queries": embedded(NEW, ids=None), "old_gallery": embedded(OLD, ids=None)}
    named = te.compare(*runs, new_queries=embedded(NEW), old_gallery=embedded(OLD))
    assert te.compare(*bare, **given).backward["map@r"] == named.backward["map@r"]


def test_queries_and_a_gallery_of_their_own():
    first, rest = slice(0, 96, 4), [row for row in range(96) if row % 4]
    one, two = (te.evaluate(embedded(v, rows=first), gallery=te.Embeddings(v[rest], LABELS[rest])) for v in (OLD, NEW))
    gallery = te.Embeddings(OLD[rest], LABELS[rest])
    found = te.compare(one, two, new_queries=embedded(NEW, rows=first), old_gallery=gallery)
    assert found.backward.metrics["map@r"]["b"] == pytest.approx(
        te.evaluate(embedded(NEW, rows=first), gallery=gallery)["map@r"]
    )


@pytest.mark.parametrize(
    ("given", "error", "code"),
    [
        ({"new_queries": embedded(NEW)}, te.ParameterError, "E101"),
        ({"old_gallery": embedded(OLD)}, te.ParameterError, "E101"),
        ({"new_queries": NEW, "old_gallery": OLD}, te.ParameterError, "E101"),
        ({"new_queries": embedded(NEW[:, :5]), "old_gallery": embedded(OLD)}, te.DataError, "E306"),
        ({"new_queries": embedded(NEW), "old_gallery": embedded(OLD, rows=slice(0, 60))}, te.ParameterError, "E512"),
        ({"new_queries": embedded(NEW), "old_gallery": embedded(OLD, ids=None)}, te.ParameterError, "E512"),
        (
            {"new_queries": embedded(NEW, ids=[f"x{i}" for i in IDS]), "old_gallery": embedded(OLD)},
            te.ParameterError,
            "E512",
        ),
    ],
)
def test_what_cannot_be_crossed_is_refused(runs, given, error, code):
    with pytest.raises(error) as caught:
        te.compare(*runs, **given)
    assert caught.value.code == code


def test_a_run_without_rankings_is_refused():
    pairs = te.evaluate_pairs(OLD[:48], OLD[48:], [True, False] * 24)
    with pytest.raises(te.ParameterError, match="E101"):
        te.compare(pairs, pairs, new_queries=embedded(NEW), old_gallery=embedded(OLD))


def test_the_command(runs, tmp_path):
    for name, vectors, run in (("old", OLD, runs[0]), ("new", NEW, runs[1])):
        run.save(tmp_path / name)
        table = pa.table({"id": IDS, "label": LABELS, "embedding": list(vectors)})
        pq.write_table(table, tmp_path / f"{name}.parquet")
    folders = [str(tmp_path / name) for name in ("old", "new")]
    files = ["--new-queries", str(tmp_path / "new.parquet"), "--old-gallery", str(tmp_path / "old.parquet")]
    said = CliRunner().invoke(main, ["compare", *folders, *files, "--json", "-"])
    loaded = te.compare(*map(te.load, folders), new_queries=embedded(NEW), old_gallery=embedded(OLD))
    assert json.loads(said.stdout)["backward"]["differences"] == loaded.backward.to_dict()["differences"]
    shown = CliRunner().invoke(main, ["compare", *folders, *files]).stdout
    assert "May the gallery stay?" in shown
    assert "gain" in shown
    alone = CliRunner().invoke(main, ["compare", *folders, *files[:2]])
    assert (alone.exit_code, "--new-queries alone" in alone.stderr) == (2, True)
    assert CliRunner().invoke(main, ["compare", *folders, "--where", "label > 1"]).exit_code == 2


def test_a_sampled_run_is_crossed_with_its_own_sample():
    old = te.evaluate(embedded(OLD), sample=50)
    new = te.evaluate(embedded(NEW), sample=50)
    found = te.compare(old, new, new_queries=embedded(NEW), old_gallery=embedded(OLD))
    assert found.backward.paired == "id"
    assert replace(found, backward=None).metrics == te.compare(old, new).metrics


def test_rows_are_matched_only_where_neither_side_has_ids():
    bare = [te.evaluate(embedded(vectors, ids=None)) for vectors in (OLD, NEW)]
    for new, old in ((None, IDS), (IDS, None)):
        with pytest.raises(te.ParameterError, match="E512"):
            te.compare(*bare, new_queries=embedded(NEW, ids=new), old_gallery=embedded(OLD, ids=old))


def test_an_error_names_file_and_row_also_where_rows_are_matched(tmp_path):
    bare = [te.evaluate(embedded(vectors, ids=None)) for vectors in (OLD, NEW)]
    damaged = OLD.copy()
    damaged[7, 2] = np.nan
    table = pa.table({"label": np.r_[-1, LABELS], "embedding": [OLD[0], *damaged]})
    pq.write_table(table, tmp_path / "old.parquet")
    gallery = te.read(tmp_path / "old.parquet", where="label != -1")
    with pytest.raises(te.DataError, match=r"row 8 of .*old\.parquet"):
        te.compare(*bare, new_queries=embedded(NEW, ids=None), old_gallery=gallery)
