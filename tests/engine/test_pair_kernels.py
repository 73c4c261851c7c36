"""The fast count of pairs is that of the reference, for any data and ruler, and its sums lose half a step at most."""

import math
from dataclasses import replace
from functools import reduce

import numpy as np
import pytest

from engine.test_agreement import BEYOND, HOSTILE, LABELS
from tripleteval.data.embeddings import Embeddings
from tripleteval.distance.formula import DISTANCES, distance_for
from tripleteval.engine import pairs, pairs_cpu
from tripleteval.engine.genuine import listed
from tripleteval.engine.pair_cells import cells_of
from tripleteval.engine.pair_ruler import fitted, ruler_for
from tripleteval.engine.pairs import PairPass
from tripleteval.engine.plan import Order
from tripleteval.evaluation.relevance import compare
from tripleteval.evidence.pairs import Pairs, Ruler
from tripleteval.metrics.operating import operating

CASES = [
    (name, distance) for name in HOSTILE for distance in DISTANCES if distance != "sqeuclidean" or name not in BEYOND
]


def large(points, labels, distance: str, bits: int = 34) -> PairPass:
    """Return a pass that keeps every distance, in steps as coarse as those of a large set."""
    embeddings = Embeddings(points, labels)
    comparison = compare(embeddings, None, ignore=None, relevance=None)
    plain = distance_for(distance, embeddings.vectors)
    ruler = ruler_for(comparison, plain, listed(comparison, plain), (0.1,))
    return PairPass(comparison, replace(fitted(plain, ruler.grid, comparison), step_bits=bits), ruler)


def measured(every: PairPass, block: int = 1000) -> Pairs:
    """Return the evidence of all orders."""
    n = len(every.comparison.queries)
    return reduce(Pairs.merge, (every(Order(a, min(a + block, n), 0, n)) for a in range(0, n, block)))


def same(one: Pairs, two: Pairs) -> bool:
    """Return whether every bit is the same."""
    arrays = ("genuine", "impostor", "values", "genuine_at", "impostor_at")
    equal = all(np.array_equal(getattr(one, name), getattr(two, name)) for name in arrays)
    return equal and (one.sums, one.overflow) == (two.sums, two.overflow)


@pytest.mark.parametrize("bits", [11, 34])
@pytest.mark.parametrize(("name", "distance"), CASES)
def test_the_kernels_agree_where_a_product_decides(name, distance, bits, monkeypatch):
    every = large(HOSTILE[name], LABELS[: len(HOSTILE[name])], distance, bits)
    known = measured(every).values
    rng = np.random.default_rng(len(known))
    some = np.unique(rng.choice(known, min(len(known), 400)))
    beside = np.concatenate([some, np.nextafter(some, np.inf), np.nextafter(some, 0), (some[1:] + some[:-1]) / 2])
    for edges, share in ((known[:0], 1.0), (some[:1], 0.0), (np.unique(beside), 0.1), (known, 0.01)):
        ruler = Ruler(edges, rng.random(len(edges) + 1) < share, 10**6, np.zeros(0))
        whole = measured(replace(every, ruler=ruler))
        for cells, tile, block in ((2**5, 150, 150), (2**12, 41, 64)):
            monkeypatch.setattr(pairs, "MOST_CELLS", cells)
            monkeypatch.setattr(pairs, "_LEAST_CELLS", cells)
            assert same(whole, measured(replace(every, ruler=ruler, kernel="cpu", tile=tile), block))


def test_a_cell_that_an_edge_reaches_into_is_looked_at():
    def cells_along(edges):
        return cells_of(Ruler(edges, np.zeros(len(edges) + 1, dtype=bool), 10, np.zeros(0)), 2.0**-30, 4096)

    per_unit = cells_along(np.array([1.0])).per_unit
    edges = np.append(np.arange(50, 4000, 37) / per_unit, 1.0)  # where one cell ends and the next begins
    cells = cells_along(edges)
    near = np.concatenate([edges - cells.reach, edges + cells.reach, edges]) * cells.per_unit
    assert np.all(cells.fresh[near.astype(int)] == -1)
    middle = (edges[1:] + edges[:-1]) / 2 * cells.per_unit
    assert not cells.fresh[middle.astype(int)[np.diff(edges) * cells.per_unit > 3]].any()
    assert cells.fresh[-3:].tolist() == [0, 0, -1]


def test_however_many_pairs_lie_beyond_all_edges_few_are_looked_at(monkeypatch):
    look, many = pairs_cpu.look, []
    monkeypatch.setattr(pairs_cpu, "look", lambda *of: many.append(look(*of)) or many[-1])
    points = np.random.default_rng(0).normal(size=(500, 8)) + np.arange(2)[:, None].repeat(250, axis=0) * 50.0
    every = large(points, np.arange(500) // 2, "euclidean")
    ruler = Ruler(np.array([0.1, 9.0]), np.zeros(3, dtype=bool), 10, np.zeros(0))
    whole = measured(replace(every, ruler=ruler))
    assert whole.impostor[-1] > 2**15
    assert same(whole, measured(replace(every, ruler=ruler, kernel="cpu")))
    assert sum(impostors for _, impostors in many) < 2000


def test_a_full_cell_loses_nothing(monkeypatch):
    x = np.repeat([[0.0], [1.0]], 400, axis=0) + np.zeros(3)
    every = large(x, np.minimum(np.arange(800), 798), "euclidean")
    every = replace(every, ruler=Ruler(np.array([0.5, 2.0]), np.zeros(3, dtype=bool), 10, np.zeros(0)))
    assert measured(every).impostor.tolist() == [2 * math.comb(400, 2) - 1, 0, 400 * 400, 0, 0]
    for most in (2**26, 1000):
        monkeypatch.setattr(pairs_cpu, "MOST_COUNTED", most)
        assert same(measured(every), measured(replace(every, kernel="cpu")))


@pytest.mark.parametrize(("name", "distance"), CASES)
def test_sums_are_of_distances_in_whole_steps_and_lose_half_a_step_at_most(name, distance):
    points, labels = HOSTILE[name], LABELS[: len(HOSTILE[name])]
    every = large(points, labels, distance)
    listed, unit = measured(every), every.distance.step * every.distance.factor
    ruler = Ruler(np.zeros(0), np.zeros(1, dtype=bool), 10, np.zeros(0))
    found = measured(replace(every, ruler=ruler))
    exact, summed = (operating(of, every.distance.step, every.distance.factor) for of in (listed, found))
    steps = [round(d / unit) if unit else 0 for d in exact.at.tolist()]
    for side, bins in enumerate((exact.genuine, exact.impostor)):
        if distance == "euclidean" and name == "subnormal":
            continue  # the distances themselves have fewer bits than the steps
        counts = bins[1::2].tolist()
        assert found.sums[2 * side] == sum(n * s for n, s in zip(counts, steps, strict=True))
        assert found.sums[2 * side + 1] == sum(n * s * s for n, s in zip(counts, steps, strict=True))
    for kind in ("genuine_moments", "impostor_moments"):
        one, two = getattr(exact, kind), getattr(summed, kind)
        assert two.mean == pytest.approx(one.mean, rel=1e-12, abs=unit / 2)
        assert two.sd == pytest.approx(one.sd, rel=1e-9, abs=0.51 * unit)
    sds = [(of.genuine_moments.sd, of.impostor_moments.sd) for of in (exact, summed)]
    if min(sds[0]) > 0:
        means = [of.impostor_moments.mean - of.genuine_moments.mean for of in (exact, summed)]
        one, two = (mean / math.hypot(*sd) for mean, sd in zip(means, sds, strict=True))
        assert two == pytest.approx(one, rel=1e-9, abs=1e-9)
