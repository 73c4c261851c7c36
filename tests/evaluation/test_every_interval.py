"""Every number of every kind of run has an interval, or says why it has none."""

import math

import numpy as np
import pytest

import tripleteval as te
from tripleteval.metrics import parse

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
    bare = te.evaluate(groups, gallery=te.Embeddings(POINTS + 0.1, LABELS), unit="group").metrics
    for name in ("anti_hubs@10", "auc", "tar@far=0.01", "d_prime"):  # not items, as if they were independent
        assert (bare[name]["low"], bare[name]["interval_reason"]) == (None, "no groups in the gallery"), name
    assert bare["map@r"]["units"] == 20


def test_a_mean_over_folds_has_the_t_interval_of_its_error():
    a, b = RANDOM.integers(0, 36, (2, 300)) + 36 * np.repeat(np.arange(5), 60)[None]
    kept = a != b
    folds = (a // 36)[kept]
    of = te.Embeddings(POINTS, LABELS)
    entry = te.evaluate_pairs(a[kept], b[kept], embeddings=of, folds=folds).metrics["cv_accuracy"]
    half = 2.776445 * entry["se"]  # Student's t with 4 degrees of freedom
    assert (entry["low"], entry["high"]) == pytest.approx((entry["value"] - half, min(entry["value"] + half, 1.0)))
    assert (entry["interval"], entry["units"]) == ("t", 5)
    right = te.evaluate_pairs(a[kept], b[kept], embeddings=te.Embeddings(np.eye(30)[LABELS], LABELS), folds=folds)
    entry = right.metrics["cv_accuracy"]
    assert (entry["low"], entry["high"], entry["interval"]) == (pytest.approx(1 - 3 / 5), 1.0, "rule of three")
    few = te.evaluate_pairs(a[kept], b[kept], embeddings=of, folds=folds // 3).metrics["cv_accuracy"]
    assert few["interval_reason"] == "2 folds, and an interval needs 5"


FEW = LABELS < 6
UNEVEN = np.where((LABELS == 0)[:, None], 8.0, 1.0) * POINTS  # one class decides: standard errors as large as means
EXTREME = {"confidence": 0.99999}


def runs_of_few_classes() -> dict[str, te.Evaluation]:
    """Return one run of each kind with 5 or 6 units, whose t intervals would leave what is possible."""
    points, labels = UNEVEN[FEW], LABELS[FEW]
    more = ["silhouette", "alignment", "inter_distance", "triplet_loss_nonzero@margin=0.2"]
    a, b = np.triu_indices(len(points), 1)
    probes = te.Embeddings(UNEVEN[LABELS < 12][::2], LABELS[LABELS < 12][::2])
    return {
        "all": te.evaluate(points, labels, metrics=more, margins=(0.2,), fars=(0.1,), **EXTREME),
        "triplets": te.evaluate_triplets(points[::6], points[1::6], np.roll(points[::6], 1, axis=0), **EXTREME),
        "pairs": te.evaluate_pairs(a, b, embeddings=te.Embeddings(points, labels), fars=(0.1,), **EXTREME),
        "identify": te.evaluate_identification(
            probes, te.Embeddings(points[1::2], labels[1::2]), fpirs=(0.3,), **EXTREME
        ),
    }


def test_no_interval_leaves_what_its_number_can_be():
    touched = set()
    for kind, run in runs_of_few_classes().items():
        for name, entry in run.metrics.items():
            bounds = parse(name).metric.bounds
            if entry["low"] is not None:
                assert bounds.low <= entry["low"] <= entry["value"] <= entry["high"] <= bounds.high, (kind, name)
                touched |= {(kind, name)} if entry["low"] == bounds.low else set()
    assert touched >= {
        ("all", "triplet_loss@margin=0.2"),
        ("all", "first_rank_mean"),
        ("all", "intra_distance"),
        ("all", "threshold@far=0.1"),
        ("triplets", "triplet_loss@margin=0.2"),
        ("pairs", "threshold@far=0.1"),
        ("identify", "threshold@fpir=0.3"),
    }
