"""Every number of every kind of run has an interval, or says why it has none."""

import math

import numpy as np
import pytest

import tripleteval as te

RANDOM = np.random.default_rng(11)
LABELS = np.repeat(np.arange(30), 6)
POINTS = RANDOM.normal(size=(30, 5))[LABELS] + 0.7 * RANDOM.normal(size=(180, 5))
WITHOUT = {"anisotropy", "norm_mean", "norm_cv", "hubness@10", "intrinsic_dimension", "best_accuracy"}
WITHOUT |= {"uniformity", "effective_rank", "effective_rank_centred", "rankme", "participation_ratio"}


def test_only_what_the_documents_name_has_none():
    run = te.evaluate(POINTS, LABELS, calibrate_on=0.5, metrics=["silhouette", "ndcg@10", "alignment", "uniformity"])
    assert {name for name, entry in run.metrics.items() if entry["interval"] is None} == WITHOUT
    for name in WITHOUT:
        assert run.metrics[name]["interval_reason"], name


def test_what_is_undefined_gives_its_own_reason():
    relevance = np.eye(180, dtype=int)[np.roll(np.arange(180), 1)]
    run = te.evaluate(POINTS, relevance=relevance, metrics=["eer"])
    assert run.metrics["eer"]["interval_reason"] == run.metrics["eer"]["reason"]


def test_the_share_of_items_that_nobody_finds_draws_their_classes():
    run = te.evaluate(POINTS, LABELS)
    times = np.zeros(180)
    distances = ((POINTS[:, None] - POINTS) ** 2).sum(axis=2) + np.diag(np.full(180, np.inf))
    np.add.at(times, np.argsort(distances, axis=1)[:, :10], 1)
    lost = (times == 0).reshape(30, 6).mean(axis=1)
    assert run["anti_hubs@10"] == pytest.approx(lost.mean())
    low, high = run.interval("anti_hubs@10")
    assert high - low == pytest.approx(2 * 2.05 * lost.std(ddof=1) / math.sqrt(30), rel=0.25)
    assert run.metrics["anti_hubs@10"]["units"] == 30
    assert te.evaluate(POINTS, LABELS, unit="query").metrics["anti_hubs@10"]["units"] == 180
    groups = te.Embeddings(POINTS, LABELS, groups=np.arange(180) % 20)
    assert te.evaluate(groups, unit="group").metrics["anti_hubs@10"]["units"] == 20
    bare = te.evaluate(groups, gallery=te.Embeddings(POINTS + 0.1, LABELS), unit="group").metrics["anti_hubs@10"]
    assert bare["interval_reason"] == "no groups in the gallery"


def test_a_mean_over_folds_has_the_t_interval_of_its_error():
    a, b = RANDOM.integers(0, 36, (2, 300)) + 36 * np.repeat(np.arange(5), 60)[None]
    kept = a != b
    folds = (a // 36)[kept]
    of = te.Embeddings(POINTS, LABELS)
    entry = te.evaluate_pairs(a[kept], b[kept], embeddings=of, folds=folds).metrics["cv_accuracy"]
    half = 2.776445 * entry["se"]  # Student's t with 4 degrees of freedom
    assert (entry["low"], entry["high"]) == pytest.approx((entry["value"] - half, min(entry["value"] + half, 1.0)))
    assert (entry["interval"], entry["units"]) == ("t", 5)
    few = te.evaluate_pairs(a[kept], b[kept], embeddings=of, folds=folds // 3).metrics["cv_accuracy"]
    assert few["interval_reason"] == "2 folds, and an interval needs 5"
