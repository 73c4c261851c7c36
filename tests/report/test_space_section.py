"""Is the space healthy: what the section says, and what it does not hide."""

import numpy as np
import pytest

from tripleteval import Evaluation, evaluate
from tripleteval.data.section import Section
from tripleteval.metrics import METRICS
from tripleteval.report.sections import SECTIONS
from tripleteval.report.sections.space import _READ_AS


def said(evaluation: Evaluation) -> Section | None:
    """Return what the section says."""
    return SECTIONS["space"].write(evaluation)


def rows(evaluation: Evaluation) -> dict[str, list[str]]:
    """Return the rows of its table by the number's name."""
    section = said(evaluation)
    assert section is not None
    return {row[0]: list(row[1:]) for row in section.tables[0].rows}


def test_every_number_of_the_space_is_listed_with_how_to_read_it(run: Evaluation):
    of_space = {n for n in run.metrics if n.partition("@")[0] in _READ_AS}
    assert set(rows(run)) == of_space
    assert {"effective_rank", "hubness@10", "anti_hubs@10", "anisotropy", "intra_distance"} <= of_space


def test_no_number_of_the_space_is_left_to_another_section():
    registered = {
        n.partition("@")[0] for n, m in METRICS.items() if m.of_space or m.of in ("spread", "sphere", "distances")
    }
    assert registered == set(_READ_AS)


def test_an_undefined_number_gives_its_reason(collapsed: Evaluation):
    value, meaning = rows(collapsed)["effective_rank_centred"]
    assert value == "–"
    assert meaning == "undefined: all vectors are identical"


def test_a_mean_over_seeds_carries_its_spread():
    points = np.random.default_rng(0).normal(size=(40, 3))
    found = evaluate(points, np.arange(40) % 4, metrics=["ami"])
    assert rows(found)["ami"][0] == f"{found['ami']:.4f} ± {found.metrics['ami']['sd']:.4f}"


@pytest.mark.parametrize(
    ("scale", "sentence"), [(1.0, "The vectors are normalised."), (3.0, "The lengths of the vectors vary by")]
)
def test_it_says_whether_vectors_are_normalised(scale, sentence):
    points = np.random.default_rng(0).normal(size=(40, 3))
    points *= scale / np.linalg.norm(points, axis=1)[:, None] if scale == 1 else scale
    assert sentence in said(evaluate(points, np.arange(40) % 4)).text


def test_it_says_how_many_dimensions_hold_the_variance(run: Evaluation):
    assert "Of 1 dimension, 1 holds 90 % of the variance and 1 holds 99 %." in said(run).text


def test_given_triplets_are_no_space(given: Evaluation):
    assert said(given) is None
