"""Several indexes, one answer: what the shards of a gallery find is what the whole of it holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tripleteval as te
from tripleteval.distance.formula import distance_for
from tripleteval.errors import ParameterError
from tripleteval.evaluation.search_grid import plans
from tripleteval.evaluation.search_index import Indexing, Limits
from tripleteval.evaluation.search_sweep import Outcome, Sweep
from tripleteval.search.answers import Question
from tripleteval.search.contract import Found, merged
from tripleteval.search.rows import Frame

FAST: dict[str, Any] = {"seeds": 1, "repeats": 1}
RNG = np.random.default_rng(7)
GRID = RNG.integers(0, 4, size=(90, 3)).astype(np.float32)  # many rows are as far as others, or the same
POINTS = RNG.normal(size=(90, 8)).astype(np.float32)
K = 7


def asked(points: np.ndarray, *, among: bool) -> Question:
    queries = points if among else points[:20] + np.float32(0.25)
    own = np.arange(len(points)) if among else np.full(20, -1)
    frame = Frame.around(distance_for("euclidean", queries, points), queries, points)
    return Question(queries, points, own, frame)


def swept(question: Question, name: str, shards: int) -> Outcome:
    indexing = Indexing(question, K, Limits(60.0, 2**31, 1, 1))
    return Sweep(indexing, 1, shards, map, lambda: None).run(plans([name], {}))[0]


def nearest(question: Question) -> tuple[np.ndarray, np.ndarray]:
    """The definition: every distance in float64, the lower row first where they are equal, itself left out."""
    far = np.square(question.queries[:, None].astype(float) - question.gallery[None].astype(float)).sum(axis=2)
    has_own = np.flatnonzero(question.own_row >= 0)
    far[has_own, question.own_row[has_own]] = np.inf
    rows = np.lexsort((np.broadcast_to(np.arange(len(question.gallery)), far.shape), far), axis=1)[:, :K]
    return rows, np.take_along_axis(far, rows, axis=1)


@pytest.mark.parametrize(
    ("name", "points", "shards", "among"),
    [
        ("exact", GRID, 1, True),
        ("exact", GRID, 3, True),
        ("exact", GRID, 5, False),
        ("exact", POINTS, 12, True),  # shards smaller than the lists
        ("faiss-flat", POINTS, 1, False),
        ("faiss-flat", POINTS, 3, True),
        ("faiss-flat", POINTS, 5, False),
    ],
)
def test_exact_shards_hold_the_nearest_of_all(name, points, shards, among):
    question = asked(points, among=among)
    outcome = swept(question, name, shards)
    assert outcome.error is None
    rows, squared = nearest(question)
    assert np.array_equal(outcome.found[0].rows, rows)
    assert np.allclose(outcome.found[0].squared, squared, rtol=1e-12)


def test_lists_in_the_order_of_a_library_are_merged_by_its_own_distances():
    """Half the coordinates of each row are kept, by itself, so that shards make no difference."""
    question = asked(POINTS, among=False)
    whole, cut = (swept(question, "truncate", shards).found[0] for shards in (1, 3))
    assert whole.as_returned
    assert cut.as_returned
    assert np.array_equal(whole.rows, cut.rows)
    assert np.array_equal(whole.squared, cut.squared)


def test_nobody_comes_after_everybody():
    one = Found(np.array([[4, -1]]), np.array([[9.0, np.inf]]))
    two = Found(np.array([[0, 2]]), np.array([[9.0, 16.0]]))
    found = merged([one, two], [0, 10], 4)
    assert found.rows.tolist() == [[4, 10, 12, -1]]
    assert found.squared.tolist() == [[9.0, 9.0, 16.0, np.inf]]


def test_a_shard_that_fails_is_named_and_its_setting_is_not_tried_again():
    steps = []
    found = te.evaluate_search(
        POINTS,
        np.arange(90) % 9,
        backends=["search.fakes:aborts_always", "exact"],
        shards=3,
        progress=lambda done, whole: steps.append((done, whole)),
        **FAST,
    )
    dead, exact = found
    assert dead["error"]["code"] == "E702"
    assert dead["error"]["where"].endswith("shard 1 of 3 (gallery rows 0:30)")
    assert exact["overlap"]["tie_aware_recall"] == 1.0
    assert steps[-1] == (7 * 90, 7 * 90)


def test_sizes_are_of_all_shards_and_times_of_the_slowest():
    whole, cut = (
        te.evaluate_search(POINTS, np.arange(90) % 9, backends=["exact"], shards=shards, **FAST) for shards in (1, 3)
    )
    build = cut[0]["build"]
    assert build["rows_bytes"] == whole[0]["build"]["rows_bytes"] == POINTS.nbytes
    assert build["file_bytes"] == whole[0]["build"]["file_bytes"] + 2 * 128  # the header of a .npy file
    assert 0 < build["seconds"] < build["seconds_of_all_shards"]
    assert whole[0]["build"]["seconds"] == whole[0]["build"]["seconds_of_all_shards"]
    assert cut.settings["shards"] == 3
    assert "cut into 3 shards" in cut.notes[0]
    assert "those of the slowest shard, without network and merging" in cut.notes[0]
    assert not any("shards" in note for note in whole.notes)
    assert cut[0]["metrics"] == whole[0]["metrics"]


def test_a_gallery_on_disk_stays_there(tmp_path: Path):
    for part in range(3):
        np.save(tmp_path / f"part-{part}.npy", POINTS[part * 30 : part * 30 + 30])
    labels = np.arange(90) % 9
    files = str(tmp_path / "part-*.npy")
    stored, held = (te.read(files, labels=labels, memory=memory, name="gallery") for memory in (1024, None))
    assert type(stored.vectors).__name__ == "StoredVectors"
    queries = te.Embeddings(POINTS[:20] + np.float32(0.25), labels[:20], name="queries")
    one, two = (
        te.evaluate_search(queries, gallery=gallery, backends=["exact"], shards=4, k=K, **FAST)
        for gallery in (stored, held)
    )
    for name in ("overlap", "metrics", "unreached"):
        assert [entry[name] for entry in one] == [entry[name] for entry in two]
    assert one.inputs == two.inputs
    assert one[0]["overlap"]["tie_aware_recall"] == 1.0


@pytest.mark.parametrize("shards", [0, 91, True, 2.0])
def test_what_is_no_number_of_shards_is_refused(shards):
    with pytest.raises(ParameterError, match="E101 shards="):
        te.evaluate_search(POINTS, np.arange(90) % 9, backends=["exact"], shards=shards, **FAST)


def test_too_many_shards_are_told_how_many_there_can_be():
    six = POINTS[:6], [0, 0, 1, 1, 2, 2]
    with pytest.raises(ParameterError, match="shards=7 of a gallery of 6 rows · give at most 6"):
        te.evaluate_search(*six, backends=["exact"], shards=7, **FAST)
    te.evaluate_search(*six, backends=["exact"], shards=6, **FAST)
