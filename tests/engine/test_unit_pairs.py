"""Pairs by unit: two nested loops decide what is right, and a sample is balanced."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies import labelled_points
from tripleteval.data.comparison import Comparison
from tripleteval.data.embeddings import Embeddings
from tripleteval.distance.formula import distance_for, squared_block
from tripleteval.engine import told_apart, unit_pairs
from tripleteval.engine.genuine import listed
from tripleteval.engine.squared_some import nearly
from tripleteval.engine.unit_pairs import Meetings, UnitPass
from tripleteval.evaluation.relevance import compare
from tripleteval.evidence.unit_counts import UnitCounts

CUTS = np.array([0.0, 1.0, 2.0, 3.5])


@pytest.fixture(autouse=True, scope="module")
def few_at_once():
    """Read two blocks of the gallery at once, so that these small sets are read more than once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unit_pairs, "_READ_AT_ONCE", 2)
        yield


def engine(queries: Embeddings, gallery: Embeddings | None = None, block: int = 3, **how) -> UnitPass:
    comparison = compare(queries, gallery, ignore=how.pop("ignore", None), relevance=None)
    distance = distance_for("euclidean", comparison.queries.vectors, comparison.gallery.vectors)
    random = np.random.default_rng(1)

    def blocks(count: int) -> list[np.ndarray]:
        return np.array_split(random.permutation(count), -(-count // block))

    rows = blocks(len(queries))
    columns = rows if gallery is None else blocks(len(gallery))
    asked = np.arange(len(queries)) % 4
    searched = asked if gallery is None else np.arange(len(gallery)) % 5
    return UnitPass(comparison, distance, CUTS, asked, searched, 5, rows, columns, **how)


def loops(one: UnitPass) -> UnitCounts:
    """Return every pair once, for each of its two units."""
    comparison, genuine, impostor = one.comparison, np.zeros((5, 5), int), np.zeros((5, 5), int)
    queries, gallery = comparison.queries, comparison.gallery
    for q in range(len(queries)):
        removed = comparison.removed(q, q + 1)
        same = set(comparison.positives(q, q + 1, removed)[0].rows.tolist())
        for g in range(q + 1 if comparison.leave_one_out else 0, len(gallery)):
            if g not in removed.rows:
                cell = np.searchsorted(CUTS, np.sqrt(((queries.vectors[q] - gallery.vectors[g]) ** 2).sum()))
                for unit in (one.asked[q], one.searched[g]):
                    (genuine if g in same else impostor)[unit, cell] += 1
    return UnitCounts(CUTS, genuine, impostor, np.zeros_like(impostor))


def equal(one: UnitCounts, two: UnitCounts) -> bool:
    return (
        np.array_equal(one.genuine, two.genuine) and np.array_equal(one.impostor, two.impostor) and not one.half.any()
    )


@given(labelled_points(most=14), st.integers(2, 4))
def test_every_pair_of_a_set_counts_once_for_each_of_its_units(data, block):
    one = engine(Embeddings(*data), block=block)
    assert equal(one.measure(map), loops(one))
    assert equal(one.measure(map, listed(one.comparison, one.distance)), loops(one))


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_a_pair_as_far_apart_as_a_cut_is_told_by_its_bits(offset):
    points = np.random.default_rng(3).normal(size=(40, 5)) + offset
    one = engine(Embeddings(points, np.arange(40) % 4), block=20)
    exact = np.sqrt(squared_block(*2 * [one.distance.prepare(points)]))
    cuts = np.unique(np.concatenate([some := exact[np.triu_indices(40, 1)][::3], np.nextafter(some, 0)]))
    found = replace(one, cuts=cuts).measure(map)
    cells = np.searchsorted(cuts, exact[np.triu_indices(40, 1)])
    assert np.array_equal((found.genuine + found.impostor).sum(axis=0), 2 * np.bincount(cells, minlength=len(cuts) + 1))


@pytest.mark.parametrize("known", [True, False])
def test_between_queries_and_a_gallery_without_the_ignored(known):
    random = np.random.default_rng(2)
    sides = [
        Embeddings(
            random.integers(0, 3, (n, 2)).astype(float),
            random.integers(0, 3, n),
            groups=random.integers(0, 2, n),
            ids=[f"{name}{i % 7}" if i < 7 else f"{name}{i}" for i in range(n)],
        )
        for n, name in ((11, "a"), (17, "a"))
    ]
    one = engine(*sides, ignore="group")
    genuine = listed(one.comparison, one.distance) if known else None
    assert equal(one.measure(map, genuine), loops(one))


def test_few_positives_are_listed_at_once(monkeypatch):
    one, listing, lengths = engine(Embeddings(np.eye(60), np.arange(60) % 2), block=20), Comparison.positives, []

    def recorded(self, *block):
        lists, gains = listing(self, *block)
        lengths.append(len(lists.rows))
        return lists, gains

    whole = one.measure(map)
    monkeypatch.setattr(told_apart, "_LISTED_AT_ONCE", 90)
    monkeypatch.setattr(Comparison, "positives", recorded)
    assert equal(one.measure(map), whole)
    assert sum(lengths) == 60 * 29
    assert max(lengths) <= 90 + 29


def test_in_a_sample_each_row_has_the_same_number_of_partners(monkeypatch):
    monkeypatch.setattr(unit_pairs, "MOST_PAIRS", 24 * 3 * unit_pairs.BLOCK)
    one = engine(Embeddings(np.random.default_rng(0).normal(size=(24, 2)), [*range(23), 22]))
    one = replace(one, asked=np.arange(24), searched=np.arange(24), units=24)
    assert one.places == range(1, 4)  # three blocks of three rows on either side
    found = one.measure(map)
    assert set(found.impostor.sum(axis=1)[:22].tolist()) == {2 * 9}
    assert set(found.half.sum(axis=1)[:22].tolist()) == {2 * 6}  # the first and the third of them


def test_a_sample_of_a_gallery_covers_it_evenly(monkeypatch):
    monkeypatch.setattr(unit_pairs, "MOST_PAIRS", 12 * 2 * unit_pairs.BLOCK)
    one = engine(Embeddings(np.zeros((12, 1)), np.zeros(12, int)), Embeddings(np.ones((24, 1)), [0, *[1] * 23]))
    one = replace(one, asked=np.full(12, 24), searched=np.arange(24), units=25)
    assert one.places == range(2)
    assert set(one.measure(map).impostor.sum(axis=1)[1:24].tolist()) == {3}


@pytest.mark.parametrize("most", [2**22, 24 * 2 * unit_pairs.BLOCK])
@pytest.mark.parametrize("sizes", [(24, None), (23, None), (11, 17), (24, 9)])
def test_pairs_are_told_as_they_are_compared(sizes, most, monkeypatch):
    tiles, at, told = [], [], []

    def recorded(*sides):
        squares, doubts = nearly(*sides)
        tiles.append(squares)
        return squares, doubts

    def tell(done, whole):
        at.append(sum(tile.size for tile in tiles))
        told.append((done, whole))

    monkeypatch.setattr(unit_pairs, "MOST_PAIRS", most)
    monkeypatch.setattr(unit_pairs, "_ORDERS", 3)  # so that most are of several blocks
    monkeypatch.setattr(unit_pairs, "nearly", recorded)
    one = engine(*(None if n is None else Embeddings(np.ones((n, 1)), np.arange(n) % 5) for n in sizes))
    one.measure(map, None, tell)
    assert told == [(done, at[-1]) for done in at]
    assert at[-1] == one.meetings.pairs == sum(tile.size for tile in tiles)


def test_how_many_pairs_is_known_without_the_vectors():
    assert Meetings.planned(300, 300, lone=True).pairs == 6 * 100 * 100  # three blocks, of which each meets the next
    assert Meetings.planned(300, 200, lone=False).pairs == 300 * 200
    assert Meetings.planned(20_000, 20_000, lone=True).pairs == unit_pairs.MOST_PAIRS
    assert Meetings.planned(5000, 10**7, lone=False).pairs == 6 * 5000 * 128


def test_a_sample_may_leave_rows_out():
    one = engine(Embeddings(np.random.default_rng(0).normal(size=(24, 2)), [*range(23), 22]))
    some = replace(
        one, queries=one.queries[:6], gallery=one.queries[:6], asked=np.arange(24), searched=np.arange(24), units=24
    )
    rows = np.concatenate(one.queries[:6])
    assert some.sampled
    found = some.measure(map).impostor.sum(axis=1)
    assert set(np.flatnonzero(found).tolist()) == set(rows.tolist())
