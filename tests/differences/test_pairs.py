"""Numbers of all pairs compared: what each identity makes of them, in both runs."""

import math

import numpy as np
import pytest

import tripleteval as te

RANDOM = np.random.default_rng(6)
LABELS = np.array([f"p{code}" for code in np.repeat(RANDOM.permutation(30), 5)])
CENTRES = {label: RANDOM.normal(size=6) for label in np.unique(LABELS)}
MIDDLE = np.array([CENTRES[label] for label in LABELS])
NOISE = RANDOM.normal(size=MIDDLE.shape)
NAMES = ("eer", "auc", "tar@far=0.1", "tar@far=0.01")


def evaluated(noise: float, extra: float = 0.0, seed: int = 0, **how) -> te.Evaluation:
    other = extra * np.random.default_rng(seed).normal(size=NOISE.shape)
    return te.evaluate(MIDDLE + noise * NOISE + other, LABELS, **how)


def test_pseudo_values_average_to_the_number_and_vary_as_it_does():
    run = evaluated(0.8)
    for name in NAMES:
        values = np.array(run.per_class[f"pseudo {name}"].to_pylist())
        assert values.mean() == pytest.approx(run[name])
        low, high = run.interval(name)
        assert 2 * 1.96 * values.std(ddof=1) / math.sqrt(30) == pytest.approx(high - low, rel=0.35)


def test_they_stand_beside_their_class():
    """A class whose items are far apart is what makes the error rate high."""
    wild = LABELS == "p7"
    points = MIDDLE + np.where(wild, 3.0, 0.3)[:, None] * NOISE
    table = te.evaluate(points, LABELS).per_class
    worst = int(np.argmax(table["pseudo eer"].to_numpy()))
    assert table["label"][worst].as_py() == "p7"


def test_a_difference_has_a_paired_interval_and_a_p():
    a, b = evaluated(1.0), evaluated(0.7)
    found = te.compare(a, b, metrics=NAMES, primary="tar@far=0.1")
    assert found.outcome == "better"
    for name in NAMES:
        entry = found.metrics[name]
        assert entry["difference"] == pytest.approx(b[name] - a[name])
        assert entry["low"] < entry["difference"] < entry["high"]
        assert entry["p"] is not None
        width = math.hypot(*(np.subtract(*run.interval(name)) for run in (a, b)))
        if name in ("eer", "auc"):
            assert entry["high"] - entry["low"] < width  # the same identities in both
    same = te.compare(a, a, metrics=["eer"])
    assert same.metrics["eer"]["p"] == 1.0


def test_without_classes_in_common_or_with_another_unit_there_is_none():
    a = evaluated(1.0)
    for found in (
        te.compare(a, evaluated(0.7, unit="query"), metrics=["eer"]),
        te.compare(a, a, metrics=["eer"], unit="query"),
    ):
        assert found.metrics["eer"]["reason"] == "the runs do not keep it query by query"


def test_a_gate_may_ask_for_no_worse():
    a, b = evaluated(0.8), evaluated(1.2)
    assert te.gate(a, [], baseline=a, no_worse=["low(tar@far=0.1)"], margin=0.01).passed
    assert not te.gate(b, [], baseline=a, no_worse=["low(tar@far=0.1)"], margin=0.01).passed
