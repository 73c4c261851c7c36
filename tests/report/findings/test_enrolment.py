"""Enrolment: it is what a loop over queries and classes counts, and a query is never enrolled itself."""

from __future__ import annotations

import numpy as np
import pytest

from tripleteval import Embeddings, evaluate
from tripleteval.data.material import Material
from tripleteval.report.findings import enrolment as module
from tripleteval.report.findings.enrolment import enrolment
from tripleteval.report.sections import SECTIONS


@pytest.fixture(scope="module")
def cloud() -> Embeddings:
    rng = np.random.default_rng(6)
    labels = np.repeat(np.arange(8), 6)
    return Embeddings(rng.normal(size=(48, 4)) + 0.8 * rng.normal(size=(8, 4))[labels], labels)


def identified(queries: Embeddings, gallery: Embeddings | None, fusion: str, cosine: bool) -> float:
    """Loop over queries and classes, with the first five of each class enrolled but never the query itself."""
    searched = queries if gallery is None else gallery
    asked, items = queries.vectors, searched.vectors
    if cosine:
        asked, items = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (asked, items))
    right = []
    for row, vector in enumerate(asked):
        far = {}
        for name in range(8):
            kept = [i for i in np.flatnonzero(searched.labels.codes == name) if gallery is not None or i != row][:5]
            apart = np.linalg.norm(items[kept] - vector, axis=1).min()
            far[name] = apart if fusion == "min" else np.linalg.norm(items[kept].mean(axis=0) - vector)
        right.append(min(far, key=far.get) == queries.labels.codes[row])
    return float(np.mean(right))


@pytest.mark.parametrize("fusion", ["min", "mean"])
@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_with_the_first_five_enrolled_it_is_a_loop_over_classes(
    cloud: Embeddings, distance: str, fusion: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_drawn", lambda known, _: known.rows)
    found = enrolment(Material(cloud), distance)
    assert found.sizes == [1, 2, 3, 5]
    assert found.rates[fusion][-1] == pytest.approx(identified(cloud, None, fusion, distance == "cosine"))


@pytest.mark.parametrize("fusion", ["min", "mean"])
def test_a_gallery_is_enrolled_whole(cloud: Embeddings, fusion: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SIZES", (1, 3))
    queries, gallery = cloud.take(np.arange(48) % 2 == 0), cloud.take(np.arange(48) % 2 == 1)
    found = enrolment(Material(queries, gallery), "euclidean")
    assert found.sizes == [1, 3]
    assert found.rates[fusion][-1] == pytest.approx(identified(queries, gallery, fusion, cosine=False))


def test_one_item_is_drawn_from_each_class_and_min_and_mean_are_one(cloud: Embeddings) -> None:
    found = enrolment(Material(cloud), "euclidean")
    assert found.rates["min"][0] == pytest.approx(found.rates["mean"][0])
    assert 1 / 8 < found.rates["min"][0] < found.rates["mean"][-1]
    assert all(low < rate < high for (low, high), rate in zip(found.ends["min"], found.rates["min"], strict=True))


def test_four_classes_have_rates_but_no_intervals(cloud: Embeddings) -> None:
    few = Embeddings(cloud.vectors[:24], cloud.labels.codes[:24])
    found = enrolment(Material(few), "euclidean")
    assert {end for ends in found.ends["mean"] for end in ends} == {None}
    text = SECTIONS["enrolment"].write(evaluate(few), Material(few, enrolment=True)).text
    assert "Intervals" not in text


def test_a_collapsed_space_identifies_by_chance() -> None:
    found = enrolment(Material(Embeddings(np.ones((24, 2)), np.repeat(np.arange(4), 6))), "euclidean")
    assert found.rates["min"] == pytest.approx([1 / 4] * 4)


def test_the_same_every_time(cloud: Embeddings) -> None:
    assert enrolment(Material(cloud), "euclidean") == enrolment(Material(cloud), "euclidean")


def test_it_is_silent_unless_asked_and_where_nothing_can_be_enrolled(cloud: Embeddings) -> None:
    write, run = SECTIONS["enrolment"].write, evaluate(cloud)
    assert write(run, Material(cloud)) is None
    assert "48 queries" in write(run, Material(cloud, enrolment=True)).text
    assert "enrol all" not in write(run, Material(cloud, enrolment=True)).text
    pairs = Embeddings([[0.0], [1.0], [3.0], [4.0]], [0, 0, 1, 1])
    assert enrolment(Material(pairs), "euclidean") is None
    assert enrolment(Material(Embeddings([[0.0], [1.0]], [[0], [1]])), "euclidean") is None


@pytest.mark.parametrize(
    ("small", "sentence"),
    [
        (1, "1 class has fewer than 5 items and enrols all there are."),
        (2, "2 classes have fewer than 5 items and enrol"),
    ],
)
def test_it_says_how_many_classes_are_too_small(cloud: Embeddings, small: int, sentence: str) -> None:
    kept = np.flatnonzero((cloud.labels.codes >= small) | (np.arange(48) % 6 < 3))
    few = Embeddings(cloud.vectors[kept], cloud.labels.codes[kept])
    assert sentence in SECTIONS["enrolment"].write(evaluate(few), Material(few, enrolment=True)).text
