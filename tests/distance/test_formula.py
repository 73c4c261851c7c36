"""``squared`` and the distance: the edges between them are exact to the last bit."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from oracle import distance as by_definition
from tripleteval.distance import formula
from tripleteval.distance.formula import DISTANCES, Distance, distance_for, squared_block, squared_pairs
from tripleteval.errors import DataError, ParameterError

RNG = np.random.default_rng(3)
X, Y = RNG.normal(size=(7, 5)), RNG.normal(size=(4, 5))


@pytest.mark.parametrize("name", DISTANCES)
def test_every_distance_is_its_formula(name):
    fitted = distance_for(name, X, Y)
    ours = fitted.from_squared(squared_block(fitted.prepare(X), fitted.prepare(Y)))
    expected = [[by_definition(x, y, name) for y in Y] for x in X]
    np.testing.assert_allclose(ours, expected, rtol=1e-13)


@pytest.mark.parametrize("name", DISTANCES)
def test_pairs_and_blocks_agree_in_every_bit(name):
    fitted = distance_for(name, X, Y)
    x, y = (fitted.prepare(np.vstack([side, np.zeros(5)])) for side in (X, Y))
    of_query = np.array([0, 7, 6, 6, 3])  # row 7, and the last of the gallery, are zero
    assert np.array_equal(squared_pairs(x, of_query, y), squared_block(x, y)[of_query, np.arange(5)])


@pytest.mark.parametrize("name", DISTANCES)
@pytest.mark.parametrize("at_once", [1, 9])
def test_a_block_is_the_same_in_every_bit_however_much_of_it_is_added_up_at_once(name, at_once, monkeypatch):
    far = np.vstack([X, np.zeros(5), 1e3 * X])
    fitted = distance_for(name, far, Y)
    x, y = fitted.prepare(far), fitted.prepare(np.vstack([Y, np.zeros(5)]))
    whole = squared_block(x, y)
    monkeypatch.setattr(formula, "_IN_CACHE", at_once)
    assert np.array_equal(squared_block(x, y), whole)
    assert squared_block(x, fitted.prepare(Y[:0])).shape == (15, 0)


@pytest.mark.parametrize("name", DISTANCES)
# Below 1e-300 halving a square rounds; no two float64 directions are that close (their squares differ by 1e-32).
@given(target=st.one_of(st.just(0.0), st.floats(1e-300, 4)), nudge=st.integers(-2, 2))
@example(target=0.0, nudge=0)
def test_the_edges_of_a_distance_are_the_first_squares_that_reach_it(name, target, nudge):
    for _ in range(abs(nudge) if target else 0):
        target = max(0.0, float(np.nextafter(target, math.copysign(9.0, nudge))))
    fitted = Distance(name)
    at, above = fitted.first_at_least(np.array([target])), fitted.first_above(np.array([target]))
    assert fitted.from_squared(at) >= target
    assert fitted.from_squared(above) > target
    if at > 0:
        assert fitted.from_squared(np.nextafter(at, -1.0)) < target
    assert fitted.from_squared(np.nextafter(above, -1.0)) <= target


def test_of_many_targets_at_once_each_gets_its_first_square():
    bounds = np.array(
        [[1.0], [2.0], [np.sqrt(2.0)], [np.sqrt(0.5)]]
    )  # where floats and their squares get twice as dense
    near = (bounds.view(np.int64) + np.arange(-50, 50)).view(np.float64).reshape(-1)
    wide = RNG.random(500) * 10.0 ** RNG.integers(-150, 150, 500)
    targets = np.concatenate([RNG.random(2000), wide, near]).reshape(50, -1)
    squares = Distance("euclidean").first_at_least(targets)
    assert (np.sqrt(squares) >= targets).all()
    assert (np.sqrt(np.nextafter(squares, 0.0)) < targets).all()


def test_edges_beyond_what_float64_can_square_are_the_first_square_of_all_or_none():
    squares = Distance("euclidean").first_at_least(np.array([[1e-200, 1e200], [0.0, 3.0]]))
    assert squares.tolist() == [[5e-324, np.inf], [0.0, 9.0]]
    assert Distance("euclidean", exponent=-1000).first_above(np.array([1e10])) == np.inf


def test_a_negative_target_is_below_every_distance():
    for name in DISTANCES:
        assert Distance(name).first_above(np.array([-1.0])) == 0.0


def test_equal_directions_are_at_cosine_distance_zero():
    fitted = Distance("cosine")
    x = fitted.prepare(np.array([[1.0, 2.0, 3.0]]))
    y = fitted.prepare(np.array([[4.0, 8.0, 12.0]]))
    assert squared_block(x, y) == 0.0


def test_near_duplicates_stay_apart_under_cosine():
    a, b = np.array([[1.0, 0.0]]), np.array([[1.0, 1e-9], [1.0, 2e-9]])
    fitted = Distance("cosine")
    near = fitted.from_squared(squared_block(fitted.prepare(a), fitted.prepare(b)))[0]
    np.testing.assert_allclose(near, [0.5e-18, 2e-18], rtol=1e-6)


@given(st.lists(st.lists(st.integers(-1000, 1000), min_size=3, max_size=3), min_size=2, max_size=4))
def test_squared_distances_of_integers_are_exact(points):
    fitted = distance_for("euclidean", np.array(points))
    rows = fitted.prepare(np.array(points))
    exact = [[sum((Fraction(a) - b) ** 2 for a, b in zip(p, q, strict=True)) for q in points] for p in points]
    assert squared_block(rows, rows).tolist() == exact


@pytest.mark.parametrize("scale", [1e-310, 1e-200, 1e-30, 1.0, 1e20, 1e200, 1e300])
def test_any_magnitude_of_float64_keeps_its_order_and_its_distances(scale):
    points = np.array([[0.0], [1.0], [3.0]]) * scale
    fitted = distance_for("euclidean", points)
    rows = fitted.prepare(points)
    np.testing.assert_allclose(
        fitted.from_squared(squared_block(rows, rows))[0],
        [0.0, scale, 3 * scale],
        rtol=1e-9 if scale > 1e-305 else 1e-2,
    )


@pytest.mark.parametrize("name", DISTANCES)
def test_the_span_holds_every_distance(name):
    for points in (X, 1e3 * X, 1e-3 * X, *(np.array([[0.0], [end]]) for end in (-1.0, 1.9, 2.7, 2.0))):
        fitted = distance_for(name, points)
        squared = squared_block(fitted.prepare(points), fitted.prepare(points))
        longest = (np.sqrt(squared) if fitted.rooted else squared).max()
        assert longest <= fitted.span < 2**12 * longest
        assert math.frexp(fitted.span)[0] == 0.5


@pytest.mark.parametrize(
    ("rows", "bits"), [(2047, 50), (2048, 36), (2**26 - 1, 36), (2**26, 35), (2**27 - 1, 35), (2**30, 31)]
)
def test_a_sum_over_the_largest_set_stays_an_integer_below_2_to_the_62(rows, bits):
    largest = np.broadcast_to(np.ones(1), (rows, 1))
    for sets in ((largest, np.ones((1, 1))), (np.ones((1, 1)), largest)):
        fitted = distance_for("cosine", *sets)
        assert (fitted.step_bits, fitted.step) == (bits, fitted.span / 2**bits)
    assert rows * 2**bits <= 2**62


@pytest.mark.parametrize("sets", [((0.0, 0.0), (100.0, 1.0)), ((0.0, 100.0), (1.0, 0.0)), ((-100.0, 2.0), (0.0, 0.0))])
@pytest.mark.parametrize("scale", [1.0, 2.0**400, 2.0**-400])
def test_the_span_holds_the_distances_of_one_set_to_another(sets, scale):
    for one, two in (sets, sets[::-1]):
        x, y = np.array([one]) * scale, np.array([two]) * scale
        fitted = distance_for("euclidean", x, y)
        longest = float(squared_block(fitted.prepare(x), fitted.prepare(y))[0, 0]) ** 0.5
        assert longest <= fitted.span <= 4 * longest


@pytest.mark.parametrize("scale", [2.0**-400, 2.0**-20, 2.0**400])
def test_squared_distances_and_cosines_keep_any_magnitude_whose_squares_can_be_told(scale):
    points = np.array([[3.0, 4.0], [0.0, 0.0], [6.0, 8.0], [4.0, -3.0]]) * scale
    for name, expected in (("sqeuclidean", [0.0, 25 * scale**2, 25 * scale**2]), ("cosine", [0.0, 1.0, 0.0, 1.0])):
        fitted = distance_for(name, points)
        rows = fitted.prepare(points)
        assert fitted.from_squared(squared_block(rows, rows))[0, : len(expected)] == pytest.approx(
            expected, rel=1e-15, abs=0
        )


def test_an_unknown_distance_names_the_known_ones():
    with pytest.raises(ParameterError, match="euclidean"):
        distance_for("manhattan", X)


@pytest.mark.parametrize(("name", "least", "most"), [("sqeuclidean", -480, 480), ("euclidean", -1073, 1000)])
@pytest.mark.parametrize("place", [(0, 0), (1, 1)])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_magnitudes_are_refused_from_where_squares_or_sums_leave_float64(name, least, most, place, sign):
    def fitted(exponent: int) -> Distance:
        points = np.zeros((2, 2))
        points[place] = math.ldexp(sign / 2, exponent)
        return distance_for(name, points)

    for exponent in (least, most):
        assert fitted(exponent).exponent == exponent
    for exponent in {most + 1, max(least - 1, -1073)} - {least}:
        with pytest.raises(DataError, match="E206"):
            fitted(exponent)


def test_squares_beyond_float64_are_refused():
    with pytest.raises(DataError, match="E206"):
        distance_for("sqeuclidean", 1e200 * X)
    with pytest.raises(DataError, match="E206 .* sums of whose distances"):
        distance_for("euclidean", 1e306 * X / np.abs(X).max())
