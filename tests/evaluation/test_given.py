"""Given triplets: counted as written, grouped by anchor, and refused where they are no triplets."""

import json
import math
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tripleteval as te
from oracle import distance

LINE7 = json.loads((Path(__file__).parents[1] / "golden" / "golden.json").read_text())["cases"]["B1_triplets_line7"]
GIVEN = LINE7["given_triplets"]
MARGINS = (0.0, 0.5, 1.0, 4.0)

# On a line, in steps that are exact: d(a,p) is 1, 3, 2 and d(a,n) is 2, 2, 2.
ANCHORS, POSITIVES, NEGATIVES = [[0.0], [0.0], [4.0]], [[1.0], [3.0], [2.0]], [[2.0], [2.0], [6.0]]
SQUARE = [[0.0, 0.0], [1.0, 0.0], [0.0, 2.0], [3.0, 0.0]]


@st.composite
def indexed(draw):
    """Return points on an integer grid and triplets of their positions, any positions."""
    points = draw(st.lists(st.tuples(*[st.integers(-3, 3)] * 2), min_size=3, max_size=7))
    triple = st.permutations(range(len(points))).map(lambda order: order[:3])
    return [[float(x) for x in point] for point in points], draw(st.lists(triple, min_size=1, max_size=12))


def columns(triplets) -> tuple[list, list, list]:
    return tuple(map(list, zip(*triplets, strict=True)))


# --- numbers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["euclidean", "sqeuclidean"])
def test_golden_given_triplets(name):
    expected = GIVEN[name]
    vectors = te.Embeddings(LINE7["inputs"]["embeddings"], LINE7["inputs"]["labels"])
    margins = [float(m) for m in expected["by_margin"]]
    run = te.evaluate_triplets(*columns(GIVEN["triplets"]), embeddings=vectors, margins=margins, distance=name)
    assert run.accounting["triplets"] == expected["n_triplets"]
    assert run.accounting["anchors"] == expected["n_anchors"]
    assert run["triplet_accuracy"] == expected["accuracy_half_ties"]
    assert run.metrics["triplet_accuracy"]["averages"]["query"] == expected["mean_per_anchor_auc"]
    for m, by in zip(margins, expected["by_margin"].values(), strict=True):
        of = lambda metric, m=m: run.metrics[f"{metric}@margin={m:g}"]  # noqa: E731
        assert of("triplet_satisfied")["count"] == by["satisfied_count"]
        assert of("triplet_satisfied")["value"] == by["satisfied_fraction"]
        assert of("triplet_satisfied")["averages"]["query"] == by["per_anchor_mean_satisfied"]
        assert of("at_margin")["count"] == by["exactly_at_margin"]
        assert [of(kind)["count"] for kind in ("easy", "semi_hard", "hard")] == [
            by["easy"],
            by["semi_hard"],
            by["hard"],
        ]
        assert of("triplet_loss")["value"] == pytest.approx(by["mean_hinge_loss"], rel=1e-9)
        assert of("triplet_loss_nonzero")["value"] == pytest.approx(by["mean_hinge_nonzero"], rel=1e-9)
        assert of("triplet_loss_nonzero")["n"] == by["active_loss_count"]


def test_the_seed_case_counts_strictly_closer_by_the_margin():
    run = te.evaluate_triplets(ANCHORS, POSITIVES, NEGATIVES, margins=(0, 1))
    assert run["triplet_satisfied@margin=0"] == 1 / 3  # 1 < 2, not 3 < 2, not 2 < 2
    assert run["triplet_satisfied@margin=1"] == 0.0  # 1 + 1 = 2 is at the margin
    assert run["at_margin@margin=1"] == 1 / 3
    assert run["triplet_accuracy"] == 0.5  # 1, 0 and a half


@pytest.mark.parametrize("name", ["euclidean", "sqeuclidean", "cosine"])
@given(data=indexed())
def test_every_number_equals_a_plain_loop(name, data):
    points, triplets = data
    if name == "cosine":
        points = [[x + 10.0, y] for x, y in points]  # no zero vector, and the oracle's rounding breaks no tie
        triplets = [t for t in triplets if not _tied(points, t)] or [[0, 1, 2]]
        if _tied(points, triplets[0]):
            return
    pairs = [(distance(points[a], points[p], name), distance(points[a], points[n], name)) for a, p, n in triplets]
    metrics = te.evaluate_triplets(*columns(triplets), embeddings=points, margins=MARGINS, distance=name).metrics
    assert metrics["triplet_accuracy"]["value"] == sum((p < n) + (p == n) / 2 for p, n in pairs) / len(pairs)
    for m in MARGINS:
        of = lambda metric, m=m: metrics[f"{metric}@margin={m:g}"]  # noqa: E731
        assert of("triplet_satisfied")["count"] == sum(p + m < n for p, n in pairs)
        assert of("at_margin")["count"] == sum(p + m == n for p, n in pairs)
        assert of("semi_hard")["count"] == sum(p < n <= p + m for p, n in pairs)
        assert of("hard")["count"] == sum(n <= p for p, n in pairs)
        losses = [max(0.0, p + m - n) for p, n in pairs]
        assert of("triplet_loss")["value"] == pytest.approx(math.fsum(losses) / len(pairs), rel=1e-12, abs=1e-14)


def _tied(points, triplet) -> bool:
    near, far = (distance(points[triplet[0]], points[other], "cosine") for other in triplet[1:])
    return any(abs(near + m - far) < 1e-9 for m in MARGINS)


@given(data=indexed())
def test_vectors_and_positions_give_the_same_numbers(data):
    points, triplets = data
    points = [[*point, float(row)] for row, point in enumerate(points)]  # no two alike
    by_rows = te.evaluate_triplets(*columns(triplets), embeddings=points)
    by_vectors = te.evaluate_triplets(*([points[row] for row in column] for column in columns(triplets)))
    assert by_vectors.metrics == by_rows.metrics
    assert by_vectors.accounting == by_rows.accounting


@given(data=indexed())
def test_all_valid_triplets_given_one_by_one_equal_all_triplets_counted(data):
    points, _ = data
    labels = [row % 2 for row in range(len(points))]
    rows = range(len(points))
    every = [
        (a, p, n)
        for a in rows
        for p in rows
        for n in rows
        if a != p and labels[a] == labels[p] and labels[n] != labels[a]
    ]
    if not every:
        return
    counted = te.evaluate(points, labels, margins=MARGINS)
    listed = te.evaluate_triplets(*columns(every), embeddings=te.Embeddings(points, labels), margins=MARGINS)
    for spelling in listed.metrics.keys() & counted.metrics.keys():
        one, two = listed.metrics[spelling], counted.metrics[spelling]
        assert one["averages"] == pytest.approx(two["averages"], rel=1e-12, abs=1e-14), spelling
        assert (one["n"], one.get("count")) == (two["n"], two.get("count")), spelling


def test_the_query_average_weighs_every_anchor_alike():
    run = te.evaluate_triplets([0, 0, 0, 1], [1, 1, 1, 0], [2, 3, 2, 2], embeddings=SQUARE, margin=1.5)
    # Anchor 0: 1 + 1.5 < 2? no, < 3? yes, no: 1 of 3. Anchor 1: 1 + 1.5 < √5? no: 0 of 1.
    averages = run.metrics["triplet_satisfied@margin=1.5"]["averages"]
    assert averages == {"query": (1 / 3 + 0) / 2, "class": None, "pooled": 1 / 4}


def test_the_class_average_weighs_every_class_of_anchors_alike():
    labelled = te.Embeddings([[0.0], [1.0], [4.0], [8.0], [3.0]], ["a", "a", "b", "b", "a"])
    run = te.evaluate_triplets([0, 1, 4, 2], [1, 0, 0, 3], [2, 2, 2, 1], embeddings=labelled, margin=0)
    # Class a: 1 < 4, 1 < 3, not 3 < 1: 2 of 3. Class b: not 4 < 3: 0 of 1.
    assert run.metrics["triplet_satisfied@margin=0"]["averages"]["class"] == (2 / 3 + 0) / 2


UNIT = [(1.0, 0.0), (0.8, 0.6), (0.6, 0.8), (-0.6, 0.8), (-0.936, 0.352), (0.352, -0.936), (0.0, 1.0), (-1.0, 0.0)]


@given(
    st.lists(st.permutations(range(len(UNIT))).map(lambda order: order[:3]), min_size=1, max_size=20),
    st.sampled_from([0.25, 0.5, 0.75]),
)
def test_on_unit_vectors_a_cosine_margin_is_half_a_squared_margin(triplets, margin):
    cosine = te.evaluate_triplets(*columns(triplets), embeddings=UNIT, margin=margin, distance="cosine").metrics
    squared = te.evaluate_triplets(
        *columns(triplets), embeddings=UNIT, margin=2 * margin, distance="sqeuclidean"
    ).metrics
    for metric in ("triplet_satisfied", "semi_hard", "hard"):
        assert cosine[f"{metric}@margin={margin:g}"]["count"] == squared[f"{metric}@margin={2 * margin:g}"]["count"], (
            metric
        )


def test_squared_distances_answer_another_question_than_plain_ones():
    # d(a,p) = 3, d(a,n) = 3.5: apart by 0.5 in plain distance, by 3.25 in squared distance.
    one = ([[0.0]], [[3.0]], [[3.5]])
    assert te.evaluate_triplets(*one, margin=1)["triplet_satisfied@margin=1"] == 0.0
    assert te.evaluate_triplets(*one, margin=1, distance="sqeuclidean")["triplet_satisfied@margin=1"] == 1.0


def test_the_margin_is_added_and_not_subtracted_from_the_gap():
    # As written, 0.1 + 0.2 < 0.3 is false in float64, and so is 0.3 < 0.1 + 0.2 + 0: at the last bit they differ.
    assert te.evaluate_triplets([[0.0]], [[0.1]], [[0.30000000000000004]], margin=0.2)["at_margin@margin=0.2"] == 1.0


@pytest.mark.parametrize("scale", [1e-320, 1e-300, 1e300])
def test_vectors_near_the_ends_of_float64_keep_their_order(scale):
    run = te.evaluate_triplets([[0.0]], [[scale]], [[2 * scale]], margins=(0, 1))
    assert run["triplet_satisfied@margin=0"] == 1.0
    assert math.isfinite(run["triplet_loss@margin=1"])


def test_the_block_size_changes_nothing(monkeypatch):
    three = np.random.default_rng(0).normal(size=(3, 50, 4))
    whole = te.evaluate_triplets(*three).metrics
    monkeypatch.setattr("tripleteval.evaluation.given_measure._COORDINATES", 12)
    assert te.evaluate_triplets(*three).metrics == whole


# --- weights -------------------------------------------------------------------------------------------------


def test_a_weight_of_two_is_a_triplet_given_twice():
    weighted = te.evaluate_triplets(ANCHORS, POSITIVES, NEGATIVES, weights=[2, 1, 1])
    twice = te.evaluate_triplets(*([column[0], *column] for column in (ANCHORS, POSITIVES, NEGATIVES)))
    for spelling in weighted:
        assert weighted.metrics[spelling]["averages"] == twice.metrics[spelling]["averages"], spelling
    assert (weighted.metrics["triplet_accuracy"]["n"], twice.metrics["triplet_accuracy"]["n"]) == (3, 4)


@pytest.mark.parametrize("weight", [1.0, 0.1, 1e308, 1e-308])
def test_equal_weights_of_any_size_change_nothing(weight):
    plain = te.evaluate_triplets(ANCHORS, POSITIVES, NEGATIVES)
    weighted = te.evaluate_triplets(ANCHORS, POSITIVES, NEGATIVES, weights=[weight] * 3)
    for spelling in plain:
        assert weighted[spelling] == pytest.approx(plain[spelling], rel=1e-12), spelling
        assert weighted.metrics[spelling]["n"] == plain.metrics[spelling]["n"]


def test_a_triplet_of_weight_zero_is_not_counted_among_the_evidence():
    run = te.evaluate_triplets(ANCHORS, POSITIVES, NEGATIVES, weights=[1, 0, 1])
    assert (run.metrics["triplet_accuracy"]["n"], run["triplet_accuracy"]) == (2, 0.75)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1, -1, 1], "E505 weight -1.0 of triplet 1"),
        ([1, 1, math.nan], "E505 weight nan of triplet 2"),
        ([math.inf, 1, 1], "E505 weight inf of triplet 0"),
        ([0, 0, 0], "E505 weights that are all 0"),
        (["one", "two", "three"], "E505 weights that are no numbers"),
        ([1, 1], "E401 2 weights for 3 triplets"),
    ],
)
def test_impossible_weights_are_refused(weights, message):
    with pytest.raises((te.ParameterError, te.LabelError), match=message):
        te.evaluate_triplets(ANCHORS, POSITIVES, NEGATIVES, weights=weights)


# --- what is accounted for -----------------------------------------------------------------------------------


def test_duplicates_are_kept_counted_and_noted():
    run = te.evaluate_triplets([0, 0, 1], [1, 1, 0], [2, 2, 2], embeddings=SQUARE)
    assert run.accounting == {
        "triplets": 3,
        "anchors": 2,
        "duplicates": 1,
        "degenerate_dropped": 0,
        "zero_distance": {"positive": 0, "negative": 0},
    }
    assert "Repeats of another triplet: 1 of 3; each counts as often as it is given." in run.notes
    by_vectors = te.evaluate_triplets([[0.0], [-0.0]], [[1.0]] * 2, [[2.0]] * 2)
    assert by_vectors.accounting["duplicates"] == 1


def test_degenerate_triplets_are_dropped_on_request_and_counted():
    run = te.evaluate_triplets(
        [0, 0, 0, 0], [0, 1, 1, 2], [1, 0, 2, 2], embeddings=SQUARE, weights=[9, 9, 1, 9], drop_degenerate=True
    )
    assert run.accounting["degenerate_dropped"] == 3
    assert run.per_query["triplet"].to_pylist() == [2]
    assert (run.accounting["triplets"], run["triplet_accuracy"]) == (1, 1.0)
    assert any("3 degenerate triplets" in note for note in run.notes)


def test_a_positive_that_is_its_anchor_is_noted_where_only_vectors_are_known():
    run = te.evaluate_triplets([[0.0], [0.0]], [[0.0], [1.0]], [[2.0], [2.0]])
    assert run.accounting["zero_distance"] == {"positive": 1, "negative": 0}
    assert any(note.startswith("1 positive at distance 0") for note in run.notes)


def test_a_collapsed_space_has_no_triplet_in_order_and_says_so():
    run = te.evaluate_triplets([[1.0, 1.0]] * 4, [[1.0, 1.0]] * 4, [[1.0, 1.0]] * 4)
    assert (run["triplet_accuracy"], run["triplet_satisfied@margin=0.2"], run["hard@margin=0.2"]) == (0.5, 0.0, 1.0)
    assert run["triplet_loss@margin=0.2"] == 0.2
    assert any(note.startswith("Collapsed") for note in run.notes)


def test_a_margin_that_no_triplet_can_satisfy_is_noted():
    run = te.evaluate_triplets([UNIT[0]], [UNIT[1]], [UNIT[7]], margins=(0.5, 2, 3))
    assert [note for note in run.notes if "can satisfy" in note] == [
        f"No triplet can satisfy margin={m}: the farthest negative is at 2 from its anchor." for m in (2, 3)
    ]


def test_unit_vectors_beside_others_are_noted_unless_the_distance_does_not_care():
    mixed = ([(0.6, 0.8)] * 3, [(0.8, 0.6)] * 3, [(3.0, 4.0)] * 3)
    assert any(
        note.startswith("E507: anchors and positives have unit vectors, negatives have not")
        for note in te.evaluate_triplets(*mixed).notes
    )
    assert not any("E507" in note for note in te.evaluate_triplets(*mixed, distance="cosine").notes)


def test_the_table_has_one_row_per_triplet():
    run = te.evaluate_triplets([0, 1], [1, 0], [2, 3], embeddings=SQUARE, margin=1, weights=[3, 5])
    assert run.per_query.to_pydict() == {
        "triplet": [0, 1],
        "anchor": [0, 1],
        "positive": [1, 0],
        "negative": [2, 3],
        "weight": [3.0, 5.0],
        "d_ap": [1.0, 1.0],
        "d_an": [2.0, 2.0],
        "triplet_accuracy": [1.0, 1.0],
        "triplet_satisfied@margin=1": [0.0, 0.0],
        "triplet_loss@margin=1": [0.0, 0.0],
    }


def test_the_table_knows_ids_and_class_and_of_vectors_which_triplets_share_an_anchor():
    named = te.Embeddings(SQUARE, ["x", "x", "y", "y"], ids=["d", "c", "b", "a"])
    table = te.evaluate_triplets([0, 3], [1, 2], [2, 1], embeddings=named).per_query
    known = {name: table[name].to_pylist() for name in ("anchor_id", "positive_id", "negative_id", "label")}
    expected = {"anchor_id": ["d", "a"], "positive_id": ["c", "b"], "negative_id": ["b", "c"], "label": ["x", "y"]}
    assert known == expected
    vectors = te.evaluate_triplets([[5.0], [1.0], [5.0], [-0.0], [0.0]], [[1.0]] * 5, [[2.0]] * 5).per_query
    assert vectors["anchor"].to_pylist() == [0, 1, 0, 3, 3]


def test_the_result_is_json_and_its_hash_depends_on_what_matters_alone():
    once, again = (te.evaluate_triplets(ANCHORS, POSITIVES, NEGATIVES, margins=(0.5, 0.2)) for _ in range(2))
    json.dumps(once.to_dict(), allow_nan=False)
    assert once.settings["margins"] == [0.2, 0.5]
    assert once.result_hash == again.result_hash
    others = [
        te.evaluate_triplets(ANCHORS, NEGATIVES, POSITIVES, margins=(0.5, 0.2)),
        te.evaluate_triplets(ANCHORS, POSITIVES, NEGATIVES),
        te.evaluate_triplets(ANCHORS, POSITIVES, NEGATIVES, margins=(0.5, 0.2), weights=[1, 1, 1]),
    ]
    assert len({once.result_hash, *(other.result_hash for other in others)}) == 4


# --- positions and ids ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [list, np.array, lambda v: np.array(v, np.uint8), lambda v: np.array(v, ">i4")])
def test_positions_of_any_integer_type_are_accepted(kind):
    run = te.evaluate_triplets(kind([0]), kind([1]), kind([3]), embeddings=SQUARE)
    assert run.per_query["d_an"].to_pylist() == [3.0]


def test_ids_name_rows_and_integers_stay_positions_where_ids_are_text():
    named = te.Embeddings(SQUARE, ids=["d", "c", "b", "a"])
    by_id = te.evaluate_triplets(["d"], ["c"], ["a"], embeddings=named)
    by_position = te.evaluate_triplets([0], [1], [3], embeddings=named)
    assert by_id.per_query["negative"].to_pylist() == [3]
    assert by_id.metrics == by_position.metrics


def test_integers_are_ids_where_ids_are_integers():
    numbered = te.Embeddings(SQUARE, ids=[3, 2, 1, 0])
    run = te.evaluate_triplets([3], [2], [0], embeddings=numbered)
    assert [run.per_query[role].to_pylist() for role in ("anchor", "positive", "negative")] == [[0], [1], [3]]
    with pytest.raises(te.ParameterError, match=r"E501 negative 7 of triplet 0 \(0-based\) does not exist .* 4 ids"):
        te.evaluate_triplets([3], [2], [7], embeddings=numbered)


@pytest.mark.parametrize(("bad", "shown"), [(4, "4"), (-1, "-1"), (2**70, str(2**70))])
def test_a_position_out_of_range_is_refused_and_never_wraps_around(bad, shown):
    with pytest.raises(te.ParameterError, match=rf"E501 negative {shown} of triplet 1 .* positions 0 to 3"):
        te.evaluate_triplets([0, 0], [1, 1], [2, bad], embeddings=SQUARE)


@pytest.mark.parametrize(
    ("bad", "code"), [(True, "E501"), ("x", "E501"), (None, "E402"), (1.0, "E403"), (math.nan, "E402")]
)
def test_what_is_no_position_is_refused(bad, code):
    with pytest.raises(te.EvalError, match=code):
        te.evaluate_triplets([0], [1], [bad], embeddings=SQUARE)


def test_floats_as_positions_are_not_called_labels():
    with pytest.raises(te.LabelError, match="E403 values that are floating-point numbers · negatives") as caught:
        te.evaluate_triplets([0], [1], np.array([2.0]), embeddings=SQUARE)
    assert "label" not in str(caught.value)


@pytest.mark.parametrize(
    ("triplet", "message"),
    [
        ((0, 0, 1), "anchor 0, positive 0, negative 1"),
        ((0, 1, 0), "anchor 0, positive 1, negative 0"),
        ((0, 1, 1), "anchor 0, positive 1, negative 1"),
    ],
)
def test_a_triplet_that_names_a_row_twice_is_refused_and_not_scored(triplet, message):
    three = columns([(0, 1, 2), triplet, triplet])
    with pytest.raises(
        te.ParameterError, match=rf"E502 2 triplets with a row named twice; first: triplet 1 .*{message}"
    ):
        te.evaluate_triplets(*three, embeddings=SQUARE)


def test_only_degenerate_triplets_leave_nothing_to_measure():
    with pytest.raises(te.DataError, match="E301 no triplets left: all 1 are degenerate"):
        te.evaluate_triplets([0], [0], [1], embeddings=SQUARE, drop_degenerate=True)


@pytest.mark.parametrize("labels", [["cat", "cat", "dog", "dog"], [{"cat"}, {"cat", "pet"}, {"dog"}, {"dog"}]])
@pytest.mark.parametrize("triplet", [(0, 2, 3), (0, 1, 1), (2, 3, 3)], ids=["positive", "negative", "negative too"])
def test_a_triplet_that_contradicts_the_labels_is_refused(labels, triplet):
    labelled = te.Embeddings([*SQUARE, [9.0, 9.0]], [*labels, labels[triplet[0]]])
    a, p, n = triplet
    wrong = (a, p, n) if p != n else (a, p, 4)
    with pytest.raises(te.ParameterError, match=r"E503 1 triplet against the labels; first: triplet 2 .*line a file"):
        te.evaluate_triplets(*columns([(0, 1, 2), (0, 0, 2), wrong]), embeddings=labelled, drop_degenerate=True)


# --- refusals ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", range(3))
def test_a_nan_is_an_error_and_not_a_miss(role):
    three = [np.zeros((3, 2)), np.ones((3, 2)), np.full((3, 2), 4.0)]
    three[role][1, 1] = math.nan
    where = ("anchors", "positives", "negatives")[role]
    with pytest.raises(te.DataError, match=rf"E201 .*nan at row 1, column 1.* · {where} \(3 × 2 float64\)") as caught:
        te.evaluate_triplets(*three)
    assert "nonfinite" not in caught.value.fix


def test_a_row_of_vectors_from_several_files_is_named_by_its_file(tmp_path):
    np.save(tmp_path / "a.npy", np.ones((3, 2)))
    np.save(tmp_path / "b.npy", [[1.0, 2.0], [0.0, math.nan]])
    for three in (["x", "x", "y"], ["x", "y", "x"]):
        given = [te.read(tmp_path / "*.npy") if name == "y" else np.zeros((5, 2)) for name in three]
        with pytest.raises(te.DataError, match=rf"E201 .*nan at row 1 of {tmp_path}/b.npy, column 1"):
            te.evaluate_triplets(*given)
    with pytest.raises(te.DataError, match=rf"E201 .*nan at row 1 of {tmp_path}/b.npy, column 1.* · seconds "):
        te.evaluate_pairs(np.zeros((5, 2)), te.read(tmp_path / "*.npy"), [1] * 5)


def test_a_nan_in_the_embeddings_is_an_error():
    with pytest.raises(te.DataError, match=r"E201 .*row 3, column 0"):
        te.evaluate_triplets([0], [1], [2], embeddings=[*SQUARE[:3], [math.inf, 0.0]])


def test_a_zero_vector_has_no_cosine():
    with pytest.raises(te.DataError, match=r"E202 1 zero vector.* · positives") as caught:
        te.evaluate_triplets([[1.0]], [[0.0]], [[2.0]], distance="cosine")
    assert "zero-rows" not in caught.value.fix


@pytest.mark.parametrize(
    ("three", "options", "message"),
    [
        ((ANCHORS, POSITIVES, NEGATIVES[:2]), {}, "E401 3 anchors, 3 positives, 2 negatives"),
        (([0, 1], [1], [2, 2]), {"embeddings": SQUARE}, "E401 2 anchors, 1 positives, 2 negatives"),
        (([[0.0]], [[0.0, 1.0]], [[0.0]]), {}, "E306 anchors of 1, positives of 2, negatives of 1 dimensions"),
        ((np.zeros((0, 2)),) * 3, {}, "E301 no rows · anchors"),
        (([], [], []), {"embeddings": SQUARE}, "E301 no triplets"),
        (([0], [1], [2]), {}, "E304 .*anchors · pass .* together with embeddings="),
        ((SQUARE,) * 3, {"embeddings": SQUARE}, "E304 vectors beside embeddings"),
        ((ANCHORS, POSITIVES, NEGATIVES), {"margin": -1}, "E505 margin=-1"),
        ((ANCHORS, POSITIVES, NEGATIVES), {"margin": math.nan}, "E505 margin=nan"),
        ((ANCHORS, POSITIVES, NEGATIVES), {"margins": (0.2, math.inf)}, "E505 margin=inf"),
        ((ANCHORS, POSITIVES, NEGATIVES), {"margin": 0.2, "margins": (0.3,)}, "E101 both margin and margins"),
        ((ANCHORS, POSITIVES, NEGATIVES), {"distance": "cosin"}, "E510 .*did you mean 'cosine'"),
    ],
    ids=str,
)
def test_what_cannot_be_measured_is_refused(three, options, message):
    with pytest.raises(te.EvalError, match=message):
        te.evaluate_triplets(*three, **options)


# --- inputs --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("framework", ["tensorflow", "jax", "torch"])
def test_tensors_give_the_numbers_of_arrays(framework):
    if find_spec(framework) is None:
        pytest.skip(f"{framework} is not installed: pip install {framework}")
    module = import_module(framework)
    make = {"tensorflow": "constant", "torch": "tensor"}.get(framework)
    as_tensor = getattr(module, make) if make else module.numpy.asarray
    plain = te.evaluate_triplets(ANCHORS, POSITIVES, NEGATIVES)
    assert te.evaluate_triplets(*map(as_tensor, (ANCHORS, POSITIVES, NEGATIVES))).metrics == plain.metrics
    rows = [as_tensor([0]), as_tensor([1]), as_tensor([3])]
    assert te.evaluate_triplets(*rows, embeddings=as_tensor(SQUARE)).accounting["triplets"] == 1


def test_the_vectors_given_are_never_written_to():
    three = [np.array(column) for column in (ANCHORS, POSITIVES, NEGATIVES)]
    for column in three:
        column.flags.writeable = False
    te.evaluate_triplets(*three, margin=0.5)
    assert [column.tolist() for column in three] == [ANCHORS, POSITIVES, NEGATIVES]
