"""Intervals of identification: identities of mated probes and of strangers drawn again, the gallery fixed."""

import math

import numpy as np
import pytest

import tripleteval as te
from tripleteval.metrics.identification import Searches, threshold, tpir
from tripleteval.uncertainty.vertices import resampled

RANDOM = np.random.default_rng(4)
PEOPLE, EACH, ENROLLED = 70, 5, 40
WHO = np.repeat(np.arange(PEOPLE), EACH)
CENTRES = RANDOM.normal(size=(PEOPLE, 6))
SPREAD = np.exp(RANDOM.normal(-0.3, 0.4, size=PEOPLE))
POINTS = CENTRES[WHO] + SPREAD[WHO, None] * RANDOM.normal(size=(len(WHO), 6))
GALLERY = te.Embeddings(CENTRES[:ENROLLED] + 0.2 * RANDOM.normal(size=(ENROLLED, 6)), np.arange(ENROLLED))
FPIRS = (0.2, 0.05)


def identified(keep=None, **how) -> te.Evaluation:
    rows = np.full(len(WHO), fill_value=True) if keep is None else keep
    return te.evaluate_identification(te.Embeddings(POINTS[rows], WHO[rows]), GALLERY, ks=(1, 3), fpirs=FPIRS, **how)


@pytest.fixture(scope="module")
def run() -> te.Evaluation:
    return identified()


def redrawn(run: te.Evaluation, times: np.ndarray, who: np.ndarray = WHO) -> Searches:
    """Return the searches of everybody as often as they were drawn."""
    table = run.per_query
    mate, rank, best = (np.array(table[n].to_pylist(), float) for n in ("mate_distance", "rank", "best_distance"))
    often = times[who].astype(int)
    mated, stranger = (np.repeat(np.arange(len(who)), often * kind) for kind in (who < ENROLLED, who >= ENROLLED))
    return Searches(mate[mated], rank[mated], best[stranger], ENROLLED, ENROLLED, (1, 3))


def test_they_are_as_wide_as_drawing_the_people_again(run):
    random = np.random.default_rng(0)
    drawn = []
    for _ in range(400):
        times = [np.bincount(random.integers(0, n, n), minlength=n) for n in (ENROLLED, PEOPLE - ENROLLED)]
        found = redrawn(run, np.concatenate(times))
        values = {f"tpir@fpir={f}": tpir(found, f).value for f in FPIRS}
        values |= {f"threshold@fpir={f}": threshold(found, f).value for f in FPIRS}
        drawn.append(values | {f"cmc@{k}": np.mean(found.rank <= k) for k in (1, 3)})
    for name in drawn[0]:
        low, high = run.interval(name)
        expected = np.quantile([each[name] for each in drawn], [0.02, 0.98])  # 30 to 40 units: t, and expanded
        assert high - low == pytest.approx(expected[1] - expected[0], rel=0.2), name
        assert low < run[name] < high
        assert run.metrics[name]["interval"] == "bootstrap"
        assert run.metrics[name]["units"] == (ENROLLED if name.startswith("cmc") else PEOPLE - ENROLLED)


def test_the_ends_lie_where_the_metric_of_every_draw_puts_them(run):
    """The very draws of the interval, one by one: it lies between their extremes, around their middle."""
    times = [resampled(n, 0, noun) for n, noun in ((40, "mated identity"), (30, "stranger identity"))]
    values = [tpir(redrawn(run, np.concatenate(pair)), 0.2).value for pair in zip(*times, strict=True)]
    low, high = run.interval("tpir@fpir=0.2")
    shares = [np.mean(np.array(values) < end) for end in (low, high)]
    assert shares == pytest.approx([0.02, 0.98], abs=0.02)


def test_every_rank_of_the_open_set_has_its_own(run):
    entry = run.metrics["tpir@fpir=0.2"]
    assert entry["by_rank_interval"]["1"] == [entry["low"], entry["high"]]
    low, high = entry["by_rank_interval"]["3"]
    assert low < entry["by_rank"]["3"] < high


def test_that_strangers_would_be_others_too_makes_it_wider(run):
    random, same = np.random.default_rng(0), np.ones(PEOPLE - ENROLLED)
    times = [np.bincount(random.integers(0, ENROLLED, ENROLLED), minlength=ENROLLED) for _ in range(400)]
    fixed = [tpir(redrawn(run, np.concatenate([each, same])), 0.05).value for each in times]
    low, high = run.interval("tpir@fpir=0.05")
    assert high - low > 1.15 * np.diff(np.quantile(fixed, [0.02, 0.98]))


def test_with_few_people_it_is_a_t_interval_and_with_fewer_none():
    small = identified((WHO < 12) | (WHO >= 50))
    for name in small:
        low, high = small.interval(name)
        assert small.metrics[name]["interval"] == "t", name
        assert low < small[name] < high
    assert all(0 <= end <= 1 for end in small.interval("tpir@fpir=0.2"))
    random, rows = np.random.default_rng(0), (WHO < 12) | (WHO >= 50)
    drawn = []
    for _ in range(400):
        counts = [np.bincount(random.integers(0, n, n), minlength=n) for n in (12, 20)]
        found = redrawn(small, np.concatenate([counts[0], np.zeros(38), counts[1]]), WHO[rows])
        drawn.append((tpir(found, 0.2).value, threshold(found, 0.2).value))
    for place, name in enumerate(("tpir@fpir=0.2", "threshold@fpir=0.2")):
        low, high = small.interval(name)  # t with 11 degrees of freedom; a bootstrap of 12 varies too little
        assert high - low == pytest.approx(2 * 2.2 * math.sqrt(12 / 11) * np.std(drawn, axis=0)[place], rel=0.2), name
    assert any("rough" in note for note in small.notes)
    lonely = identified((WHO < 30) | (WHO >= 67)).metrics
    assert lonely["cmc@1"]["interval"] == "bootstrap"
    assert lonely["tpir@fpir=0.2"]["interval_reason"] == "3 stranger identities, and an interval needs 5"
    assert lonely["tpir@fpir=0.2"]["by_rank_interval"] == {"1": [None, None], "3": [None, None]}
    few = identified(WHO < 4)
    assert few.metrics["cmc@1"]["interval_reason"] == "4 mated identities, and an interval needs 5"
    assert few.metrics["tpir@fpir=0.2"]["interval_reason"] == few.metrics["tpir@fpir=0.2"]["reason"]


def test_where_everybody_is_found_the_bound_is_three_over_the_people():
    apart = te.Embeddings(np.where(WHO < ENROLLED, WHO, -WHO)[:, None] * 100.0 + POINTS, WHO)
    enrolled = te.Embeddings(np.arange(ENROLLED)[:, None] * 100.0 + np.zeros((1, 6)), np.arange(ENROLLED))
    found = te.evaluate_identification(apart, enrolled, fpirs=(0.2,))
    assert found.interval("cmc@1") == (1 - 3 / ENROLLED, 1.0)
    assert found.interval("tpir@fpir=0.2") == (1 - 3 / (PEOPLE - ENROLLED), 1.0)


def test_too_few_strangers_for_a_rate_give_none():
    found = te.evaluate_identification(te.Embeddings(POINTS, WHO), GALLERY, fpirs=(1e-4,)).metrics
    assert found["tpir@fpir=0.0001"]["below_resolution"]
    for name in ("tpir@fpir=0.0001", "threshold@fpir=0.0001"):
        assert "so few strangers" in found[name]["interval_reason"]


def test_more_people_than_can_be_followed_are_put_together_at_random(run, monkeypatch):
    for module in ("pair_units", "identity_intervals"):
        monkeypatch.setattr(f"tripleteval.evaluation.{module}.MOST_UNITS", 25)
    grouped = identified()
    assert grouped.metrics["tpir@fpir=0.2"]["units"] == 30
    widths = [
        math.dist([each.interval("tpir@fpir=0.2")[0]], [each.interval("tpir@fpir=0.2")[1]]) for each in (run, grouped)
    ]
    assert widths[0] == pytest.approx(widths[1], rel=0.4)


def test_a_seed_and_a_confidence_are_part_of_the_settings(run):
    assert run.settings["seed"] == 0
    assert identified(seed=1).interval("tpir@fpir=0.2") != run.interval("tpir@fpir=0.2")
    wide, narrow = run.interval("cmc@1"), identified(confidence=0.5).interval("cmc@1")
    assert wide[0] < narrow[0] < narrow[1] < wide[1]
    for how, code in (({"seed": -1}, "E511"), ({"confidence": 1}, "E505")):
        with pytest.raises(te.ParameterError, match=code):
            identified(**how)


def test_a_gate_may_ask_for_the_lower_end(run):
    low, high = run.interval("tpir@fpir=0.2")
    assert te.gate(run, [f"low(tpir@fpir=0.2) >= {low - 0.01}"]).passed
    assert not te.gate(run, [f"low(tpir@fpir=0.2) >= {high}"]).passed
