"""Two runs of the same given triplets: by the classes of their anchors, or anchor by anchor."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

import tripleteval as te
from tripleteval.errors import ParameterError
from tripleteval.report.wording import number

CLASSES, EACH = 8, 6
LABELS = np.repeat(np.arange(CLASSES), EACH)
NAMES = np.array([f"item-{row:02}" for row in range(len(LABELS))])
MARGINS = (0.0, 0.5)


def triplets() -> np.ndarray:
    """Return (150, 3) rows: more triplets of some classes than of others, and some twice."""
    random = np.random.default_rng(1)
    anchor = random.integers(0, len(LABELS), 300)
    anchor = anchor[random.random(300) < 0.2 + LABELS[anchor] / 10][:150]
    positive = anchor // EACH * EACH + (anchor + random.integers(1, EACH, 150)) % EACH
    negative = (LABELS[anchor] + random.integers(1, CLASSES, 150)) % CLASSES * EACH + random.integers(0, EACH, 150)
    return np.stack([anchor, positive, negative], axis=1)


GIVEN = triplets()
WEIGHTS = np.random.default_rng(2).integers(0, 4, len(GIVEN)) / 2


def points(seed: int, noise: float) -> np.ndarray:
    centres = np.random.default_rng(9).normal(size=(CLASSES, 8))
    return centres[LABELS] + noise * np.random.default_rng(seed).normal(size=(len(LABELS), 8))


OLD, NEW = points(1, 2.4), points(2, 1.7)


def measured(vectors=OLD, given=GIVEN, labels=LABELS, ids=None, **how) -> te.Evaluation:
    items = te.Embeddings(vectors, labels, ids=ids)
    return te.evaluate_triplets(*given.T, embeddings=items, **{"margins": MARGINS, **how})


@pytest.fixture(scope="module")
def runs() -> tuple[te.Evaluation, te.Evaluation]:
    return measured(), measured(NEW)


def halves(vectors: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the numerator and denominator that each triplet adds to a number, from its definition."""
    family, _, margin = name.partition("@margin=")
    m = float(margin or 0)
    near, far = (np.linalg.norm(vectors[GIVEN[:, 0]] - vectors[GIVEN[:, side]], axis=1) for side in (1, 2))
    loss = np.maximum(near - far + m, 0)
    each = {
        "triplet_accuracy": (near < far) + (near == far) / 2,
        "triplet_satisfied": near + m < far,
        "easy": near + m < far,
        "at_margin": near + m == far,
        "semi_hard": (near < far) & (far <= near + m),
        "hard": far <= near,
        "triplet_loss": loss,
        "triplet_loss_nonzero": loss,
    }[family]
    return each.astype(float), (loss > 0 if family == "triplet_loss_nonzero" else np.ones(len(loss))).astype(float)


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["alike", "weighted"])
def test_every_difference_and_its_p_are_those_of_the_definition(weights):
    found = te.compare(measured(weights=weights), measured(NEW, weights=weights))
    assert found.metrics.keys() == measured().metrics.keys()
    weighed = np.ones(len(GIVEN)) if weights is None else weights
    of_class = LABELS[GIVEN[:, 0]] == np.arange(CLASSES)[:, None]
    for name, entry in found.metrics.items():
        sides = [
            of_class @ (np.stack(each, axis=1) * weighed[:, None]) for each in (halves(OLD, name), halves(NEW, name))
        ]
        shared = (sides[0][:, 1] > 0) & (
            sides[1][:, 1] > 0
        )  # classes with an active triplet in both, where it takes one
        (part, whole), (other, other_whole) = (side[shared].T for side in sides)
        one, two = part.sum() / whole.sum(), other.sum() / other_whole.sum()
        assert (entry["a"], entry["b"]) == pytest.approx((one, two)), name
        assert entry["difference"] == pytest.approx(two - one, abs=1e-15), name
        added = other / other_whole.sum() - part / whole.sum()
        flipped = np.abs(np.array(list(itertools.product((-1, 1), repeat=len(added)))) @ added)
        assert entry["p"] == (flipped >= abs(added.sum()) - 1e-12).mean(), name
        # The linearised error of the difference of two ratios: below 20 units, a t interval.
        residuals = (other - two * other_whole) / other_whole.sum() - (part - one * whole) / whole.sum()
        half = math.sqrt(len(added) / (len(added) - 1) * (residuals**2).sum()) * stats.t.ppf(0.975, len(added) - 1)
        assert (entry["low"], entry["high"]) == pytest.approx((two - one - half, two - one + half), abs=1e-12), name
        assert (entry["interval"], entry["units"]) == ("t", len(added))
    listed = sorted(entry["p"] for entry in found.metrics.values())
    holm = np.minimum(np.maximum.accumulate(np.array(listed) * np.arange(len(listed), 0, -1)), 1)
    assert sorted(entry["p_holm"] for entry in found.metrics.values()) == pytest.approx(holm)
    assert (found.primary, found.settings["unit"]) == ("triplet_accuracy", "class")


def test_values_and_directions_are_those_of_the_runs(runs):
    for name, entry in te.compare(*runs).metrics.items():
        assert entry["better"] == runs[0].metrics[name]["better"]
        if name != "triplet_loss_nonzero@margin=0":  # of which one class has nothing in one of the runs
            assert (entry["a"], entry["b"]) == pytest.approx((runs[0][name], runs[1][name]), rel=1e-14), name


def test_a_run_against_itself_is_not_distinguishable(runs):
    found = te.compare(runs[0], runs[0])
    assert found.outcome == "not distinguishable"
    assert {(entry["difference"], entry["p"]) for entry in found.metrics.values()} == {(0.0, 1.0)}
    assert set(found.queries["change"].to_pylist()) == {""}


@pytest.mark.parametrize("primary", ["triplet_accuracy", "hard@margin=0.5", "triplet_loss@margin=0.5"])
def test_a_run_that_is_better_in_every_class_is_better_and_the_other_way_round_worse(primary):
    perfect = measured(np.eye(CLASSES)[LABELS] * 9)
    assert te.compare(measured(), perfect, primary=primary).outcome == "better"
    assert te.compare(perfect, measured(), primary=primary).outcome == "worse"
    assert "over 8 classes, p = 0.0078" in te.compare(measured(), perfect, primary=primary).verdict


def test_many_units_are_drawn_again_for_both_runs_at_once():
    one, two = measured(labels=None), measured(NEW, labels=None)
    entry = te.compare(one, two).metrics["triplet_accuracy"]
    anchors = np.unique(GIVEN[:, 0])
    assert (entry["interval"], entry["units"]) == ("bootstrap", len(anchors))
    of_anchor = GIVEN[:, 0] == anchors[:, None]
    change, count = (
        of_anchor @ (halves(NEW, "triplet_accuracy")[0] - halves(OLD, "triplet_accuracy")[0]),
        of_anchor.sum(1),
    )
    times = np.random.default_rng(0).multinomial(len(anchors), np.full(len(anchors), 1 / len(anchors)), 20_000)
    drawn = (times @ change) / (times @ count)
    assert (entry["low"], entry["high"]) == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.02)


@pytest.mark.parametrize("primary", ["triplet_accuracy", "triplet_satisfied@margin=0.5", "triplet_loss@margin=0.5"])
def test_fixed_and_broken_are_the_triplets_satisfied_in_one_run_only(runs, primary):
    found = te.compare(*runs, primary=primary)
    satisfied = "triplet_satisfied@margin=0.5" if "@" in primary else "triplet_satisfied@margin=0"
    before, after = (halves(vectors, satisfied)[0] for vectors in (OLD, NEW))
    changed = found.queries.sort_by("query")
    assert changed["change"].to_pylist() == [{1: "fixed", 0: "", -1: "broken"}[sign] for sign in after - before]
    assert np.stack([changed[role].to_numpy() for role in ("anchor", "positive", "negative")], axis=1).tolist() == (
        GIVEN.tolist()
    )
    for column, vectors in (("a", OLD), ("b", NEW)):
        assert changed[column].to_numpy() == pytest.approx(halves(vectors, primary)[0])
    worst = found.queries["difference"].to_numpy() * (-1 if "loss" in primary else 1)
    assert (np.diff(worst) >= 0).all()  # the greatest loss first
    by_class = found.classes["difference"].to_numpy() * (-1 if "loss" in primary else 1)
    assert (np.diff(by_class) >= 0).all()
    assert sum(found.classes["fixed"].to_pylist()) == (after > before).sum()
    assert found.classes.num_rows == CLASSES


@pytest.mark.parametrize("primary", ["triplet_accuracy", "triplet_loss@margin=0.5", "triplet_loss_nonzero@margin=0.5"])
@pytest.mark.parametrize("scale", [1.0, 1e308])
def test_the_means_of_a_class_are_weighted_as_every_number_is(primary, scale):
    weights = WEIGHTS / 2 * scale  # of which some are 0: those triplets count nowhere
    found = te.compare(measured(weights=weights), measured(NEW, weights=weights), primary=primary)
    assert np.array_equal(found.queries.sort_by("query")["weight"].to_numpy(), weights)
    (one, some), (two, others) = (halves(vectors, primary) for vectors in (OLD, NEW))
    kept = (weights > 0) & (some > 0) & (others > 0)
    assert found.classes.column_names == ["label", "triplets", "a", "b", "difference", "fixed", "broken"]
    assert sum(found.classes["triplets"].to_pylist()) == kept.sum()
    for row in found.classes.to_pylist():
        inside = kept & (LABELS[GIVEN[:, 0]] == int(row["label"]))
        means = [np.average(values[inside], weights=WEIGHTS[inside]) for values in (one, two)]
        assert (row["a"], row["b"]) == pytest.approx(means)
        assert row["difference"] == pytest.approx(means[1] - means[0])
        assert row["triplets"] == inside.sum()


def test_what_is_counted_are_triplets_and_without_weights_none_are_listed(runs):
    found = te.compare(*runs)
    entry = found.metrics["triplet_accuracy"]
    assert entry["triplets"] == len(GIVEN)
    assert "queries" not in entry
    assert "weight" not in found.queries.column_names
    assert "triplets" in te.differences.sections.sections(found)[-1].tables[0].columns


def test_a_tie_is_not_in_order():
    """A collapsed model has every triplet tied, at half credit; what was in order is broken by it."""
    found = te.compare(measured(), measured(np.ones((len(LABELS), 2))))
    in_order = int(halves(OLD, "triplet_satisfied@margin=0")[0].sum())
    assert found.queries["change"].to_pylist().count("broken") == in_order
    assert "fixed" not in found.queries["change"].to_pylist()


def test_triplets_are_matched_by_id_and_by_row_in_any_order(runs):
    order = np.random.default_rng(3).permutation(len(GIVEN))
    expected = te.compare(*runs)
    assert te.compare(runs[0], measured(NEW, GIVEN[order])).metrics == expected.metrics
    assert expected.paired == "row"
    assert "Triplets were matched by row, because a run has no ids; no label differs." in expected.notes
    moved = np.random.default_rng(4).permutation(len(LABELS))  # where each item stands in the second file
    place = np.argsort(moved)
    other = measured(NEW[moved], place[GIVEN[order]], LABELS[moved], NAMES[moved])
    found = te.compare(measured(ids=NAMES), other)
    assert (found.metrics, found.paired, found.notes) == (expected.metrics, "id", [])
    assert found.queries["anchor"].to_pylist() == [NAMES[row] for row in expected.queries["anchor"].to_pylist()]


def test_one_run_that_knows_the_classes_is_enough(runs):
    for pair in ((runs[0], measured(NEW, labels=None)), (measured(labels=None), runs[1])):
        assert te.compare(*pair).metrics == te.compare(*runs).metrics


def test_vectors_are_matched_by_place_and_anchors_by_what_either_model_tells_apart():
    by_vectors = [
        te.evaluate_triplets(*(vectors[GIVEN[:, side]] for side in range(3)), margins=MARGINS) for vectors in (OLD, NEW)
    ]
    by_rows = measured(labels=None), measured(NEW, labels=None)
    expected = te.compare(*by_rows).metrics
    for name, entry in te.compare(*by_vectors).metrics.items():
        assert entry["difference"] == pytest.approx(expected[name]["difference"], rel=1e-9), name
        assert entry["units"] == expected[name]["units"]
    assert te.compare(by_vectors[0], by_rows[1])["triplet_accuracy"] == te.compare(*by_rows)["triplet_accuracy"]
    collapsed = te.evaluate_triplets(*np.ones((3, len(GIVEN), 2)), margins=MARGINS)
    entry = te.compare(by_vectors[0], collapsed).metrics["triplet_accuracy"]
    assert entry["units"] == len(np.unique(GIVEN[:, 0]))
    assert te.compare(collapsed, collapsed).metrics["triplet_accuracy"]["reason"] == "1 anchor, and an interval needs 5"


def test_runs_of_different_triplets_are_refused_with_how_many_differ(runs):
    swapped = GIVEN.copy()
    swapped[:3] = swapped[:3, [1, 0, 2]]
    with pytest.raises(
        ParameterError, match=r"E512 runs with different triplets: 3 only in the first, 3 only in the s"
    ):
        te.compare(runs[0], measured(NEW, swapped))
    twice = np.concatenate([GIVEN, GIVEN[:2]])
    anchor, positive, negative = GIVEN[0].tolist()
    example = (
        f"0 only in the first, 2 only in the second; .* anchor {anchor}, positive {positive}, negative {negative} .*"
    )
    with pytest.raises(ParameterError, match=rf"{example}the same triplets, with the same weights, or .*--unpaired"):
        te.compare(runs[0], measured(NEW, twice))
    with pytest.raises(ParameterError, match="anchor 'item-"):
        te.compare(measured(ids=NAMES), measured(NEW, swapped, ids=NAMES))
    with pytest.raises(ParameterError, match="E512 runs with different triplets: 1 only in the first"):
        te.compare(measured(weights=WEIGHTS), measured(NEW, weights=[9, *WEIGHTS[1:]]))
    sides = [OLD[GIVEN[:, side]] for side in range(3)]
    fewer = te.evaluate_triplets(*(side[:-4] for side in sides))
    with pytest.raises(ParameterError, match="4 only in the first, 0 only in the second; for example triplet 146"):
        te.compare(te.evaluate_triplets(*sides), fewer)
    with pytest.raises(ParameterError, match="E512 runs with different triplets: .* have another label in the second"):
        te.compare(runs[0], measured(NEW, labels=LABELS + 1))


def test_what_cannot_be_compared_is_refused_with_the_reason(runs):
    ranked = te.evaluate([[0.0], [1.0], [3.0], [4.0]], [0, 0, 1, 1])
    for pair in ((runs[0], ranked), (ranked, runs[0])):
        with pytest.raises(ParameterError, match="E101 one run of given triplets and one of another kind"):
            te.compare(*pair)
    with pytest.raises(ParameterError, match="E101 unit='query' for runs of given triplets · .* the class of the anch"):
        te.compare(*runs, unit="query")
    with pytest.raises(ParameterError, match="E510 unit='anchor' for runs of queries"):
        te.compare(ranked, ranked, unit="anchor")
    with pytest.raises(ParameterError, match="E510 no metric 'easy@margin=0.3' in both runs"):
        te.compare(*runs, metrics=["easy@margin=0.3"])
    early = te.Evaluation(**{**vars(runs[0]), "per_query": runs[0].per_query.drop_columns(["label"])})
    with pytest.raises(ParameterError, match="E101 b does not say which class or anchor .*evaluate it again"):
        te.compare(runs[0], early)


def test_the_unit_may_be_the_anchor(runs):
    found = te.compare(*runs, unit="anchor")
    assert found.settings["unit"] == "anchor"
    assert found.metrics == te.compare(measured(labels=None), measured(NEW, labels=None)).metrics


def test_unpaired_runs_have_other_triplets_and_wider_intervals(runs):
    found = te.compare(runs[0], measured(NEW, GIVEN[:100]), paired=False)
    entry = found.metrics["triplet_accuracy"]
    assert entry["difference"] == pytest.approx(
        measured(NEW, GIVEN[:100])["triplet_accuracy"] - runs[0]["triplet_accuracy"]
    )
    assert (entry["p"], found.queries) == (None, None)
    apart, paired = (te.compare(runs[0], runs[0], paired=each).metrics["triplet_accuracy"] for each in (False, True))
    assert apart["low"] < paired["low"] == paired["high"] == 0 < apart["high"]


def test_weights_of_any_size_are_compared():
    small, large = (te.compare(*(measured(v, weights=w * WEIGHTS) for v in (OLD, NEW))) for w in (1.0, 2.0**1022))
    assert small.metrics == large.metrics


def test_what_a_run_folder_keeps_is_enough(runs, tmp_path):
    loaded = [te.load(run.save(tmp_path / name)) for name, run in zip("ab", runs, strict=True)]
    assert te.compare(*loaded).metrics == te.compare(*runs).metrics
    te.compare(*loaded).save(tmp_path / "found")
    import pyarrow.parquet as pq

    kept = pq.read_table(tmp_path / "found" / "queries.parquet")
    assert {"query", "query_b", "anchor", "positive", "negative", "label", "change"} <= set(kept.column_names)
    assert {"fixed", "broken"} <= set(kept["change"].to_pylist())


def test_where_a_number_is_not_that_of_the_runs_a_note_says_which_units_it_is_over():
    better = np.where(LABELS[:, None] == 0, 30.0, NEW)  # the triplets of class 0 cost nothing any more
    one, two = measured(margins=(0.0,)), measured(better, margins=(0.0,))
    found, name = te.compare(one, two), "triplet_loss_nonzero@margin=0"
    entry = found.metrics[name]
    assert entry["a"] != pytest.approx(one[name])
    (note,) = [note for note in found.notes if note.startswith("triplet_loss_nonzero")]
    assert f"over the {entry['units']} classes where both runs have it" in note
    assert f"it is {number(one[name])} in the first and {number(two[name])} in the second" in note
    assert not any("where both runs have it" in note for note in te.compare(one, one).notes)
