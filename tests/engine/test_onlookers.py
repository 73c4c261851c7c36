"""What onlookers count in passing is what a pass of its own counts, bit by bit, for any data, ruler and steps."""

import sys
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest

import tripleteval as te
from engine.test_agreement import HOSTILE, LABELS, clusters
from engine.test_pair_kernels import CASES, measured, same
from tripleteval.data.embeddings import Embeddings
from tripleteval.distance.formula import distance_for
from tripleteval.engine import kernel_cpu, maps, onlookers, pair_glance, pair_ruler, plan
from tripleteval.engine.genuine import listed
from tripleteval.engine.mutual import sweep
from tripleteval.engine.pair_ruler import fitted, ruler_for
from tripleteval.engine.pairs import PairPass
from tripleteval.engine.plan import Order
from tripleteval.engine.run import Pass
from tripleteval.evaluation import measure
from tripleteval.evaluation.relevance import compare
from tripleteval.evidence.pairs import Pairs, Ruler
from tripleteval.metrics.operating import operating


@pytest.fixture(autouse=True)
def always(monkeypatch):
    """Watch small sets too, whatever is listed."""
    monkeypatch.setattr(pair_ruler, "COARSE_PAIRS", 0)
    monkeypatch.setattr(pair_ruler, "_FEW_ROWS", 0)
    monkeypatch.setattr(pair_ruler, "CAPACITY", 500)
    monkeypatch.setattr(onlookers, "_MOST_LISTED", 2.0)


def watched(engine: Pass, ruler: Ruler, distance, block: int, threads: int = 2) -> Pairs | None:
    """Return what onlookers of a sweep count."""
    n, shelf = len(engine.comparison.queries), engine.shelf
    watch = onlookers.onlookers(ruler, distance, shelf.frame, shelf.rows(0, n))
    if watch is None:
        return None
    orders = [Order(a, min(a + block, n), 0, n) for a in range(0, n, block)]
    list(sweep(replace(engine, onlookers=watch), orders, maps.threads(threads), lambda _: None))
    return watch.evidence(listed(engine.comparison, engine.distance))


def ruler_of(engine: Pass, fars: tuple[float, ...]) -> Ruler:
    known = listed(engine.comparison, engine.distance)
    return ruler_for(engine.comparison, engine.distance, known, fars)


def engine_for(points, labels, distance: str, tile: int) -> Pass:
    embeddings = Embeddings(points, labels)
    comparison = compare(embeddings, None, ignore=None, relevance=None)
    fit = distance_for(distance, embeddings.vectors)
    return Pass(comparison, fit, np.array([0.2]), np.zeros(0), 3, "cpu", tile)


@pytest.mark.parametrize("bits", [5, 12])
@pytest.mark.parametrize(("name", "distance"), CASES)
def test_they_count_what_a_pass_of_its_own_counts(name, distance, bits, monkeypatch):
    monkeypatch.setattr(onlookers, "_KEPT_AT_ONCE", 100)
    engine = engine_for(HOSTILE[name], LABELS[: len(HOSTILE[name])], distance, 24)
    ruler = ruler_of(engine, (0.1, 0.01))
    fit = replace(fitted(engine.distance, ruler.grid, engine.comparison), step_bits=bits)
    rng = np.random.default_rng(bits)
    for share, most in ((0.0, 2**26), (0.2, 2000)):
        kept = Ruler(ruler.edges, rng.random(len(ruler.edges) + 1) < share, 10**6, ruler.grid)
        monkeypatch.setattr(onlookers, "MOST_COUNTED", most)
        found = watched(engine, kept, fit, 60)
        if (name, distance) == ("subnormal", "euclidean"):  # a step is less than numbers can tell
            assert found is None
            continue
        assert same(found, measured(PairPass(engine.comparison, fit, kept)))
        assert same(found, measured(PairPass(engine.comparison, fit, kept, "cpu"), 70))


def test_rows_far_from_all_others_are_told_apart_too(monkeypatch):
    monkeypatch.setattr(onlookers, "_OFTEN", 0.9)
    x = clusters(600, 8, 60, 0.5)
    x[-50:] += 1e4  # float32 sees no more of how near they are to each other than how far away they all are
    engine = engine_for(x, np.arange(600) % 60, "euclidean", 100)
    ruler = ruler_of(engine, (0.1,))
    fit = replace(fitted(engine.distance, ruler.grid, engine.comparison), step_bits=12)
    assert same(watched(engine, ruler, fit, 200), measured(PairPass(engine.comparison, fit, ruler, "cpu")))


def test_most_pairs_are_not_looked_at_twice(monkeypatch):
    """Or float32 would be of no use, and the other tests would not test it."""
    x = clusters(1500, 24, 250, 0.3)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    engine = engine_for(x, np.arange(1500) % 250, "euclidean", 128)
    ruler = ruler_of(engine, (0.1,))
    fit = fitted(engine.distance, ruler.grid, engine.comparison)
    assert fit.step_bits == 11
    shelf = engine.shelf
    monkeypatch.setattr(onlookers, "_MOST_LISTED", 0.12)
    assert onlookers.onlookers(ruler, fit, shelf.frame, shelf.rows(0, 1500)) is not None
    monkeypatch.setattr(onlookers, "_MOST_LISTED", 0.001)
    assert onlookers.onlookers(ruler, fit, shelf.frame, shelf.rows(0, 1500)) is None


def test_pairs_that_were_not_seen_are_missed():
    engine = engine_for(clusters(90), np.arange(90) % 9, "euclidean", 24)
    ruler = ruler_of(engine, (0.1,))
    shelf = engine.shelf
    fit = fitted(engine.distance, ruler.grid, engine.comparison)
    watch = onlookers.onlookers(ruler, fit, shelf.frame, shelf.rows(0, 90))
    assert watch is not None
    assert watch.evidence(listed(engine.comparison, engine.distance)) is None
    with watch.one() as first, watch.one() as second:
        assert first is not second
    with watch.one() as again:
        assert again in (first, second)


@pytest.mark.parametrize(("noise", "most"), [(0.4, 0.35), (3.0, 0.0)])
@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_numbers_are_the_same_watched_or_not(noise, most, distance, monkeypatch):
    monkeypatch.setattr(kernel_cpu, "_MOST", most)  # 0: every tile takes float64, and is shown all the same
    x = clusters(700, 16, 100, noise) * (np.arange(700) % 300 > 0)[:, None]
    how = {"distance": distance, "zero_rows": "far", "kernel": "cpu"}
    groups = np.arange(700) % 7

    def run(**more):
        return te.evaluate(te.Embeddings(x, np.arange(700) % 100, groups=groups), **how, **more)

    seen = []
    watching = measure.watching

    def told(*args):
        seen.append(watching(*args))
        return seen[-1]

    monkeypatch.setattr(measure, "watching", told)
    for more in ({}, {"ignore": "group"}):
        one = run(threads=2, **more)
        assert seen.pop()[1] is not None
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(measure, "may_watch", lambda *_: False)
            two = run(threads=1, **more)
        assert not seen
        assert one.result_hash == two.result_hash == run(map=map, **more).result_hash


def test_steps_smaller_than_any_number_are_left_to_a_pass_of_its_own():
    x, y = clusters(120, 4, 30) * 1e-322, np.arange(120) % 30
    assert len({te.evaluate(x, y, kernel=kernel).result_hash for kernel in ("cpu", "numpy", "reference")}) == 1


def test_without_room_for_onlookers_a_pass_of_its_own_follows(monkeypatch):
    monkeypatch.setattr(measure, "watching", lambda *_: sys.exit("watched"))
    monkeypatch.setattr(measure, "bytes_to_watch", lambda *_: 2**40)
    x, y = clusters(300, 8, 30), np.arange(300) % 30
    assert te.evaluate(x, y, kernel="cpu").result_hash == te.evaluate(x, y, map=map).result_hash


def test_progress_counts_both_at_once(monkeypatch):
    monkeypatch.setattr(plan, "MOST_QUERIES_MUTUAL", 100)
    told: list[tuple[int, int]] = []
    x, y = clusters(400, 8, 50), np.arange(400) % 50
    te.evaluate(x, y, kernel="cpu", progress=lambda done, whole: told.append((done, whole)))
    by_unit = 10 * 100 * 100  # pairs that intervals are made of
    assert {whole for _, whole in told} == {2 * 400 * 400 + by_unit}
    done = [0, *(done for done, _ in told)]
    assert np.diff(done).min() > 0
    assert np.diff(done).max() == 2 * 2 * 100 * 100  # two blocks that meet, from both sides, searched and counted
    assert told[-1] == (420_000, 420_000)


def d_prime_of(distances: Iterable[float], labels) -> float:
    """Return d prime from the definition."""
    d, same_label = np.asarray(distances), labels[:, None] == labels[None, :]
    upper = np.triu(np.ones_like(same_label), 1)
    genuine, impostor = d[same_label & upper], d[~same_label & upper]
    return float((impostor.mean() - genuine.mean()) / np.sqrt((genuine.var(ddof=1) + impostor.var(ddof=1)) / 2))


def spread(x):
    return x


def with_one_far_away(x):
    """All others are then nearer to each other than a coarse step is wide."""
    return np.concatenate([x[:-1], x[-1:] * 1e4])


def of_bits(x):
    """So many, that no distance is frequent, but all of them are of a few hundred."""
    return (np.concatenate([x, x[::-1] + x[:, ::-1], x[::-1] - x[:, ::-1]], axis=1) > 0).astype(np.float64)


@pytest.mark.parametrize("kind", [spread, with_one_far_away, of_bits])
def test_d_prime_is_that_of_the_distances_also_where_coarse_steps_would_hide_it(kind):
    x, y = kind(clusters(601, 160, 101, 0.4)), np.arange(601) % 101
    y[-1] = 1000
    found = te.evaluate(x, y, kernel="cpu")
    d = np.sqrt(((x[:, None, :] - x[None, :, :]) ** 2).sum(axis=2))
    assert found["d_prime"] == pytest.approx(d_prime_of(d, y), rel=1e-4 if kind is spread else 1e-9)


def test_rounding_to_steps_is_taken_out_of_the_spread():
    ruler = Ruler(np.array([9.0]), np.zeros(2, dtype=bool), 10, np.zeros(0))
    d = np.random.default_rng(0).normal(3.0, 0.9, 1_000_000)
    for step, close in ((2.0**-4, 5e-5), (2.0**-14, 1e-7)):  # uncorrected, the first is off by 2e-4
        steps = np.rint(d / step).astype(np.int64)
        bins = np.array([len(d), 0, 0])
        sums = (0, 0, int(steps.sum()), int((steps**2).sum()))
        pairs = replace(Pairs.empty(ruler), genuine=np.zeros(3, np.int64), impostor=bins, sums=sums)
        assert operating(pairs, step, 1.0).impostor_moments.sd == pytest.approx(d.std(ddof=1), rel=close)


def test_sums_of_steps_follow_from_cells():
    rng = np.random.default_rng(0)
    counts = rng.integers(-1, 30_000, 4098).astype(np.int16)
    counts[100] = np.iinfo(np.int16).min  # full
    known = np.maximum(counts[:-2].astype(object), 0)
    known[100] = 2**15
    steps = (np.arange(4096) + 4) // 8
    assert pair_glance.steps_in(counts, 8) == (int((known * steps).sum()), int((known * steps**2).sum()))
