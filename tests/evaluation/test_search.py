"""What approximate search costs, end to end, on data small enough to check by hand."""

from __future__ import annotations

import json
import sys

import numpy as np
import pyarrow.parquet as pq
import pytest
from rich.console import Console

import tripleteval as te
from tripleteval.errors import DataError, MissingExtra, ParameterError, ResourceError
from tripleteval.evaluation.search_entries import verdict
from tripleteval.evaluation.search_grid import plans
from tripleteval.search import BACKENDS

FAST = {"seeds": 1, "repeats": 1}


def clustered(n=240, dim=8, classes=24, noise=0.5, seed=0) -> te.Embeddings:
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    points = rng.normal(size=(classes, dim))[labels] + noise * rng.normal(size=(n, dim))
    return te.Embeddings(points.astype(np.float32), labels, name="clustered")


@pytest.fixture(scope="module")
def searched():
    backends = ["exact", "search.fakes:aborts_always", "faiss-ivf", "search.fakes:forgets_half"]
    steps = []
    found = te.evaluate_search(
        clustered(),
        backends=backends,
        k=5,
        params={"nprobe": [1, 4]},
        metrics=["precision@3"],
        progress=lambda done, whole: steps.append((done, whole)),
        **{**FAST, "seeds": 2},
    )
    assert steps == [(240 * done, 240 * 8) for done in range(1, 9)]
    return found


def by_label(searched, label: str) -> dict:
    return next(entry for entry in searched if entry["label"] == label)


def test_exact_search_loses_nothing(searched):
    entry = by_label(searched, "exact")
    assert (
        entry["overlap"]["tie_aware_recall"] == entry["overlap"]["id_recall"] == entry["overlap"]["excess_ratio"] == 1.0
    )
    assert all(told["loss"] == told["low"] == told["high"] == 0.0 for told in entry["metrics"].values())
    assert entry["unreached"]["items"] == 0


def test_the_metrics_of_the_true_lists_are_those_of_evaluate(searched):
    told = by_label(searched, "exact")["metrics"]
    full = te.evaluate(clustered(), ks=(1, 3, 5), metrics=["map@5", "mrr@5"])
    for name in told:
        if name not in {"map@r", "r_precision"}:  # R is 9 here, so lists of 5 do not know them
            assert told[name]["value"] == pytest.approx(full[name], abs=1e-12), name
    assert "map@r" not in told


def test_looking_into_more_cells_loses_less(searched):
    one, four = (by_label(searched, f"faiss-ivf nprobe={n}") for n in (1, 4))
    assert one["overlap"]["tie_aware_recall"] < four["overlap"]["tie_aware_recall"] <= 1
    assert one["seeds"]["count"] == len(one["seeds"]["tie_aware_recall"]) == 2
    assert one["params"] == {"nlist": "auto", "nprobe": 1}


def test_half_the_list_missing_costs_what_it_must(searched):
    """The fake returns 3 of 6 neighbours, the query itself among them: 2 of 5 are left."""
    entry = by_label(searched, "search.fakes:forgets_half")
    assert entry["overlap"]["tie_aware_recall"] == entry["overlap"]["id_recall"] == pytest.approx(0.4)
    assert entry["overlap"]["missing"] == pytest.approx(0.6)
    assert entry["overlap"]["excess_ratio"] is None
    full = te.evaluate(clustered(), ks=(2, 5))
    expected = full["recall@5"] - full["recall@2"]
    assert entry["metrics"]["recall@5"]["loss"] == pytest.approx(expected, abs=1e-12)
    assert all(told["low"] <= told["loss"] <= told["high"] for told in entry["metrics"].values())
    assert entry["metrics"]["recall@5"]["high"] - entry["metrics"]["recall@5"]["low"] < 0.2
    assert (entry["metrics"]["recall@5"]["interval"], entry["metrics"]["recall@5"]["units"]) == ("bootstrap", 24)
    assert entry["metrics"]["hit_rate@1"]["loss"] == 0.0


def test_a_backend_that_dies_is_an_entry_and_the_others_go_on(searched):
    entry = by_label(searched, "search.fakes:aborts_always")
    assert entry["error"]["code"] == "E702"
    assert "SIGABRT" in entry["error"]["found"]
    assert sum("error" in each for each in searched) == 1


def test_the_verdict_names_the_fastest_that_costs_little(searched):
    ran = [entry for entry in searched if "error" not in entry]
    cheap = [entry for entry in ran if entry["metrics"]["recall@5"]["high"] <= 0.005]
    best = max(cheap, key=lambda entry: entry["speed"]["queries_per_second"])
    assert f"recall@5 is {best['label']}:" in searched.verdict
    assert best["pareto"]


def setting(label: str, loss: float, high: float | None, speed: float) -> dict:
    return {
        "label": label,
        "metrics": {"recall@5": {"loss": loss, "high": high}},
        "speed": {"queries_per_second": speed},
    }


VERDICTS = {
    "the upper end counts, not the loss": (
        [setting("lucky", -0.0111, 0.0119, 9000), setting("sure", 0.001, 0.004, 500)],
        (
            "The cheapest setting that costs at most 0.5 points of recall@5 is sure: it costs 0.10 points "
            "(its interval ends at a loss of 0.40), at 500 queries per second."
        ),
    ),
    "none is shown to be cheap": (
        [setting("wide", 0.001, 0.03, 9000), setting("lucky", -0.0111, 0.0119, 500)],
        (
            "No setting is shown to cost at most 0.5 points of recall@5; lucky comes nearest: it gains 1.11 points "
            "(its interval ends at a loss of 1.19), at 500 queries per second."
        ),
    ),
    "a sure gain": (
        [setting("better", -0.02, -0.01, 500)],
        (
            "The cheapest setting that costs at most 0.5 points of recall@5 is better: it gains 2.00 points "
            "(its interval ends at a gain of 1.00), at 500 queries per second."
        ),
    ),
    "nothing lost": (
        [setting("exact", 0.0, 0.0, 500), {"label": "dead", "error": {}}],
        (
            "The cheapest setting that costs at most 0.5 points of recall@5 is exact: it costs nothing measurable "
            "(its interval ends at a loss of 0.00), at 500 queries per second."
        ),
    ),
    "too few classes for an interval": (
        [setting("exact", 0.0, None, 500)],
        (
            "The cheapest setting that costs at most 0.5 points of recall@5 is exact: it costs nothing measurable "
            "(it has no interval), at 500 queries per second."
        ),
    ),
    "nothing ran": ([{"label": "dead", "error": {}}], "No setting ran."),
}


@pytest.mark.parametrize("name", VERDICTS)
def test_a_setting_is_judged_by_the_most_it_may_cost(name):
    tried, said = VERDICTS[name]
    assert verdict(tried, "recall@5", 0.005) == said


def test_no_setting_on_the_front_is_beaten_in_both(searched):
    ran = [entry for entry in searched if "error" not in entry]
    places = [(e["metrics"]["recall@5"]["loss"], -e["speed"]["queries_per_second"], e["pareto"]) for e in ran]
    for loss, slowness, front in places:
        beaten = any(a <= loss and b <= slowness and (a, b) != (loss, slowness) for a, b, _ in places)
        assert front is not beaten


def test_the_loss_of_each_class_averages_to_the_loss(searched):
    table = searched.per_class.to_pydict()
    counts, lost = np.array(table["queries"]), np.array(table["search.fakes:forgets_half"])
    entry = by_label(searched, "search.fakes:forgets_half")
    assert (counts * lost).sum() / counts.sum() == pytest.approx(entry["metrics"]["recall@5"]["loss"], abs=1e-12)


def test_items_no_list_holds_are_listed(searched):
    """Counted again, from the exact two nearest of everyone."""
    points = clustered().vectors.astype(float)
    far = np.square(points[:, None] - points[None]).sum(axis=2)
    np.fill_diagonal(far, np.inf)
    order = np.argsort(far, axis=1)
    lost = sorted(set(order[:, :5].ravel().tolist()) - set(order[:, :2].ravel().tolist()))
    rows = [row for row in searched.unreached.to_pylist() if row["setting"] == "search.fakes:forgets_half"]
    assert sorted(row["gallery"] for row in rows) == lost
    counts = np.bincount(order[:, :5].ravel(), minlength=240)
    assert all(row["true_lists"] == counts[row["gallery"]] for row in rows)
    assert by_label(searched, "search.fakes:forgets_half")["unreached"]["items"] == len(lost)


def test_speed_is_what_was_timed_and_p99_needs_a_thousand_queries(searched):
    speed = by_label(searched, "exact")["speed"]
    assert (speed["batch"], speed["repeats"], speed["threads"]) == (240, 1, 1)
    assert speed["p99_ms"] is None
    assert 0 < speed["p50_ms"] <= speed["p95_ms"]
    assert by_label(searched, "exact")["build"]["file_bytes"] > 240 * 8 * 4


@pytest.mark.skipif(sys.platform != "linux", reason="the system tells of no peak")
def test_the_peak_of_memory_is_that_of_the_build_and_not_what_is_left():
    build = te.evaluate_search(clustered(), backends=["search.fakes:wasteful"], **FAST)[0]["build"]
    assert 190e6 < build["peak_bytes"] < 300e6
    assert build["memory_bytes"] < 100e6


def test_it_is_json_prints_and_saves(searched, tmp_path):
    folder = searched.save(tmp_path / "out")
    document = json.loads((folder / "search.json").read_text())
    told = json.loads(json.dumps(searched.to_dict()))
    assert {name: document[name] for name in told} == told
    assert document["schema"] == "tripleteval/search/1"
    assert pq.read_table(folder / "classes.parquet").num_rows == 24
    assert pq.read_table(folder / "unreached.parquet").equals(searched.unreached)
    plot = (folder / "pareto.svg").read_text()
    assert plot.count("<title>exact: 0.000 points</title>") == 1
    with pytest.raises(ResourceError, match="E801"):
        searched.save(folder)
    (folder / "classes.parquet").unlink()
    assert len(list(searched.save(folder, overwrite=True).iterdir())) == 4
    console = Console(record=True, width=160)
    console.print(searched)
    said = console.export_text()
    assert searched.verdict[:60] in said
    assert "search.fakes:aborts_always: E702" in said
    assert "; backend search.fakes:aborts_always, query row 0" in " ".join(said.split())


def test_an_order_by_quantised_distances_is_not_put_right():
    """The right five, farthest first: nothing is missing, but the first hit is another."""
    embeddings = clustered()
    (entry,) = te.evaluate_search(embeddings, backends=["search.fakes:quantised_backwards"], k=5, **FAST)
    points = embeddings.vectors.astype(float)
    far = np.square(points[:, None] - points[None]).sum(axis=2)
    np.fill_diagonal(far, -1)  # the query itself first, so last of what is returned
    order = np.argsort(far, axis=1)
    hit = np.arange(240) % 24 == order[:, 5] % 24
    assert entry["overlap"]["tie_aware_recall"] == 1.0
    assert entry["metrics"]["recall@5"]["loss"] == 0.0
    assert entry["metrics"]["hit_rate@1"]["value"] == pytest.approx(hit.mean(), abs=1e-12)
    assert entry["metrics"]["hit_rate@1"]["loss"] > 0


def test_no_index_ever_sees_a_row_with_nan():
    points = clustered().vectors.copy()
    points[7, 2] = np.nan
    labels = np.arange(240) % 24
    with pytest.raises(DataError, match="E201"):
        te.evaluate_search(points, labels, backends=["search.fakes:refuses_nan"], **FAST)
    found = te.evaluate_search(points, labels, backends=["search.fakes:refuses_nan"], nonfinite="drop", **FAST)
    assert "error" not in found[0]
    assert found.facts["gallery"] == 239
    assert found.notes == ["Dropped 1 row of queries: nonfinite."]


def test_an_exact_sample_gives_both_numbers_and_draws_from_every_class():
    embeddings = clustered()
    whole = te.evaluate_search(embeddings, backends=["search.fakes:forgets_half"], k=5, **FAST)
    part = te.evaluate_search(embeddings, backends=["search.fakes:forgets_half"], k=5, exact_sample=48, **FAST)
    assert part.facts["compared_with_truth"] == 48
    assert set(part.per_class["queries"].to_pylist()) == {2}
    told = part[0]["metrics"]["recall@5"]
    assert told["n"] == 48
    assert told["value_all_queries"] == pytest.approx(whole[0]["metrics"]["recall@5"]["value"], abs=1e-12)
    assert any("Exact lists were made for 48 of 240 queries" in note for note in part.notes)


def test_a_gallery_of_its_own_and_shared_ids():
    everyone = clustered()
    ids = np.array([f"i{row}" for row in range(240)])
    queries = te.Embeddings(everyone.vectors[:40], everyone.labels.take(np.arange(40)), ids=ids[:40], name="queries")
    gallery = te.Embeddings(everyone.vectors, everyone.labels, ids=ids, name="gallery")
    found = te.evaluate_search(queries, gallery=gallery, backends=["exact"], k=5, distance="cosine", **FAST)
    assert found.facts["own_rows_left_out"] == 40
    expected = te.evaluate(queries, gallery=gallery, ks=(5,), distance="cosine")["recall@5"]
    assert found[0]["metrics"]["recall@5"]["value"] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("known", [True, False])
def test_copies_of_queries_whose_own_row_is_known_are_not_taken_for_it(known):
    vectors, labels = np.repeat(clustered().vectors[:20], 2, axis=0), np.arange(40) // 4
    ids = [f"i{row}" for row in range(40)]
    queries = te.Embeddings(vectors[::2], labels[::2], ids=ids[::2] if known else None)
    gallery = te.Embeddings(vectors, labels, ids=ids if known else None)
    found = te.evaluate_search(queries, gallery=gallery, backends=["exact"], k=3, **FAST)
    assert any("each finds itself" in note for note in found.notes) is not known


def test_lists_longer_than_the_gallery_are_clipped():
    found = te.evaluate_search([[0.0], [1.0], [3.0], [4.0]], [0, 0, 1, 1], backends=["exact"], k=50, **FAST)
    assert found[0].get("error") is None
    assert found.settings["k"] == 3
    assert any("Lists of 50 were asked for; no query can find more than 3 items" in note for note in found.notes)
    assert found[0]["overlap"]["tie_aware_recall"] == 1.0
    assert found[0]["metrics"]["map@r"]["value"] == 1.0
    assert found[0]["metrics"]["recall@3"]["low"] is None  # two classes tell nothing about others


def test_float64_rows_that_float32_cannot_tell_apart_are_noted():
    points = 1.0 + 1e-9 * np.arange(12.0)[:, None]
    found = te.evaluate_search(points, np.arange(12) // 2, backends=["exact"], k=2, **FAST)
    assert any("11 gallery rows would repeat another" in note for note in found.notes)
    assert found[0]["overlap"]["tie_aware_recall"] < 1


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"backends": ["anoy"]}, "E510"),
        ({"backends": []}, "E101"),
        ({"backends": "exact"}, "E101"),
        ({"params": {"efsearch": [1]}}, "E510"),
        ({"params": {"nprobe": []}}, "E101"),
        ({"params": {"nprobe": [None]}}, "E101"),
        ({"params": {"nprobe": range(1000)}}, "E101"),
        ({"k": 0}, "E308"),
        ({"seeds": 0}, "E101"),
        ({"exact_sample": 0}, "E101"),
        ({"exact_sample": "5"}, "E101"),
        ({"exact_sample": 300.5}, "E101"),
        ({"timeout": 0}, "E101"),
        ({"timeout": -1}, "E101"),
        ({"timeout": float("inf")}, "E101"),
        ({"timeout": "60"}, "E101"),
        ({"tolerance": -0.005}, "E101"),
        ({"tolerance": 5}, "E101"),
        ({"tolerance": float("nan")}, "E101"),
        ({"backends": [3]}, "E101"),
        ({"params": ["nprobe"]}, "E101"),
        ({"params": {"nprobe": None}}, "E101"),
        ({"metrics": ["map"]}, "E510"),
        ({"judge_by": "recall@50"}, "E510"),
        ({"confidence": 2}, "E505"),
        ({"zero_rows": "far"}, "E510"),
        ({"distance": "manhattan"}, "E510"),
    ],
)
def test_an_impossible_setting_is_refused_before_anything_is_built(options, code):
    given = {"backends": ["faiss-ivf"], **FAST, **options}
    with pytest.raises(ParameterError, match=code):
        te.evaluate_search(clustered(), **given)


def test_a_missing_library_is_an_error_before_anything_is_built(monkeypatch):
    monkeypatch.setattr("tripleteval.search.find_spec", lambda _: None)
    with pytest.raises(MissingExtra, match=r"pip install 'tripleteval\[annoy\]'"):
        te.evaluate_search(clustered(), backends=["annoy"], **FAST)


def test_every_backend_names_an_extra_that_exists():
    import tomllib
    from pathlib import Path

    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    for name, backend in BACKENDS.items():
        assert not backend.module or backend.extra in project["optional-dependencies"], name


@pytest.mark.parametrize(
    ("backend", "name", "wrong", "kind"),
    [
        ("faiss-hnsw", "efSearch", -3, "a whole number, 1 or more"),  # FAISS answers, with rows that are not near
        ("faiss-hnsw", "efSearch", 1.5, "a whole number, 1 or more"),
        ("faiss-hnsw", "M", 0, "a whole number, 1 or more"),  # which ends the process
        ("faiss-ivf", "nlist", 5.5, "a whole number, 1 or more"),
        ("faiss-ivf", "nlist", "many", "a whole number, 1 or more"),
        ("binary", "rescore", -1, "a whole number, 1 or more"),  # which would look at all rows
        ("pca", "dim", 0, "a number above 0"),
        ("pca", "dim", float("nan"), "a number above 0"),
        ("truncate", "dim", "half", "a number above 0"),
    ],
)
def test_what_a_parameter_cannot_be_is_refused_by_its_name_before_anything_is_built(backend, name, wrong, kind):
    with pytest.raises(ParameterError) as caught:
        plans([backend], {name: [*BACKENDS[backend].grid[name], wrong]})
    assert (caught.value.code, caught.value.found) == ("E101", f"{name}={wrong!r} for {backend}, where it is {kind}")


def test_what_a_parameter_can_be_is_tried():
    (cells,) = plans(["faiss-ivf"], {"nlist": ["auto", 1, 4], "nprobe": [1]})
    assert [build["nlist"] for build in cells.builds] == ["auto", 1, 4]
    (shares,) = plans(["pca"], {"dim": [0.1, 1, 4.0]})
    assert [build["dim"] for build in shares.builds] == [0.1, 1, 4.0]
    (words,) = plans(["usearch"], {"dtype": ["f32", "i8"]})
    assert [build["dtype"] for build in words.builds] == ["f32", "i8"]
