"""A metric has one spelling, and it parses back."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tripleteval.errors import ParameterError
from tripleteval.metrics import METRICS, number, parse, spell

VALUES = {"k": 7, "margin": 0.25, "far": 0.001, "fpir": 0.01, None: None, "share": 0.5}


@pytest.mark.parametrize("pattern", METRICS.names())
def test_every_spelling_parses_back_to_the_same_metric(pattern):
    metric = METRICS[pattern]
    spelling = spell(pattern, VALUES[metric.parameter])
    assert parse(spelling) == (spelling, metric, VALUES[metric.parameter])


@given(st.floats(0, 1e6) | st.floats(0, 1e300))
@example(1e16)
def test_a_margin_reads_back_as_the_same_float(margin):
    assert parse(f"easy@margin={number(margin)}").value == margin


@pytest.mark.parametrize(
    "spelling", ["recall@10", "map@r", "triplet_satisfied@margin=0.2", "hit_rate@1", "first_rank_median"]
)
def test_the_documented_spellings_are_known(spelling):
    assert parse(spelling).spelling == spelling


@pytest.mark.parametrize(
    "wrong", ["recall", "recall@", "recall@ten", "recall@-1", "easy@0.2", "easy@margin=", "", "map@"]
)
def test_a_wrong_spelling_is_refused_and_a_near_one_named(wrong):
    with pytest.raises(ParameterError, match="E510"):
        parse(wrong)
