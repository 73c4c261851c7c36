"""Numbers of all pairs compared: what each identity makes of them, in both runs."""

import math

import numpy as np
import pytest

import tripleteval as te
from tripleteval.evaluation import pair_units

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
        values = np.array(run.per_unit[name].to_pylist())
        assert values.mean() == pytest.approx(run[name])
        low, high = run.interval(name)
        assert 2 * 1.96 * values.std(ddof=1) / math.sqrt(30) == pytest.approx(high - low, rel=0.35)


def test_they_stand_beside_their_unit():
    """A class whose items are far apart is what makes the error rate high."""
    wild = LABELS == "p7"
    points = MIDDLE + np.where(wild, 3.0, 0.3)[:, None] * NOISE
    table = te.evaluate(points, LABELS).per_unit
    worst = int(np.argmax(table["eer"].to_numpy()))
    assert table["class"][worst].as_py() == "p7"


def read_off(distances, same, weights):
    """Return the numbers of pairs that count as often as they weigh."""
    order = np.argsort(distances, kind="stable")
    genuine, impostor = ((weights * kind)[order] for kind in (same, ~same))
    tar, far = (np.cumsum(side) / side.sum() for side in (genuine, impostor))
    found = {f"tar@far={f}": tar[np.searchsorted(far, f, side="right") - 1] for f in (0.1, 0.01)}
    return found | {"auc": (impostor * tar).sum() / impostor.sum(), "eer": far[np.argmax(1 - tar <= far)]}


def redrawn(distances, one, two):
    """Return the standard deviation of each difference when the identities of the pairs are drawn again for both."""
    same, random, drawn, units = one == two, np.random.default_rng(1), [], max(one.max(), two.max()) + 1
    for _ in range(200):
        times = np.bincount(random.integers(0, units, units), minlength=units)
        weights = np.where(same, times[one], times[one] * times[two])
        first, second = (read_off(d, same, weights) for d in distances)
        drawn.append([second[name] - first[name] for name in NAMES])
    return dict(zip(NAMES, np.std(drawn, axis=0), strict=True))


def test_differences_vary_as_when_the_identities_themselves_are_drawn_again_for_both():
    a, b = evaluated(1.0), evaluated(0.9, extra=0.4, seed=5)
    points = [MIDDLE + NOISE, MIDDLE + 0.9 * NOISE + 0.4 * np.random.default_rng(5).normal(size=NOISE.shape)]
    who = np.unique(LABELS, return_inverse=True)[1]
    one, two = np.triu_indices(len(who), 1)
    distances = [np.linalg.norm(p[one] - p[two], axis=1) for p in points]
    for name, sd in redrawn(distances, who[one], who[two]).items():
        values = [np.array(run.per_unit[name].to_pylist()) for run in (a, b)]
        assert (values[1] - values[0]).std(ddof=1) / math.sqrt(30) == pytest.approx(sd, rel=0.25), name


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


def test_they_are_compared_without_being_asked_for_where_both_runs_keep_them():
    a, b = evaluated(1.0, fars=(0.1, 0.02)), evaluated(0.7, fars=(0.1, 0.02))
    of_pairs = ["tar@far=0.1", "tar@far=0.02", "eer", "auc", "d_prime"]
    found = te.compare(a, b)
    assert list(found)[-5:] == of_pairs
    assert (found.primary, next(iter(found))) == ("map@r", "map@r")
    alone = te.compare(a, b, metrics=of_pairs)
    for name in of_pairs:
        assert found.metrics[name]["p"] == alone.metrics[name]["p"]
        assert found.metrics[name]["p_holm"] >= alone.metrics[name]["p_holm"]  # adjusted for all that are listed
        assert found.metrics[name]["low"] is not None
    without = evaluated(0.7, verification=False), evaluated(0.7, unit="query")
    for other in (*(te.compare(a, each) for each in without), te.compare(a, b, unit="query")):
        assert not set(of_pairs) & set(other)
    other_rates = te.compare(a, evaluated(0.7, fars=(0.1, 0.05)))
    assert [name for name in other_rates if name.startswith("tar")] == ["tar@far=0.1"]


def test_other_queries_have_classes_of_their_own():
    a, b = evaluated(1.0), evaluated(0.7)
    paired, alone = te.compare(a, b, metrics=["auc"]), te.compare(a, b, metrics=["auc"], paired=False)
    entry = alone.metrics["auc"]
    assert (entry["p"], entry["units"]) == (None, 30)
    assert entry["difference"] == pytest.approx(b["auc"] - a["auc"])
    width = math.hypot(*(np.subtract(*run.interval("auc")) for run in (a, b)))
    assert entry["high"] - entry["low"] == pytest.approx(width, rel=0.3)
    assert entry["high"] - entry["low"] > paired.metrics["auc"]["high"] - paired.metrics["auc"]["low"]


GALLERY = MIDDLE + RANDOM.normal(size=MIDDLE.shape)
GROUPS = np.array([f"g{int(label[1:]) % 12}" for label in LABELS])


EVERYBODY = np.append(LABELS, [f"s{n}" for n in range(10)])


def sides(noise: float, extra: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return queries, and a gallery of the same people and 10 others, as a model of their own sees them."""
    other = extra * np.random.default_rng(seed).normal(size=NOISE.shape)
    strangers = np.random.default_rng(2).normal(size=(10, 6))
    return MIDDLE + noise * NOISE + other, np.concatenate([GALLERY + 0.3 * other[::-1], strangers])


def among_others(noise: float, extra: float = 0.0, seed: int = 0) -> te.Evaluation:
    asked, gallery = sides(noise, extra, seed)
    return te.evaluate(te.Embeddings(asked, LABELS), gallery=te.Embeddings(gallery, EVERYBODY))


def test_queries_in_a_gallery_are_compared_by_everybody_who_is_there():
    models = [(1.0, 0.0, 0), (0.9, 0.4, 5)]
    a, b = (among_others(*model) for model in models)
    assert a.per_unit["class"].to_pylist() == sorted(set(EVERYBODY.tolist()))
    found = te.compare(a, b)
    who = np.unique(EVERYBODY, return_inverse=True)[1]
    one, two = np.repeat(np.arange(len(LABELS)), len(who)), np.tile(np.arange(len(who)), len(LABELS))
    distances = [np.linalg.norm(q[one] - g[two], axis=1) for q, g in (sides(*model) for model in models)]
    for name, sd in redrawn(distances, who[one], who[two]).items():
        values = [np.array(run.per_unit[name].to_pylist()) for run in (a, b)]
        assert values[0].mean() == pytest.approx(a[name])
        assert (values[1] - values[0]).std(ddof=1) / math.sqrt(40) == pytest.approx(sd, rel=0.3), name
    for name in ("tar@far=0.1", "tar@far=0.01", "eer", "auc", "d_prime"):
        entry = found.metrics[name]
        assert entry["units"] == 40
        assert entry["low"] < entry["difference"] < entry["high"]
        assert 0 < entry["p"] <= 1
    alone = te.compare(a, b, metrics=["auc"], paired=False).metrics["auc"]
    assert alone["high"] - alone["low"] > found.metrics["auc"]["high"] - found.metrics["auc"]["low"]


def test_groups_are_compared_by_groups():
    a, b = (
        te.evaluate(te.Embeddings(MIDDLE + noise * NOISE, LABELS, groups=GROUPS), unit="group") for noise in (1.0, 0.7)
    )
    assert a.per_unit["group"].to_pylist() == sorted(set(GROUPS.tolist()))
    entry = te.compare(a, b, metrics=["eer"], unit="group").metrics["eer"]
    assert (entry["interval"], entry["units"]) == ("t", 12)
    assert entry["low"] < entry["difference"] < entry["high"]
    assert (
        te.compare(a, b, metrics=["eer"], unit="class").metrics["eer"]["low"] is None
    )  # the runs know nothing of single classes


def test_more_units_than_are_counted_stand_in_groups_of_their_own(monkeypatch):
    many = np.repeat(np.arange(300), 3)
    random = np.random.default_rng(3)
    points = random.normal(size=(300, 6))[many]
    noise = [random.normal(size=points.shape) for _ in range(2)]

    def pair(order=slice(None)):
        return [te.evaluate((points + 0.5 * each)[order], many[order], fars=(0.05,)) for each in noise]

    single = te.compare(*pair(), metrics=["eer", "auc"])
    monkeypatch.setattr(pair_units, "MOST_UNITS", 100)
    runs = pair()
    assert runs[0].per_unit["members"].to_pylist() == [3] * 100
    assert all(name.startswith("sha256:") for name in runs[0].per_unit["class"].to_pylist())
    together = te.compare(*runs, metrics=["eer", "auc"])
    for name, entry in together.metrics.items():
        assert entry["units"] == 300
        widths = [found.metrics[name]["high"] - found.metrics[name]["low"] for found in (together, single)]
        assert widths[0] == pytest.approx(widths[1], rel=0.2), name
    shuffled = te.compare(runs[0], pair(np.random.default_rng(0).permutation(900))[1], metrics=["eer"], paired=False)
    assert shuffled.metrics["eer"]["units"] == 300
    others = te.evaluate(points + 0.5 * noise[1], many + 1, fars=(0.05,))
    assert set(others.per_unit["class"].to_pylist()).isdisjoint(runs[0].per_unit["class"].to_pylist())


def test_what_units_make_of_numbers_is_kept_in_the_run(tmp_path):
    run = among_others(1.0)
    run.save(tmp_path / "run")
    assert te.load(tmp_path / "run").per_unit.equals(run.per_unit)
    assert te.load(tmp_path / "run").result_hash == run.result_hash


def test_without_classes_in_common_or_with_another_unit_there_is_none():
    a = evaluated(1.0)
    for found in (
        te.compare(a, evaluated(0.7, unit="query"), metrics=["eer"]),
        te.compare(a, a, metrics=["eer"], unit="query"),
    ):
        assert found.metrics["eer"]["reason"].startswith(
            "a number of all pairs is compared by the classes or groups of both"
        )


def test_a_gate_may_ask_for_no_worse():
    a, b = evaluated(0.8), evaluated(1.2)
    assert te.gate(a, [], baseline=a, no_worse=["low(tar@far=0.1)"], margin=0.01).passed
    assert not te.gate(b, [], baseline=a, no_worse=["low(tar@far=0.1)"], margin=0.01).passed


@pytest.mark.parametrize("paired", [True, False])
def test_numbers_that_are_no_mean_over_queries_are_not_called_one(paired):
    names = ["map@r", "eer", "anti_hubs@10", "first_rank_median"]
    entries = te.compare(evaluated(0.8), evaluated(0.6), metrics=names, paired=paired).metrics
    assert [entries[name].get("average") for name in names] == ["query", None, None, "median"]
    assert all("queries" not in entries[name] for name in names[1:])
