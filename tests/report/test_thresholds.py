"""Thresholds: what the slider reads is counted from the pairs, and what cannot be measured is shaded."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import tripleteval as te
from tripleteval import Evaluation
from tripleteval.report.presets import with_preset
from tripleteval.report.sections import SECTIONS
from tripleteval.report.sections.thresholds import told
from tripleteval.report.vega_lite import spec
from tripleteval.report.wording import interval, number, percent

GENUINE, IMPOSTOR = [0.5, 0.6, 1.5, 2.5], [1.2, 2.2, 2.4, 2.6, 3.5]
EDGES = [0.0, 1.0, 2.0, 3.0, 4.0]


def curves_of(genuine: list[float], impostor: list[float]) -> dict[str, Any]:
    """Return what a run keeps of these distances."""
    pairs = {kind: np.histogram(d, EDGES)[0].tolist() for kind, d in (("genuine", genuine), ("impostor", impostor))}
    at = sorted([*genuine, *impostor])
    rates = {
        name: [0.0, *(float(np.mean(np.array(d) <= t)) for t in at)]
        for name, d in (("far", impostor), ("tar", genuine))
    }
    return {"histogram": {"edges": EDGES, **pairs}, "roc": {"threshold": [None, *at], **rates}}


@pytest.fixture
def curves() -> dict[str, Any]:
    return curves_of(GENUINE, IMPOSTOR)


def entry(far: float, threshold: float | None, **facts: Any) -> dict[str, Any]:
    known = {"value": 0.75, "target_far": far, "achieved_far": 0.2, "threshold": threshold, "unreliable": False}
    return known | facts


@pytest.mark.parametrize("genuine", [GENUINE, [0.0, 1.0, 1.5, 3.0]], ids=["between", "at the edges"])
def test_the_slider_reads_what_is_at_most_as_far_as_each_of_its_places(genuine: list[float]) -> None:
    section = told(curves_of(genuine, IMPOSTOR), {})
    assert section is not None
    slider = section.charts[0].slider
    assert slider is not None
    assert slider.name == "Accept at most a distance of"
    for place, edge in enumerate(slider.places):
        for name, distances in (("FAR", IMPOSTOR), ("TAR", genuine)):
            expected = 100 * np.mean(np.array(distances) <= edge)
            assert slider.readings[name][place] == f"{expected:.1f} %"


def test_the_slider_starts_at_the_threshold_that_the_text_names_and_reads_its_rates(curves: dict[str, Any]) -> None:
    for threshold in (1.1, 2.0):  # between two edges, and at one
        section = told(curves, {"tar@far=0.1": entry(0.1, threshold, value=0.5, achieved_far=0.1)})
        slider = section.charts[0].slider
        assert slider.places == sorted({*EDGES, threshold})
        assert slider.places[slider.start] == threshold
        shown = {name: texts[slider.start] for name, texts in slider.readings.items()}
        assert shown == {"distance": f"{threshold:.4f}", "FAR": "10.0 %", "TAR": "50.0 %"}
        assert f"up to a distance of {shown['distance']} accepts {shown['TAR']}" in section.text
        assert "Chosen and judged on the same pairs" in section.text
        assert "it was chosen on other identities" not in section.text


def test_two_points_are_a_curve_and_one_is_none() -> None:
    for impostor, genuine, titles in (
        ([1.5], [0.5], ["Distances of pairs"]),
        ([1.5, 2.5], [0.5], ["Distances of pairs", "ROC"]),
        ([0.5, 0.7], [1.5], ["Distances of pairs", "ROC", "DET"]),
    ):
        assert [chart.title for chart in told(curves_of(genuine, impostor), {}).charts] == titles


def test_one_pair_is_one_pair() -> None:
    assert told(curves_of([0.5], [1.5]), {}).text == (
        "1 genuine pair (same label) and 1 impostor pair (different labels)."
    )


def test_each_kind_of_pair_adds_up_to_one(curves: dict[str, Any]) -> None:
    data = told(curves, {}).charts[0].columns
    for kind in ("genuine", "impostor"):
        shares = [s for s, k in zip(data["share of its kind"], data["kind"], strict=True) if k == kind]
        assert sum(shares) == pytest.approx(1)


def test_the_lowest_rate_that_can_be_trusted_is_recommended(curves: dict[str, Any]) -> None:
    metrics = {
        "tar@far=0.1": entry(0.1, 2.3),
        "tar@far=0.01": entry(0.01, 1.1),
        "tar@far=0.001": entry(0.001, 0.2, unreliable=True),
        "tar@far=0.0001": entry(0.0001, None),
    }
    section = told(curves, metrics)
    assert "up to a distance of 1.1000 accepts 75.0 %" in section.text
    assert section.charts[0].slider.places[section.charts[0].slider.start] == 1.1
    assert "Accepting" not in told(curves, {}).text


def test_the_curves_are_the_points_with_what_cannot_be_measured_shaded(curves: dict[str, Any]) -> None:
    _, roc, det = told(curves, {}).charts
    assert roc.columns["FAR"] == [far for far in curves["roc"]["far"] if far > 0]
    assert all(far > 0 and frr > 0 for far, frr in zip(det.columns["FAR"], det.columns["FRR"], strict=True))
    assert [shade.stop for shade in roc.shades] == [1 / 5, 1.0]
    assert spec(det)["layer"][0]["mark"]["type"] == "rect"


def test_without_pairs_of_both_kinds_it_is_silent(curves: dict[str, Any], run: Evaluation) -> None:
    assert told({}, {}) is None
    curves["histogram"]["impostor"] = [0, 0, 0, 0]
    assert told(curves, {}) is None
    found = SECTIONS["thresholds"].write(run)
    assert found is None or found.charts


@pytest.fixture(scope="module", params=["others", "a share"])
def calibrated(request: pytest.FixtureRequest) -> Evaluation:
    rng = np.random.default_rng(1)
    vectors, labels = rng.normal(size=(80, 8))[np.repeat(np.arange(80), 5)], np.repeat(np.arange(80), 5)
    vectors = vectors + 0.5 * rng.normal(size=vectors.shape)
    if request.param == "a share":
        return te.evaluate(vectors, labels, calibrate_on=0.5, fars=(0.01, 0.003))
    others = te.Embeddings(vectors[:200], labels[:200])
    return te.evaluate(vectors[200:], labels[200:], calibrate_on=others, fars=(0.01, 0.003))


def test_a_threshold_chosen_on_other_identities_is_the_one_proposed(calibrated: Evaluation) -> None:
    far, frr = (calibrated.metrics[f"transfer_{kind}@far=0.003"] for kind in ("far", "frr"))
    inside = calibrated.metrics["threshold@far=0.003"]["value"]
    assert far["threshold"] != inside
    first = SECTIONS["headline"].write(calibrated).text
    rates = f"accepts {percent(1 - frr['value'])} of the genuine pairs and {percent(far['value'])} of the impostors"
    assert f"A threshold of {number(far['threshold'])}, chosen on 40 other identities, {rates}." in first
    assert number(inside) not in first
    section = SECTIONS["thresholds"].write(calibrated)
    assert f"up to a distance of {number(far['threshold'])} accepts {percent(1 - frr['value'])}" in section.text
    assert "chosen on other identities, for a FAR of 0.003" in section.text
    assert "says nothing about other identities" not in section.text
    slider = section.charts[0].slider
    assert slider.places[slider.start] == far["threshold"]
    shown = float(slider.readings["TAR"][slider.start].removesuffix(" %"))
    assert shown == pytest.approx(100 * (1 - frr["value"]), abs=5)


def test_the_table_of_calibrated_rates_says_who_chose_and_who_was_judged(calibrated: Evaluation) -> None:
    section = SECTIONS["verification"].write(calibrated)
    assert (
        f"thresholds chosen on 40 identities, judged on {calibrated.accounting['transfer']['identities']} others, with"
        in section.text
    )
    assert all(row[0].startswith("transfer_") for row in section.tables[-1].rows)
    plain = {name: entry for name, entry in calibrated.metrics.items() if not name.startswith("transfer_")}
    assert "judged on" not in SECTIONS["verification"].write(replace(calibrated, metrics=plain)).text


def test_of_a_preset_the_calibrated_rates_come_first_and_the_others_say_what_they_are(calibrated: Evaluation) -> None:
    rows = {row[0]: row for row in SECTIONS["preset"].write(with_preset(calibrated, "face")).tables[0].rows}
    assert list(rows)[:2] == ["transfer_frr@far=0.003", "transfer_far@far=0.003"]
    cut = calibrated.metrics["transfer_frr@far=0.003"]["threshold"]
    assert rows["transfer_frr@far=0.003"][-1] == f"threshold {number(cut)}, chosen on other identities"
    for name in ("tar@far=0.003", "threshold@far=0.003"):
        assert rows[name][-1].startswith("chosen and judged on these pairs")


def test_an_interval_of_a_preset_is_written_as_in_any_table(calibrated: Evaluation) -> None:
    rows = {row[0]: row for row in SECTIONS["preset"].write(with_preset(calibrated, "face")).tables[0].rows}
    assert rows["eer"][2] == interval(calibrated.metrics["eer"]["low"], calibrated.metrics["eer"]["high"])
