"""Rates of pairs by the values of a column on either side."""

from itertools import combinations, combinations_with_replacement

import numpy as np
import pytest

import tripleteval as te
from tripleteval.evaluation import pair_units
from tripleteval.report.sections import sections

RANDOM = np.random.default_rng(2)
LABELS = np.repeat(np.arange(36), 4)
SEX = np.where(LABELS % 3 == 0, "f", "m")
POINTS = RANDOM.normal(size=(36, 3))[LABELS] + np.where(SEX == "f", 0.8, 0.3)[:, None] * RANDOM.normal(size=(144, 3))
FARS = (0.1, 0.02)


def faces(column=SEX) -> te.Embeddings:
    return te.Embeddings(POINTS, LABELS, meta={"sex": list(column)})


@pytest.fixture(scope="module")
def run() -> te.Evaluation:
    return te.evaluate(faces(), by="sex", fars=FARS)


def test_rates_are_those_of_the_definition_at_the_threshold_of_all_pairs(run):
    entries = run.verification["slices"]
    assert [(e["first"], e["second"]) for e in entries] == list(combinations_with_replacement("fm", 2))
    for entry in entries:
        who = [entry["first"], entry["second"]]
        pairs = [(a, b) for a, b in combinations(range(144), 2) if sorted((SEX[a], SEX[b])) == who]
        distances = np.array([np.linalg.norm(POINTS[a] - POINTS[b]) for a, b in pairs])
        same = np.array([LABELS[a] == LABELS[b] for a, b in pairs])
        assert (entry["impostor"]["pairs"], entry["genuine"]["pairs"]) == ((~same).sum(), same.sum())
        for place, far in enumerate(FARS):
            accepted = distances <= run[f"threshold@far={far}"]
            rates = entry["impostor"]["rates"][place]
            assert rates["value"] == pytest.approx(accepted[~same].mean())
            assert rates["low"] < rates["value"] < rates["high"]
            if same.any():
                assert entry["genuine"]["rates"][place]["value"] == pytest.approx(1 - accepted[same].mean())
    across = entries[1]["genuine"]
    assert (across["pairs"], across["reason"]) == (0, "too small: pairs of 0 classes, where 5 are needed")


def test_a_small_slice_is_said_not_shown():
    few = np.where(LABELS < 3, "x", SEX)
    entries = te.evaluate(faces(few), by="sex", fars=FARS).verification["slices"]
    own = next(e for e in entries if (e["first"], e["second"]) == ("x", "x"))
    assert "rates" not in own["impostor"]
    assert own["impostor"]["reason"] == "too small: pairs of 3 classes, where 5 are needed"


def test_what_cannot_be_told_apart_says_why():
    gallery = te.Embeddings(POINTS[1:], LABELS[1:])
    (entry,) = te.evaluate(te.Embeddings(POINTS[::4], LABELS[::4], meta={"sex": list(SEX[::4])}), gallery=gallery,
                           by="sex").verification["slices"]  # fmt: skip
    assert "no column 'sex'" in entry["reason"]
    (entry,) = te.evaluate(faces(LABELS % 13), by="sex").verification["slices"]
    assert entry["reason"] == "13 values, and pairs of 2 to 12 are told apart"
    assert "slices" not in te.evaluate(faces(), by="sex", verification=False).verification
    assert "slices" not in te.evaluate(faces()).verification


def test_the_same_whatever_the_order_of_the_work_and_rates_do_not_depend_on_groups_of_units(run, monkeypatch):
    hashes = {te.evaluate(faces(), by="sex", fars=FARS, **h).result_hash for h in ({"threads": 1}, {"kernel": "cpu"})}
    assert hashes == {run.result_hash}
    monkeypatch.setattr(pair_units, "MOST_UNITS", 10)
    monkeypatch.setattr("tripleteval.evaluation.pair_slices.MOST_UNITS", 10)
    grouped = te.evaluate(faces(), by="sex", fars=FARS).verification["slices"]
    for one, two in zip(grouped, run.verification["slices"], strict=True):
        assert one["impostor"]["pairs"] == two["impostor"]["pairs"]
        assert one["impostor"]["rates"][0]["value"] == two["impostor"]["rates"][0]["value"]


def test_the_table_names_both_values_and_the_rates(run):
    (section,) = [each for each in sections(run) if each.title == "Slices"]
    table = section.tables[1]
    assert [row[0] for row in table.rows] == ["f and f", "f and m", "m and m"]
    assert table.columns[:3] == ["pairs by sex", "impostors", "impostors accepted"]
    assert table.rows[1][4] == ""
    assert table.rows[0][2].startswith(f"{run.verification['slices'][0]['impostor']['rates'][1]['value']:.4f} [")
    assert "accepts 0.02 of all impostors" in section.text


def test_without_groups_in_the_gallery_there_are_none_by_group():
    """Not by item, as if items were independent."""
    where = np.arange(80) % 2
    points, labels = np.random.default_rng(3).normal(size=(80, 3)), np.arange(80) // 4
    queries = te.Embeddings(points, labels, groups=np.arange(80) % 10, meta={"site": where})
    gallery = te.Embeddings(points + 0.1, labels, meta={"site": where})
    by_group, by_class = (
        te.evaluate(queries, gallery=gallery, by=["site"], fars=(0.1,), unit=unit).verification["slices"]
        for unit in ("group", "class")
    )
    assert by_group == [{"column": "site", "reason": "no groups in the gallery"}]
    assert len(by_class) == 3
