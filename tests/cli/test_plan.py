"""``plan`` says what an evaluation would take and when a sample is wiser, and evaluates nothing."""

import json
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tripleteval.engine import rounding
from tripleteval.evaluation import forecast
from tripleteval.evaluation.forecast import Rates, Size

RATES = Rates(pair=4e-9, verified=1e-8, seen=1e-6, moments=3e-6, ready=5e-7)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(forecast, "_ENOUGH", 0.01)


@pytest.fixture
def gallery(tmp_path):
    """Return a pattern of two files of vectors, and one of labels."""
    rng = np.random.default_rng(0)
    for shard in range(2):
        np.save(tmp_path / f"part-{shard}.npy", rng.normal(size=(2000, 8)).astype(np.float32))
        np.save(tmp_path / f"labels-{shard}.npy", rng.integers(0, 50, 2000))
    return str(tmp_path / "part-*.npy"), str(tmp_path / "labels-*.npy")


def test_it_counts_pairs_and_bytes(run, gallery):
    pattern, labels = gallery
    found = json.loads(run("plan", pattern, "--labels", labels, "--workers", "4", "--json", "-").stdout)
    assert found["all"]["pairs"] == 4000 * 3999
    assert found["all"]["bytes_read"] == (2 + found["all"]["blocks"]) * 4000 * 8 * 4
    assert found["all"]["workers"] == 4
    assert found["sample"] is None
    assert all(rate > 0 for rate in found["seconds_of_one_core"].values())


@pytest.mark.parametrize("from_pairs", [4000 * 4000, 4000 * 4000 + 1])
def test_what_is_measured_adds_up_in_steps_as_coarse_as_evaluate_would(run, gallery, monkeypatch, from_pairs):
    measured = []
    begun = forecast._pass
    monkeypatch.setattr(rounding, "FROM_PAIRS", from_pairs)
    monkeypatch.setattr(forecast, "_pass", lambda *of: measured.append(of[1].dropped_bits > 0) or begun(*of))
    pattern, labels = gallery
    run("plan", pattern, "--labels", labels)
    assert measured == [from_pairs == 4000 * 4000]


def test_speed_may_be_given_and_a_sample_planned(run, gallery):
    pattern, _ = gallery
    found = json.loads(run("plan", pattern, "--sample", "100", "--gflops", "1e-6", "--json", "-").stdout)
    assert found["all"]["pairs"] == 100 * 3999
    assert found["seconds_of_one_core"]["pair"] == pytest.approx(2 * 8 / 1e3)
    assert found["sample"] is None  # there is no smaller one
    said = run("plan", pattern, "--gflops", "1e-6", "--json", "plan.json").stdout
    assert json.loads(Path("plan.json").read_text())["sample"]["queries"] == 1000
    assert "A sample is the wise answer" in said
    assert "--sample 1000" in said
    assert "all queries" in said
    assert "15,996,000" in said  # pairs are counted, not rounded


def test_the_column_is_headed_by_the_queries_it_is_about(run, gallery):
    said = run("plan", gallery[0], "--sample", "100").stdout
    assert "--sample 100" in said
    assert "all queries" not in said
    assert "399,900" in said
    assert "all queries" in run("plan", gallery[0], "--sample", "4001").stdout


def test_queries_that_stand_in_the_gallery_are_not_compared_with_themselves(run):
    random = np.random.default_rng(0)
    ids, labels, vectors = (np.arange(60), np.arange(60) % 6, random.normal(size=(60, 8)).astype(np.float32))
    np.savez("gallery.npz", embeddings=vectors, labels=labels, ids=ids)
    np.savez("probe.npz", embeddings=vectors[:20], labels=labels[:20], ids=np.r_[:10, 100:110])
    sets = ("probe.npz", "--gallery", "gallery.npz", "--json", "-")
    planned = json.loads(run("plan", *sets).stdout)["all"]["pairs"]
    assert planned == json.loads(run("evaluate", *sets).stdout)["accounting"]["pairs_compared"] == 20 * 60 - 10


@pytest.mark.parametrize("speed", ["0.25", "9.5", "250"])
def test_a_speed_is_told_as_it_was_given(run, gallery, speed):
    assert f"each worth {speed} GFLOP/s" in " ".join(run("plan", gallery[0], "--gflops", speed).stdout.split())


@pytest.mark.parametrize(("memory", "held"), [("250KiB", True), ("249KiB", False)])
def test_it_says_where_vectors_would_not_stay_on_disk(run, gallery, memory, held):
    said = " ".join(run("plan", gallery[0], "--gflops", "9", "--memory", memory).stdout.split())
    assert ("Vectors of 125 KiB fit: they are read once and held." in said) is held


@pytest.mark.parametrize("speed", ["fast", "0", "-3", "nan"])
def test_a_speed_that_is_none_is_refused(run, gallery, speed):
    done = run("plan", gallery[0], "--gflops", speed)
    assert done.exit_code == 2
    assert "E101 " in done.stderr


def test_files_that_cannot_be_read_are_refused_as_by_evaluate(run, tmp_path):
    assert "E604" in run("plan", str(tmp_path / "no-*.npy")).stderr


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--labels", "labels-0.npy"], "E401"),
        (["--gallery-labels", "labels-1.npy"], "E401"),
        (["--labels", "labels-0.npy", "--gallery-labels", "text.txt"], "E403"),
        (["--labels", "labels-0.npy", "--gallery", "short.npy", "--gallery-labels", "labels-1.npy"], "E306"),
    ],
)
@pytest.mark.usefixtures("gallery")
def test_sets_that_cannot_be_compared_are_refused_in_the_words_of_evaluate(run, options, code):
    Path("text.txt").write_text("a\n" * 2000)
    np.save("short.npy", np.load("part-1.npy")[:, :7])
    sets = ("part-0.npy", "--gallery", "part-1.npy", *options)
    planned, evaluated = (run(command, *sets) for command in ("plan", "evaluate"))
    assert planned.stderr.split()[0] == code
    assert (planned.exit_code, planned.stderr) == (evaluated.exit_code, evaluated.stderr)
    assert not planned.stdout


@pytest.mark.usefixtures("gallery")
def test_labels_are_not_needed_where_relevance_is_given(run):
    Path("pairs.csv").write_text("query,gallery\n0,1\n")
    sets = ("part-0.npy", "--labels", "labels-0.npy", "--gallery", "part-1.npy")
    assert run("plan", *sets, "--relevance", "pairs.csv").exit_code == 0


def test_a_sample_is_proposed_where_all_would_take_hours():
    size = Size(queries=10**8, gallery=10**8, dim=128, alone=True)
    found = forecast.proposed(size, RATES, workers=32, memory=2**37)
    assert found is not None
    assert found.queries in forecast.SAMPLES
    assert found.seconds < 3600
    assert forecast.proposed(size._replace(queries=10**4, gallery=10**5), RATES, workers=2, memory=2**30) is None


def test_more_workers_take_less_time_and_more_memory_fewer_readings():
    size = Size(queries=50_000, gallery=10**7, dim=64, positives=200)
    one, many = (forecast.forecast(size, RATES, workers=w, memory=2**35) for w in (1, 16))
    assert many.seconds < one.seconds
    assert many.pairs == one.pairs == 50_000 * 10**7
    little, much = (forecast.forecast(size, RATES, workers=4, memory=m) for m in (2**29, 2**36))
    assert little.blocks > much.blocks == -(-50_000 // 8192)
    assert little.bytes_read > much.bytes_read
    assert little.bytes_per_worker <= 2**29 / 4


def test_a_number_of_workers_that_is_none_is_refused_by_its_name(run, gallery):
    done = run("plan", gallery[0], "--workers", "0")
    assert done.exit_code == 2
    assert "--workers 0" in done.stderr


def test_a_budget_that_is_too_little_is_told_with_one_that_is_enough(run, tmp_path):
    rng, rows = np.random.default_rng(0), 30_000
    vectors = pa.FixedSizeListArray.from_arrays(rng.normal(size=rows * 256).astype(np.float32), 256)
    labels = rng.integers(0, 2000, rows)
    pq.write_table(pa.table({"id": np.arange(rows), "label": labels, "vector": vectors}), tmp_path / "many.parquet")
    asked = (str(tmp_path / "many.parquet"), "--sample", "20", "--memory", "9MiB")
    assert "A budget of 9 MiB is too little" in run("plan", *asked, "--workers", "1").stdout
    needed = json.loads(run("plan", *asked, "--workers", "1", "--json", "-").stdout)["all"]["least_memory"]
    for budget, code in ((needed // 2**20 - 1, 5), (needed // 2**20 + 1, 0)):
        how = ("--threads", "1", "--no-verification", "--kernel", "numpy")  # what a process of its own would choose
        done = run("evaluate", *asked[:3], "--memory", f"{budget}MiB", *how)
        assert done.exit_code == code, done.stderr


def test_what_is_planned_for_memory_is_what_evaluate_asks_for():
    size = Size(queries=10**6, gallery=10**6, dim=64)
    needed = forecast.forecast(size, RATES, workers=2, memory=2**20).least_memory
    assert needed > 10**6 * 1000
    assert forecast.half_width(10_000) == pytest.approx(0.0098)


@pytest.mark.parametrize("options", [(), ("--sample", "300")], ids=["all", "sample"])
@pytest.mark.parametrize("classes", [6, 1500])
def test_what_is_planned_is_enough_for_evaluate_with_verification_and_hardly_more(run, tmp_path, classes, options):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "x.npy", rng.normal(size=(3000, 128)).astype(np.float32))
    np.save(tmp_path / "y.npy", rng.integers(0, classes, 3000))
    asked = (str(tmp_path / "x.npy"), "--labels", str(tmp_path / "y.npy"), *options, "--memory")
    found = json.loads(run("plan", *asked, "1MiB", "--workers", "2", "--json", "-").stdout)["all"]
    kernel = "numpy" if options else "cpu"  # what a process of its own would choose
    refused = run("evaluate", *asked, "1MiB", "--threads", "2", "--kernel", kernel).stderr
    planned = found["least_memory"] / 2**20
    assert planned == pytest.approx(int(re.search(r"(\d+)MiB or more", refused)[1]) - 1, abs=1)
    assert found["bytes_per_worker"] * 2 <= found["least_memory"]
