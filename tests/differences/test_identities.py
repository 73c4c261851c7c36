"""Two runs of identification compared: the same people drawn again for both, each run with its own threshold."""

import itertools

import numpy as np
import pytest

import tripleteval as te
from tripleteval.errors import ParameterError
from tripleteval.metrics.identification import Searches, tpir

PEOPLE, EACH, ENROLLED = 70, 5, 40
WHO = np.repeat(np.arange(PEOPLE), EACH)
KS, FPIRS = (1, 3), (0.2, 0.05)
NAMES = ("cmc@1", "cmc@3", "tpir@fpir=0.2", "tpir@fpir=0.05")


def vectors(seed: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the probes and the enrolled, as a model embeds them that shares half of what it sees with the others."""
    shared, own = np.random.default_rng(4), np.random.default_rng(seed)
    centres = np.hstack([shared.normal(size=(PEOPLE, 4)), own.normal(size=(PEOPLE, 2))])
    spread = noise * np.exp(shared.normal(-0.3, 0.4, size=PEOPLE))
    return centres[WHO] + spread[WHO, None] * own.normal(size=(len(WHO), 6)), centres[:ENROLLED]


def identified(seed: int, noise: float, rows=None, who=WHO, enrolled=ENROLLED, **how) -> te.Evaluation:
    points, centres = vectors(seed, noise)
    rows = np.arange(len(WHO)) if rows is None else np.asarray(rows)
    probes = te.Embeddings(points[rows], who[rows], ids=rows.tolist())
    gallery = te.Embeddings(centres[:enrolled], np.arange(enrolled))
    return te.evaluate_identification(probes, gallery, ks=KS, fpirs=FPIRS, **how)


@pytest.fixture(scope="module")
def runs() -> tuple[te.Evaluation, te.Evaluation]:
    return identified(1, 1.0), identified(2, 0.8)


def numbers(run: te.Evaluation, times: np.ndarray) -> dict[str, float]:
    """Return every number of a run in which people count as often as they were drawn."""
    table = run.per_query
    mate, rank, best = (np.array(table[n].to_pylist(), float) for n in ("mate_distance", "rank", "best_distance"))
    often = times[WHO].astype(int)
    mated, stranger = (np.repeat(np.arange(len(WHO)), often * kind) for kind in (WHO < ENROLLED, WHO >= ENROLLED))
    found = Searches(mate[mated], rank[mated], best[stranger], ENROLLED, ENROLLED, KS)
    return {f"tpir@fpir={f}": tpir(found, f).value for f in FPIRS} | {f"cmc@{k}": np.mean(found.rank <= k) for k in KS}


def test_differences_vary_as_when_the_people_are_drawn_again_for_both(runs):
    found, random, drawn = te.compare(*runs), np.random.default_rng(0), []
    for _ in range(400):
        counts = [np.bincount(random.integers(0, n, n), minlength=n) for n in (ENROLLED, PEOPLE - ENROLLED)]
        one, two = (numbers(run, np.concatenate(counts)) for run in runs)
        drawn.append({name: two[name] - one[name] for name in NAMES})
    assert tuple(found) == NAMES
    for name, entry in found.metrics.items():
        expected = np.quantile([each[name] for each in drawn], [0.02, 0.98])  # 30 to 40 units: t, and expanded
        assert entry["high"] - entry["low"] == pytest.approx(expected[1] - expected[0], rel=0.2), name
        assert entry["low"] < entry["difference"] < entry["high"]
        assert entry["difference"] == runs[1][name] - runs[0][name]
        assert (entry["interval"], entry["units"]) == ("bootstrap", ENROLLED if "cmc" in name else PEOPLE - ENROLLED)


def test_p_is_the_share_of_sign_flips_and_small_where_the_interval_is_far_from_zero(runs):
    few = [identified(seed, 0.6, rows=np.flatnonzero((WHO < 12) | (WHO >= 64))) for seed in (1, 2)]
    hits = [np.array(run.per_query["rank"].to_pylist(), float)[: 12 * EACH] <= 1 for run in few]
    change = (hits[1].astype(int) - hits[0]).reshape(12, EACH).sum(axis=1)
    flips = [abs(np.dot(signs, change)) >= abs(change.sum()) for signs in itertools.product((-1, 1), repeat=12)]
    assert te.compare(*few).metrics["cmc@1"]["p"] == np.mean(flips)
    metrics = te.compare(runs[0], identified(2, 0.4)).metrics
    assert all(entry["p"] < 0.001 and entry["p"] <= entry["p_holm"] for entry in metrics.values())


def test_a_run_is_no_better_than_itself(runs):
    found = te.compare(runs[0], runs[0])
    assert found.outcome == "not distinguishable"
    for entry in found.metrics.values():
        assert [entry[name] for name in ("difference", "low", "high", "p")] == [0.0, 0.0, 0.0, 1.0]


def test_that_strangers_would_be_others_too_makes_it_wider(runs):
    random, same = np.random.default_rng(0), np.ones(PEOPLE - ENROLLED)
    drawn = []
    for _ in range(400):
        times = np.concatenate([np.bincount(random.integers(0, ENROLLED, ENROLLED), minlength=ENROLLED), same])
        one, two = (numbers(run, times)["tpir@fpir=0.05"] for run in runs)
        drawn.append(two - one)
    entry = te.compare(*runs).metrics["tpir@fpir=0.05"]
    assert entry["high"] - entry["low"] > 1.15 * np.diff(np.quantile(drawn, [0.02, 0.98]))


def test_probes_are_matched_by_id_in_any_order(runs):
    order = np.random.default_rng(3).permutation(len(WHO))
    shuffled, straight = (te.compare(runs[0], each) for each in (identified(2, 0.8, rows=order), runs[1]))
    assert shuffled.metrics == straight.metrics
    assert shuffled.paired == "id"


def test_the_probes_that_changed_are_those_that_are_found_in_one_run_only(runs):
    for name in ("cmc@3", "tpir@fpir=0.2"):
        found = te.compare(*runs, primary=name)
        hits = []
        for run in runs:
            rank, mate = (np.array(run.per_query[n].to_pylist(), float) for n in ("rank", "mate_distance"))
            within = mate <= run.metrics["tpir@fpir=0.2"]["threshold"]
            hits.append(rank <= 3 if name == "cmc@3" else (rank <= 1) & within)
        for change, kind in (("broken", hits[0] & ~hits[1]), ("fixed", hits[1] & ~hits[0])):
            listed = [row["query"] for row in found.queries.to_pylist() if row["change"] == change]
            assert sorted(listed) == np.flatnonzero(kind).tolist()
        assert found.queries["a"].null_count == (PEOPLE - ENROLLED) * EACH
        assert found.classes.num_rows == ENROLLED


def test_few_people_have_a_t_interval_and_fewer_none():
    rows = np.flatnonzero((WHO < 12) | (WHO >= 58))
    metrics = te.compare(identified(1, 1.0, rows=rows), identified(2, 0.6, rows=rows)).metrics
    for name in ("cmc@1", "tpir@fpir=0.2"):
        assert metrics[name]["interval"] == "t"
        assert metrics[name]["low"] < metrics[name]["difference"] < metrics[name]["high"]
    sure = te.compare(identified(1, 1.0, rows=rows), identified(2, 0.6, rows=rows), confidence=1 - 1e-12).metrics
    assert [(sure[name]["low"], sure[name]["high"]) for name in ("cmc@1", "tpir@fpir=0.2")] == [(-1.0, 1.0)] * 2
    rows = np.flatnonzero((WHO < 12) | (WHO >= 67))
    entry = te.compare(identified(1, 1.0, rows=rows), identified(2, 0.6, rows=rows)).metrics["tpir@fpir=0.2"]
    assert (entry["low"], entry["p"], entry["reason"]) == (None, None, "3 stranger identities, and an interval needs 5")
    rows = np.flatnonzero(WHO < 12)
    entry = te.compare(identified(1, 1.0, rows=rows), identified(2, 0.6, rows=rows)).metrics["tpir@fpir=0.2"]
    assert (entry["difference"], entry["reason"]) == (None, "no probe is a stranger to the gallery")


def test_thresholds_are_shown_and_not_judged(runs):
    found = te.compare(*runs, metrics=["threshold@fpir=0.2"])
    entry = found.metrics["threshold@fpir=0.2"]
    assert (entry["a"], entry["b"]) == tuple(run["threshold@fpir=0.2"] for run in runs)
    assert (entry["interval"], found.outcome) == (None, "not distinguishable")
    assert "scales of their own" in found.verdict


def test_what_cannot_be_compared_is_refused_with_the_reason(runs):
    other = te.evaluate(*vectors(1, 1.0)[:1], WHO, verification=False)
    for pair in ((runs[0], other), (other, runs[0])):
        with pytest.raises(ParameterError, match="E101 one run of identification and one of another kind"):
            te.compare(*pair)
    with pytest.raises(ParameterError, match="E512 runs with different galleries: 50 probes are enrolled in one only"):
        te.compare(runs[0], identified(2, 0.8, enrolled=30))
    with pytest.raises(ParameterError, match="E512 runs with different queries: 5 ids only in the first"):
        te.compare(runs[0], identified(2, 0.8, rows=np.arange(5, len(WHO))))
    with pytest.raises(ParameterError, match="E512 runs with different queries: 350 have another label"):
        te.compare(runs[0], identified(2, 0.8, who=np.roll(WHO, 5)))
    with pytest.raises(ParameterError, match="E101 .*unpaired"):
        te.compare(*runs, paired=False)
    with pytest.raises(ParameterError, match="E101 unit='group' for runs of identification"):
        te.compare(*runs, unit="group")
    points, centres = (te.Embeddings(side) for side in vectors(2, 1.0))
    with pytest.raises(ParameterError, match="E101 a run without rankings"):
        te.compare(*runs, new_queries=points, old_gallery=centres)
    with pytest.raises(ParameterError, match="E510 no metric 'map@r' in both runs"):
        te.compare(*runs, metrics=["map@r"])


def test_another_rule_or_gallery_is_said():
    a = identified(1, 1.0)
    merged = te.compare(a, identified(1, 1.0, fusion="mean"))
    assert any("identification (min and mean)" in note for note in merged.notes)


def test_a_gate_holds_a_run_of_identification_to_its_baseline(runs):
    good, bad = identified(2, 0.4), identified(2, 1.6)
    for run, passed in ((good, True), (bad, False)):
        gate = te.gate(run, [], baseline=runs[0], no_worse=["low(tpir@fpir=0.2)", "cmc@1"], margin=0.02)
        assert [check.passed for check in gate.checks] == [passed, passed]
