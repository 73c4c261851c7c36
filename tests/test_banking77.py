"""A real query/gallery case, through the command line: Banking77, embedded with all-MiniLM-L6-v2.

13,083 customer questions of 77 intents; the 3,080 of the test split ask, the training split is searched.
The data is not part of the project: without it these tests skip.
"""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import tripleteval as te
from tripleteval.cli import main

SHARED = Path(os.environ.get("TRIPLETEVAL_DATA", Path(__file__).parents[2] / "shared" / "data"))
BANKING = SHARED / "banking77" / "banking77_minilm.parquet"

pytestmark = pytest.mark.skipif(
    not BANKING.exists(), reason=f"{BANKING.name} is not here; point TRIPLETEVAL_DATA at the folder that has it"
)


def invoked(*arguments: str) -> dict:
    """Run the command and return its JSON document."""
    ran = CliRunner().invoke(main, ["evaluate", *arguments, "--json", "-", "--no-save", "--quiet"])
    assert ran.exit_code == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.fixture(scope="module")
def test_asks_train() -> dict:
    where = ["--where", "split = 'test'", "--gallery", str(BANKING), "--gallery-where", "split = 'train'"]
    return invoked(str(BANKING), *where)


def vectors(split: str) -> tuple[np.ndarray, np.ndarray]:
    """Read one split with Arrow alone."""
    import pyarrow.parquet as pq

    table = pq.read_table(BANKING, filters=[("split", "=", split)])
    flat = table["embedding"].combine_chunks().flatten().to_numpy()
    return flat.reshape(len(table), -1).astype(np.float64), np.array(table["label"].to_pylist())


def test_the_test_split_asks_and_the_training_split_is_searched(test_asks_train):
    accounting = test_asks_train["accounting"]
    assert (accounting["queries"], accounting["gallery"], accounting["classes"]) == (3080, 10003, 77)
    assert accounting["pairs_compared"] == 3080 * 10003
    assert accounting["self_matches_removed"] == 0


def test_the_numbers_are_those_of_a_full_sort_in_numpy(test_asks_train):
    queries, asked = vectors("test")
    gallery, searched = vectors("train")
    order = np.argsort(-(queries @ gallery.T), axis=1, kind="stable")
    relevant = searched[order] == asked[:, None]
    r = relevant.sum(axis=1)
    hits = np.cumsum(relevant, axis=1)
    precision = hits / np.arange(1, relevant.shape[1] + 1)
    within = np.arange(relevant.shape[1]) < r[:, None]
    expected = {
        "hit_rate@1": relevant[:, 0].mean(),
        "recall@10": (hits[:, 9] / r).mean(),
        "precision@5": (hits[:, 4] / 5).mean(),
        "map": ((precision * relevant).sum(axis=1) / r).mean(),
        "map@r": ((precision * relevant * within).sum(axis=1) / r).mean(),
        "mrr": (1 / (relevant.argmax(axis=1) + 1)).mean(),
    }
    for name, value in expected.items():
        assert test_asks_train["values"][name]["value"] == pytest.approx(value, rel=1e-6), name


def test_every_question_asked_among_all_the_others():
    run = invoked(str(BANKING))
    assert run["accounting"]["self_matches_removed"] == run["accounting"]["queries"] == 13083
    assert run["accounting"]["pairs_compared"] == 13083 * 13082
    assert 0.9 < run["values"]["hit_rate@1"]["value"] < 1
    assert run["values"]["triplet_accuracy"]["n"] == run["accounting"]["triplets"]


def test_the_library_and_the_command_line_give_one_hash(test_asks_train):
    queries, gallery = (te.read(BANKING, where=f"split = '{split}'") for split in ("test", "train"))
    assert te.evaluate(queries, gallery=gallery, threads=1).result_hash == test_asks_train["result_hash"]
