"""Intervals of the numbers of all pairs: identities are drawn again, whatever made the pairs."""

import math

import numpy as np
import pytest
from scipy import stats

import tripleteval as te
from tripleteval.engine import unit_pairs
from tripleteval.evaluation import pair_units
from tripleteval.metrics import parse
from tripleteval.uncertainty.vertices import resampled

RANDOM = np.random.default_rng(8)
LABELS = np.repeat(np.arange(40), 5)
POINTS = RANDOM.normal(size=(40, 4))[LABELS] + 0.7 * RANDOM.normal(size=(200, 4))
FARS = (0.1, 0.01)
NAMES = ("auc", "eer", "overlap", "d_prime", *(f"{name}@far={far}" for name in ("tar", "threshold") for far in FARS))


def of_classes(classes: int, **how) -> te.Evaluation:
    some = classes > LABELS
    return te.evaluate(POINTS[some], LABELS[some], fars=FARS, **how)


def numbers(drawn: list[int]) -> dict[str, float]:
    """Return the numbers of the pairs of drawn classes, copies of one class never meeting as impostors."""
    distances = np.sqrt(((POINTS[:, None] - POINTS) ** 2).sum(axis=2))
    times = np.bincount(drawn, minlength=40)[LABELS]
    upper, same = np.triu(np.ones((200, 200), bool), 1), LABELS[:, None] == LABELS
    genuine = np.repeat(distances[same & upper], np.broadcast_to(times, (200, 200))[same & upper])
    impostor = np.repeat(distances[~same & upper], np.outer(times, times)[~same & upper])
    cuts = np.sort(impostor)
    found = {f"{kind}_quantile@share=0.5": np.median(d) for kind, d in (("intra", genuine), ("inter", impostor))}
    found |= {"d_prime": (impostor.mean() - genuine.mean()) / math.sqrt((impostor.var() + genuine.var()) / 2)}
    found["auc"] = 1 - np.searchsorted(cuts, genuine).mean() / len(cuts)
    for far in FARS:
        cut = cuts[int(far * len(cuts))]
        found |= {f"tar@far={far}": np.mean(genuine < cut), f"threshold@far={far}": cut}
    return found


def test_the_intervals_are_as_wide_as_resampling_the_identities_themselves():
    run = of_classes(40)
    random = np.random.default_rng(0)
    drawn = [numbers(random.integers(0, 40, 40)) for _ in range(300)]
    for name in drawn[0]:
        low, high = run.interval(name)
        expected = 2 * 1.96 * np.std([values[name] for values in drawn])
        assert high - low == pytest.approx(expected, rel=0.25), name
        assert low < run[name] < high
        assert run.metrics[name]["interval"] == ("studentised bootstrap" if name == "d_prime" else "bootstrap")
        assert run.metrics[name]["units"] == 40


def test_d_prime_strays_in_standard_errors_of_each_resample():
    """The same on pairs of classes themselves, each resample with a jackknife of its own."""
    distances = np.sqrt(((POINTS[:, None] - POINTS) ** 2).sum(axis=2))
    powers = np.stack([np.ones_like(distances), distances, distances**2]) * (1 - np.eye(200))
    by_class = powers.reshape(3, 40, 5, 40, 5).sum(axis=(2, 4))
    genuine, impostor = np.einsum("kcc->kc", by_class) / 2, by_class * (1 - np.eye(40))

    def number(w):
        (n, g, gg), (m, i, ii) = genuine @ w, w @ impostor @ w
        return (i / m - g / n) / math.sqrt((gg / n - (g / n) ** 2 + ii / m - (i / m) ** 2) / 2)

    def error(w):
        without = np.array([number(w - np.eye(40)[c]) if w[c] else 0.0 for c in range(40)])
        return math.sqrt(39 / 40 * (w * (without - w @ without / 40) ** 2).sum())

    once = np.ones(40)
    drawn = resampled(40, 0, "interval")[:400]
    strays = [(number(w) - number(once)) / error(w) for w in drawn]
    low, high = np.quantile(strays, [0.025, 0.975])
    run = of_classes(40)
    width = (high - low) * error(once)
    expected = run["d_prime"] - high * error(once), run["d_prime"] - low * error(once)
    assert run.interval("d_prime") == pytest.approx(expected, abs=0.08 * width)


def test_with_few_identities_it_is_a_t_interval_and_with_fewer_none():
    run = of_classes(8)
    assert {run.metrics[name]["interval"] for name in NAMES} <= {"t", "rule of three"}
    assert all(run.interval(name)[0] <= run[name] <= run.interval(name)[1] for name in NAMES)
    assert all(0 <= run.interval(name)[0] <= run.interval(name)[1] <= 1 for name in NAMES[:3])
    none = of_classes(4)
    assert {none.metrics[name]["interval_reason"] for name in NAMES} == {"4 classes, and an interval needs 5"}


def test_the_interval_of_d_prime_is_as_wide_as_resampling_groups_whose_pairs_have_two():
    group = np.arange(200) % 25
    run = te.evaluate(te.Embeddings(POINTS, LABELS, groups=group), unit="group", fars=FARS)
    a, b = np.triu_indices(200, 1)
    distances, same, random = np.sqrt(((POINTS[a] - POINTS[b]) ** 2).sum(axis=1)), LABELS[a] == LABELS[b], []
    for drawn in np.random.default_rng(0).integers(0, 25, (200, 25)):
        times = np.bincount(drawn, minlength=25)[group]
        weights, found = times[a] * times[b], []
        for kind in (same, ~same):
            mean = np.average(distances[kind], weights=weights[kind])
            found.append((mean, np.average((distances[kind] - mean) ** 2, weights=weights[kind])))
        random.append((found[1][0] - found[0][0]) / math.sqrt((found[0][1] + found[1][1]) / 2))
    low, high = run.interval("d_prime")
    assert high - low == pytest.approx(2 * 1.96 * np.std(random), rel=0.2)


def test_only_shares_of_0_and_1_are_all_or_none():
    at = np.repeat(10.0 * np.arange(60), 2)
    points = np.stack([at, np.stack([np.zeros(60), np.tile([0.5, 1.0, 1.0, 1.5], 15)], axis=1).ravel()], axis=1)
    first, other = np.arange(0, 120, 2), np.arange(0, 120, 2) + 1  # of each identity
    run = te.evaluate_pairs(
        np.r_[first, first[:-1]], np.r_[other, first[1:]], np.arange(119) < 60, embeddings=points
    ).metrics
    for name, interval in (("auc", "rule of three"), ("intra_quantile@share=0.5", "bootstrap")):
        assert (run[name]["value"], run[name]["interval"]) == (1.0, interval)


def test_classes_of_one_item_are_no_units_of_numbers_that_take_pairs_of_both_kinds():
    labels = np.where(LABELS < 10, LABELS, 10 + np.arange(200))  # 10 classes of five, and 150 of one
    run = te.evaluate(POINTS[:90], labels[:90], fars=FARS)
    for name in ("auc", "eer", "d_prime", "tar@far=0.1"):
        assert (run.metrics[name]["units"], run.metrics[name]["interval"]) == (10, "t")


def test_pseudo_values_follow_what_leaving_out_each_class_does_and_vary_as_the_jackknife_says():
    run = of_classes(8)
    values = run.per_unit["d_prime"].to_numpy()
    without = [numbers([c for c in range(8) if c != left])["d_prime"] for left in range(8)]
    assert np.corrcoef(values, without)[0, 1] < -0.95
    assert values.mean() == pytest.approx(run["d_prime"])
    low, high = run.interval("d_prime")
    assert (high - low) / 2 == pytest.approx(stats.t.ppf(0.975, 7) * stats.sem(values))


def test_the_same_whatever_the_order_of_the_work_and_another_for_another_seed(monkeypatch):
    monkeypatch.setattr(unit_pairs, "BLOCK", 10)
    monkeypatch.setattr(unit_pairs, "MOST_PAIRS", 200 * 10 * 3)  # a sample, too
    hashes = {of_classes(40, **how).result_hash for how in ({}, {"threads": 1}, {"map": map}, {"kernel": "cpu"})}
    assert len(hashes) == 1
    assert of_classes(40, seed=1).interval("eer") != of_classes(40).interval("eer")


def test_a_sample_of_the_pairs_gives_nearly_the_interval_of_all(monkeypatch):
    whole = of_classes(40)
    monkeypatch.setattr(unit_pairs, "BLOCK", 10)
    monkeypatch.setattr(unit_pairs, "MOST_PAIRS", 200 * 10 * 6)
    part = of_classes(40)
    for name in ("auc", "eer", "tar@far=0.1", "threshold@far=0.1"):
        assert part[name] == whole[name]
        width, expected = (np.subtract(*run.interval(name)) for run in (part, whole))
        assert width == pytest.approx(expected, rel=0.3), name


def test_more_units_than_can_be_followed_are_put_together_at_random(monkeypatch):
    whole = of_classes(40)
    monkeypatch.setattr(pair_units, "MOST_UNITS", 25)
    part = of_classes(40)
    assert part.metrics["eer"]["units"] == 40
    assert np.subtract(*part.interval("eer")) == pytest.approx(np.subtract(*whole.interval("eer")), rel=0.5)


def test_where_nothing_is_wrong_the_bound_is_three_over_the_identities():
    apart = 100.0 * LABELS[:, None] + POINTS
    run = te.evaluate(apart, LABELS, fars=FARS)
    assert (run["eer"], run.interval("eer")) == (0.0, (0.0, 3 / 40))
    assert (run["tar@far=0.01"], run.interval("tar@far=0.01")) == (1.0, (1 - 3 / 40, 1.0))


def test_a_rate_at_which_everything_may_be_accepted_says_nothing_of_a_model():
    run = te.evaluate(POINTS, LABELS, fars=(1.0,))
    entry = run.metrics["tar@far=1"]
    assert (entry["value"], entry["low"], entry["interval_reason"]) == (1.0, None, "every ranking gives this value")
    assert "The same for every ranking, and so without an interval: tar@far=1." in run.notes


def test_too_few_impostors_for_a_rate_give_no_interval():
    run = te.evaluate(POINTS[:100], LABELS[:100], fars=(1e-5,))
    assert run.metrics["tar@far=1e-05"]["below_resolution"]
    assert "so few impostors" in run.metrics["tar@far=1e-05"]["interval_reason"]


@pytest.mark.parametrize(("unit", "noun", "units"), [("query", "item", 200), ("group", "group", 25)])
def test_another_unit(unit, noun, units):
    embeddings = te.Embeddings(POINTS, LABELS, groups=np.arange(200) % 25)
    run = te.evaluate(embeddings, unit=unit, fars=FARS)
    assert run.metrics["eer"]["units"] == units
    low, high = run.interval("eer")
    assert low < run["eer"] < high
    if noun == "item":  # photos of these very people: narrower
        assert high - low < np.subtract(*of_classes(40).interval("eer")[::-1])


def test_every_number_of_pairs_has_an_interval_or_says_why_not():
    run = of_classes(40)
    of_pairs = [name for name in run if parse(name).metric.of == "pairs"]
    assert set(NAMES) < set(of_pairs)
    for name in of_pairs:
        assert run.metrics[name]["interval"] or run.metrics[name]["interval_reason"], name


def test_given_pairs_have_the_intervals_of_all_pairs_where_they_are_all_pairs():
    a, b = np.triu_indices(200, 1)
    listed = te.evaluate_pairs(a, b, embeddings=te.Embeddings(POINTS, LABELS), fars=FARS)
    whole = of_classes(40)
    for name in NAMES:
        low, high = whole.interval(name)
        assert listed.interval(name) == pytest.approx((low, high), abs=0.02 * (high - low))  # followed elsewhere
    assert listed.settings["unit"] == "identity"


def test_pairs_of_the_same_make_an_identity_where_there_are_no_labels():
    same = LABELS[:100, None] == LABELS[:100]
    a, b = np.nonzero(np.triu(np.ones((100, 100), bool), 1) & ((np.arange(100)[:, None] + 1 == np.arange(100)) | ~same))
    listed = te.evaluate_pairs(a, b, same[a, b], embeddings=POINTS[:100], fars=FARS)
    assert listed.metrics["eer"]["units"] == 20
