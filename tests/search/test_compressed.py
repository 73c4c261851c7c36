"""What each rung of the compression ladder stores, and what it then finds."""

from __future__ import annotations

import numpy as np
import pytest

import tripleteval as te
from tripleteval.search import BACKENDS, How


@pytest.fixture
def rows():
    return np.random.default_rng(1).uniform(-1, 1, size=(300, 16)).astype(np.float32)


def built(name: str, gallery, **params):
    grid = {key: values[0] for key, values in BACKENDS[name].build_grid.items()}
    return BACKENDS[name].index.build(gallery, How({**grid, **params}, 0, 1, gallery.shape[1]))


def nearest(queries, gallery, k=5):
    far = np.square(queries[:, None].astype(float) - gallery[None]).sum(axis=2)
    return np.argsort(far, axis=1, kind="stable")[:, :k]


def test_float16_finds_what_is_nearest_among_the_rounded_rows(rows):
    found, _ = built("float16", rows).search(rows[:40], 5, {})
    assert np.array_equal(found, nearest(rows[:40], rows.astype(np.float16).astype(float)))


def test_int8_is_off_by_half_a_step_at_most(rows):
    index = built("int8", rows)
    step = index.stored["step"]
    assert index.stored["rows"].dtype == np.uint8
    assert np.all(np.abs(index.brute.rows - rows) <= step / 2 + 1e-6)
    assert np.allclose(step, (rows.max(axis=0) - rows.min(axis=0)) / 255)


def test_int8_survives_a_coordinate_that_never_changes(rows):
    rows[:, 3] = 0.25
    assert np.allclose(built("int8", rows).brute.rows[:, 3], 0.25)


@pytest.mark.parametrize("name", ["pca", "truncate"])
def test_all_dimensions_lose_nothing(rows, name):
    found, squared = built(name, rows, dim=16).search(rows[:40], 5, {})
    assert np.array_equal(found, nearest(rows[:40], rows))
    assert np.allclose(squared[:, 0], 0, atol=1e-9)


def test_pca_keeps_the_directions_in_which_rows_differ(rows):
    flat = rows.copy()
    flat[:, 4:] *= 1e-4
    turned = flat @ np.linalg.qr(np.random.default_rng(2).normal(size=(16, 16)))[0].astype(np.float32)
    found, _ = built("pca", turned, dim=4).search(turned[:40], 5, {})
    assert np.mean(found == nearest(turned[:40], turned)) > 0.98
    assert built("pca", turned, dim=0.25).stored["rows"].shape == (300, 4)


def test_truncated_unit_vectors_are_unit_vectors_again(rows):
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    assert np.allclose(np.linalg.norm(built("truncate", unit, dim=5).brute.rows, axis=1), 1, atol=1e-6)
    assert np.array_equal(built("truncate", rows, dim=5).brute.rows, rows[:, :5])


def test_bits_are_signs_and_equal_ones_come_by_lot(rows):
    found, differing = built("binary", rows).search(rows[:40], 5, {})
    count = ((rows[:40, None] > 0) != (rows[None] > 0)).sum(axis=2)
    assert np.array_equal(differing, np.sort(count, axis=1)[:, :5])
    assert np.array_equal(np.take_along_axis(count, found, axis=1), differing)
    alike = np.abs(np.random.default_rng(0).normal(size=(400, 8))).astype(np.float32)
    drawn, _ = built("binary", alike).search(alike[:1], 100, {})
    assert 150 < drawn.mean() < 250  # the lower rows are not preferred


def test_rescored_bits_come_in_true_order(rows):
    found, squared = built("binary", rows, rescore=60).search(rows[:40], 5, {})
    assert np.array_equal(found, nearest(rows[:40], rows))  # 300 candidates: everyone
    assert np.all(np.diff(squared) >= 0)


def test_the_ladder_in_one_table():
    rng = np.random.default_rng(0)
    labels = np.arange(600) % 20
    points = (rng.normal(size=(20, 64))[labels] + rng.normal(size=(600, 64))).astype(np.float32)
    rungs = ["exact", "float16", "int8", "pca", "truncate", "binary"]
    found = te.evaluate_search(points, labels, backends=rungs, k=10, seeds=1, repeats=1, distance="cosine")
    assert [entry["label"] for entry in found if "error" not in entry] == [
        "exact",
        "float16",
        "int8",
        "pca dim=0.5",
        "pca dim=0.25",
        "truncate dim=0.5",
        "truncate dim=0.25",
        "binary rescore=1",
        "binary rescore=4",
    ]
    size = {entry["label"]: entry["build"]["file_bytes"] / (600 * 64 * 4) for entry in found}
    assert size["exact"] == pytest.approx(1, abs=0.05)
    assert size["float16"] == pytest.approx(1 / 2, abs=0.05)
    assert size["int8"] == pytest.approx(1 / 4, abs=0.05)
    assert size["binary rescore=1"] < 0.1
    recall = {entry["label"]: entry["overlap"]["tie_aware_recall"] for entry in found}
    assert recall["float16"] > 0.99
    assert 1 > recall["int8"] > 0.95
    assert recall["truncate dim=0.25"] < recall["truncate dim=0.5"] < recall["int8"]
    assert recall["binary rescore=1"] < recall["binary rescore=4"]


@pytest.mark.parametrize("dim", [9, 1.5])
def test_more_dimensions_than_there_are_or_half_a_one_is_an_entry_that_says_so(dim):
    found = te.evaluate_search([[0.0], [1.0], [3.0], [4.0]], [0, 0, 1, 1], backends=["pca"], params={"dim": [dim]})
    assert f"dim={dim} of 1 dimensions" in found[0]["error"]["found"]


def test_what_is_nothing_but_zeros_when_cut_stays_so(rows):
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    units[7] = np.eye(16, dtype=np.float32)[12]
    index = built("truncate", units, dim=8)
    assert np.allclose(np.linalg.norm(index.brute.rows, axis=1), np.arange(300) != 7)
    found, squared = index.search(units[[7]], 3, {})
    assert (found[0, 0], squared[0, 0]) == (7, 0)


@pytest.mark.parametrize("name", ["int8", "binary"])
def test_however_many_are_asked_at_once_the_answers_are_the_same(name, rows, monkeypatch):
    gallery = np.concatenate([rows, rows[:60]])
    index = built(name, gallery)
    whole = index.search(rows[:40], 5, {})
    for queries in (7, 0):  # even one may be more than that
        monkeypatch.setattr("tripleteval.search.brute._AT_ONCE", queries * len(gallery))
        monkeypatch.setattr("tripleteval.search.binary._AT_ONCE", queries * 2 * len(gallery))  # bytes
        for found, expected in zip(index.search(rows[:40], 5, {}), whole, strict=True):
            assert np.array_equal(found, expected)
