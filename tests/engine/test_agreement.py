"""One answer: every kernel, tile size, thread count and memory budget gives the same bits."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

import tripleteval as te
from strategies import Points, labelled_points
from tripleteval.data.embeddings import Embeddings
from tripleteval.distance.formula import DISTANCES, distance_for
from tripleteval.engine import kernel_cpu, maps
from tripleteval.engine.plan import Order
from tripleteval.engine.run import Pass
from tripleteval.evaluation.relevance import compare

RNG = np.random.default_rng(0)


def clusters(n: int = 150, dim: int = 9, classes: int = 12, noise: float = 1.0) -> np.ndarray:
    """Return clustered points in the label order ``arange(n) % classes``."""
    rng = np.random.default_rng(1)
    return rng.normal(size=(classes, dim))[np.arange(n) % classes] + noise * rng.normal(size=(n, dim))


HOSTILE = {
    "clusters": clusters(),
    "float32": clusters().astype(np.float32),
    "float16": clusters().astype(np.float16),
    "badly separated": clusters(noise=9.0),
    "duplicates": np.repeat(clusters(50), 3, axis=0),
    "two identical halves": np.tile(clusters(75), (2, 1)),
    "collapsed": np.ones((150, 9)),
    "nearly collapsed": 1.0 + 1e-8 * clusters(),
    "grid": RNG.integers(-2, 3, (150, 3)).astype(np.int8) + np.int8(3),
    "offset": 1e3 + clusters(),
    "huge": 1e20 * clusters(),
    "huger": 1e200 * clusters(),
    "tiny": 1e-30 * clusters(),
    "subnormal": 1e-310 * clusters(),
    "zero vectors": clusters() * (np.arange(150) % 50 > 0)[:, None],
    "mixed scales": clusters() * 10.0 ** RNG.uniform(-20, 20, (150, 1)),
    "one dimension": clusters(dim=1),
    "many dimensions": clusters(dim=131),
}
BEYOND = ("huger", "subnormal")
LABELS = np.arange(150) % 12
EVIDENCE = (
    ("ranks", ("closer", "tied", "tied_before", "negatives", "coincident")),
    ("triplets", ("below", "upto", "hard", "lengths", "curve_upto", "nearest_negative")),
    ("neighbors", ("squared", "rows", "relevant")),
)


def evidence(x, distance: str, kernel: str, tile: int | None, stretches: int, *, margins=(0.2, 1.0), coarse=False):
    """Return everything one pass leaves behind; in coarse steps, as for many rows, or fine ones, as for few."""
    embeddings = Embeddings(x, LABELS[: len(x)])
    comparison = compare(embeddings, None, ignore=None, relevance=None)
    fitted = distance_for(distance, embeddings.vectors)
    fitted = replace(fitted, step_bits=36) if coarse else fitted
    run = Pass(comparison, fitted, np.array(margins), np.linspace(-1, max(margins), 5), 3, kernel, tile)
    return run.measure_in_stretches(Order(0, len(x), 0, len(x)), stretches)


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("name", HOSTILE)
def test_kernels_tiles_and_stretches_agree_bit_for_bit(name, distance):
    if distance == "sqeuclidean" and name in BEYOND:
        pytest.skip("squared distances of such values leave the range of float64; refused, see the test below")
    oracle = evidence(HOSTILE[name], distance, "reference", None, 1)
    plain = (("reference", 7, 3), ("numpy", None, 1), ("numpy", 7, 2), ("numpy", 64, 3))
    for kernel, tile, stretches in (*plain, ("cpu", None, 1), ("cpu", 5, 2), ("cpu", 64, 5)):
        agree(oracle, evidence(HOSTILE[name], distance, kernel, tile, stretches), (kernel, tile))
    oracle = evidence(HOSTILE[name], distance, "reference", None, 1, coarse=True)
    for kernel, tile, stretches in (("cpu", None, 2), ("cpu", 24, 1), ("numpy", 24, 1)):
        agree(oracle, evidence(HOSTILE[name], distance, kernel, tile, stretches, coarse=True), (kernel, tile))


@pytest.mark.parametrize("distance", DISTANCES)
def test_they_agree_where_a_tile_is_one_pair(distance):
    x = HOSTILE["duplicates"][:40]
    oracle = evidence(x, distance, "reference", None, 1)
    for kernel in ("cpu", "numpy"):
        agree(oracle, evidence(x, distance, kernel, 1, 2), (kernel, distance))


@pytest.mark.parametrize("space", ["clusters", "zero vectors"])
@pytest.mark.parametrize("distance", DISTANCES)
def test_they_agree_also_where_few_pairs_matter(space, distance, monkeypatch):
    monkeypatch.setattr(kernel_cpu, "_MOST", 2.0)  # no tile is crowded
    tight = (clusters(noise=0.02) + 2.0) * (HOSTILE[space] != 0)  # all within 60° of each other
    own = tight[19] / np.linalg.norm(tight[19])
    away = np.eye(9)[0] - own * own[0]
    tight[7] = 0.3 * own + away / np.linalg.norm(away)  # and one that is farther from its own class
    asked = {"margins": (0.01,), "coarse": True}
    oracle = evidence(tight, distance, "reference", None, 1, **asked)
    for kernel in ("cpu", "numpy"):
        other = evidence(tight, distance, kernel, 16, 1, **asked)  # what is near is known from earlier tiles
        agree(oracle, other, kernel)
        assert other.settled > 0


def agree(oracle, other, who):
    """Assert that two pieces of evidence are the same to the bit."""
    for part, names in EVIDENCE:
        for field in names:
            assert np.array_equal(getattr(getattr(oracle, part), field), getattr(getattr(other, part), field)), (
                who,
                field,
            )


@pytest.mark.parametrize("name", BEYOND)
def test_squared_distances_beyond_float64_are_refused(name):
    with pytest.raises(te.DataError, match="E206"):
        te.evaluate(HOSTILE[name], LABELS, distance="sqeuclidean")


@pytest.mark.parametrize("name", HOSTILE)
def test_one_result_hash(name):
    x = HOSTILE[name]
    hashes = {
        te.evaluate(x, LABELS, kernel=kernel, threads=threads, memory=memory).result_hash
        for kernel, threads, memory in (
            ("auto", None, "1GiB"),
            ("reference", 1, "20MiB"),
            ("numpy", 3, "20MiB"),
            ("cpu", 2, "60MiB"),
            ("cpu", 3, 2**31),
        )
    }
    hashes.add(te.evaluate(x, LABELS, map=map).result_hash)
    assert len(hashes) == 1


@settings(max_examples=40)
@given(data=labelled_points(dims=3))
def test_any_order_of_rows_gives_the_same_numbers(data: Points):
    points, labels = np.array(data[0]), np.array(data[1])
    order = np.random.default_rng(len(points)).permutation(len(points))
    one = te.evaluate(points, labels)
    two = te.evaluate(points[order], labels[order])
    assert one.metrics == two.metrics
    assert one.accounting == two.accounting


def test_results_come_back_in_the_order_of_the_work():
    def slow_first(item: int) -> int:
        import time

        time.sleep(0.02 if item == 0 else 0)
        return item

    assert list(maps.threads(3)(slow_first, range(9))) == list(range(9))


def test_an_error_in_a_worker_reaches_the_caller():
    def fail(item: int) -> int:
        raise te.DataError("E201", f"item {item}")

    with pytest.raises(te.DataError, match="item 0"):
        list(maps.threads(2)(fail, range(4)))


@pytest.mark.parametrize("threads", [0, -1, 1.5, True, "two"])
def test_an_impossible_number_of_threads_is_refused(threads):
    with pytest.raises(te.ParameterError, match="E101"):
        te.evaluate(HOSTILE["clusters"], LABELS, threads=threads)


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
@pytest.mark.parametrize("noise", [0.3, 3.0])
def test_many_rows_among_each_other_give_one_hash(noise, distance):
    x = clusters(2100, 16, 300, noise) * (np.arange(2100) % 500 > 0)[:, None]  # a tile serves both its sides
    asked = {"distance": distance, "verification": False, "zero_rows": "far"}
    hashes = {
        te.evaluate(x, np.arange(2100) % 300, kernel=kernel, **asked).result_hash
        for kernel in ("reference", "numpy", "cpu")
    }
    assert len(hashes) == 1


# How much is done at once, file by file, and as little of it as leaves something over.
AT_ONCE = {
    "again": {"_AT_ONCE": 3, "_TILE": 7},
    "decisions": {"TILE": 7},
    "gaps": {"_AT_ONCE": 7},
    "run": {"_PAIRS_AT_ONCE": 5, "window": lambda _: 5},
    "second_pass": {"AT_ONCE": 7},
    "searches": {"TILE": 7, "MOST_QUERIES": 4},
    "sphere": {"TILE": 7, "_PAIRS_AT_ONCE": 5},
    "spread": {"TILE": 7},
}


def everything() -> dict[str, str]:
    """Return the hashes of runs that ask for every distance, in passes of every kind, of points with many copies."""
    points, labels = np.repeat(clusters(20, 3), 3, axis=0) + 0.0, np.arange(60) // 4
    points[:20] = points[0]
    ids, sites = np.arange(60), ["a", "b", "c"] * 20
    found = te.Embeddings(points, labels, ids=ids, groups=ids % 4, meta={"site": sites})
    known = te.Embeddings(points[::2], labels[::2], ids=ids[::2])
    asked = {"metrics": ["silhouette", "alignment", "uniformity", "inter_distance", "hubness@2", "intrinsic_dimension"]}
    return {
        "among each other": te.evaluate(found, by="site", **asked).result_hash,
        "against a gallery": te.evaluate(found, gallery=known, by="site", **asked).result_hash,
        "with pairs ignored": te.evaluate(found, ignore="group", kernel="reference", **asked).result_hash,
        "who is it": te.evaluate_identification(found, known).result_hash,
    }


def test_how_much_is_done_at_once_leaves_no_trace(monkeypatch):
    whole = everything()
    for module, steps in AT_ONCE.items():
        for name, value in steps.items():
            monkeypatch.setattr(f"tripleteval.engine.{module}.{name}", value)
    assert everything() == whole
