"""A set on disk gives the hash that it gives in memory, however it is cut into files, or an error and no result."""

import os
import re
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tripleteval as te
from tripleteval.data.stored import StoredVectors
from tripleteval.engine import plan, unit_pairs
from tripleteval.evaluation import measure, standing
from tripleteval.readers.stored_npy import NpyRows
from tripleteval.readers.stored_parquet import ParquetRows

N = 900
LABELS = np.random.default_rng(0).integers(0, 90, N)
VECTORS = np.random.default_rng(1).normal(size=(90, 12))[LABELS] + np.random.default_rng(2).normal(size=(N, 12))
VECTORS = VECTORS.astype(np.float32)
VECTORS[400:405] = VECTORS[40]  # copies, far apart in the files


def shard(folder, suffix, count, seed=0):
    """Write the set as ``count`` files cut anywhere, and return their names in any order."""
    rng = np.random.default_rng([count, seed])
    cuts = np.sort(rng.choice(np.arange(1, N), count - 1, replace=False)).tolist()
    files = []
    for number, rows in enumerate(np.split(np.arange(N), cuts)):
        files.append(folder / f"part-{number}{suffix}")
        if suffix == ".npy":
            np.save(files[-1], VECTORS[rows])
        else:
            kind = pa.list_(pa.float32(), 12) if seed % 2 else pa.list_(pa.float32())
            table = {"embedding": pa.array(list(VECTORS[rows]), kind), "label": LABELS[rows]}
            pq.write_table(pa.table(table), files[-1], row_group_size=int(rng.integers(20, 300)))
    return [files[place] for place in rng.permutation(count)]


def read(files, *, memory=1):
    labels = LABELS if str(files[0]).endswith(".npy") else None
    return te.read(files, labels=labels, name="set", memory=memory)


SETTINGS = [
    {},
    {"sample": 100, "distance": "cosine"},
    {"sample": 150, "kernel": "cpu", "by": "group"},
    {"precision": 0.2, "kernel": "cpu", "verification": False},
]


@pytest.fixture(scope="module")
def expected():
    """Return the hashes of the set in memory."""
    return [_hash(te.Embeddings(VECTORS, LABELS, groups=LABELS % 3, name="set"), given) for given in SETTINGS]


def _hash(embeddings, settings):
    grouped = te.Embeddings(embeddings.vectors, embeddings.labels, groups=LABELS % 3, name=embeddings.name)
    return te.evaluate(grouped, **settings).result_hash


@pytest.mark.parametrize("suffix", [".npy", ".parquet"])
@pytest.mark.parametrize("count", [1, 2, 5, 16])
def test_any_number_and_order_of_files_gives_the_same_hash(tmp_path, suffix, count, expected):
    place = count % len(SETTINGS)
    for number in (place, (place + 2) % len(SETTINGS)):
        found = read(shard(tmp_path, suffix, count, seed=number))
        assert isinstance(found.vectors, StoredVectors)
        assert _hash(found, SETTINGS[number]) == expected[number]
    assert _hash(read(shard(tmp_path, suffix, count), memory=None), SETTINGS[2]) == expected[2]


@pytest.mark.parametrize("kernel", ["cpu", "numpy", "reference"])
def test_a_gallery_cut_into_orders_gives_the_same_hash(tmp_path, kernel, monkeypatch):
    """As where it cannot be held: blocks of queries against stretches of gallery, merged."""
    files = shard(tmp_path, ".npy", 3)
    queries = te.Embeddings(VECTORS[::7] + np.float32(0.25), LABELS[::7], name="asked")
    whole = te.evaluate(
        queries, gallery=read(files, memory=None), margins=(0.1, 3.0), kernel=kernel, verification=False
    )
    monkeypatch.setattr(plan, "_LEAST_STRETCH", 50)
    monkeypatch.setattr(plan, "MOST_QUERIES_UNHELD", 40)
    costs = measure._costs
    monkeypatch.setattr(measure, "_costs", lambda *args, **how: costs(*args, **how)._replace(held=2**50))
    seen = []

    def one_by_one(function, orders):
        for order in orders:
            seen.append(order)
            yield function(order)

    run = te.evaluate(
        queries, gallery=read(files), margins=(0.1, 3.0), kernel=kernel, map=one_by_one, verification=False
    )
    assert run.result_hash == whole.result_hash
    orders = [order for order in seen if isinstance(order, plan.Order)]
    assert len({order[2:] for order in orders if order.start == 40}) > 1
    assert {order.start for order in orders} == {0, 40, 80, 120}


def test_dropping_and_filtering_leave_the_rest_on_disk(tmp_path, monkeypatch):
    monkeypatch.setattr("tripleteval.data.stored.SMALL", 100)
    damaged = VECTORS.copy()
    damaged[[3, 500]] = np.nan
    np.save(tmp_path / "a.npy", damaged)
    how = {"nonfinite": "drop", "ignore_label": 5, "sample": 120}
    mine, known = (te.read(tmp_path / "a.npy", labels=LABELS, memory=m) for m in (1, None))
    with pytest.raises(te.DataError, match=r"E201 24 non-finite values in 2 of 900 rows; nan at row 3"):
        te.evaluate(mine)
    assert te.evaluate(mine, **how).result_hash == te.evaluate(known, **how).result_hash


def test_a_set_beside_its_copy_is_seen_on_disk_too(tmp_path):
    files = shard(tmp_path, ".npy", 2)
    with pytest.raises(te.DataError, match="E509 the same vectors"):
        te.evaluate(read(files), gallery=read(files))


def test_intervals_read_a_file_once_for_several_blocks_of_rows(tmp_path, monkeypatch):
    read_from, asked = StoredVectors._gathered, []
    monkeypatch.setattr(StoredVectors, "_gathered", lambda self, rows: asked.append(len(rows)) or read_from(self, rows))
    found = te.evaluate(read(shard(tmp_path, ".parquet", 3)))
    assert found.metrics["auc"]["low"] < found.metrics["auc"]["high"]
    most = unit_pairs.BLOCK
    assert sum(most // 2 < rows <= most for rows in asked) == -(-N // most)  # as queries; as partners together


def test_what_cannot_stream_says_so(tmp_path):
    with pytest.raises(te.ResourceError, match="E802 .* on disk, for something that needs them all"):
        te.evaluate(read(shard(tmp_path, ".npy", 2)), metrics=["ami"])


@pytest.mark.parametrize("needed", [{"verification": False}, {"sample": 40}], ids=str)
def test_a_budget_that_is_too_little_beside_the_labels_names_one_that_is_enough(tmp_path, monkeypatch, needed):
    monkeypatch.setattr(standing, "_PER_CLASS", 2**17)  # 90 labels that take 11 MiB
    found = read(shard(tmp_path, ".npy", 2))
    with pytest.raises(te.ResourceError, match="E802 a memory budget of 12 MiB for ") as caught:
        te.evaluate(found, memory="12MiB", threads=1, **needed)
    enough = re.search(r"[0-9]+MiB", caught.value.fix)[0]
    assert te.evaluate(found, memory=enough, threads=1, **needed)["hit_rate@1"] > 0


def test_a_budget_that_does_not_hold_the_labels_names_one_that_would(tmp_path):
    found = read(shard(tmp_path, ".npy", 2))
    with pytest.raises(te.ResourceError, match="E802 .*labels and ids of 900 rows.*--memory") as caught:
        te.evaluate(found, memory="10KiB")
    assert "10,240 bytes" in caught.value.found
    enough = re.search(r"[0-9]+MiB", caught.value.fix)[0]
    assert te.evaluate(found, memory=enough, threads=1)["hit_rate@1"] > 0


FAULTS = {
    "truncated": lambda path: os.truncate(path, 900),
    "written to": lambda path: path.write_bytes(path.read_bytes()[:-1] + b"\0"),
    "replaced": lambda path: os.replace(path.with_suffix(".copy"), path),
    "removed": os.remove,
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("part", [NpyRows, ParquetRows], ids=["npy", "parquet"])
def test_a_file_that_changes_in_the_middle_of_a_run_gives_no_result(tmp_path, monkeypatch, part, fault):
    files = shard(tmp_path, ".npy" if part is NpyRows else ".parquet", 3)
    found = read(files)
    path = tmp_path / f"part-1{files[0].suffix}"
    path.with_suffix(".copy").write_bytes(path.read_bytes())
    original, calls = part.read, []

    def counted(self, first, last):
        calls.append(first)
        if len(calls) == 12:
            FAULTS[fault](path)
        return original(self, first, last)

    monkeypatch.setattr(part, "read", counted)
    with pytest.raises(te.EvalError, match="E610 the file changed") as caught:
        te.evaluate(found, sample=100)
    assert caught.value.where == str(path)
    assert len(calls) >= 12


PEAK = """
import sys
import numpy as np
import tripleteval as te
from tripleteval.search.child import memory_held

rng = np.random.default_rng(0)
te.evaluate(rng.normal(size=(300, 8)), rng.integers(0, 20, 300), kernel="cpu")
before = memory_held("VmHWM")
found = te.read(sys.argv[1], labels=sys.argv[2], memory=sys.argv[3])
te.evaluate(found, sample=30, memory=sys.argv[3], threads=1, verification=False)
print((memory_held("VmHWM") - before) / 2**20)
"""


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """Return the folder of a set of 150 MB."""
    folder = tmp_path_factory.mktemp("large")
    rng = np.random.default_rng(0)
    for shard in range(3):
        np.save(folder / f"part-{shard}.npy", rng.standard_normal((200_000, 64), dtype=np.float32))
    np.save(folder / "labels.npy", rng.integers(0, 90_000, 600_000))
    return folder


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="peak memory is read from /proc")
@pytest.mark.parametrize("budget", [96])
def test_peak_memory_stays_within_the_budget_with_the_input(large, budget):
    arguments = [str(large / "part-*.npy"), str(large / "labels.npy"), f"{budget}MiB"]
    done = subprocess.run([sys.executable, "-c", PEAK, *arguments], capture_output=True, text=True, check=True)
    assert 10 < float(done.stdout) <= budget + 150
