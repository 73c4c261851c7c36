"""One number from many: what each query adds to it, what is exact, and what an entry says beside it."""

import numpy as np
import pytest

from tripleteval.evaluation.summary import Measured, per_query, summarise, total
from tripleteval.metrics import Column, parse

COLUMN = Column(np.array([1, 3, 0, 2, 5, 1]), np.array([2, 4, 0, 2, 5, 5]))  # ½, ¾, undefined, 1, 1, ⅕
CLASSES = np.array([0, 0, 4, 2, 2, 3])  # none of 1, and of the last nothing that is defined
AVERAGES = {"query": 3.45 / 5, "class": (0.625 + 1.0 + 0.2) / 3, "pooled": 12 / 18}


@pytest.mark.parametrize("average", AVERAGES)
def test_what_all_queries_add_is_the_average(average):
    entry = summarise(Measured(parse("recall@1"), COLUMN, COLUMN), CLASSES, average)
    assert (entry["value"], entry["chance"]) == pytest.approx((AVERAGES[average],) * 2)
    assert entry["averages"] == pytest.approx(AVERAGES)
    assert (entry["average"], entry["n"], entry["count"]) == (average, 18 if average == "pooled" else 5, 12)
    part, whole = per_query(COLUMN, average, CLASSES)
    assert part.sum() / whole.sum() == pytest.approx(AVERAGES[average])
    assert (part[2], whole[2]) == (0, 0)
    assert [part[4], whole[4]] == {"query": [1, 1], "class": [0.5, 0.5], "pooled": [5, 5]}[average]


def test_without_classes_there_is_no_mean_over_them():
    entry = summarise(Measured(parse("recall@1"), COLUMN), None, "class")
    assert (entry["average"], entry["value"], entry["averages"]["class"]) == ("query", entry["averages"]["query"], None)
    assert all(map(np.array_equal, per_query(COLUMN, "class", None), per_query(COLUMN, "query", CLASSES)))


@pytest.mark.parametrize(
    ("name", "column", "said"),
    [
        ("triplet_satisfied@margin=1", COLUMN, True),
        ("batch_hard@margin=1", COLUMN, False),
        ("recall@1", Column(COLUMN.part / 1, COLUMN.whole), False),
    ],
)
def test_a_count_is_told_of_integers_that_pool(name, column, said):
    assert ("count" in summarise(Measured(parse(name), column), CLASSES, "query")) == said


@pytest.mark.parametrize(
    ("name", "why"),
    [("map", "anything relevant"), ("triplet_accuracy", "no valid triplet"), ("silhouette", "one class")],
)
def test_what_is_undefined_for_every_query_says_why(name, why):
    nothing = Column(np.zeros(3), np.zeros(3))
    entry = summarise(Measured(parse(name), nothing, nothing, nothing), np.arange(3), "query")
    assert (entry["value"], entry["n"], entry["chance"], entry["ceiling"]) == (None, 0, None, None)
    assert why in entry["reason"]


@pytest.mark.parametrize(
    ("name", "average", "chosen"),
    [("triplet_satisfied@margin=1", "query", "pooled"), ("map", "pooled", "query"), ("recall@1", "pooled", "pooled")],
)
def test_an_average_that_means_nothing_for_a_metric_gives_way_to_its_own(name, average, chosen):
    entry = summarise(Measured(parse(name), COLUMN), CLASSES, average)
    assert (entry["average"], entry["value"]) == (chosen, pytest.approx(AVERAGES[chosen]))


def test_a_median_is_that_of_the_defined_queries_in_every_part():
    column = Column(np.array([1.0, 9.0, 4.0, 2.0]), np.array([1, 1, 0, 1]))
    entry = summarise(Measured(parse("first_rank_median"), column, column, column), None, "query")
    assert [entry[key] for key in ("value", "chance", "ceiling", "average")] == [2.0, 2.0, 2.0, "median"]


def test_sums_of_integers_are_exact_beyond_what_64_bits_hold():
    assert total(np.array([2**62, 2**62, 2**62 + 7, 2**33 - 1])) == 3 * 2**62 + 6 + 2**33
    entry = summarise(Measured(parse("recall@1"), Column(*np.full((2, 3), 2**62))), None, "pooled")
    assert (entry["value"], entry["n"], entry["count"]) == (1.0, 3 * 2**62, 3 * 2**62)
