"""Evaluations that reports are made of."""

from __future__ import annotations

import numpy as np
import pytest

from tripleteval import Embeddings, Evaluation, evaluate, evaluate_triplets

POINTS = [[0.0], [1.0], [3.0], [7.0], [8.0], [12.0]]


@pytest.fixture(scope="session")
def run() -> Evaluation:
    """Six points of two classes, with ids."""
    ids = [f"item-{row}" for row in range(6)]
    found = Embeddings(POINTS, ["cat", "cat", "dog", "cat", "dog", "dog"], ids=ids, name="pets")
    return evaluate(found, ks=(1, 2), margins=(0.5, 2.0), margin_curve=[-1, 0.5])


@pytest.fixture(scope="session")
def given() -> Evaluation:
    """Two given triplets, without queries, classes or neighbours."""
    return evaluate_triplets([[0.0], [0.0]], [[1.0], [3.0]], [[2.0], [2.0]], margins=(0.5,))


@pytest.fixture(scope="session")
def collapsed() -> Evaluation:
    """Every vector the same."""
    return evaluate(np.zeros((8, 3)), [0, 0, 1, 1] * 2)


@pytest.fixture(scope="session")
def one_class() -> Evaluation:
    """Nothing to confuse anything with: no triplet exists."""
    return evaluate(POINTS, [0] * 6)
