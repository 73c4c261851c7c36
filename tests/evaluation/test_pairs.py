"""Given pairs: vectors or items of embeddings, folds that share nobody, and everything that is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tripleteval as te
from tripleteval.evaluation.folds import connected, folds_of, with_fold_interval

POINTS = [[0.0], [1.0], [5.0], [7.0], [9.0], [9.5]]
IDS = ["a", "b", "c", "d", "e", "f"]
PAIRS = (["a", "c", "a", "b"], ["b", "d", "c", "d"], [1, 1, 0, 0])


def refused(code: str, *args, error: type[Exception] = te.ParameterError, **how) -> str:
    """Return the message of the error that the call must raise."""
    with pytest.raises(error, match=code) as caught:
        te.evaluate_pairs(*args, **how)
    return str(caught.value)


def test_pairs_of_vectors_of_positions_and_of_ids_give_the_same_numbers():
    rows = [[IDS.index(name) for name in side] for side in PAIRS[:2]]
    by_id = te.evaluate_pairs(*PAIRS, embeddings=te.Embeddings(POINTS, ids=IDS))
    by_row = te.evaluate_pairs(*rows, PAIRS[2], embeddings=POINTS)
    by_vector = te.evaluate_pairs(*(np.array(POINTS)[side] for side in rows), PAIRS[2])
    assert by_id.metrics == by_row.metrics == by_vector.metrics
    assert by_id.per_query.column_names == ["pair", "a", "b", "same", "distance"]
    assert by_id.per_query["distance"].to_pylist() == [1.0, 2.0, 5.0, 6.0]
    assert by_id["auc"] == 1.0
    assert "cv_accuracy" not in by_id
    assert [len(run.inputs) for run in (by_id, by_row, by_vector)] == [2, 2, 3]  # the vectors, and which are paired
    assert by_id.metrics["threshold@far=0.001"]["value"] == 3.5


def test_labels_say_who_is_the_same_where_nobody_else_does():
    of = te.Embeddings(POINTS, [0, 0, 1, 1, 2, 2], ids=IDS)
    run = te.evaluate_pairs(*PAIRS[:2], embeddings=of)
    assert run.per_query["same"].to_pylist() == [True, True, False, False]
    said = refused("E503", *PAIRS[:2], [0, 0, 1, 0], embeddings=of)
    assert "3 pairs against the labels" in said
    assert "at the command line a file without their column" in said


def test_of_several_labels_per_item_a_pair_of_the_same_shares_one():
    of = te.Embeddings(POINTS, [{"cat"}, {"cat", "pet"}, {"pet"}, {"pet", "car"}, {"car"}, {"van"}], ids=IDS)
    run = te.evaluate_pairs(*PAIRS[:2], embeddings=of)
    assert run.per_query["same"].to_pylist() == [True, True, False, True]
    assert "1 pair against the labels; first: pair 3" in refused("E503", *PAIRS, embeddings=of)


@pytest.mark.parametrize("same", [[True, True, False, False], ["1", "1", "0", "0"], ["true", "True", "FALSE", "false"]])
def test_truths_may_be_booleans_numbers_or_words(same):
    run = te.evaluate_pairs(*PAIRS[:2], same, embeddings=te.Embeddings(POINTS, ids=IDS))
    assert run.accounting["genuine_pairs"] == 2


def test_duplicates_are_counted_either_way_round_and_contradictions_refused():
    of = te.Embeddings(POINTS, ids=IDS)
    run = te.evaluate_pairs(["a", "b", "a"], ["b", "a", "c"], [1, 1, 0], embeddings=of)
    assert run.accounting["duplicates"] == 1
    assert any("Repeats of another pair: 1 of 3" in note for note in run.notes)
    assert "rows 0 and 1" in refused("E504", ["a", "b"], ["b", "a"], [1, 0], embeddings=of)
    said = refused("E504", list("dcaeb"), list("ebbda"), [1, 0, 0, 1, 1], embeddings=of)
    assert "1 pair given as same and as different; first: pairs 2 and 4 (0-based), of rows 0 and 1" in said


def test_an_item_is_not_compared_with_itself_but_equal_vectors_are_counted_and_said():
    assert "pair 1" in refused("E502", ["a", "b"], ["c", "b"], [0, 1], embeddings=te.Embeddings(POINTS, ids=IDS))
    run = te.evaluate_pairs([[0.0], [1.0], [2.0], [5.0]], [[0.0], [1.0], [3.0], [5.0]], [1, 0, 0, 1])
    assert run.accounting["zero_distance_pairs"] == {"same": 2, "different": 1}
    assert any("3 pairs at distance 0, 1 given as different" in note for note in run.notes)
    assert "Collapsed: every pair is at distance 0." not in run.notes
    collapsed = te.evaluate_pairs([[1.0], [1.0]], [[1.0], [1.0]], [1, 0])
    assert "Collapsed: every pair is at distance 0." in collapsed.notes


def test_what_does_not_exist_or_does_not_fit_is_refused():
    of = te.Embeddings(POINTS, ids=IDS)
    assert "'z' of pair 1" in refused("E501", ["a", "z"], ["b", "c"], [1, 0], embeddings=of)
    refused("E501", [0, 9], [1, 2], [1, 0], embeddings=POINTS)
    refused("E401", ["a"], ["b", "c"], [1, 0], embeddings=of, error=te.LabelError)
    refused("E401", ["a"], ["b"], [1, 0], embeddings=of, error=te.LabelError)
    refused("E401", ["a"], ["b"], embeddings=of, error=te.LabelError)
    refused("E401", [[0.0]], [[1.0]], error=te.LabelError)
    refused("E403", ["a"], ["b"], ["maybe"], embeddings=of, error=te.LabelError)
    assert "E403 2 of pair 0" in refused("E403", ["a"], ["b"], np.array([2]), embeddings=of, error=te.LabelError)
    refused("E306", [[0.0]], [[1.0, 2.0]], [1], error=te.DataError)
    refused("E201", [[np.nan]], [[1.0]], [1], error=te.DataError)
    refused("E301", [], [], [], embeddings=of, error=te.DataError)
    refused("E510", [[0.0]], [[1.0]], [1], distance="manhattan")
    refused("E511", [[0.0]], [[1.0]], [1], seed=-1)


def test_what_cannot_be_measured_is_removed_with_its_pairs():
    spoiled = [[np.nan, 1.0], *([[1.0, 1.0]] * 5)]
    for pairs in (([0], [1], [1]), (spoiled, spoiled, [1] * 6)):
        said = refused("E201", *pairs, embeddings=spoiled if len(pairs[0]) == 1 else None, error=te.DataError)
        assert said.endswith("remove these rows and the pairs they are part of")


@pytest.mark.parametrize("far", [0, -0.1, 1.5, float("nan"), "small", True])
def test_a_false_accept_rate_outside_its_range_is_refused(far):
    refused("E505", [[0.0]], [[1.0]], [1], fars=[far])
    with pytest.raises(te.ParameterError, match="E505"):
        te.evaluate(POINTS, [0, 0, 1, 1, 2, 2], fars=[far])


def test_one_kind_of_pair_leaves_rates_undefined_with_the_reason():
    run = te.evaluate_pairs([[0.0], [1.0]], [[1.0], [3.0]], [1, 1])
    assert np.isnan(run["auc"])
    assert run.metrics["tar@far=0.1"]["reason"] == "no impostor pair: one class only"
    assert run.verification == {}


def test_a_truth_the_wrong_way_round_is_suspected():
    rng = np.random.default_rng(0)
    a = rng.normal(size=(200, 1))
    b = a + np.repeat([0.1, 5.0], 100)[:, None]
    run = te.evaluate_pairs(a, b, np.repeat([False, True], 100))
    assert any("wrong way round" in note for note in run.notes)
    for same in (np.repeat([True, False], 100), np.tile([True, False], 100)):  # right, and chance
        assert not any("wrong way round" in note for note in te.evaluate_pairs(a, b, same).notes)


def test_folds_that_share_an_identity_are_refused_and_grouping_offered():
    of = te.Embeddings(POINTS, ids=IDS)
    said = refused("E520", *PAIRS, embeddings=of, folds=[0, 0, 1, 1])
    assert "4 identities" in said
    assert "'a' in 0 and 1" in said
    assert "--folds" not in said  # one group of pairs cannot be split, whatever is asked for
    assert "no folds can part" in said
    apart = ["a", "b", "c", "d"], ["b", "a", "d", "c"], [1, 1, 0, 0]
    assert "folds=2 (--folds 2)" in refused("E520", *apart, embeddings=of, folds=[0, 1, 0, 1])
    grouped = te.evaluate_pairs(*apart, embeddings=of, folds=2)
    assert (grouped.accounting["pairs"], grouped.accounting["folds"], grouped.settings["folds"]) == (4, 2, "grouped")
    assert te.evaluate_pairs(*apart, embeddings=of, folds=[0, 0, 1, 1]).settings["folds"] == "given"
    by_label = te.Embeddings(POINTS, ["p", "p", "q", "q", "r", "r"], ids=IDS)
    assert "'p'" in refused("E520", *PAIRS, embeddings=by_label, folds=[0, 0, 1, 1])
    refused("E520", *PAIRS, embeddings=of, folds=[0, 0, 0, 0])
    refused("E401", *PAIRS, embeddings=of, folds=[0, 1], error=te.LabelError)
    assert "1 group of pairs" in refused("E520", *PAIRS, embeddings=of, folds=3)
    refused("E520", *PAIRS, embeddings=of, folds=1)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=4, max_size=40), st.integers(2, 4))
def test_folds_made_here_share_no_identity_and_are_as_even_as_groups_allow(pairs, count):
    who = np.array(pairs)
    group = connected(who[:, 0], who)
    if len(np.unique(group)) < count:
        with pytest.raises(te.ParameterError, match="E520"):
            folds_of(count, who, list(range(31)))
        return
    folds = folds_of(count, who, list(range(31)))
    seen = [set(who[folds.codes == fold].ravel().tolist()) for fold in range(count)]
    assert all(seen)
    assert not any(seen[i] & seen[j] for i in range(count) for j in range(i))
    sizes = np.bincount(folds.codes)
    assert sizes.max() - sizes.min() <= np.bincount(group).max()


def test_a_fold_is_judged_by_the_threshold_of_the_others():
    rng = np.random.default_rng(1)
    distance, same, fold = rng.uniform(0, 2, 60), rng.integers(0, 2, 60), np.repeat(range(6), 10)
    distance = np.where(same, distance, distance + 0.7)
    a = np.stack([np.zeros(60), np.arange(60.0)], axis=1)
    run = te.evaluate_pairs(a, a + np.stack([distance, np.zeros(60)], axis=1), same, folds=fold)
    for entry in run.metrics["cv_accuracy"]["folds"]:
        held = fold == int(entry["fold"])
        cuts = np.unique(distance[~held])
        right = [((distance[~held] <= cut) == same[~held]).sum() for cut in [-1, *cuts]]
        best = [-1, *cuts][int(np.argmax(right))]
        nearest = cuts[cuts > best].min()
        assert best < entry["threshold"] < nearest
        assert entry["accuracy"] == pytest.approx(np.mean((distance <= entry["threshold"])[held] == same[held]))


@pytest.mark.parametrize(("value", "low", "high"), [(0.0, 0.0, 0.5), (1.0, 0.5, 1.0)])
def test_folds_that_are_all_wrong_or_all_right_have_the_rule_of_three(value, low, high):
    entries = {"cv_accuracy": {"value": value, "se": 0.0, "folds": [{}] * 6}, "auc": {"value": value}}
    found = with_fold_interval(entries, 0.95)
    assert (found["cv_accuracy"]["low"], found["cv_accuracy"]["high"]) == (low, high)
    assert (found["cv_accuracy"]["interval"], found["auc"]) == ("rule of three", {"value": value})


def test_a_fold_without_which_one_kind_is_missing_leaves_the_accuracy_undefined():
    a = np.arange(8.0).reshape(4, 2)
    entry = te.evaluate_pairs(a, a + 1, [1, 1, 0, 0], folds=[0, 0, 1, 1]).metrics["cv_accuracy"]
    assert entry["value"] is None
    assert "one kind" in entry["reason"]


def test_a_run_of_pairs_comes_back_from_disk(tmp_path):
    of = te.Embeddings(POINTS, ids=IDS)
    run = te.evaluate_pairs(["a", "c", "e"], ["b", "d", "f"], [1, 0, 1], embeddings=of, folds=3)
    run.save(tmp_path / "run")
    back = te.load(tmp_path / "run")
    assert back.result_hash == run.result_hash
    assert back.metrics == run.metrics
    assert back.verification == run.verification
