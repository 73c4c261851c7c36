"""The brute-force values of the specification, sections A and B and the numerics cases, to 1e-9.

`golden.json` was computed by brute force in plain Python, apart from this package. Its ``ap``, ``rr``
and ``inp`` are our ``map``, ``mrr`` and ``minp``; its ``min`` and ``max`` are the worst and best order.
"""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import tripleteval as te

GOLDEN = json.loads(Path(__file__).with_name("golden.json").read_text())["cases"]
NAMES = {"ap": "map", "rr": "mrr", "inp": "minp", "first_positive_rank": "first_rank_mean"}
DENOMINATORS = {"over_R": "map", "over_min_k_R": "capped_map", "over_hits": "found_map"}
TIES = {"expected": "expected", "index": "index", "min": "pessimistic", "max": "optimistic"}
LARGE = 2.0**20


def spelled(name: str) -> str:
    """Return our spelling of a golden name."""
    cut = re.fullmatch(r"ap@(\d+)_(\w+)", name)
    return f"{DENOMINATORS[cut[2]]}@{cut[1]}" if cut else NAMES.get(name, name)


def asked(ks: list[int]) -> list[str]:
    """Return the golden metrics that are not measured by default."""
    cut = [f"{m}@{k}" for m in ("map", "capped_map", "found_map", "ndcg_exp2") for k in ks]
    return [*cut, "ndcg", "all_positives_first"]


def planted(distances: list[list[float]]) -> tuple[np.ndarray, np.ndarray]:
    """Return queries and a gallery whose distances rank (and tie) as the given matrix does.

    Query i lies far out on axis i; gallery item j steps away from it by d_ij along that axis:
    |q - g|² = L² + 2 L d + |g|², where L is so large that the last term never changes the order.
    """
    d = np.array(distances)
    gallery = np.hstack([-d.T, np.sqrt((d**2).sum(axis=0).max() - (d**2).sum(axis=0))[:, None]])
    return np.hstack([LARGE * np.eye(len(d)), np.zeros((len(d), 1))]), gallery


def evaluated(case: str, ties: str) -> te.Evaluation:
    """Evaluate the inputs of one retrieval case."""
    given = GOLDEN[case]["inputs"]
    settings = {"ks": given["ks"], "ties": ties, "metrics": asked(given["ks"])}
    if case == "A4_reid":
        queries, gallery = planted(given["distances"])
        return te.evaluate(
            te.Embeddings(queries, given["query_ids"], groups=given["query_cams"]),
            gallery=te.Embeddings(gallery, given["gallery_ids"], groups=given["gallery_cams"]),
            ignore="group",
            ignore_label=-1,
            **settings,
        )
    if case == "A5_graded":
        queries, gallery = planted(given["distances"])
        return te.evaluate(queries, gallery=te.Embeddings(gallery), relevance=np.array(given["relevance"]), **settings)
    if case == "A6_multilabel":
        line = [[float(x)] for x in given["distances"][0]]
        return te.evaluate(line, [set(tags) for tags in given["tags"]], **settings)
    return te.evaluate(given["embeddings"], given["labels"], **settings)


RETRIEVAL = ["A1_line7", "A2_ties6", "A3_collapsed7", "A4_reid", "A5_graded", "A6_multilabel", "A7_imbalanced9"]


@pytest.mark.parametrize("mode", TIES)
@pytest.mark.parametrize("case", RETRIEVAL)
def test_retrieval_per_query(case, mode):
    run, expected = evaluated(case, TIES[mode]), GOLDEN[case]["expected_values"][mode]
    checked = 0
    for name, listed in expected["per_query"].items():
        values = listed
        if mode in ("min", "max") and name.endswith("over_hits"):
            continue  # its best value is not that of the best order: it rewards finding less
        rank = name == "first_positive_rank"
        if rank and mode in ("min", "max"):  # lower is better: the least value is that of the best order
            values = GOLDEN[case]["expected_values"][{"min": "max", "max": "min"}[mode]]["per_query"][name]
        ours = run.per_query[spelled(name)].to_pylist()
        assert [v is None for v in ours] == [v is None for v in values], name
        np.testing.assert_allclose(
            [v for v in ours if v is not None], [v for v in values if v is not None], rtol=1e-9, err_msg=name
        )
        checked += 1
    assert checked >= 20


@pytest.mark.parametrize("mode", ["expected", "index"])
@pytest.mark.parametrize("case", RETRIEVAL)
def test_retrieval_averages(case, mode):
    run, expected = evaluated(case, TIES[mode]), GOLDEN[case]["expected_values"][mode]
    of = {"mean": "query", "macro_by_class": "class", "pooled": "pooled"}
    for block, average in of.items():
        for name, value in expected.get(block, {}).items():
            assert run.metrics[spelled(name)]["averages"][average] == pytest.approx(value, rel=1e-9), (block, name)
    assert run["first_rank_median"] == pytest.approx(expected["median_first_positive_rank"], rel=1e-9)


@pytest.mark.parametrize("case", RETRIEVAL)
def test_retrieval_accounting(case):
    run, expected = evaluated(case, "expected"), GOLDEN[case]["expected_values"]
    assert run.accounting["queries"] == expected["n_queries"]
    assert run.accounting["evaluated"] == expected["n_evaluated"]
    skipped = [q for q, relevant in enumerate(run.per_query["relevant"].to_pylist()) if not relevant]
    assert skipped == expected["skipped_queries"]


TRIPLETS = [
    ("B1_triplets_line7", "euclidean"),
    ("B1_triplets_line7", "sqeuclidean"),
    ("B2_triplets_ties6", "euclidean"),
    ("B3_triplets_unit", "cosine"),
    ("B3_triplets_unit", "sqeuclidean"),
    ("B3_triplets_unit", "euclidean"),
    ("B4_triplets_imbalanced9", "euclidean"),
    ("B5_batch_hard8", "euclidean"),
]


def triplet_run(case: str, distance: str, margins: list[float], curve: tuple[float, ...] = ()) -> te.Evaluation:
    """Evaluate all valid triplets of one case."""
    given = GOLDEN[case]["inputs"]
    active = [f"triplet_loss_nonzero@margin={m:g}" for m in margins]
    return te.evaluate(
        given["embeddings"],
        given["labels"],
        distance=distance,
        margins=margins,
        margin_curve=curve,
        metrics=active,
    )


@pytest.mark.parametrize(("case", "distance"), TRIPLETS)
def test_all_triplets(case, distance):
    expected = GOLDEN[case][distance]
    run = triplet_run(case, distance, [float(m) for m in expected["by_margin"]])
    for margin, values in expected["by_margin"].items():
        of = {
            name: run.metrics[f"{name}@margin={float(margin):g}"]
            for name in ("triplet_satisfied", "at_margin", "semi_hard", "easy", "hard", "triplet_loss")
        }
        active = run.metrics[f"triplet_loss_nonzero@margin={float(margin):g}"]
        assert of["triplet_satisfied"]["n"] == expected["n_triplets"]
        for name, key in (
            ("triplet_satisfied", "satisfied_count"),
            ("at_margin", "exactly_at_margin"),
            ("easy", "easy"),
            ("semi_hard", "semi_hard"),
            ("hard", "hard"),
        ):
            assert of[name]["count"] == values[key], (margin, name)
        assert active["n"] == values["active_loss_count"]
        assert (active["value"] or 0.0) == pytest.approx(values["mean_hinge_nonzero"], rel=1e-9)
        assert of["triplet_loss"]["value"] == pytest.approx(values["mean_hinge_loss"], rel=1e-9)
        averages = of["triplet_satisfied"]["averages"]
        assert averages["pooled"] == pytest.approx(values["satisfied_fraction"], rel=1e-9)
        assert averages["query"] == pytest.approx(values["per_anchor_mean_satisfied"], rel=1e-9)
        assert averages["class"] == pytest.approx(values["per_class_mean_satisfied"], rel=1e-9)
    assert run["triplet_accuracy"] == pytest.approx(expected["accuracy_half_ties"], rel=1e-9)
    assert run.accounting["anchors"] == expected["n_anchors"]
    per_anchor = run.per_query["triplet_accuracy"].to_pylist()
    for anchor, auc in expected["per_anchor_auc"].items():
        assert per_anchor[int(anchor)] == pytest.approx(auc, rel=1e-9)


@pytest.mark.parametrize("case", ["B1_triplets_line7", "B4_triplets_imbalanced9", "B5_batch_hard8"])
def test_batch_hard(case):
    expected = GOLDEN[case]["batch_hard_euclidean"]["by_margin"]
    run = triplet_run(case, "euclidean", [float(m) for m in expected])
    for margin, values in expected.items():
        assert run[f"batch_hard@margin={float(margin):g}"] == pytest.approx(values["satisfied_fraction"], rel=1e-9)
        loss = run[f"batch_hard_loss@margin={float(margin):g}"]
        assert loss == pytest.approx(values["mean_hinge_loss"], rel=1e-9)


def test_margin_curve():
    expected = GOLDEN["B1_triplets_line7"]["margin_curve_euclidean"]
    curve = triplet_run("B1_triplets_line7", "euclidean", [0.0], tuple(map(float, expected))).margin_curve
    assert dict(zip(curve["margins"], curve["satisfied"], strict=True)) == pytest.approx(
        {float(m): v for m, v in expected.items()}, rel=1e-9
    )


def test_g1_points_far_from_the_origin_keep_their_distances_and_their_order():
    case = GOLDEN["G1_cancellation"]
    points = np.array(case["inputs"]["embeddings"], dtype=np.float32)
    assert te.pairwise_distances(points, distance="sqeuclidean").tolist() == case["expected_values"]["sqeuclidean"]
    found = te.evaluate(points, [0, 1, 0, 1, 0]).neighbors
    order = np.array(found["gallery"]).reshape(5, 4).tolist()
    assert order == case["expected_values"]["neighbour_order"]


def test_g2_a_zero_vector_is_at_cosine_distance_one_from_everything_when_asked_for():
    case = GOLDEN["G2_zero_vector"]
    run = te.evaluate(case["inputs"]["embeddings"], [0, 0, 1, 1], distance="cosine", zero_rows="far")
    assert run.accounting["zero_vectors"]["queries"] == case["expected_values"]["n_zero_vectors"]
    for row in run.neighbors.to_pylist():
        assert row["distance"] == case["expected_values"]["cosine"][row["query"]][row["gallery"]]
