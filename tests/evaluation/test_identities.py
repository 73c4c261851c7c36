"""What must hold whatever the data: the identities K1-K17 of the specification that apply here."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tripleteval as te
from strategies import Points, labelled_points
from tripleteval.metrics import METRICS, parse

KS = (1, 2, 3, 5, 8)


def columns(run: te.Evaluation) -> dict[str, list[float]]:
    """Return every per-query column without its undefined entries."""
    return {name: [v for v in run.per_query[name].to_pylist() if v is not None] for name in run if name in named(run)}


def named(run: te.Evaluation) -> set[str]:
    """Return the metrics that have a column of their own."""
    return set(run.per_query.column_names)


@given(labelled_points())
def test_k1_more_neighbours_never_find_less_and_at_one_three_metrics_are_one(data: Points):
    c = columns(te.evaluate(*data, ks=KS))
    for metric in ("recall", "hit_rate"):
        for low, high in pairwise(KS):
            assert all(a <= b + 1e-12 for a, b in zip(c[f"{metric}@{low}"], c[f"{metric}@{high}"], strict=True))
    assert np.allclose(c["hit_rate@1"], c["precision@1"])
    assert np.allclose(c["hit_rate@1"], c["ndcg@1"])


@given(labelled_points())
def test_k2_map_at_r_is_below_r_precision_and_below_map(data: Points):
    c = columns(te.evaluate(*data))
    for i, value in enumerate(c["map@r"]):
        assert value <= c["r_precision"][i] + 1e-12
        assert value <= c["map"][i] + 1e-12 <= 1 + 1e-11
        assert c["mrr"][i] >= 1 / c["first_rank_mean"][i] - 1e-12


@given(labelled_points())
def test_k3_looking_at_everything_finds_everything(data: Points):
    n = len(data[0])
    assert te.evaluate(*data, ks=[n])[f"recall@{n}"] == pytest.approx(1.0)


@st.composite
def without_ties(draw: st.DrawFn) -> Points:
    """Return points on a line whose pairwise distances are all different (powers of two)."""
    exponents = draw(st.lists(st.integers(0, 20), min_size=4, max_size=8, unique=True))
    labels = draw(st.lists(st.integers(0, 2), min_size=len(exponents), max_size=len(exponents)))
    labels[:3] = [0, 0, 1]
    return [[2.0**e] for e in exponents], labels


@given(without_ties())
def test_k4_without_ties_a_perfect_query_is_perfect_in_every_way(data: Points):
    run = te.evaluate(*data, margins=[0], metrics=["all_positives_first"])
    rows = run.per_query.to_pylist()
    for row in rows:
        if row["map"] is None or row["batch_hard@margin=0"] is None:
            continue
        perfect = {row[m] == 1.0 for m in ("minp", "map", "map@r", "all_positives_first", "batch_hard@margin=0")}
        assert len(perfect) == 1


@given(labelled_points())
def test_k5_triplet_accuracy_is_the_weighted_mean_of_per_anchor_auc(data: Points):
    from sklearn.metrics import roc_auc_score

    points, labels = np.array(data[0]), np.array(data[1])
    run = te.evaluate(points, labels)
    won = total = 0.0
    for a, row in enumerate(run.per_query.to_pylist()):
        others = np.arange(len(points)) != a
        same = labels[others] == labels[a]
        if same.all() or not same.any():
            assert row["triplet_accuracy"] is None
            continue
        auc = roc_auc_score(same, -((points[others] - points[a]) ** 2).sum(axis=1))
        assert row["triplet_accuracy"] == pytest.approx(auc)
        weight = same.sum() * (~same).sum()
        won, total = won + auc * weight, total + weight
    assert run["triplet_accuracy"] == pytest.approx(won / total)


@given(labelled_points())
def test_k6_the_loss_grows_with_the_margin_as_fast_as_triplets_fail_it(data: Points):
    grid = [i / 2 for i in range(9)]
    run = te.evaluate(*data, distance="sqeuclidean", margins=grid)
    for low, high in pairwise(grid):
        rise = run[f"triplet_loss@margin={high:g}"] - run[f"triplet_loss@margin={low:g}"]
        # Squared distances are integers here, so no triplet changes sides inside a half step.
        failing = 1 - run[f"triplet_satisfied@margin={low:g}"] - run[f"at_margin@margin={low:g}"]
        reached = 1 - run[f"triplet_satisfied@margin={low:g}"]
        assert failing * 0.5 - 1e-12 <= rise <= reached * 0.5 + 1e-12


@given(labelled_points(), st.sampled_from([0.25, 1.0, 3.5]))
def test_k8_easy_semi_hard_and_hard_are_all_there_is(data: Points, margin):
    m = te.evaluate(*data, margins=[margin]).metrics
    parts = [m[f"{kind}@margin={margin:g}"] for kind in ("easy", "semi_hard", "hard")]
    assert sum(part["count"] for part in parts) == parts[0]["n"]


def rotated(x: np.ndarray) -> np.ndarray:
    """Return an exact rotation: coordinates swapped, one sign flipped."""
    return np.stack([x[:, 1], -x[:, 0]], axis=1)


MOVES = {
    "rotation": rotated,
    "translation": lambda x: x + 8.0,
    "scaling by two": lambda x: 2 * x,
    "a dimension of zeros": lambda x: np.hstack([x, np.zeros((len(x), 1))]),
    "float32": lambda x: x.astype(np.float32),
    "int8": lambda x: x.astype(np.int8),
    "Fortran order": np.asfortranarray,
    "big-endian": lambda x: x.astype(">f8"),
    "a tenth power of two": lambda x: x * 2.0**-100,
}


def ranked(run: te.Evaluation) -> dict[str, dict]:
    """Return the metrics that depend on who is nearer than whom, and on nothing else."""
    of_places = {name for name, metric in METRICS.items() if metric.of in ("groups", "ranks", "hubs", "pairs")}
    kept = of_places - {"threshold@far", "d_prime", "intra_quantile@share", "inter_quantile@share"}
    scaled = ("threshold", "bracket")
    return {
        name: {key: value for key, value in entry.items() if key not in scaled}
        for name, entry in run.metrics.items()
        if parse(name).metric.pattern in kept
    }


@pytest.mark.parametrize("move", MOVES)
@settings(max_examples=settings().max_examples // 3)  # of each of nine moves
@given(data=labelled_points())
def test_k9_moving_the_whole_space_changes_no_rank(move, data: Points):
    before = te.evaluate(np.array(data[0]), data[1])
    after = te.evaluate(MOVES[move](np.array(data[0])), data[1])
    assert ranked(before) == ranked(after)


@given(labelled_points())
def test_k9_the_squared_distance_ranks_as_the_distance_does(data: Points):
    one, two = te.evaluate(*data), te.evaluate(*data, distance="sqeuclidean")
    assert ranked(one) == ranked(two)


@given(labelled_points())
def test_k9_renaming_the_classes_changes_nothing(data: Points):
    renamed = [f"class {9 - label}" for label in data[1]]
    assert te.evaluate(*data).metrics == te.evaluate(data[0], renamed).metrics


@given(st.lists(st.integers(0, 2), min_size=3, max_size=12), st.sampled_from([0.25, 1.0]))
def test_k10_a_collapsed_model_scores_exactly_chance(labels, margin):
    labels = [*labels, 0, 0, 1]
    run = te.evaluate(np.full((len(labels), 2), 3.0), labels, margins=[margin])
    for name, entry in run.metrics.items():
        if "chance" in entry:
            assert entry["value"] == pytest.approx(entry["chance"], rel=1e-12), name
    assert run["triplet_accuracy"] == 0.5
    assert run[f"triplet_satisfied@margin={margin:g}"] == 0.0
    assert run[f"hard@margin={margin:g}"] == 1.0
    assert run[f"triplet_loss@margin={margin:g}"] == margin
    assert any("Collapsed" in note for note in run.notes)


def test_k11_perfectly_separated_classes_score_one():
    points = [[100.0 * c + i] for c in range(3) for i in range(4)]
    run = te.evaluate(points, [c for c in range(3) for _ in range(4)], margins=[1])
    for name in ("hit_rate@1", "map@r", "map", "mrr", "minp", "triplet_accuracy", "triplet_satisfied@margin=1"):
        assert run[name] == 1.0
    assert run["triplet_loss@margin=1"] == 0.0


@given(labelled_points())
def test_k16_doubling_every_negative_leaves_triplet_shares_alone(data: Points):
    queries = te.Embeddings(*data)
    points, labels = data
    twice = te.Embeddings(
        points + [p for p, c in zip(points, labels, strict=True) if c != 0], labels + [c for c in labels if c]
    )
    only = te.Embeddings([points[-3]], [0])
    one, two = te.evaluate(only, gallery=queries), te.evaluate(only, gallery=twice)
    for name in ("triplet_accuracy", "triplet_satisfied@margin=0.2", "triplet_loss@margin=0.2", "hard@margin=0.2"):
        assert one[name] == pytest.approx(two[name])


@given(labelled_points())
def test_the_chance_level_is_what_random_order_gives(data: Points):
    run = te.evaluate(*data, ks=(1, 3))
    n, labels = len(data[0]), data[1]
    sizes = [sum(other == label for other in labels) - 1 for label in labels]
    found = [r for r in sizes if r]
    v = n - 1
    chance = {
        "recall@3": min(3, v) / v,
        "precision@1": sum(r / v for r in found) / len(found),
        "hit_rate@3": sum(1 - math.comb(v - r, min(3, v)) / math.comb(v, min(3, v)) for r in found) / len(found),
        "first_rank_mean": sum((v + 1) / (r + 1) for r in found) / len(found),
    }
    for name, value in chance.items():
        assert run.metrics[name]["chance"] == pytest.approx(value), name
