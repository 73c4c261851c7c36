"""A memory budget becomes orders that fit it, or an error that says what would."""

import os
import subprocess
import sys

import numpy as np
import pytest

import tripleteval as te
from tripleteval.data.budget import parse_memory
from tripleteval.engine.plan import Costs, Order, least_memory, plan, plan_mutual
from tripleteval.evaluation.relevance import compare

COSTS = Costs(per_positive=600, at_work_per_positive=400, per_query=10, at_work_per_query=10, fixed=0, held=1000)


def comparison(n: int = 40, classes: int = 4):
    """Return a leave-one-out comparison of n points."""
    embeddings = te.Embeddings(np.arange(n, dtype=float)[:, None], np.arange(n) % classes)
    return compare(embeddings, None, ignore=None, relevance=None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1GiB", 2**30), ("512MiB", 2**29), ("2 GB", 2**31), ("1.5g", 3 * 2**29), (4096, 4096), ("100k", 102_400)],
)
def test_memory_reads_as_people_write_it(text, expected):
    assert parse_memory(text) == expected


@pytest.mark.parametrize("text", ["", "lots", "-1GiB", "0", "1 parsec", None])
def test_memory_that_means_nothing_is_refused(text):
    with pytest.raises(te.ParameterError, match="E101"):
        parse_memory(text)


def test_orders_cover_every_query_once_against_the_whole_gallery():
    orders, _ = plan(comparison(), COSTS, memory=200_000, workers=2)
    assert len(orders) > 1
    assert orders[0] == Order(0, orders[1].start, 0, 40)
    assert [o.start for o in orders[1:]] == [o.stop for o in orders[:-1]]
    assert (orders[0].start, orders[-1].stop) == (0, 40)


def test_less_memory_means_smaller_blocks():
    blocks = [
        max(o.stop - o.start for o in plan(comparison(), COSTS, memory=m, workers=2)[0])
        for m in (30_000, 100_000, 10**9)
    ]
    assert blocks == sorted(blocks)
    assert blocks[0] < blocks[-1] == 40


def test_an_impossible_budget_names_the_least_that_would_do():
    with pytest.raises(te.ResourceError, match="E802") as caught:
        plan(comparison(4000, 2), COSTS, memory=2**20, workers=2)
    needed = parse_memory(caught.value.fix.split("(--memory) ")[1].split()[0])
    assert plan(comparison(4000, 2), COSTS, memory=needed, workers=2)


def test_what_is_taken_off_the_budget_already_is_in_both_numbers_of_the_message():
    standing = 2**24
    with pytest.raises(te.ResourceError, match="a memory budget of 17 MiB for 4,000 queries") as caught:
        plan(comparison(4000, 2), COSTS, memory=2**20, workers=2, standing=standing)
    needed = parse_memory(caught.value.fix.split("(--memory) ")[1].split()[0])
    assert plan(comparison(4000, 2), COSTS, memory=needed - standing, workers=2, standing=standing)
    assert needed - 2 * 2**20 < standing + least_memory(comparison(4000, 2), COSTS, 2)


@pytest.mark.parametrize("least", [7, 40, 64])
def test_a_gallery_that_cannot_be_held_is_cut_into_stretches_that_cover_it_once_for_each_block(monkeypatch, least):
    monkeypatch.setattr("tripleteval.engine.plan._LEAST_STRETCH", least)
    orders, hold = plan(comparison(), COSTS._replace(held=2**50), memory=90_000, workers=2, cut=True)
    assert not hold
    blocks = sorted({(order.start, order.stop) for order in orders})
    assert [order[:2] for order in orders] == sorted(order[:2] for order in orders)  # evidence merges as it comes
    assert [start for start, _ in blocks] == [0, *(stop for _, stop in blocks[:-1])]
    assert len(blocks) > 1
    for block in blocks:
        stretches = [order[2:] for order in orders if order[:2] == block]
        assert [first for first, _ in stretches] == [0, *(last for _, last in stretches[:-1])]
        assert (stretches[-1][1], blocks[-1][1]) == (40, 40)
        assert (len(stretches) > 1) == (least == 7)


def test_the_gallery_is_held_in_both_precisions_where_there_is_room():
    roomy = COSTS._replace(held=10**6)
    assert [plan(comparison(), roomy, memory=m, workers=2)[1] for m in (200_000, 10**7)] == [False, True]


def test_blocks_meet_in_pairs_only_where_all_of_them_fit_at_once():
    assert plan_mutual(comparison(), COSTS, memory=100_000, workers=2) is None
    orders = plan_mutual(comparison(), COSTS, memory=10**8, workers=2)
    assert orders == [Order(0, 40, 0, 40)]


def test_large_classes_do_not_meet_in_pairs():
    for classes, met in ((3, True), (2, False)):
        assert (plan_mutual(comparison(180, classes), COSTS, memory=10**8, workers=2) is not None) == met


PEAK = """
import sys
import numpy as np
import tripleteval as te
from tripleteval.search.child import memory_held
rng = np.random.default_rng(0)
n, classes = int(sys.argv[1]), int(sys.argv[2])
x = rng.normal(size=(n, 32)).astype(np.float32)
y = rng.integers(0, classes, n)
te.evaluate(x[:300], y[:300] % 5, kernel="cpu")
before = memory_held("VmHWM")
te.evaluate(x, y, memory=sys.argv[3], threads=2)
print((memory_held("VmHWM") - before) / 2**20)
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="peak memory is read from /proc")
@pytest.mark.parametrize(("n", "classes", "memory"), [(6000, 1000, 64), (6000, 1000, 400), (3000, 3, 64)])
def test_peak_memory_stays_within_the_budget(n, classes, memory):
    ran = subprocess.run(
        [sys.executable, "-c", PEAK, str(n), str(classes), f"{memory}MiB"], capture_output=True, text=True, check=True
    )
    # 6,000 × 6,000 float64 distances alone would be 275 MiB; in the second, blocks meet in pairs.
    assert float(ran.stdout) < memory + 150
